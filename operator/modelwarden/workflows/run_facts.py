"""Gate Jobs and their pods, read as facts: what they say, and what Kubernetes says of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from modelwarden.domain import labels
from modelwarden.domain.facts import RunFacts, RunKey, RunState
from modelwarden.domain.run_causes import (
    FETCH_FAILED,
    HOPELESS,
    NEVER_STARTED,
    POD_DELETED,
    RESULT_LOST,
)
from modelwarden.domain.scribe import moment

# An object, or a part of one, as the API server gives it.
Raw: TypeAlias = Mapping[str, Any]


# The Jobs, pods and network policies of gates, of whichever Model.
OF_GATES = f"{labels.MANAGED_BY}={labels.FIELD_MANAGER},{labels.ATTEMPT}"


class Told(NamedTuple):
    """A word of Kubernetes', and its own sentence."""

    reason: str
    detail: str


NOTHING = Told("", "")


def runs_by_key(
    jobs: Iterable[Raw], pods: Iterable[Raw], *, namespace: str
) -> dict[RunKey, RunFacts]:
    """Read the Jobs of a namespace's gates, each with the pod that it made itself."""
    pod_of = {owner["uid"]: pod for pod in pods for owner in _owners(pod)}
    return {
        _key(job): _run(job, pod_of.get(job["metadata"]["uid"]))
        for job in jobs
        if job["metadata"].get("annotations", {}).get(labels.NAMESPACE) == namespace
        and "deletionTimestamp" not in job["metadata"]
    }


def running_jobs(jobs: Iterable[Raw]) -> dict[str, str]:
    """List the gate Jobs that take up a place, each with the namespace whose Model it judges.

    One whose pod has ended is among them until its result is on record.
    """
    return {
        job["metadata"]["name"]: job["metadata"].get("annotations", {}).get(labels.NAMESPACE, "")
        for job in jobs
        if not _is_over(job) and "deletionTimestamp" not in job["metadata"]
    }


def of_model(jobs: Iterable[Raw], model: str) -> list[Raw]:
    """Pick the Jobs of the gates of one Model, in whichever namespace."""
    return [job for job in jobs if job["metadata"].get("labels", {}).get(labels.MODEL) == model]


def with_events(run: RunFacts, events: Iterable[Raw]) -> RunFacts:
    """Add what the newest warning about a run says, where nothing else says what keeps it."""
    warnings = [event for event in events if event.get("type") == "Warning"]
    if run.reason or not warnings:
        return run
    newest = max(warnings, key=_time_of_event)
    return replace(run, reason=newest.get("reason", ""), detail=newest.get("message", ""))


def _owners(pod: Raw) -> Sequence[Raw]:
    owners: Sequence[Raw] = pod["metadata"].get("ownerReferences") or ()
    return [owner for owner in owners if owner.get("controller")]


def _key(job: Raw) -> RunKey:
    notes = job["metadata"]["annotations"]
    _, _, attempt = notes.get(labels.TRANSITION, "").partition("/")
    tries = notes.get(labels.TRY, "")
    return RunKey(
        attempt=attempt,
        gate=job["metadata"].get("labels", {}).get(labels.GATE, ""),
        tries=int(tries) if tries.isdecimal() else 0,
    )


def _run(job: Raw, pod: Raw | None) -> RunFacts:
    found = pod or {}
    fetch, gate = _container(found, "initContainerStatuses"), _container(found, "containerStatuses")
    fetched, ended = _terminated(fetch), _terminated(gate)
    lost_fetch = bool(fetched) and fetched.get("exitCode") != 0
    told = _what_ended_it(job, found)
    is_over = bool(told.reason or ended)
    heard = fetched if lost_fetch else ended
    obstacle = told if is_over else _what_keeps_it(found)
    return RunFacts(
        job=job["metadata"]["name"],
        uid=job["metadata"]["uid"],
        inputs_digest=job["metadata"].get("annotations", {}).get(labels.INPUTS_DIGEST, ""),
        state=RunState.FINISHED if is_over else RunState.RUNNING,
        idle_since=None if is_over else _idle_since(job, found),
        reason=obstacle.reason,
        detail=obstacle.detail,
        message=heard.get("message", ""),
        exit_code=heard.get("exitCode"),
        pod=found.get("metadata", {}).get("name", ""),
        container=(fetch if lost_fetch else gate).get("name", ""),
        has_ways_out=labels.EGRESS in job["metadata"].get("annotations", {}),
    )


def _what_ended_it(job: Raw, pod: Raw) -> Told:
    """Say what ended a run other than its own end; what is surer comes first."""
    status = pod.get("status", {})
    gate = _container(pod, "containerStatuses")
    ended = _terminated(gate)
    if ended.get("exitCode") == 0:
        # It had its say, whatever happened to the pod afterwards.
        return NOTHING
    return (
        _disruption(status)
        or _deadline(job, pod)
        or _deletion(pod)
        or _failed_fetch(_terminated(_container(pod, "initContainerStatuses")))
        or _killed(ended)
        or _hopeless(gate)
        or (NOTHING if ended else _lost(job, pod))
        or NOTHING
    )


