"""The images do their work as pods under restricted Pod Security, with a read-only file system."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from modelwarden.artifacts.s3 import Credentials, StoreAccess, connect
from modelwarden.artifacts.upload import Uploaded, upload
from modelwarden.domain.gate_results import GateResult, read_result
from modelwarden.domain.state import GateOutcome
from tests.cluster import s3
from tests.cluster.installed import TOP, build_images
from tests.cluster.running import RunningCluster, until
from tests.examples.loading import load_training

pytestmark = pytest.mark.cluster

SECURITY = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


@dataclass(frozen=True)
class Place:
    """A namespace with a store that holds a model, and our images on its nodes."""

    cluster: RunningCluster
    namespace: str
    images: dict[str, str]
    store: s3.S3
    artifact: Uploaded

    def kubectl(self, *words: str) -> str:
        return self.cluster.kubectl(None, f"--namespace={self.namespace}", *words)

    def get(self, *words: str) -> Any:
        return self.cluster.get(f"--namespace={self.namespace}", *words)

    def ended(self, pod: str) -> dict[str, Any] | None:
        """How the one container of a pod ended, once it has."""
        statuses = self.get("pod", pod)["status"].get("containerStatuses", ())
        return next((status["state"].get("terminated") for status in statuses), None)


@pytest.fixture(scope="module")
def place(cluster: RunningCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    images = build_images()
    for target in ("validator", "example-server"):
        cluster.load_image(images[target])
    model = load_training().train(1, tmp_path_factory.mktemp("model"))
    with cluster.namespace("images-as-pods") as namespace, s3.running(cluster, namespace) as store:
        keys = Credentials(access_key=store.access_key, secret_key=store.secret_key)
        client = connect(StoreAccess(endpoint=store.outside, addressing="path", credentials=keys))
        client.create_bucket(Bucket="models")
        artifact = upload(model.folder, client, store_prefix="s3://models/")
        place = Place(cluster, namespace, images, store, artifact)
        variables = {
            "AWS_ENDPOINT_URL_S3": store.inside,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": store.access_key,
            "AWS_SECRET_ACCESS_KEY": store.secret_key,
        }
        given = (f"--from-literal={name}={value}" for name, value in variables.items())
        place.kubectl("create", "secret", "generic", "fraud-api-store", *given)
        yield place


def gate_pod(place: Place, name: str, *, digest: str, endpoint: str) -> dict[str, Any]:
    """The pod of an artifact gate, as the operator's Jobs make them."""
    gate = {
        "gate": "artifact",
        "artifact": {"uri": place.artifact.uri, "digest": digest, "format": "ONNX"},
        "allowedFormats": ["ONNX"],
    }
    store = {"name": "main", "endpoint": endpoint, "region": "us-east-1", "addressing": "path"}
    container = {
        "name": "validate",
        "image": place.images["validator"],
        "imagePullPolicy": "IfNotPresent",
        "args": ["validate", "artifact"],
        "env": [
            {"name": "MODELWARDEN_GATE", "value": json.dumps(gate)},
            {"name": "MODELWARDEN_STORE", "value": json.dumps(store)},
        ],
        "envFrom": [{"secretRef": {"name": "fraud-api-store"}}],
        "securityContext": SECURITY,
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 5,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": [{"name": "tmp", "emptyDir": {}}],
        },
    }


def result_of(place: Place, name: str, *, digest: str = "", endpoint: str = "") -> GateResult:
    """What the operator reads when such a pod has ended."""
    asked = digest or place.artifact.digest
    pod = gate_pod(place, name, digest=asked, endpoint=endpoint or place.store.inside)
    place.cluster.apply(pod, namespace=place.namespace)
    ended = until(lambda: place.ended(name), what=f"the end of pod {name}")
    assert ended is not None
    return read_result(ended.get("message", ""), ended["exitCode"], digest=asked)


def test_a_valid_artifact_passes_in_a_pod(place: Place) -> None:
    result = result_of(place, "valid")

    assert (result.outcome, result.code) == (GateOutcome.PASSED, "ArtifactValid"), result
    names = [name for run in result.facts["outputs"] for name in run["names"]]
    assert names == ["score", "approved"]


def test_other_bytes_fail_in_a_pod(place: Place) -> None:
    assert result_of(place, "other", digest="sha256:" + "0" * 64).code == "DigestDiffers"


def test_a_store_that_is_gone_decides_nothing_in_a_pod(place: Place) -> None:
    result = result_of(place, "gone", endpoint="http://s3.nowhere.svc:7070")

    assert (result.outcome, result.code) == (GateOutcome.INCONCLUSIVE, "StoreUnavailable")


def manifests(place: Place) -> list[dict[str, Any]]:
    """The example's Deployment and Service, with the images of this build."""
    text = (TOP / "examples/fraud-detector/deployment.yaml").read_text()
    for target in ("validator", "example-server"):
        text = text.replace(f"modelwarden/{target}:0.1.0", place.images[target])
    objects: list[dict[str, Any]] = list(yaml.safe_load_all(text))
    for found in objects:
        found["metadata"]["namespace"] = place.namespace
    return objects


def without_a_model(place: Place) -> bool:
    """Every pod of the service has started, and says that it waits."""
    pods = place.get("pods", "-l=app.kubernetes.io/name=fraud-api")["items"]
    states = [pod["status"].get("containerStatuses", [{}])[0] for pod in pods]
    return len(pods) == 2 and all(
        "running" in state.get("state", {}) and not state["ready"] for state in states
    )


def test_a_service_without_a_model_waits_unready_and_says_so(place: Place) -> None:
    place.cluster.apply(*manifests(place))

    until(lambda: without_a_model(place), what="pods that wait for a model", within=90)

    log = place.kubectl("logs", "deployment/fraud-api", "--container=fetch")
    assert "no model yet" in log
