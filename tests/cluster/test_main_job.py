"""The main job on a real cluster: registered, validated, approved, served, on record."""

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cluster.example import MODEL, Example
from tests.cluster.installed import Installed
from tests.cluster.running import RefusedError, until


@contextmanager
def answer_of(example: Example, path: str) -> Iterator[dict[str, str]]:
    """What the service says of itself."""
    cluster = example.installed.cluster
    with (
        cluster.reachable(example.namespace, "fraud-api", 80) as address,
        urllib.request.urlopen(f"http://{address}{path}", timeout=10) as response,
    ):
        yield json.load(response)


@pytest.fixture(scope="module")
def in_production(
    operator: Installed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Example]:
    """Version 1 in Production, for all tests of this file."""
    with operator.cluster.namespace("main-job") as namespace:
        example = Example(operator, namespace, tmp_path_factory.mktemp("models"))
        example.set_up()
        example.declare()
        example.register(1)
        example.await_stage(1, "Registered")
        example.bring_to_production(1)
        yield example


def test_a_version_reaches_production_and_the_bytes_that_serve_are_the_registered_ones(
    in_production: Example,
) -> None:
    with answer_of(in_production, "/model") as answer:
        served = (answer["version"], answer["digest"])

    artifact = in_production.get("modelversion", f"{MODEL}-1")["spec"]["artifact"]
    assert served == ("1", artifact["digest"])


def test_the_pods_of_the_service_carry_the_version(in_production: Example) -> None:
    pods = in_production.installed.cluster.get(
        "pods", f"--namespace={in_production.namespace}", f"--selector=modelwarden.io/model={MODEL}"
    )

    carried = {pod["metadata"]["labels"]["modelwarden.io/version"] for pod in pods["items"]}
    assert carried == {"1"}


def test_an_owners_own_apply_scale_and_restart_are_never_in_the_way(
    in_production: Example,
) -> None:
    cluster, where = in_production.installed.cluster, f"--namespace={in_production.namespace}"

    cluster.kubectl("engineer", "apply", "-f", "-", given=in_production.service())
    cluster.kubectl("engineer", "scale", "deployment/fraud-api", "--replicas=1", where)
    cluster.kubectl("engineer", "rollout", "restart", "deployment/fraud-api", where)
    cluster.kubectl("engineer", "rollout", "status", "deployment/fraud-api", where)

    labels = in_production.get("deployment", "fraud-api")["spec"]["template"]["metadata"]["labels"]
    assert labels["modelwarden.io/version"] == "1"


def test_nobody_else_may_write_our_labels_on_the_service(in_production: Example) -> None:
    with pytest.raises(RefusedError, match="written by the operator only"):
        in_production.installed.cluster.kubectl(
            "engineer",
            "label",
            "deployment/fraud-api",
            "modelwarden.io/version=7",
            "--overwrite",
            f"--namespace={in_production.namespace}",
        )


def test_serving_at_names_the_version_its_data_and_who_approved_it(
    in_production: Example,
) -> None:
    told = in_production.ask("auditor", "serving-at", MODEL, "--at=now", "--ledger=pod")

    said = [
        word
        for word in ("version 1", "credit-data", "owner@example.com", "reviewer@example.com")
        if word in told.output
    ]
    assert (told.code, said) == (
        0,
        ["version 1", "credit-data", "owner@example.com", "reviewer@example.com"],
    )


def test_the_ledger_verifies_through_the_auditors_own_login(in_production: Example) -> None:
    told = in_production.ask("auditor", "audit", "verify", everywhere=True)

    assert (told.code, told.output.splitlines()[0]) == (0, "The ledger is whole.")


def test_why_names_every_unmet_condition_at_once(example: Example) -> None:
    wrong = {
        "uri": f"s3://models/{example.namespace}/{MODEL}/1/model.onnx",
        "digest": "sha256:" + "0" * 64,
        "format": "Safetensors",
    }
    example.register(1, artifact=wrong, metrics=[{"name": "auc", "value": "0.1", "samples": 10}])
    until(lambda: example.condition(1, "Stalled") == "True", what="the registration has failed")

    why = example.ask("engineer", "why", MODEL, "1")

    failed = [line.split()[1] for line in why.output.splitlines() if "FAILED" in line]
    assert failed == ["metadata", "format", "artifact", "contract"]


def test_kubectl_get_reads_well(in_production: Example) -> None:
    shown = in_production.installed.cluster.kubectl(
        None,
        "get",
        "models,modelversions,modeltransitions",
        f"--namespace={in_production.namespace}",
    )

    rows = [line.split() for line in shown.splitlines() if line.startswith("model.")]
    assert rows[0][1:3] == ["1", "(logistic-money-2026-09)"]


def test_kubectl_wait_ends_on_what_is_ready_and_on_an_attempt_that_succeeded(
    in_production: Example,
) -> None:
    cluster, where = in_production.installed.cluster, f"--namespace={in_production.namespace}"
    objects = (
        f"model/{MODEL}",
        f"modelversion/{MODEL}-1",
        f"modeltransition/{MODEL}-1-production-1",
    )

    met = [
        cluster.kubectl("engineer", "wait", awaited, "--timeout=30s", *about, where).count(
            "condition met"
        )
        for awaited, about in (
            ("--for=condition=Ready", objects),
            ("--for=condition=Settled", objects[:1]),
            ("--for=condition=Succeeded", ("modeltransition", "--all")),
        )
    ]

    assert met == [3, 1, 3]


def test_kubectl_get_tells_a_models_history_in_order(in_production: Example) -> None:
    shown = in_production.installed.cluster.kubectl(
        "engineer",
        "get",
        "modeltransitions",
        "--sort-by=.status.ledger[0]",
        f"--namespace={in_production.namespace}",
    )

    header, *rows = [line.split() for line in shown.splitlines()]
    assert " ".join(header) == "NAME KIND FROM TO GATES APPROVALS OUTCOME REASON REQUESTER AGE"
    assert [(row[1], row[-4], row[-3]) for row in rows] == [
        ("Register", "Succeeded", "Succeeded"),
        ("Promote", "Succeeded", "Succeeded"),
        ("Promote", "Succeeded", "Succeeded"),
    ]


def test_kubectl_finds_the_plugin(example: Example) -> None:
    done = subprocess.run(
        ["kubectl", "model", "--help"], env=example.environment, capture_output=True, check=False
    )

    assert done.returncode == 0


def test_the_next_version_takes_over_and_the_old_one_may_be_returned_to(
    in_production: Example,
) -> None:
    in_production.register(2)
    in_production.await_stage(2, "Registered")

    in_production.bring_to_production(2)

    stages = in_production.get("model")["status"]["stages"]
    assert (
        stages["production"]["version"],
        # It goes from the one to the other as soon as its last pod is gone.
        [*stages.get("retiring", ()), *stages.get("archived", ())],
        stages["rollbackTo"],
    ) == (2, [1], [{"version": 1}])
