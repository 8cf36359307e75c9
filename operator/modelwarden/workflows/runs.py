"""Gate Jobs, written from an order."""

import json
from collections.abc import Mapping
from typing import Any

from modelwarden.domain import labels
from modelwarden.domain.projection import JobOrder
from modelwarden.settings import Gates
from modelwarden.workflows.claims import claim_mounts, claim_volumes

GRACE_SECONDS = 5


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
            "activeDeadlineSeconds": gates.deadline_seconds + gates.start_seconds,
            "template": {
                "metadata": {"labels": marks, "annotations": notes},
                "spec": _pod(order, gates),
            },
        },
    }


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
