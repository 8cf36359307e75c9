"""Pods as the API server stores them, read for what they say of a rollout."""

from typing import Any

import pytest

from modelwarden.domain.facts import DeploymentFacts
from modelwarden.domain.pod_words import ContainerFacts, PodFacts
from modelwarden.workflows.pods import pod_facts, with_pods
from tests.domain.builders import deployment


def replica_set(uid: str, revision: int, *, of: str = "uid-of-fraud-api") -> dict[str, Any]:
    """Build a ReplicaSet of a Deployment."""
    return {
        "metadata": {
            "uid": uid,
            "annotations": {"deployment.kubernetes.io/revision": str(revision)},
            "ownerReferences": [{"uid": of, "controller": True}],
        }
    }


def pod(name: str = "p", *, of: str = "new", **changes: Any) -> dict[str, Any]:
    """Build a pod of a ReplicaSet."""
    metadata = {"name": name, "ownerReferences": [{"uid": of, "controller": True}]}
    return {"metadata": metadata | changes.pop("metadata", {}), **changes}


def names(found: DeploymentFacts) -> tuple[list[str], int]:
    return [each.name for each in found.pods], found.terminating


ENDING = {"deletionTimestamp": "2026-11-24T12:00:00Z"}
OWN = (replica_set("old", 9), replica_set("new", 10), replica_set("other", 11, of="another"))


def test_only_pods_of_the_newest_template_that_are_meant_to_stay_are_heard() -> None:
    pods = (
        pod("a", of="old"),
        pod("b"),
        pod("c", metadata=ENDING),
        pod("d", of="other"),
        pod("e", of="other", metadata=ENDING),
        pod("f", of="old", metadata=ENDING),
    )

    assert names(with_pods(deployment(), replica_sets=OWN, pods=pods)) == (["b"], 2)


def test_a_deployment_without_a_replica_set_has_no_pods() -> None:
    assert with_pods(deployment(), replica_sets=(), pods=(pod(),)) == deployment()


def test_the_count_of_the_api_server_stands_where_it_is_higher() -> None:
    live = deployment(terminating=3)

    assert names(with_pods(live, replica_sets=OWN, pods=())) == ([], 3)


WAITING = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}
ENDED = {"terminated": {"exitCode": 3, "reason": "Error", "message": "boom"}}
READY = {"type": "Ready", "status": "True"}
NO_NODE = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "full"}


@pytest.mark.parametrize(
    ("stored", "facts"),
    [
        (pod(), PodFacts(name="p")),
        (pod(status={"conditions": [READY]}), PodFacts(name="p", ready=True)),
        (pod(status={"conditions": [NO_NODE]}), PodFacts(name="p", unscheduled="full")),
        (
            pod(status={"phase": "Failed", "reason": "Evicted", "message": "disk"}),
            PodFacts(name="p", lost="Evicted: disk"),
        ),
        (pod(status={"phase": "Failed"}), PodFacts(name="p", lost="Failed")),
        (
            pod(
                status={
                    "containerStatuses": [
                        {"name": "s", "restartCount": 2, "state": WAITING, "lastState": ENDED}
                    ]
                }
            ),
            PodFacts(
                name="p",
                containers=(
                    ContainerFacts(
                        name="s",
                        restarts=2,
                        waiting="CrashLoopBackOff",
                        waiting_message="back-off 10s",
                        exit_code=3,
                        exit_reason="Error",
                        exit_message="boom",
                    ),
                ),
            ),
        ),
        (
            pod(
                spec={"initContainers": [{"name": "f"}, {"name": "b", "restartPolicy": "Always"}]},
                status={
                    "initContainerStatuses": [
                        {"name": "f", "state": ENDED},
                        {"name": "b", "ready": True, "state": {"running": {}}},
                    ]
                },
            ),
            PodFacts(
                name="p",
                containers=(
                    ContainerFacts(
                        name="f",
                        is_init=True,
                        exit_code=3,
                        exit_reason="Error",
                        exit_message="boom",
                    ),
                    ContainerFacts(name="b", ready=True),
                ),
            ),
        ),
    ],
    ids=["new", "ready", "no node", "evicted", "failed", "crashes", "init fails, sidecar runs"],
)
def test_a_pod_is_read(stored: dict[str, Any], facts: PodFacts) -> None:
    assert pod_facts(stored) == facts
