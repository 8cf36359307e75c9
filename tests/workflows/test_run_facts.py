"""Gate Jobs are read with suspicion, and every way in which a pod can end is told apart."""

from datetime import datetime
from typing import Any

import pytest

from modelwarden.domain import labels
from modelwarden.domain.facts import RunFacts, RunKey, RunState
from modelwarden.domain.scribe import moment
from modelwarden.workflows.run_facts import runs_by_key, with_events

ATTEMPT = "fraud-detector-1-registered-1"
KEY = RunKey(ATTEMPT, "artifact", 1)
MADE, BROUGHT = "2026-11-24T12:00:00Z", "2026-11-24T12:00:07Z"
POD = "mw-1-abcde"


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
        "creationTimestamp": MADE,
        "labels": {labels.GATE: "artifact"},
        "annotations": notes,
        **changes.pop("metadata", {}),
    }
    return {"metadata": metadata, **changes}


def pod(
    owner: str = "job-1", name: str = POD, *, deleted: bool = False, **status: Any
) -> dict[str, Any]:
    """Build the pod of a Job."""
    owners = [{"kind": "Job", "name": "mw-1", "uid": owner, "controller": True}]
    metadata: dict[str, Any] = {"name": name, "ownerReferences": owners}
    if deleted:
        metadata["deletionTimestamp"] = BROUGHT
    return {"metadata": metadata, "status": status}


def gate(**state: Any) -> dict[str, Any]:
    """Build the status of a pod whose gate container is in this state."""
    return {"containerStatuses": [{"name": "gate", "state": state}]}


def fetch(**state: Any) -> dict[str, Any]:
    """Build the status of a pod whose init container is in this state."""
    return {"initContainerStatuses": [{"name": "fetch", "state": state}]}


def terminated(exit_code: int, message: str = "", reason: str = "") -> dict[str, Any]:
    told = {"exitCode": exit_code, "message": message}
    return {"terminated": {**told, "reason": reason} if reason else told}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}


RUNNING: dict[str, Any] = {"running": {"startedAt": MADE}}
FETCHED = {"terminated": {"exitCode": 0, "finishedAt": BROUGHT}}


def ended(kind: str, reason: str = "", message: str = "") -> dict[str, Any]:
    condition = {"type": kind, "status": "True", "reason": reason, "message": message}
    return {"status": {"conditions": [condition]}}


def condition(kind: str, reason: str, message: str = "", status: str = "True") -> dict[str, Any]:
    told = {"type": kind, "status": status, "reason": reason, "message": message}
    return {"conditions": [told]}


def read(one: dict[str, Any], *pods: dict[str, Any]) -> RunFacts:
    return runs_by_key([one], list(pods), namespace="risk")[KEY]


def idle(reason: str = "", detail: str = "", since: str = MADE, **changes: Any) -> RunFacts:
    """Build a run of which nothing runs."""
    return run(reason=reason, detail=detail, idle_since=moment(since), **changes)


def over(reason: str = "", detail: str = "", **changes: Any) -> RunFacts:
    """Build a run that has ended."""
    return run(state=RunState.FINISHED, reason=reason, detail=detail, **changes)


def run(**changes: Any) -> RunFacts:
    given = {"job": "mw-1", "uid": "job-1", "inputs_digest": "inputs", "state": RunState.RUNNING}
    return RunFacts(**{**given, **changes})


IN_GATE = {"pod": POD, "container": "gate"}
UNSCHEDULABLE = condition("PodScheduled", "Unschedulable", "0/1 nodes are available.", "False")
TOO_OFTEN = ended("FailureTarget", "BackoffLimitExceeded", "Job has reached the backoff limit")
OUT_OF_TIME = ended("FailureTarget", "DeadlineExceeded", "Job was active longer than allowed")
TOO_SLOW = "Pod was active on the node longer than the specified deadline"
LATE = {"phase": "Failed", "reason": "DeadlineExceeded", "message": TOO_SLOW}
NO_EXEC = 'exec: "/nope": stat /nope: no such file or directory'

