"""A ledger that was emptied: nothing is decided any more, and nothing that serves is touched."""

from collections.abc import Iterator

import pytest

from tests.cluster import running
from tests.cluster.example import MODEL, Example
from tests.cluster.installed import SYSTEM, Installed, installed
from tests.cluster.running import until

NAME = "modelwarden-lost"


@pytest.fixture
def own(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installed]:
    """A cluster of this test's own: what it does to the ledger cannot be undone."""
    kind = request.config.option.kind_bin
    kubeconfig = tmp_path_factory.mktemp("lost") / "kubeconfig"
    cluster = running.start(NAME, kubeconfig)
    try:
        with installed(cluster) as operator:
            yield operator
    finally:
        running.stop(NAME, kubeconfig, kind=kind)


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


def test_an_emptied_ledger_is_lost_and_what_serves_goes_on(
    own: Installed, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with own.cluster.namespace("lost") as namespace:
        example = Example(own, namespace, tmp_path_factory.mktemp("models"))
        example.set_up()
        example.declare()
        example.register(1)
        example.await_stage(1, "Registered")
        example.bring_to_production(1)
        before = example.get("deployment", "fraud-api")["spec"]

        empty_the_ledger(own)

        reason = until(
            lambda: _stalled(example), what="the Model says that the ledger is lost", within=90
        )
        assert (reason, example.get("deployment", "fraud-api")["spec"], example.stage(1)) == (
            "LedgerLost",
            before,
            "Production",
        )
        assert example.get("model")["status"]["stages"]["production"]["version"] == 1
        assert MODEL in example.installed.cluster.kubectl(None, "get", "models", "-A")


def _stalled(example: Example) -> str:
    conditions = example.get("model")["status"]["conditions"]
    return next(
        (c["reason"] for c in conditions if c["type"] == "Stalled" and c["status"] == "True"), ""
    )
