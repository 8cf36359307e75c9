"""The verbs of the command line on a real cluster, each used by the person whose part it is."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.cluster.example import MODEL, Example, Told
from tests.cluster.installed import Installed
from tests.cluster.running import until

WAIT = ("--wait", "--timeout=3m")


def stages(example: Example) -> Any:
    """What the Model asks for."""
    return example.get("model")["spec"].get("stages", {})


def last(told: Told) -> tuple[int, str]:
    """How a command ended, and the last thing it said."""
    said = (told.output + told.complaint).strip().splitlines()
    return told.code, said[-1] if said else ""


@pytest.fixture(scope="module")
def twice_released(
    operator: Installed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Example]:
    """Version 2 in Production, where it replaced version 1; the tests go on from there."""
    with operator.cluster.namespace("command-line") as namespace:
        example = Example(operator, namespace, tmp_path_factory.mktemp("models"))
        example.set_up()
        example.declare()
        for number in (1, 2):
            example.register(number)
            example.await_stage(number, "Registered")
            example.bring_to_production(number)
        yield example


def test_everything_can_be_read_by_everybody_with_a_part_in_it(twice_released: Example) -> None:
    commands = [
        ("versions", MODEL, "-o", "wide"),
        ("describe", MODEL),
        ("describe", MODEL, "v2"),
        ("diff", MODEL, "1"),
        ("gates", MODEL, "2"),
        ("consumers", MODEL),
    ]

    read = [twice_released.ask("scientist", *words) for words in commands]

    assert [(told.words[0], told.code, bool(told.output)) for told in read] == [
        (words[0], 0, True) for words in commands
    ]


def test_the_gates_name_their_records(twice_released: Example) -> None:
    told = twice_released.ask("auditor", "gates", MODEL, "2", "-o", "json")

    attempts = json.loads(told.output)
    unrecorded = [
        gate["name"] for a in attempts for gate in a["gates"] if not gate.get("ledgerIndex")
    ]
    assert ([a["to"] for a in attempts], unrecorded) == (
        ["Registered", "Staging", "Production"],
        [],
    )


def test_production_is_not_emptied_by_a_word_too_few(twice_released: Example) -> None:
    told = twice_released.ask("manager", "demote", MODEL, "2", "--reason=Drifts")

    named = stages(twice_released)["production"]["version"]
    assert (told.code, "no version replaces it" in told.complaint, named) == (1, True, 2)


def test_whoever_lacks_the_right_is_told_which_one(twice_released: Example) -> None:
    told = twice_released.ask("engineer", "demote", MODEL, "2", "--to=staging", "--reason=Drifts")

    assert (told.code, "lacks the verb demote on models/production" in told.complaint) == (3, True)


def test_an_owner_reviews_what_is_in_production(twice_released: Example) -> None:
    told = twice_released.ask("owner", "review", MODEL, "--rationale=No drift.", "--yes")

    code, said = last(told)
    assert (code, said.startswith(f"owner@example.com reviewed {MODEL} 2 in Production")) == (
        0,
        True,
    )


def test_a_version_goes_back_to_what_it_replaced(
    twice_released: Example,
) -> None:
    back = twice_released.ask("engineer", "rollback", MODEL, "--reason=Latency", *WAIT)

    assert last(back) == (0, "Version 1 is in Production.")
    labels = twice_released.get("deployment", "fraud-api")["metadata"]["labels"]
    assert labels["modelwarden.io/version"] == "1"


def test_a_request_is_asked_and_taken_back(twice_released: Example) -> None:
    before = stages(twice_released)
    reason = "--reason=Once more"
    asked = twice_released.ask("manager", "promote", MODEL, "2", "--to=production", reason)
    twice_released.await_votes(2)

    back = twice_released.ask("manager", "cancel", MODEL, "2", *WAIT)

    assert (asked.code, last(back)) == (
        0,
        (0, "Nothing brings version 2 into Production any more."),
    )
    after = stages(twice_released)
    assert (after["production"]["version"], after["staging"]) == (1, before["staging"])


def test_a_version_in_staging_is_demoted_and_archived(twice_released: Example) -> None:
    down = twice_released.ask("engineer", "demote", MODEL, "2", "--reason=Not now", *WAIT)
    out = twice_released.ask("engineer", "archive", MODEL, "2", "--reason=Not needed", *WAIT)

    assert (last(down), last(out)) == (
        (0, "Version 2 is Registered."),
        (0, "Version 2 is Archived."),
    )


def test_a_version_is_withdrawn_from_production(twice_released: Example) -> None:
    out = twice_released.ask(
        "manager", "demote", MODEL, "1", "--to=staging", "--reason=Incident", *WAIT
    )

    assert (last(out), "production" in stages(twice_released)) == (
        (0, "Version 1 is in Staging."),
        False,
    )


def test_a_registration_is_tried_again_when_its_file_has_come(twice_released: Example) -> None:
    record = yaml.safe_load(twice_released.train(3))
    key = f"{twice_released.namespace}/{MODEL}/later/model.onnx"
    record["spec"]["artifact"]["uri"] = f"s3://models/{key}"
    twice_released.pipeline("apply", "-f", "-", given=json.dumps(record))
    until(
        lambda: twice_released.condition(3, "Stalled") == "True",
        what="the registration has failed",
        within=180,
    )
    said = twice_released.ask("engineer", "logs", MODEL, "3", "artifact")
    twice_released.installed.upload(twice_released.work / "3" / "model.onnx", key)

    again = twice_released.ask(
        "engineer", "retry", MODEL, "3", "--rationale=The file is there now.", *WAIT
    )

    assert (said.code, last(again)) == (0, (0, "Version 3 is Registered."))


def test_a_model_that_git_keeps_is_left_alone(twice_released: Example) -> None:
    metadata = {"name": MODEL, "namespace": twice_released.namespace}
    kept = {"apiVersion": "modelwarden.io/v1alpha1", "kind": "Model", "metadata": metadata}
    before = stages(twice_released)
    twice_released.installed.cluster.kubectl(
        "engineer",
        "apply",
        "--server-side",
        "--force-conflicts",
        "--field-manager=argocd-controller",
        "-f",
        "-",
        given=json.dumps(kept | {"spec": {"stages": before}}),
    )

    told = twice_released.ask(
        "manager", "promote", MODEL, "1", "--to=production", "--reason=From Git"
    )

    wanted = yaml.safe_load(told.output)["spec"]["stages"]
    assert (told.code, wanted["production"], stages(twice_released)) == (
        0,
        {"version": 1, "reason": "From Git"},
        before,
    )