STARTING: dict[str, tuple[dict[str, Any], list[dict[str, Any]], RunFacts]] = {
    "no pod yet": (job(), [], idle()),
    "a pod that nobody has seen": (job(), [pod(phase="Pending")], idle(pod=POD)),
    "a pod that starts": (job(), [pod(**gate(**waiting("ContainerCreating")))], idle(**IN_GATE)),
    "the artifact is being brought": (
        job(),
        [pod(**fetch(**RUNNING), **gate(**waiting("PodInitializing")))],
        run(**IN_GATE),
    ),
    "the artifact is there": (
        job(),
        [pod(**fetch(**FETCHED), **gate(**waiting("PodInitializing")))],
        idle(since=BROUGHT, **IN_GATE),
    ),
    "the gate runs": (job(), [pod(**fetch(**FETCHED), **gate(**RUNNING))], run(**IN_GATE)),
    "an image that is not there": (
        job(),
        [pod(**gate(**waiting("ErrImagePull", "no such image")))],
        idle("ErrImagePull", "no such image", **IN_GATE),
    ),
    "no image of ours to bring the artifact": (
        job(),
        [
            pod(
                **fetch(**waiting("ImagePullBackOff", "no such image")),
                **gate(**waiting("PodInitializing")),
            )
        ],
        idle("ImagePullBackOff", "no such image", **IN_GATE),
    ),
    "a Secret that is not there": (
        job(),
        [pod(**gate(**waiting("CreateContainerConfigError", 'secret "keys" not found')))],
        idle("CreateContainerConfigError", 'secret "keys" not found', **IN_GATE),
    ),
    "no node has room": (
        job(),
        [pod(**UNSCHEDULABLE)],
        idle("Unschedulable", "0/1 nodes are available.", pod=POD),
    ),
    "the pod of an earlier Job of that name is still ending": (
        job(uid="job-2"),
        [
            pod(owner="job-1", **gate(**terminated(137))),
            pod(owner="job-2", name="mw-1-fghij"),
        ],
        idle(uid="job-2", pod="mw-1-fghij"),
    ),
    "a pod that only looks like it": (
        job(),
        [
            {
                "metadata": {
                    "name": "forged",
                    "labels": {"batch.kubernetes.io/job-name": "mw-1"},
                },
                "status": gate(**terminated(0, "{}")),
            }
        ],
        idle(),
    ),
}

