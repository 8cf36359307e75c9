"""Gate Jobs: written from an order, and read back as facts."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from modelwarden.domain import labels
from modelwarden.domain.facts import RunFacts, RunKey, RunState
from modelwarden.domain.projection import JobOrder
from modelwarden.domain.scribe import moment
from modelwarden.settings import Gates
from modelwarden.workflows.claims import claim_mounts, claim_volumes

# A pod that never starts keeps its Job for so much longer than the gate itself may take.
START_SECONDS = 60
GRACE_SECONDS = 5
LOG_LINES = 20


def job_manifest(order: JobOrder, gates: Gates, *, namespace: str) -> dict[str, Any]:
    """Write the Job of a gate: one pod, one try, no token, nothing that it could write but /tmp."""
    spec = order.transition.spec
    marks = {
        labels.MANAGED_BY: labels.FIELD_MANAGER,
        labels.MODEL: spec["model"],
        labels.ATTEMPT: order.transition.uid,
        labels.GATE: order.gate.name,
    }
    notes = {
        labels.TRANSITION: f"{namespace}/{order.transition.name}",
        labels.NAMESPACE: namespace,
        labels.TRY: str(order.run.tries),
        labels.INPUTS_DIGEST: order.inputs_digest,
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": order.name,
            "namespace": gates.namespace,
            "labels": marks,
            "annotations": notes,
        },
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": gates.deadline_seconds + START_SECONDS,
            "template": {
                "metadata": {"labels": marks, "annotations": notes},
                "spec": _pod(order, gates),
            },
        },
    }


def runs_by_key(
    jobs: Sequence[Mapping[str, Any]], pods: Sequence[Mapping[str, Any]], *, namespace: str
) -> dict[RunKey, RunFacts]:
    """Read the Jobs of a namespace's gates, each with the pod that it made itself."""
    pod_of = {owner["uid"]: pod for pod in pods for owner in _owners(pod)}
    return {
        _key(job): _run(job, pod_of.get(job["metadata"]["uid"]))
        for job in jobs
        if job["metadata"].get("annotations", {}).get(labels.NAMESPACE) == namespace
        and "deletionTimestamp" not in job["metadata"]
    }


def _owners(pod: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    owners: Sequence[Mapping[str, Any]] = pod["metadata"].get("ownerReferences") or ()
    return [owner for owner in owners if owner.get("controller")]


def _pod(order: JobOrder, gates: Gates) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": "validate",
        "image": gates.image,
        "imagePullPolicy": gates.image_pull_policy,
        "args": ["validate", order.gate.kind],
        "env": [
            {"name": "MODELWARDEN_GATE", "value": _env(_task(order))},
            {"name": "MODELWARDEN_STORE", "value": _env(order.store.to_json())},
        ],
        "terminationMessagePolicy": "File",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108
            *claim_mounts(order.store, order.version.artifact.uri),
        ],
    }
    if gates.resources:
        container["resources"] = {kind: dict(amounts) for kind, amounts in gates.resources.items()}
    if order.store.secret:
        container["envFrom"] = [{"secretRef": {"name": order.store.secret}}]
    return {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": gates.deadline_seconds,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "serviceAccountName": gates.service_account,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [
            {"name": "tmp", "emptyDir": {}},
            *claim_volumes(order.store, order.version.artifact.uri),
        ],
    }


def _task(order: JobOrder) -> dict[str, Any]:
    artifact = order.version.artifact
    task: dict[str, Any] = {
        "gate": order.gate.name,
        "artifact": {
            "uri": artifact.uri,
            "digest": artifact.digest,
            "format": artifact.format,
        },
        "allowedFormats": list(order.transition.allowed_formats),
    }
    if artifact.size_bytes is not None:
        task["artifact"]["sizeBytes"] = artifact.size_bytes
    if "signature" in order.version.spec:
        task["signature"] = order.version.spec["signature"]
    return task


def _env(value: Mapping[str, Any]) -> str:
    # The kubelet expands $(NAME) in the values of variables; an escaped dollar is none.
    return json.dumps(value).replace("$", "\\u0024")


def _key(job: Mapping[str, Any]) -> RunKey:
    notes = job["metadata"]["annotations"]
    _, _, attempt = notes.get(labels.TRANSITION, "").partition("/")
    tries = notes.get(labels.TRY, "")
    return RunKey(
        attempt=attempt,
        gate=job["metadata"].get("labels", {}).get(labels.GATE, ""),
        tries=int(tries) if tries.isdecimal() else 0,
    )


def _run(job: Mapping[str, Any], pod: Mapping[str, Any] | None) -> RunFacts:
    metadata = job["metadata"]
    terminated = _terminated(pod)
    ended = _job_end(job)
    state = RunState.FINISHED if terminated is not None or ended else RunState.RUNNING
    started = job.get("status", {}).get("startTime")
    return RunFacts(
        job=metadata["name"],
        uid=metadata["uid"],
        inputs_digest=metadata.get("annotations", {}).get(labels.INPUTS_DIGEST, ""),
        state=state,
        started=moment(started) if started else None,
        message=(terminated or {}).get("message", ""),
        exit_code=(terminated or {}).get("exitCode"),
        failure=_failure(pod, terminated, ended),
        waiting="" if state is RunState.FINISHED else _waiting(pod),
        pod="" if pod is None else pod["metadata"]["name"],
    )


def _terminated(pod: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    statuses = (pod or {}).get("status", {}).get("containerStatuses", ())
    for status in statuses:
        found: Mapping[str, Any] | None = status.get("state", {}).get("terminated")
        if found is not None:
            return found
    return None


def _job_end(job: Mapping[str, Any]) -> str:
    """Say how the Job itself ended; it tells where its pod is gone."""
    for condition in job.get("status", {}).get("conditions", ()):
        if condition["type"] in _ENDS and condition["status"] == "True":
            reason = condition.get("reason") or condition["type"]
            return f"{reason}: {condition.get('message', '')}"
    return ""


_ENDS = frozenset({"Complete", "Failed", "FailureTarget"})


def _failure(
    pod: Mapping[str, Any] | None, terminated: Mapping[str, Any] | None, ended: str
) -> str:
    """Say what kept a run from saying anything: the pod was evicted, or never ran at all."""
    reason = (pod or {}).get("status", {}).get("reason", "")
    if reason in _NOT_THE_GATES_FAULT:
        return f"{reason}: {(pod or {}).get('status', {}).get('message', '')}"
    if terminated is None and ended:
        return f"Its pod left no result. {ended} {_waiting(pod)}".strip()
    return ""


_NOT_THE_GATES_FAULT = frozenset({"Evicted", "NodeLost", "Preempting", "Terminated", "Shutdown"})


def _waiting(pod: Mapping[str, Any] | None) -> str:
    """Say why a pod does not run; empty while nothing is known to be in its way."""
    status = (pod or {}).get("status", {})
    for container in status.get("containerStatuses", ()):
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
            return f"{waiting['reason']}: {waiting.get('message', '')}"
    for condition in status.get("conditions", ()):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return f"{condition.get('reason', '')}: {condition.get('message', '')}"
    return ""
