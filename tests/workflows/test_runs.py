"""Gate Jobs: written so that nothing in them can do harm, and read with suspicion."""

import json
from dataclasses import replace
from typing import Any

import pytest

from modelwarden.domain import labels
from modelwarden.domain.facts import RunFacts, RunKey, RunState
from modelwarden.domain.projection import JobOrder
from modelwarden.domain.stages import Stage
from modelwarden.settings import parse
from modelwarden.workflows.runs import job_manifest, runs_by_key
from tests.domain.builders import STORE, gate, transition, version

GATES = parse("gates: {image: validator@sha256:0, namespace: modelwarden-gates}").gates
ATTEMPT = "fraud-detector-1-registered-1"
KEY = RunKey(ATTEMPT, "artifact", 1)


def job(uid: str = "job-1", **changes: Any) -> dict[str, Any]:
    """Build the Job of the first try, as the API server lists it."""
    notes = {
        labels.TRANSITION: f"risk/{ATTEMPT}",
        labels.NAMESPACE: "risk",
        labels.TRY: "1",
        labels.INPUTS_DIGEST: "inputs",
        **changes.pop("annotations", {}),
    }
    metadata = {
        "name": "mw-1",
        "uid": uid,
        "labels": {labels.GATE: "artifact"},
        "annotations": notes,
        **changes.pop("metadata", {}),
    }
    return {"metadata": metadata, **changes}


def pod(owner: str = "job-1", name: str = "mw-1-abcde", **status: Any) -> dict[str, Any]:
    """Build the pod of a Job."""
    owners = [{"kind": "Job", "name": "mw-1", "uid": owner, "controller": True}]
    return {"metadata": {"name": name, "ownerReferences": owners}, "status": status}


def terminated(exit_code: int, message: str = "") -> dict[str, Any]:
    ended = {"exitCode": exit_code, "message": message}
    return {"containerStatuses": [{"state": {"terminated": ended}}]}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"containerStatuses": [{"state": {"waiting": {"reason": reason, "message": message}}}]}


def ended(kind: str, reason: str = "", message: str = "") -> dict[str, Any]:
    condition = {"type": kind, "status": "True", "reason": reason, "message": message}
    return {"status": {"conditions": [condition]}}


def read(one: dict[str, Any], *pods: dict[str, Any]) -> RunFacts:
    return runs_by_key([one], list(pods), namespace="risk")[KEY]


def run(**changes: Any) -> RunFacts:
    given = {"job": "mw-1", "uid": "job-1", "inputs_digest": "inputs", "state": RunState.RUNNING}
    return RunFacts(**{**given, **changes})


POD = "mw-1-abcde"
UNSCHEDULABLE = {
    "conditions": [
        {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": "0/1 nodes are available.",
        }
    ]
}
OUT_OF_TIME = ended("FailureTarget", "DeadlineExceeded", "Job was active longer than allowed")
GONE = "Its pod left no result. "

