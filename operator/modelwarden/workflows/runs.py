"""Gate Jobs, written from an order."""

from typing import Any

from modelwarden.domain import labels
from modelwarden.domain.projection import JobOrder
from modelwarden.settings import Gates
from modelwarden.workflows.brought_jobs import brought_pod, network_policy
from modelwarden.workflows.claims import claim_mounts, claim_volumes
from modelwarden.workflows.pod_parts import TMP_MOUNT, TMP_VOLUME, sealed, variable_of_json

GRACE_SECONDS = 5


def job_manifest(order: JobOrder, gates: Gates) -> dict[str, Any]:
    """Write the Job of a gate: one pod, one try, no token, nothing that it could write but /tmp."""
    spec = order.transition.spec
    marks = {
        labels.MANAGED_BY: labels.FIELD_MANAGER,
        labels.MODEL: spec["model"],
        labels.ATTEMPT: order.transition.uid,
        labels.GATE: order.gate.name,
    }
    notes = {
        labels.TRANSITION: f"{order.namespace}/{order.transition.name}",
        labels.NAMESPACE: order.namespace,
        labels.TRY: str(order.run.tries),
        labels.INPUTS_DIGEST: order.inputs_digest,
        # Whose network policy has to go with it.
        **({labels.EGRESS: order.name} if network_policy(order, gates) else {}),
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
            "activeDeadlineSeconds": _deadline(order, gates) + gates.start_seconds,
            "template": {
                "metadata": {"labels": marks, "annotations": notes},
                "spec": _pod(order, gates),
            },
        },
    }


def _pod(order: JobOrder, gates: Gates) -> dict[str, Any]:
    job = order.gate.job
    own = _own_pod(order, gates) if job is None else brought_pod(order, job, gates)
    return {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": _deadline(order, gates),
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "serviceAccountName": gates.service_account,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        **own,
    }


def _deadline(order: JobOrder, gates: Gates) -> int:
    return int((order.gate.job or {}).get("deadlineSeconds", gates.deadline_seconds))


def _own_pod(order: JobOrder, gates: Gates) -> dict[str, Any]:
    uri = order.version.artifact.uri
    container: dict[str, Any] = {
        "name": "validate",
        "image": gates.image,
        "imagePullPolicy": gates.image_pull_policy,
        "args": ["validate", order.gate.kind],
        "env": [
            variable_of_json("MODELWARDEN_GATE", _task(order)),
            variable_of_json("MODELWARDEN_STORE", order.store.to_json()),
        ],
        "volumeMounts": [TMP_MOUNT, *claim_mounts(order.store, uri)],
    }
    if gates.resources:
        container["resources"] = {kind: dict(amounts) for kind, amounts in gates.resources.items()}
    if order.store.secret:
        container["envFrom"] = [{"secretRef": {"name": order.store.secret}}]
    return {
        "containers": [sealed(container)],
        "volumes": [TMP_VOLUME, *claim_volumes(order.store, uri)],
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
