"""An S3 server with Object Lock, run in the cluster from an image made of its one program."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .local import images, programs
from .running import RunningCluster

IMAGE = f"modelwarden-test/versitygw:{programs.VERSITYGW}"
PORT = 7070
NAME = "s3"
_ROOT = ("root", "root-secret")


@dataclass(frozen=True, kw_only=True)
class S3:
    """A running server: where pods reach it, where this process reaches it, and the root keys."""

    inside: str
    outside: str
    access_key: str
    secret_key: str


def image() -> str:
    """Makes the server's image and returns its name, to be loaded into the cluster."""
    program = programs.built("versitygw")
    return images.make(
        images.Scratch(reference=IMAGE, entrypoint=("/versitygw",), files={"/versitygw": program})
    )


def manifests(access_key: str, secret_key: str) -> list[dict[str, Any]]:
    """The server as a Secret, a Deployment under restricted Pod Security, and a Service."""
    labels = {"app.kubernetes.io/name": NAME}
    variables = {"ROOT_ACCESS_KEY": access_key, "ROOT_SECRET_KEY": secret_key}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": f"{NAME}-root"},
        "stringData": variables,
    }
    container = {
        "name": NAME,
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "args": ["--port", f":{PORT}", "posix", "--versioning-dir", "/data/versions", "/data/now"],
        "envFrom": [{"secretRef": {"name": f"{NAME}-root"}}],
        "ports": [{"name": "s3", "containerPort": PORT}],
        "readinessProbe": {"tcpSocket": {"port": "s3"}, "periodSeconds": 1},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [
            {"name": "data", "mountPath": "/data/now", "subPath": "now"},
            {"name": "data", "mountPath": "/data/versions", "subPath": "versions"},
        ],
    }
    pod = {
        "automountServiceAccountToken": False,
        "containers": [container],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "fsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "terminationGracePeriodSeconds": 1,
        "volumes": [{"name": "data", "emptyDir": {}}],
    }
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": NAME, "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "strategy": {"type": "Recreate"},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": NAME, "labels": labels},
        "spec": {
            "type": "NodePort",
            "selector": labels,
            "ports": [{"name": "s3", "port": PORT, "targetPort": "s3"}],
        },
    }
    return [secret, deployment, service]


@contextmanager
def running(
    cluster: RunningCluster,
    namespace: str,
    *,
    access_key: str = _ROOT[0],
    secret_key: str = _ROOT[1],
) -> Iterator[S3]:
    """Runs the server in the namespace, empty at first; it ends with the namespace."""
    cluster.load_image(image())
    cluster.apply(*manifests(access_key, secret_key), namespace=namespace)
    words = ("rollout", "status", f"deployment/{NAME}", "--timeout=120s")
    cluster.kubectl(None, f"--namespace={namespace}", *words)
    with cluster.reachable(namespace, NAME, PORT) as address:
        yield S3(
            inside=f"http://{NAME}.{namespace}.svc:{PORT}",
            outside=f"http://{address}",
            access_key=access_key,
            secret_key=secret_key,
        )