ENDED: dict[str, tuple[dict[str, Any], list[dict[str, Any]], RunFacts]] = {
    # The pod has its result two seconds before the Job says so.
    "it said something": (
        job(),
        [pod(**gate(**terminated(0, "{}", "Completed")))],
        over(message="{}", exit_code=0, **IN_GATE),
    ),
    "exit 3": (
        job(),
        [pod(**gate(**terminated(3, "three", "Error")))],
        over(message="three", exit_code=3, **IN_GATE),
    ),
    "it was killed": (
        job(**TOO_OFTEN),
        [pod(**gate(**terminated(137)))],
        over(exit_code=137, **IN_GATE),
    ),
    "it took too much memory": (
        job(),
        [pod(**gate(**terminated(137, "", "OOMKilled")))],
        over("OOMKilled", exit_code=137, **IN_GATE),
    ),
    "its command is missing": (
        job(),
        [pod(**gate(**terminated(128, NO_EXEC, "StartError")))],
        over("StartError", NO_EXEC, message=NO_EXEC, exit_code=128, **IN_GATE),
    ),
    "its image has no possible name": (
        job(),
        [pod(**gate(**waiting("InvalidImageName", "invalid reference format")))],
        over("InvalidImageName", "invalid reference format", **IN_GATE),
    ),
    "the pod ran out of time": (
        job(**TOO_OFTEN),
        [pod(**LATE, **gate(**terminated(143, '{"outcome": "Inconclusive"}', "Error")))],
        over(
            "DeadlineExceeded",
            TOO_SLOW,
            message='{"outcome": "Inconclusive"}',
            exit_code=143,
            **IN_GATE,
        ),
    ),
    "the pod ran out of time before it ran": (
        job(**TOO_OFTEN),
        [pod(**LATE, **gate(**terminated(137, "not located", "ContainerStatusUnknown")))],
        over("NeverStarted", TOO_SLOW, message="not located", exit_code=137, **IN_GATE),
    ),
    "the Job ran out of time, its pod is ending": (
        job(**OUT_OF_TIME),
        [pod(deleted=True, **gate(**RUNNING))],
        over("DeadlineExceeded", "Job was active longer than allowed", **IN_GATE),
    ),
    "it never started in time": (
        job(**OUT_OF_TIME),
        [pod(**gate(**waiting("ImagePullBackOff", "no such image")))],
        over("ImagePullBackOff", "no such image", **IN_GATE),
    ),
    "it never had a pod in time": (
        job(**OUT_OF_TIME),
        [],
        over("NeverStarted", "Job was active longer than allowed"),
    ),
    "somebody deletes its pod": (
        job(**TOO_OFTEN),
        [pod(deleted=True, **gate(**RUNNING))],
        over("PodDeleted", **IN_GATE),
    ),
    "somebody deleted its pod, which ended with a word": (
        job(),
        [pod(deleted=True, **gate(**terminated(143, "stopped", "Error")))],
        over("PodDeleted", message="stopped", exit_code=143, **IN_GATE),
    ),
    "somebody deletes its pod after it has passed": (
        job(),
        [pod(deleted=True, **gate(**terminated(0, "{}", "Completed")))],
        over(message="{}", exit_code=0, **IN_GATE),
    ),
    "its pod is gone": (job(**TOO_OFTEN), [], over("PodDeleted")),
    "it completed and its pod is gone": (
        job(**ended("Complete", "CompletionsReached")),
        [],
        over("ResultLost"),
    ),
    "the node was short of something": (
        job(**TOO_OFTEN),
        [pod(reason="Evicted", message="low on memory", **gate(**terminated(137)))],
        over("Evicted", "low on memory", exit_code=137, **IN_GATE),
    ),
    "a more important pod needed the place": (
        job(),
        [
            pod(
                deleted=True,
                **condition("DisruptionTarget", "PreemptionByScheduler", "preempting to make room"),
                **gate(**terminated(143)),
            )
        ],
        over("PreemptionByScheduler", "preempting to make room", exit_code=143, **IN_GATE),
    ),
    "the node refused it": (
        job(**TOO_OFTEN),
        [pod(phase="Failed", reason="OutOfcpu", message="Node didn't have enough resource: cpu")],
        over("OutOfcpu", "Node didn't have enough resource: cpu", pod=POD),
    ),
    "the node came back without it": (
        job(**TOO_OFTEN),
        [pod(**gate(**terminated(137, "not located", "ContainerStatusUnknown")))],
        over(
            "ContainerStatusUnknown",
            "not located",
            message="not located",
            exit_code=137,
            **IN_GATE,
        ),
    ),
    "the artifact is not what was registered": (
        job(),
        [
            pod(
                **fetch(**terminated(1, '{"code": "DigestDiffers"}', "Error")),
                **gate(**waiting("PodInitializing")),
            )
        ],
        over(
            "FetchFailed",
            "it exited with 1",
            message='{"code": "DigestDiffers"}',
            exit_code=1,
            pod=POD,
            container="fetch",
        ),
    ),
    "bringing the artifact took too much memory": (
        job(),
        [pod(**fetch(**terminated(137, "", "OOMKilled")), **gate(**waiting("PodInitializing")))],
        over("FetchFailed", "OOMKilled", exit_code=137, pod=POD, container="fetch"),
    ),
    "the Job failed in a way that nobody foresaw": (
        job(**ended("Failed", "MaxFailedIndexesExceeded", "too many")),
        [pod(phase="Failed")],
        over("MaxFailedIndexesExceeded", "too many", pod=POD),
    ),
}


@pytest.mark.parametrize(("one", "pods", "found"), STARTING.values(), ids=STARTING)
def test_a_run_that_goes_on_is_what_the_jobs_own_pod_says(
    one: dict[str, Any], pods: list[dict[str, Any]], found: RunFacts
) -> None:
    assert read(one, *pods) == found


@pytest.mark.parametrize(("one", "pods", "found"), ENDED.values(), ids=ENDED)
def test_the_end_of_a_run_is_told_by_what_is_surest(
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


def event(reason: str, message: str, time: str = MADE, kind: str = "Warning") -> dict[str, Any]:
    return {"type": kind, "reason": reason, "message": message, "lastTimestamp": time}


MOUNT = event("FailedMount", 'secret "keys" not found', BROUGHT)
EVENTS = {
    "none": (idle(), [], idle()),
    "the newest warning": (
        idle(),
        [event("FailedScheduling", "none fits"), MOUNT, event("Pulled", "", BROUGHT, "Normal")],
        idle("FailedMount", 'secret "keys" not found'),
    ),
    "the pod itself says more": (
        idle("ErrImagePull", "no such image"),
        [MOUNT],
        idle("ErrImagePull", "no such image"),
    ),
}


@pytest.mark.parametrize(("found", "events", "told"), EVENTS.values(), ids=EVENTS)
def test_where_a_pod_says_nothing_its_events_are_heard(
    found: RunFacts, events: list[dict[str, Any]], told: RunFacts
) -> None:
    assert with_events(found, events) == told


def test_the_idle_time_of_a_job_that_says_nothing_of_its_making_is_not_known() -> None:
    made: datetime | None = read(job(metadata={"creationTimestamp": None})).idle_since

    assert made is None
