"""Pods of the tests' own, under restricted Pod Security: one program, which fetches and serves."""

from typing import Any

from .local import images, programs
from .running import RunningCluster, until

PROBE = "modelwarden-test/probe:1"


def probe_image() -> str:
    """Make the image of the program and give its name."""
    program = programs.built("probe")
    return images.make(
        images.Scratch(reference=PROBE, entrypoint=("/probe",), files={"/probe": program})
    )


def pod(*words: str, volumes: list[Any] | None = None, mounts: list[Any] | None = None) -> Any:
    container = {
        "name": "probe",
        "image": PROBE,
        "args": list(words),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": mounts or [],
    }
    return {
        "containers": [container],
        "restartPolicy": "Never",
        "securityContext": {
            "fsGroup": 65532,
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "terminationGracePeriodSeconds": 0,
        "volumes": volumes or [],
    }


def alone(name: str, spec: Any) -> Any:
    metadata = {"name": name, "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def settled(cluster: RunningCluster, namespace: str, name: str) -> Any:
    """The state that the pod's one container ended in."""

    def terminated() -> Any:
        status = cluster.get(f"--namespace={namespace}", "pod", name)["status"]
        return status.get("containerStatuses", [{"state": {}}])[0]["state"].get("terminated")

    return until(terminated, what=f"the end of pod {name}")
