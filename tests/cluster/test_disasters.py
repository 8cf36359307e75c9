"""What an installation lives through: its status deleted, everything restarted, its ledger lost.

Each test goes on where the one before it ended; after the last one nothing is decided any more.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.cluster import running
from tests.cluster.example import MODEL, Example
from tests.cluster.installed import SYSTEM, Installed, installed
from tests.cluster.running import RefusedError, TooLateError, until
from tests.cluster.unguarded import without

NAME = "modelwarden-disasters"
KINDS = ("models", "modelversions", "modeltransitions")


@pytest.fixture(scope="module")
def own(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installed]:
    """A cluster of these tests' own: what they do to it cannot be undone."""
    kind = request.config.option.kind_bin
    kubeconfig = tmp_path_factory.mktemp("disasters") / "kubeconfig"
    cluster = running.start(NAME, kubeconfig)
    try:
        with installed(cluster) as operator:
            yield operator
    finally:
        running.stop(NAME, kubeconfig, kind=kind)


@pytest.fixture(scope="module")
def serving(own: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """Version 1 in Production, version 2 waiting for a second vote, version 3 not registered."""
    with own.cluster.namespace("disasters") as namespace:
        example = Example(own, namespace, tmp_path_factory.mktemp("models"))
        example.set_up()
        example.declare()
        example.register(1)
        example.await_stage(1, "Registered")
        example.bring_to_production(1)
        example.register(2)
        example.register(3, lineage={})
        example.await_stage(2, "Registered")
        example.ask("manager", "promote", MODEL, "2", "--to=production", "--reason=Better")
        example.await_votes(2)
        example.approve(2, "owner")
        until(
            lambda: example.condition(3, "Ready") == "False",
            what="the registration of version 3 failed",
        )
        yield example


Objects = list[dict[str, Any]]


def objects(example: Example) -> Objects:
    """The Model, its versions and its attempts."""
    where = f"--namespace={example.namespace}"
    read = (example.installed.cluster.get(kind, where)["items"] for kind in KINDS)
    return [found for items in read for found in items]


def drawn(example: Example) -> dict[str, Any]:
    """What the operator writes into the cluster: every status, and the marks on the service."""
    service = example.get("deployment", "fraud-api")
    return {
        **{name_of(found): timeless(found.get("status")) for found in objects(example)},
        "labels": service["metadata"]["labels"],
        "template": service["spec"]["template"]["metadata"],
    }


def records(example: Example) -> Any:
    """What the ledger says of the model."""
    told = example.ask("auditor", "history", MODEL, "--ledger=pod", "--output=json")
    return example.json(told)["history"]


def name_of(found: dict[str, Any]) -> str:
    """An object by its kind and name."""
    return f"{found['kind']}/{found['metadata']['name']}"


def timeless(value: Any) -> Any:
    """Leave out when conditions were last seen to change, and nothing else."""
    if isinstance(value, dict):
        return {k: timeless(v) for k, v in value.items() if k != "lastTransitionTime"}
    return [timeless(item) for item in value] if isinstance(value, list) else value


def await_drawn(example: Example, wanted: dict[str, Any]) -> dict[str, Any]:
    """Wait until everything is drawn as it should be; gives what there is, to be compared."""
    with suppress(TooLateError):
        until(lambda: drawn(example) == wanted, what="everything is as it was")
    return drawn(example)


def delete_status(example: Example, found: dict[str, Any], *words: str) -> str:
    """Delete the status of an object, as the administrator of the cluster."""
    return example.installed.cluster.kubectl(
        None,
        "patch",
        found["kind"],
        found["metadata"]["name"],
        f"--namespace={example.namespace}",
        "--subresource=status",
        "--type=json",
        '--patch=[{"op": "remove", "path": "/status"}]',
        *words,
    )


def is_guarded(example: Example) -> bool:
    """Whether not even the administrator may write a status."""
    try:
        delete_status(example, objects(example)[0], "--dry-run=server")
    except RefusedError as refusal:
        return "modelwarden-operator-only" in str(refusal)
    return False


def test_status_that_somebody_deleted_is_drawn_again_from_the_ledger(serving: Example) -> None:
    before, recorded, begun = drawn(serving), records(serving), datetime.now(UTC)
    assert is_guarded(serving)

    with without(serving.installed.cluster, "modelwarden-operator-only"):
        until(lambda: not is_guarded(serving), what="the administrator may write a status")
        for found in objects(serving):
            delete_status(serving, found)
        after = await_drawn(serving, before)
    until(lambda: is_guarded(serving), what="nobody but the operator writes a status again")

    assert (after, records(serving)) == (before, recorded)
    # Conditions say when they were drawn: each of them is new.
    times = [c["lastTransitionTime"] for o in objects(serving) for c in o["status"]["conditions"]]
    assert [
        time for time in times if datetime.fromisoformat(time) < begun.replace(microsecond=0)
    ] == []


def test_everything_restarted_is_where_it_was(serving: Example) -> None:
    before, recorded = drawn(serving), records(serving)

    serving.installed.cluster.restart()

    assert (await_drawn(serving, before), records(serving)) == (before, recorded)
    verified = serving.ask("auditor", "audit", "verify", everywhere=True)
    assert (verified.code, verified.output.splitlines()[0]) == (0, "The ledger is whole.")
    # What was waiting goes on, and new pods find the file in the store.
    serving.approve(2, "reviewer")
    serving.await_stage(2, "Production")


def empty_the_ledger(operator: Installed) -> None:
    """Take volume and claim away, and let the chart make them anew, as a bad clean-up does."""
    cluster, where = operator.cluster, f"--namespace={SYSTEM}"
    cluster.kubectl(None, "scale", "deployment/modelwarden-controller", "--replicas=0", where)
    claim = cluster.get("persistentvolumeclaim", "modelwarden-ledger", where)
    until(
        lambda: (
            not cluster.get("pods", where, "--selector=app.kubernetes.io/component=controller")[
                "items"
            ]
        ),
        what="the controller is gone",
    )
    cluster.kubectl(None, "delete", "persistentvolumeclaim", "modelwarden-ledger", where)
    metadata = claim["metadata"]
    fresh = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": metadata["name"], "labels": metadata["labels"]},
        "spec": {key: claim["spec"][key] for key in ("accessModes", "resources")},
    }
    cluster.apply(fresh, namespace=SYSTEM)
    cluster.kubectl(None, "scale", "deployment/modelwarden-controller", "--replicas=1", where)


def test_an_emptied_ledger_is_lost_and_what_serves_goes_on(serving: Example) -> None:
    before = serving.get("deployment", "fraud-api")["spec"]
    stages = serving.get("model")["status"]["stages"]

    empty_the_ledger(serving.installed)

    reason = until(
        lambda: stalled(serving), what="the Model says that the ledger is lost", within=90
    )
    assert (reason, serving.get("deployment", "fraud-api")["spec"]) == ("LedgerLost", before)
    assert serving.get("model")["status"]["stages"] == stages
    assert serving.stage(stages["production"]["version"]) == "Production"
    assert MODEL in serving.installed.cluster.kubectl(None, "get", "models", "-A")


def stalled(example: Example) -> str:
    """Why the Model is stalled; empty where it is not."""
    conditions = example.get("model")["status"]["conditions"]
    return next(
        (c["reason"] for c in conditions if c["type"] == "Stalled" and c["status"] == "True"), ""
    )
