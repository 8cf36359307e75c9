"""A volume that the pods of a team and the gates both have, each by a claim of their own.

As with a file server: two volumes lead to one folder, and each namespace has a claim to one.
"""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .installed import BUCKET, GATES, GATES_CLAIM, Installed
from .running import RunningCluster, until

MOUNT = f"/claims/{BUCKET}"
_WRITER = "writer"
_SIZE = {"storage": "64Mi"}


@dataclass(frozen=True, kw_only=True)
class SharedVolume:
    """The volume of one namespace, and a pod of it that writes."""

    cluster: RunningCluster
    namespace: str

    def write(self, path: str, content: bytes) -> None:
        """Put a file onto the volume, as a training pod would."""
        script = (
            "import base64, pathlib, sys\n"
            f"path = pathlib.Path({f'{MOUNT}/{path}'!r})\n"
            "path.parent.mkdir(parents=True, exist_ok=True)\n"
            "path.write_bytes(base64.b64decode(sys.stdin.read()))\n"
        )
        self._run(script, given=base64.b64encode(content).decode())

    def link(self, path: str, target: str) -> None:
        """Put a link onto the volume."""
        self._run(f"import os\nos.symlink({target!r}, {f'{MOUNT}/{path}'!r})\n")

    def _run(self, script: str, *, given: str | None = None) -> None:
        words = ("exec", "-i", _WRITER, "--", "/opt/modelwarden/bin/python", "-c", script)
        self.cluster.kubectl(None, f"--namespace={self.namespace}", *words, given=given)


@contextmanager
def shared(installed: Installed, namespace: str) -> Iterator[SharedVolume]:
    """Make the volume with a claim in the namespace and one in that of the gates."""
    cluster = installed.cluster
    cluster.apply(_claim(BUCKET), _writer(installed.images["validator"]), namespace=namespace)
    until(
        lambda: cluster.kubectl(
            None, f"--namespace={namespace}", "wait", "--for=condition=Ready", f"pod/{_WRITER}"
        ),
        what="a pod has the volume",
        within=90,
    )
    made = cluster.get(f"--namespace={namespace}", "pvc", BUCKET)["spec"]["volumeName"]
    folder = cluster.get("pv", made)["spec"]
    name = f"gates-{namespace}"
    cluster.apply(_same_folder(name, folder))
    cluster.apply(_claim(GATES_CLAIM, storageClassName="", volumeName=name), namespace=GATES)
    try:
        yield SharedVolume(cluster=cluster, namespace=namespace)
    finally:
        where = f"--namespace={GATES}"
        cluster.kubectl(None, where, "delete", "pvc", GATES_CLAIM, "--timeout=60s")
        cluster.kubectl(None, "delete", "pv", name, "--wait=false")


def _claim(name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": _SIZE}, **spec},
    }


def _same_folder(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    kept = ("hostPath", "local", "nodeAffinity", "volumeMode")
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            **{key: spec[key] for key in kept if key in spec},
            "accessModes": ["ReadWriteMany"],
            "capacity": _SIZE,
            "claimRef": {"namespace": GATES, "name": GATES_CLAIM},
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "",
        },
    }


def _writer(image: str) -> dict[str, Any]:
    container = {
        "name": _WRITER,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["/opt/modelwarden/bin/python", "-c", "import signal; signal.pause()"],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [{"name": "models", "mountPath": MOUNT}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": _WRITER},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": [{"name": "models", "persistentVolumeClaim": {"claimName": BUCKET}}],
        },
    }
