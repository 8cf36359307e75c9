"""The namespace of gate Jobs: nobody but the operator starts one, nobody alters one that runs."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.running import until

from .callers import Person, RefusedError

PODS = "/api/v1/namespaces/modelwarden-gates/pods"
JOBS = "/apis/batch/v1/namespaces/modelwarden-gates/jobs"


def job() -> dict[str, Any]:
    container = {"name": "gate", "image": "registry.example.com/gate:1"}
    pod = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    return {"metadata": {"generateName": "mw-"}, "spec": {"backoffLimit": 0, "template": pod}}


@pytest.fixture
def platform(admin: Person) -> Person:
    return admin.named("platform@example.com", "system:masters")


@pytest.fixture(scope="module")
def gate(admin: Person, operator: Person) -> Iterator[dict[str, Any]]:
    """The pod of a Job that the operator made; its image is nowhere, so it stays as it is."""
    name = operator.create(JOBS, job())["metadata"]["name"]
    labelled = f"{PODS}?labelSelector=job-name%3D{name}"
    pods: list[dict[str, Any]] = until(
        lambda: admin.get(labelled)["items"], what="the pod of the gate"
    )
    yield pods[0]
    operator.delete(f"{JOBS}/{name}?propagationPolicy=Background")


def test_a_job_is_made_by_the_operator_only(platform: Person) -> None:
    with pytest.raises(RefusedError, match="gate Jobs are written by the operator only"):
        platform.create(JOBS, job(), dry_run=True)


def test_a_pod_is_made_by_the_job_controller_only(platform: Person) -> None:
    container = {"name": "gate", "image": "registry.example.com/gate:1"}
    pod = {"metadata": {"name": "forged"}, "spec": {"containers": [container]}}

    with pytest.raises(RefusedError, match="created by the Job controller only"):
        platform.create(PODS, pod, dry_run=True)


@pytest.mark.parametrize(
    "change",
    [
        {"spec": {"activeDeadlineSeconds": 1}},
        {"metadata": {"labels": {"modelwarden.io/attempt": "other"}}},
        {"metadata": {"annotations": {"modelwarden.io/inputs-digest": "other"}}},
        {"metadata": {"ownerReferences": None}},
    ],
    ids=str,
)
def test_a_gates_pod_is_frozen(
    platform: Person, gate: dict[str, Any], change: dict[str, Any]
) -> None:
    with pytest.raises(RefusedError, match="frozen"):
        platform.merge(f"{PODS}/{gate['metadata']['name']}", change, dry_run=True)


def test_another_image_is_not_put_into_a_gates_pod(platform: Person, gate: dict[str, Any]) -> None:
    pod = platform.get(f"{PODS}/{gate['metadata']['name']}")
    pod["spec"]["containers"][0]["image"] = "registry.example.com/forged:1"

    with pytest.raises(RefusedError, match="frozen"):
        platform.put(f"{PODS}/{gate['metadata']['name']}", pod, dry_run=True)


def test_what_a_gate_said_is_told_by_the_kubelet_only(
    platform: Person, gate: dict[str, Any]
) -> None:
    forged = {"status": {"phase": "Succeeded"}}

    with pytest.raises(RefusedError, match="may not write the status of a gate's pod"):
        platform.merge(f"{PODS}/{gate['metadata']['name']}/status", forged)


def test_how_a_job_ended_is_told_by_the_job_controller_only(
    platform: Person, gate: dict[str, Any]
) -> None:
    name = gate["metadata"]["ownerReferences"][0]["name"]

    with pytest.raises(RefusedError, match="gate Jobs are written by the operator only"):
        platform.merge(f"{JOBS}/{name}/status", {"status": {"succeeded": 1}})


@pytest.mark.parametrize("way", ["exec?command=sh", "attach", "portforward", "proxy/"])
def test_nobody_enters_a_gate(platform: Person, gate: dict[str, Any], way: str) -> None:
    with pytest.raises(RefusedError, match="nobody enters or alters a running gate"):
        platform.create(f"{PODS}/{gate['metadata']['name']}/{way}", {})


def test_nobody_adds_a_container_to_a_gate(platform: Person, gate: dict[str, Any]) -> None:
    pod = platform.get(f"{PODS}/{gate['metadata']['name']}")
    pod["spec"]["ephemeralContainers"] = [{"name": "debug", "image": "registry.example.com/d:1"}]

    with pytest.raises(RefusedError, match="nobody enters or alters a running gate"):
        platform.put(f"{PODS}/{gate['metadata']['name']}/ephemeralcontainers", pod)


def test_elsewhere_people_do_as_they_like(platform: Person, place: str) -> None:
    platform.create(f"/apis/batch/v1/namespaces/{place}/jobs", job(), dry_run=True)
