"""Modelwarden as a platform team installs it: images, an S3 store, the chart, a policy."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.config import Config

from . import s3
from .local import dockerfile, programs
from .local.terminal import step
from .running import RunningCluster
from .s3 import S3

TOP = Path(__file__).parents[2]
SYSTEM = "modelwarden-system"
GATES = "modelwarden-gates"
STORES = "modelwarden-stores"
BUCKET = "models"
TARGETS = ("operator", "validator", "example-server")
STORE_SECRET = "store-main"
GATES_CLAIM = "shared-models"


@dataclass(frozen=True, kw_only=True)
class Installed:
    """A cluster on which the chart is installed, and its store of artifacts."""

    cluster: RunningCluster
    store: S3
    images: dict[str, str]

    def upload(self, file: Path, key: str) -> str:
        """Put a file into the store as its owner would, and give its URI."""
        client(self.store).upload_file(str(file), BUCKET, key)
        return f"s3://{BUCKET}/{key}"

    def credentials(self) -> dict[str, str]:
        """The store's keys, by the names that every client of S3 reads."""
        return {
            "AWS_ACCESS_KEY_ID": self.store.access_key,
            "AWS_SECRET_ACCESS_KEY": self.store.secret_key,
        }

    def secret(self, name: str, namespace: str) -> None:
        """Put the store's keys into a Secret."""
        self.cluster.apply(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": name},
                "stringData": self.credentials(),
            },
            namespace=namespace,
        )


def client(store: S3) -> Any:
    """An S3 client of the store's owner, on this side of the cluster."""
    return boto3.client(
        "s3",
        endpoint_url=store.outside,
        aws_access_key_id=store.access_key,
        aws_secret_access_key=store.secret_key,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2}),
    )


def build_images() -> dict[str, str]:
    """Build every image that is not built from these sources yet; gives their names by target."""
    names = {}
    for target in TARGETS:
        tag = dockerfile.sources_digest(TOP, target)[:12]
        names[target] = f"localhost/modelwarden/{target}:{tag}"
        dockerfile.build(TOP, target, names[target])
    return names


def values_of(images: dict[str, str], store: S3, **more: Any) -> dict[str, Any]:
    """The chart's values: which images, which stores, and that two logins are one person."""
    return {
        "images": {target: _image(images[target]) for target in ("operator", "validator")},
        "stores": [
            {
                "name": "main",
                "uriPrefix": f"s3://{BUCKET}/{{namespace}}/",
                "endpoint": store.inside,
                "region": "us-east-1",
                "secret": STORE_SECRET,
                "addressing": "path",
            },
            {
                "name": "shared",
                "uriPrefix": f"pvc://{BUCKET}/{{namespace}}/",
                "claim": GATES_CLAIM,
            },
        ],
        "identity": {
            "people": [{"name": "scientist@example.com", "logins": ["platform@example.com"]}]
        },
        **more,
    }


@contextmanager
def installed(cluster: RunningCluster, *, helm: str = "helm", **more: Any) -> Iterator[Installed]:
    """Install everything into a running cluster, or bring what is there up to these sources."""
    images = build_images()
    with step("loading the images into the cluster"):
        for image in images.values():
            cluster.load_image(image)
    _namespace(cluster, STORES)
    with s3.running(cluster, STORES) as store:
        _bucket(store)
        with step("installing the chart"):
            _helm(cluster, helm, values_of(images, store, **more))
        ready = Installed(cluster=cluster, store=store, images=images)
        ready.secret(STORE_SECRET, GATES)
        cluster.kubectl(None, "apply", "-f", str(TOP / "examples/policies/demo.yaml"))
        yield ready


def _helm(cluster: RunningCluster, helm: str, values: dict[str, Any]) -> None:
    words = [str(programs.path(helm)), "upgrade", "--install", "modelwarden"]
    words += [str(TOP / "charts/modelwarden"), f"--namespace={SYSTEM}", "--create-namespace"]
    words += ["--wait", "--timeout=3m", "--values=-"]
    words += [f"--kubeconfig={cluster.kubeconfig}", f"--kube-context={cluster.admin}"]
    done = subprocess.run(
        words, input=yaml.safe_dump(values), capture_output=True, text=True, check=False
    )
    if done.returncode:
        pods = cluster.kubectl(None, "get", "pods,events", "-n", SYSTEM)
        raise RuntimeError(f"helm: {done.stderr.strip()}\n{pods}")


def _namespace(cluster: RunningCluster, name: str) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    cluster.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    )


def _bucket(store: S3) -> None:
    s3_client = client(store)
    if BUCKET not in {bucket["Name"] for bucket in s3_client.list_buckets()["Buckets"]}:
        s3_client.create_bucket(Bucket=BUCKET)


def _image(reference: str) -> dict[str, str]:
    repository, _, tag = reference.rpartition(":")
    return {"repository": repository, "tag": tag}


if __name__ == "__main__":
    programs.build(programs.FOR_EVERY_CLUSTER)
    sys.stdout.write(json.dumps(build_images(), indent=2) + "\n")