def _disruption(status: Raw) -> Told | None:
    """The node or the cluster took the pod away."""
    reason = status.get("reason", "")
    if reason and reason != "DeadlineExceeded":
        return Told(reason, status.get("message", ""))
    for condition in _holding(status, "DisruptionTarget"):
        return Told(condition.get("reason", ""), condition.get("message", ""))
    return None


def _deadline(job: Raw, pod: Raw) -> Told | None:
    """The pod or the Job ran out of time: the gate was too slow, or it never began."""
    status, end = pod.get("status", {}), _job_end(job)
    if "DeadlineExceeded" not in (status.get("reason"), end.reason):
        return None
    detail = end.detail if end.reason == "DeadlineExceeded" else status.get("message", "")
    if _has_run(_container(pod, "containerStatuses")):
        return Told("DeadlineExceeded", detail)
    obstacle = _what_keeps_it(pod)
    return obstacle if obstacle.reason else Told(NEVER_STARTED, detail)


def _deletion(pod: Raw) -> Told | None:
    return Told(POD_DELETED, "") if "deletionTimestamp" in pod.get("metadata", {}) else None


def _failed_fetch(ended: Raw) -> Told | None:
    """The init container could not bring the artifact; its message says whose fault that is."""
    if not ended or ended.get("exitCode") == 0:
        return None
    how = ended.get("reason", "")
    words = f"it exited with {ended.get('exitCode')}" if how in ("", "Error") else how
    return Told(FETCH_FAILED, words)


def _killed(ended: Raw) -> Told | None:
    reason = ended.get("reason", "")
    return None if reason in _OF_ITS_OWN else Told(reason, ended.get("message", ""))


_OF_ITS_OWN = frozenset({"", "Error", "Completed"})


def _hopeless(gate: Raw) -> Told | None:
    told = _waiting(gate)
    return told if told.reason in HOPELESS else None


def _lost(job: Raw, pod: Raw) -> Told | None:
    """The Job says that it is over, and no container is there to say how."""
    end = _job_end(job)
    if not end.reason:
        return None
    if end.reason in ("Complete", "CompletionsReached"):
        return Told(RESULT_LOST, "")
    return Told(end.reason, end.detail) if pod else Told(POD_DELETED, "")


def _job_end(job: Raw) -> Told:
    """Say how the Job itself ended; the first sign of a failure counts."""
    for kind in ("FailureTarget", "Failed", "Complete"):
        for condition in _holding(job.get("status", {}), kind):
            return Told(condition.get("reason") or kind, condition.get("message", ""))
    return NOTHING


def _is_over(job: Raw) -> bool:
    """Nothing of the Job runs any more."""
    status = job.get("status", {})
    return any(next(iter(_holding(status, kind)), None) for kind in ("Complete", "Failed"))


def _what_keeps_it(pod: Raw) -> Told:
    """Say why a pod does not run; nothing while nothing is known to be in its way."""
    for part in ("initContainerStatuses", "containerStatuses"):
        told = _waiting(_container(pod, part))
        if told.reason:
            return told
    for condition in pod.get("status", {}).get("conditions", ()):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return Told(condition.get("reason", ""), condition.get("message", ""))
    return NOTHING


def _idle_since(job: Raw, pod: Raw) -> datetime | None:
    """Say since when no container runs: since the Job was made, or the artifact was brought."""
    fetch, gate = _container(pod, "initContainerStatuses"), _container(pod, "containerStatuses")
    if _is_running(fetch) or _is_running(gate):
        return None
    times = (job["metadata"].get("creationTimestamp"), _terminated(fetch).get("finishedAt"))
    return max((moment(time) for time in times if time), default=None)


def _container(pod: Raw, part: str) -> Raw:
    """Find the status of a pod's one container of a kind; an empty one before there is any."""
    statuses: Sequence[Raw] = pod.get("status", {}).get(part) or ()
    return statuses[0] if statuses else {}


def _terminated(container: Raw) -> Raw:
    found: Raw = container.get("state", {}).get("terminated") or {}
    return found


def _is_running(container: Raw) -> bool:
    return bool(container.get("state", {}).get("running"))


def _has_run(container: Raw) -> bool:
    """The container was started; one that never was is given a made-up end."""
    ended = _terminated(container)
    return _is_running(container) or (
        bool(ended) and ended.get("reason") != "ContainerStatusUnknown"
    )


def _waiting(container: Raw) -> Told:
    waiting = container.get("state", {}).get("waiting") or {}
    if waiting.get("reason") in (None, "ContainerCreating", "PodInitializing"):
        return NOTHING
    return Told(waiting["reason"], waiting.get("message", ""))


def _holding(status: Raw, kind: str) -> Iterable[Raw]:
    return (c for c in status.get("conditions", ()) if c["type"] == kind and c["status"] == "True")


def _time_of_event(event: Raw) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or "")
