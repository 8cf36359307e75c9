"""Pods of other people's Deployments, read for what they say of a rollout."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from modelwarden.domain.facts import DeploymentFacts
from modelwarden.domain.pod_words import ContainerFacts, PodFacts

_REVISION = "deployment.kubernetes.io/revision"


def with_pods(
    deployment: DeploymentFacts,
    *,
    replica_sets: Sequence[Mapping[str, Any]],
    pods: Sequence[Mapping[str, Any]],
) -> DeploymentFacts:
    """Add to a Deployment the pods of its newest template, and count those that are ending.

    API servers before 1.35 do not count the latter themselves.
    """
    own = {made["metadata"]["uid"]: made for made in replica_sets if _maker(made) == deployment.uid}
    if not own:
        return deployment
    newest = max(own, key=lambda uid: _revision(own[uid]))
    ending = sum(_is_ending(pod) for pod in pods if _maker(pod) in own)
    found = [pod for pod in pods if _maker(pod) == newest and not _is_ending(pod)]
    return replace(
        deployment,
        pods=tuple(pod_facts(pod) for pod in found),
        terminating=max(deployment.terminating, ending),
    )


def pod_facts(raw: Mapping[str, Any]) -> PodFacts:
    """Read what a pod says of itself."""
    status = raw.get("status", {})
    scheduled = _condition(status, "PodScheduled")
    specs = raw.get("spec", {}).get("initContainers", ())
    # An init container that restarts for ever is a sidecar: it runs beside the others.
    sidecars = {spec["name"] for spec in specs if spec.get("restartPolicy") == "Always"}
    statuses = [
        *((found, True) for found in status.get("initContainerStatuses", ())),
        *((found, False) for found in status.get("containerStatuses", ())),
    ]
    return PodFacts(
        name=raw["metadata"]["name"],
        ready=_condition(status, "Ready").get("status") == "True",
        unscheduled=scheduled.get("message", "") if scheduled.get("status") == "False" else "",
        lost=_told(status) if status.get("phase") == "Failed" else "",
        containers=tuple(
            _container(found, is_init=is_init and found["name"] not in sidecars)
            for found, is_init in statuses
        ),
    )


def _container(status: Mapping[str, Any], *, is_init: bool) -> ContainerFacts:
    now, before = status.get("state", {}), status.get("lastState", {})
    waiting = now.get("waiting", {})
    ended = now.get("terminated") or before.get("terminated") or {}
    return ContainerFacts(
        name=status["name"],
        is_init=is_init,
        ready=status.get("ready", False),
        restarts=status.get("restartCount", 0),
        waiting=waiting.get("reason", ""),
        waiting_message=waiting.get("message", ""),
        exit_code=ended.get("exitCode"),
        exit_reason=ended.get("reason", ""),
        exit_message=ended.get("message", ""),
    )


def _told(status: Mapping[str, Any]) -> str:
    return ": ".join(filter(None, (status.get("reason", "Failed"), status.get("message", ""))))


def _condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    return next((found for found in status.get("conditions", ()) if found["type"] == kind), {})


def _maker(made: Mapping[str, Any]) -> str:
    owners = made["metadata"].get("ownerReferences") or ()
    return next((str(owner["uid"]) for owner in owners if owner.get("controller")), "")


def _revision(replica_set: Mapping[str, Any]) -> int:
    text = (replica_set["metadata"].get("annotations") or {}).get(_REVISION, "")
    return int(text) if text.isdecimal() else 0


def _is_ending(pod: Mapping[str, Any]) -> bool:
    return "deletionTimestamp" in pod["metadata"]