RUNS: dict[str, tuple[dict[str, Any], list[dict[str, Any]], RunFacts]] = {
    "no pod yet": (job(), [], run()),
    "a pod that starts": (job(), [pod(**waiting("ContainerCreating"))], run(pod=POD)),
    "an image that is not there": (
        job(),
        [pod(**waiting("ErrImagePull", "no such image"))],
        run(pod=POD, waiting="ErrImagePull: no such image"),
    ),
    "no node has room": (
        job(),
        [pod(**UNSCHEDULABLE)],
        run(pod=POD, waiting="Unschedulable: 0/1 nodes are available."),
    ),
    # The pod has its result two seconds before the Job says so.
    "the container has ended": (
        job(),
        [pod(**terminated(0, "{}"))],
        run(state=RunState.FINISHED, message="{}", exit_code=0, pod=POD),
    ),
    "the container was killed": (
        job(**ended("Failed", "BackoffLimitExceeded")),
        [pod(**terminated(137))],
        run(state=RunState.FINISHED, exit_code=137, pod=POD),
    ),
    "the node was short of something": (
        job(**ended("Failed", "BackoffLimitExceeded")),
        [pod(reason="Evicted", message="low on memory", **terminated(137))],
        run(state=RunState.FINISHED, exit_code=137, failure="Evicted: low on memory", pod=POD),
    ),
    "it never started in time": (
        job(**OUT_OF_TIME),
        [pod(**waiting("ImagePullBackOff", "no such image"))],
        run(
            state=RunState.FINISHED,
            failure=(
                f"{GONE}DeadlineExceeded: Job was active longer than allowed "
                "ImagePullBackOff: no such image"
            ),
            pod=POD,
        ),
    ),
    "it failed and its pod is gone": (
        job(**ended("Failed", "BackoffLimitExceeded", "too often")),
        [],
        run(state=RunState.FINISHED, failure=f"{GONE}BackoffLimitExceeded: too often"),
    ),
    "it completed and its pod is gone": (
        job(**ended("Complete")),
        [],
        run(state=RunState.FINISHED, failure=f"{GONE}Complete:"),
    ),
    "the pod of an earlier Job of that name is still ending": (
        job(uid="job-2"),
        [pod(owner="job-1", **terminated(137)), pod(owner="job-2", name="mw-1-fghij")],
        run(uid="job-2", pod="mw-1-fghij"),
    ),
    "a pod that only looks like it": (
        job(),
        [
            {
                "metadata": {
                    "name": "forged",
                    "labels": {"batch.kubernetes.io/job-name": "mw-1"},
                },
                "status": terminated(0, "{}"),
            }
        ],
        run(),
    ),
}


@pytest.mark.parametrize(("one", "pods", "found"), RUNS.values(), ids=RUNS)
def test_a_run_is_what_the_jobs_own_pod_says(
    one: dict[str, Any], pods: list[dict[str, Any]], found: RunFacts
) -> None:
    assert read(one, *pods) == found


@pytest.mark.parametrize(
    "other",
    [
        job(annotations={labels.NAMESPACE: "other"}),
        job(metadata={"deletionTimestamp": "2026-11-24T12:00:00Z"}),
        job(metadata={"annotations": {}}),
    ],
    ids=["of another namespace", "being deleted", "of nobody"],
)
def test_other_jobs_are_not_read(other: dict[str, Any]) -> None:
    assert runs_by_key([other], [], namespace="risk") == {}


def test_a_try_that_is_no_number_is_no_try() -> None:
    assert list(runs_by_key([job(annotations={labels.TRY: "x"})], [], namespace="risk")) == [
        RunKey(ATTEMPT, "artifact", 0)
    ]


def order(**changes: Any) -> JobOrder:
    given = {
        "name": "mw-1",
        "run": KEY,
        "gate": gate("artifact"),
        "transition": transition(to=Stage.REGISTERED),
        "version": version(),
        "store": STORE,
        "inputs_digest": "inputs",
    }
    return JobOrder(**{**given, **changes})


def test_a_gate_pod_may_do_nothing() -> None:
    made = job_manifest(order(), GATES, namespace="risk")
    pod_spec = made["spec"]["template"]["spec"]
    (container,) = pod_spec["containers"]

    assert (made["spec"]["backoffLimit"], pod_spec["restartPolicy"]) == (0, "Never")
    assert pod_spec["automountServiceAccountToken"] is False
    assert pod_spec["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    # What never starts ends too, later than what ran for too long.
    assert made["spec"]["activeDeadlineSeconds"] > pod_spec["activeDeadlineSeconds"]


def test_a_job_is_read_back_as_the_run_it_was_made_for() -> None:
    made = job_manifest(order(), GATES, namespace="risk")
    made["metadata"]["uid"] = "job-1"

    assert runs_by_key([made], [], namespace="risk") == {KEY: run()}


def test_the_kubelet_expands_nothing_in_what_a_gate_is_told() -> None:
    uri = "s3://models/risk/$(HOSTNAME)/m.onnx"
    tricky = version(artifact=replace(version().artifact, uri=uri))

    made = job_manifest(order(version=tricky), GATES, namespace="risk")

    (container,) = made["spec"]["template"]["spec"]["containers"]
    told = {item["name"]: item["value"] for item in container["env"]}
    assert "$" not in told["MODELWARDEN_GATE"]
    assert json.loads(told["MODELWARDEN_GATE"])["artifact"]["uri"] == uri
