"""SIGKILL of the controller's process, in its pod, at the moments that matter."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.cluster.example import MODEL, Example
from tests.cluster.installed import GATES, SYSTEM, Installed
from tests.cluster.running import RunningCluster, until

ATTEMPT = f"{MODEL}-1-production-1"


def kill_controller(cluster: RunningCluster) -> None:
    """End the process in its container by SIGKILL; the kubelet starts it again in the same pod."""
    (pod,) = cluster.get(
        "pods", f"--namespace={SYSTEM}", "--selector=app.kubernetes.io/component=controller"
    )["items"]
    (container,) = pod["status"]["containerStatuses"]
    cluster.kill_container(container["containerID"].removeprefix("containerd://"))


def gate_ran(example: Example) -> bool:
    """A Job of this namespace's version is there."""
    jobs = example.installed.cluster.get("jobs", f"--namespace={GATES}")["items"]
    return any(
        job["metadata"]["annotations"]["modelwarden.io/namespace"] == example.namespace
        for job in jobs
    )


def requested(example: Example) -> bool:
    """The registration is on record."""
    status = example.get("modelversion", f"{MODEL}-1").get("status", {})
    return bool(status.get("stage"))


def rolling_out(example: Example) -> bool:
    """The Deployment carries the version and has not rolled out yet."""
    template = example.get("deployment", "fraud-api")["spec"]["template"]["metadata"]
    return bool(template.get("labels", {}).get("modelwarden.io/version") == "1")


def records_of(example: Example) -> list[str]:
    """The operations on record about version 1, in order."""
    told = example.ask("auditor", "audit", "show", "--tail=0", "--output=json", everywhere=True)
    shown: list[dict[str, Any]] = example.json(told)
    return [record["operation"] for record in shown if record["namespace"] == example.namespace]


EXPECTED = [
    "GovernedChanged",
    "Requested", "GateFinished", "GateFinished", "GateFinished", "GateFinished", "Registered",
    "Requested", "GateFinished", "Promoted",
    "Requested", "GateFinished", "GateFinished", "GateFinished", "Voted", "Voted",
    "RolloutBegun", "Promoted",
]  # fmt: skip


@pytest.mark.parametrize(
    "moment", [requested, gate_ran, rolling_out], ids=lambda moment: moment.__name__
)
def test_a_controller_killed_at_a_bad_moment_ends_in_the_same_place(
    operator: Installed, example: Example, moment: Callable[[Example], bool]
) -> None:
    example.register(1)
    if moment is not rolling_out:
        until(lambda: moment(example), what=moment.__name__, every=0.02)
        kill_controller(operator.cluster)
    example.await_stage(1, "Registered")
    example.ask("engineer", "promote", MODEL, "1", "--to=staging", "--reason=Candidate")
    example.await_stage(1, "Staging")
    example.ask("manager", "promote", MODEL, "1", "--to=production", "--reason=Release")
    example.await_votes(1)
    example.approve(1, "owner", "reviewer")
    if moment is rolling_out:
        until(lambda: moment(example), what=moment.__name__, every=0.02)
        kill_controller(operator.cluster)

    example.await_stage(1, "Production")

    served = example.get("deployment", "fraud-api")["spec"]["template"]["metadata"]["labels"]
    assert (served["modelwarden.io/version"], records_of(example)) == ("1", EXPECTED)
