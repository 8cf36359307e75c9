"""The pod of a gate whose image a policy brings.

fetch (our image, the store's credentials) --> /artifact --> gate (their image, read-only)

So a brought image needs no client of any store, and holds no key of one.
"""

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from modelwarden.domain.artifact_uri import ArtifactUri, parse
from modelwarden.domain.gates import reads_champion
from modelwarden.domain.labels import ATTEMPT, FIELD_MANAGER, GATE, JOB_NAME, MANAGED_BY, MODEL
from modelwarden.domain.projection import JobOrder
from modelwarden.settings import Gates
from modelwarden.workflows.claims import claim_mounts, claim_volumes
from modelwarden.workflows.pod_parts import (
    TERMINATION_LOG,
    TMP_MOUNT,
    TMP_VOLUME,
    sealed,
    variable,
    variable_of_json,
)

ARTIFACT = "/artifact"
_ARTIFACT_MOUNT = {"name": "artifact", "mountPath": ARTIFACT}
# One variable may not be longer than this, whatever it says.
_LONGEST_TASK = 100_000
# What is left out first where the question is too long; `omitted` names it.
_EXPENDABLE = ("contract", "metrics", "signature")


def brought_pod(order: JobOrder, job: Mapping[str, Any], gates: Gates) -> dict[str, Any]:
    """Write what the pod of a brought image has beyond what every gate's pod has."""
    uri = order.version.artifact.uri
    pod: dict[str, Any] = {
        "initContainers": [_fetch(order, gates)],
        "containers": [_gate(order, job)],
        "volumes": [
            TMP_VOLUME,
            {"name": "artifact", "emptyDir": {}},
            *claim_volumes(order.store, uri),
            *(_volume(index, secret) for index, secret in _files(job)),
        ],
    }
    if job.get("nodeSelector"):
        pod["nodeSelector"] = dict(job["nodeSelector"])
    return pod


def network_policy(order: JobOrder, gates: Gates) -> dict[str, Any] | None:
    """Write what opens the ways out that a gate names, for its own pod alone; None if it has none.

    The chart's policy closes all others, and opens the way to the stores.
    """
    ways = (order.gate.job or {}).get("egress")
    if not ways:
        return None
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {
            "name": order.name,
            "namespace": gates.namespace,
            "labels": {
                MANAGED_BY: FIELD_MANAGER,
                MODEL: order.transition.spec["model"],
                ATTEMPT: order.transition.uid,
                GATE: order.gate.name,
            },
        },
        "spec": {
            "podSelector": {
                "matchLabels": {
                    ATTEMPT: order.transition.uid,
                    GATE: order.gate.name,
                    JOB_NAME: order.name,
                }
            },
            "policyTypes": ["Egress"],
            "egress": [_way_out(way) for way in ways],
        },
    }


def _way_out(way: Mapping[str, Any]) -> dict[str, Any]:
    if "cidr" in way:
        peer: dict[str, Any] = {"ipBlock": {"cidr": way["cidr"]}}
    else:
        name = {"kubernetes.io/metadata.name": way["namespace"]}
        peer = {"namespaceSelector": {"matchLabels": name}}
    return {"to": [peer], "ports": [{"protocol": "TCP", "port": port} for port in way["ports"]]}


def _fetch(order: JobOrder, gates: Gates) -> dict[str, Any]:
    artifact, store = order.version.artifact, order.store
    container: dict[str, Any] = {
        "name": "fetch",
        "image": gates.image,
        "imagePullPolicy": gates.image_pull_policy,
        "args": ["fetch"],
        "env": [
            variable("MODELWARDEN_ARTIFACT_URI", artifact.uri.replace("$", "$$")),
            variable("MODELWARDEN_ARTIFACT_DIGEST", artifact.digest),
            variable("MODELWARDEN_TARGET", ARTIFACT),
            variable("MODELWARDEN_RESULT", TERMINATION_LOG),
            variable("MODELWARDEN_S3_ADDRESSING", store.addressing),
            *([variable("AWS_ENDPOINT_URL_S3", store.endpoint)] if store.endpoint else ()),
            *([variable("AWS_REGION", store.region)] if store.region else ()),
        ],
        "volumeMounts": [_ARTIFACT_MOUNT, *claim_mounts(store, artifact.uri)],
    }
    if gates.resources:
        container["resources"] = {kind: dict(amounts) for kind, amounts in gates.resources.items()}
    if store.secret:
        container["envFrom"] = [{"secretRef": {"name": store.secret}}]
    return sealed(container)


