"""What uses a version, as it is read from workloads."""

from typing import Any

from modelwarden.domain import labels
from modelwarden.domain.consumers import Consumer, How
from modelwarden.workflows.consumers import consumers_by_label
from tests.domain.builders import KEY, carrying, deployment


def pod(name: str, phase: str = "Running", **ours: str) -> dict[str, Any]:
    carried = {labels.MODEL: KEY.name, labels.MODEL_VERSION: "1", **ours}
    metadata = {"name": name, "namespace": KEY.namespace, "labels": carried}
    return {"metadata": metadata, "status": {"phase": phase}}


def test_deployments_and_pods_that_carry_a_version_use_it() -> None:
    deployments = {"fraud-api": carrying(2), "other": deployment("other")}
    pods = [
        pod("old"),
        pod("starting", "Pending"),
        pod("over", "Succeeded"),
        pod("a-gate", **{labels.MANAGED_BY: labels.FIELD_MANAGER}),
        pod("of-another-model", **{labels.MODEL: "churn"}),
        pod("odd", **{labels.MODEL_VERSION: "latest"}),
    ]

    assert consumers_by_label(KEY, deployments, pods) == {
        1: (
            Consumer("Pod", "risk", "old", How.LABEL),
            Consumer("Pod", "risk", "starting", How.LABEL),
        ),
        2: (Consumer("Deployment", "risk", "fraud-api", How.LABEL),),
    }