def _gate(order: JobOrder, job: Mapping[str, Any]) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": "gate",
        "image": job["image"],
        # A digest names the same image for ever.
        "imagePullPolicy": "IfNotPresent",
        "env": [
            *(variable(item["name"], item["value"]) for item in job.get("env", ())),
            variable("MODELWARDEN_ARTIFACT", _path(order.version.artifact.uri)),
            variable("MODELWARDEN_RESULT", TERMINATION_LOG),
            variable_of_json("MODELWARDEN_GATE", _task(order)),
        ],
        "volumeMounts": [
            TMP_MOUNT,
            {**_ARTIFACT_MOUNT, "readOnly": True},
            *(_mount(index, secret) for index, secret in _files(job)),
        ],
    }
    for words in ("command", "args"):
        if words in job:
            container[words] = list(job[words])
    names = [secret["name"] for secret in job.get("secrets", ()) if "mountPath" not in secret]
    if names:
        container["envFrom"] = [{"secretRef": {"name": name}} for name in names]
    if job.get("resources"):
        container["resources"] = {name: dict(part) for name, part in job["resources"].items()}
    return sealed(container)


def _path(uri: str) -> str:
    """Say where the artifact is: a file has its own name, a folder is there whole."""
    place = parse(uri)
    is_file = isinstance(place, ArtifactUri) and not place.is_folder
    return f"{ARTIFACT}/{PurePosixPath(uri).name}" if is_file else ARTIFACT


def _files(job: Mapping[str, Any]) -> list[tuple[int, Mapping[str, Any]]]:
    """List the Secrets that are to be files."""
    secrets = enumerate(job.get("secrets", ()))
    return [(index, secret) for index, secret in secrets if "mountPath" in secret]


def _volume(index: int, secret: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": f"secret-{index}",
        "secret": {"secretName": secret["name"], "defaultMode": 0o444},
    }


def _mount(index: int, secret: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": f"secret-{index}", "mountPath": secret["mountPath"], "readOnly": True}


def _task(order: JobOrder) -> dict[str, Any]:
    """Write what the gate is about: what its evidence is kept for, and nothing beyond.

    The same question is answered once. So nothing tells of the attempt that asks it, and only a
    claim about the version in Production is told which one that is.
    """
    attempt, artifact = order.transition.spec, order.version.artifact
    task: dict[str, Any] = {
        "format": 1,
        "gate": order.gate.name,
        "claim": {order.gate.kind: _claim(order)},
        "namespace": order.namespace,
        "model": attempt["model"],
        "version": attempt["version"],
        "artifact": {"uri": artifact.uri, "digest": artifact.digest, "format": artifact.format},
    }
    if "signature" in order.version.spec:
        task["signature"] = order.version.spec["signature"]
    task |= {name: attempt[name] for name in ("metrics", "contract") if name in attempt}
    if order.champion is not None and reads_champion(order.gate):
        task["champion"] = {
            "version": order.champion.number,
            "artifact": {
                "uri": order.champion.artifact_uri,
                "digest": order.champion.artifact_digest,
            },
        }
    return _short_enough(task)


def _claim(order: JobOrder) -> Mapping[str, Any]:
    """Give the claim's own settings; that the Job is part of them is known."""
    claim = order.gate.settings.get(order.gate.kind)
    if order.gate.kind == "job" or not isinstance(claim, Mapping):
        return {}
    return {name: value for name, value in claim.items() if name != "job"}


def _short_enough(task: dict[str, Any]) -> dict[str, Any]:
    for part in _EXPENDABLE:
        if len(json.dumps(task)) <= _LONGEST_TASK:
            break
        if part in task:
            left_out = [*task.get("omitted", ()), part]
            task = {name: value for name, value in task.items() if name != part}
            task["omitted"] = left_out
    return task
