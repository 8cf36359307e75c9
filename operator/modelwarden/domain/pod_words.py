"""What the pods of a rollout say: why they do not serve, in their own words.

A word is a help and never a fact: whether a rollout is done, is decided from the Deployment alone.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from modelwarden.domain.texts import plain, shortened

# The init container of the examples that brings the artifact.
FETCH = "fetch"
_LONGEST = 400

_NO_IMAGE = frozenset(
    {
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImageInspectError",
        "ImagePullBackOff",
        "InvalidImageName",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)
_NOT_STARTED = frozenset(
    {
        "CreateContainerConfigError",
        "CreateContainerError",
        "PostStartHookError",
        "PreCreateHookError",
        "RunContainerError",
        "StartError",
    }
)
_BACK_OFF = "CrashLoopBackOff"


# What the words of pods are called; a machine is at work on each of them until the rollout ends.
CODES = frozenset(
    {
        "ArtifactNotFetched",
        "ContainerCrashing",
        "ContainerNotStarted",
        "ImageNotPulled",
        "InitContainerFailed",
        "PodLost",
        "PodsNotCreated",
        "PodsNotReady",
        "PodsUnschedulable",
    }
)


@dataclass(frozen=True, kw_only=True)
class ContainerFacts:
    """A container of a pod: what it waits for now, and how it ended last.

    `exit_code` is None for one that never ended.
    """

    name: str
    is_init: bool = False
    ready: bool = False
    restarts: int = 0
    waiting: str = ""
    waiting_message: str = ""
    exit_code: int | None = None
    exit_reason: str = ""
    exit_message: str = ""


@dataclass(frozen=True, kw_only=True)
class PodFacts:
    """A pod of the new template. `lost` says why the node gave it up, if it did."""

    name: str
    ready: bool = False
    unscheduled: str = ""
    lost: str = ""
    containers: tuple[ContainerFacts, ...] = ()


@dataclass(frozen=True)
class Words:
    """Why pods do not serve: a stable code, one pod's own words, and what to look at."""

    code: str
    sentence: str
    next_step: str


# What may keep a pod of a Deployment from serving; None where it does not.
Cause: TypeAlias = Callable[[PodFacts, str], Words | None]


def words_of(pods: Iterable[PodFacts], *, deployment: str, not_created: str = "") -> Words | None:
    """Say why the pods of a Deployment do not serve: the gravest cause, and how many have it.

    `not_created` is what the API server said where it let no more pods be made. None where the
    pods have nothing to say: they are on their way.
    """
    listed = sorted(pods, key=lambda pod: pod.name)
    crashes = _gravest(listed, _CRASHES, deployment=deployment)
    if crashes is None and not_created:
        return _none_made(not_created, deployment)
    return crashes or _gravest(listed, _DELAYS, deployment=deployment)


def _gravest(pods: Sequence[PodFacts], causes: Sequence[Cause], *, deployment: str) -> Words | None:
    for cause in causes:
        having = [(pod, words) for pod in pods if (words := cause(pod, deployment)) is not None]
        if having:
            pod, words = having[0]
            others = f" and {len(having) - 1} more" if len(having) > 1 else ""
            sentence = f"Pod {pod.name}{others}: {words.sentence}"
            return Words(words.code, sentence, words.next_step)
    return None


def _none_made(why: str, deployment: str) -> Words:
    advice = f"Correct what it says in deploy/{deployment}."
    if "exceeded quota" in why:
        advice = f"Raise the ResourceQuota, or let deploy/{deployment} ask for less."
    return Words("PodsNotCreated", f"No more pods can be made: {_own(why)}", advice)


def _has_no_image(pod: PodFacts, deployment: str) -> Words | None:
    for container in pod.containers:
        if container.waiting in _NO_IMAGE:
            return Words(
                "ImageNotPulled",
                f"container {container.name} has no image: {_waits(container)}",
                f"Correct the image in deploy/{deployment}, or let the node pull it.",
            )
    return None


def _is_not_started(pod: PodFacts, deployment: str) -> Words | None:
    for container in pod.containers:
        started = container.waiting not in _NOT_STARTED and container.exit_reason not in (
            _NOT_STARTED
        )
        if not started and not container.ready:
            why = _waits(container) if container.waiting in _NOT_STARTED else _ended(container)
            return Words(
                "ContainerNotStarted",
                f"container {container.name} cannot start: {why}",
                f"Correct what it says in deploy/{deployment}.",
            )
    return None


def _fails_in_init(pod: PodFacts, _: str) -> Words | None:
    for container in pod.containers:
        if container.is_init and not container.ready and container.exit_code not in (0, None):
            fetches = container.name == FETCH
            return Words(
                "ArtifactNotFetched" if fetches else "InitContainerFailed",
                f"init container {container.name} {_ended(container)}",
                _logs(pod, container),
            )
    return None


def _crashes(pod: PodFacts, _: str) -> Words | None:
    for container in pod.containers:
        ended = container.exit_code is not None and not container.ready
        if not container.is_init and (
            container.restarts or container.waiting == _BACK_OFF or ended
        ):
            again = "has not been started again"
            if container.restarts:
                times = "once" if container.restarts == 1 else f"{container.restarts} times"
                again = f"was started again {times}"
            return Words(
                "ContainerCrashing",
                f"container {container.name} {again}: it {_ended(container)}",
                _logs(pod, container),
            )
    return None


def _is_lost(pod: PodFacts, _: str) -> Words | None:
    if not pod.lost:
        return None
    return Words("PodLost", _own(pod.lost), f"See kubectl describe pod/{pod.name}.")


def _has_no_node(pod: PodFacts, deployment: str) -> Words | None:
    if not pod.unscheduled:
        return None
    return Words(
        "PodsUnschedulable",
        f"no node takes it: {_own(pod.unscheduled)}",
        f"Make room, or let deploy/{deployment} ask for less.",
    )


def _is_not_ready(pod: PodFacts, _: str) -> Words | None:
    waits = [c for c in pod.containers if not c.ready and not c.is_init]
    running = bool(waits) and not any(c.waiting for c in pod.containers)
    if pod.ready or not running:
        return None
    names = ", ".join(container.name for container in waits)
    return Words(
        "PodsNotReady",
        f"container {names} runs and does not say that it is ready.",
        _logs(pod, waits[0]),
    )


# The gravest first; a pod that was never made comes between these two.
_CRASHES: tuple[Cause, ...] = (_has_no_image, _is_not_started, _fails_in_init, _crashes)
_DELAYS: tuple[Cause, ...] = (_has_no_node, _is_lost, _is_not_ready)


def _waits(container: ContainerFacts) -> str:
    message = f": {container.waiting_message}" if container.waiting_message else ""
    return _own(f"{container.waiting}{message}")


def _ended(container: ContainerFacts) -> str:
    if container.exit_code is None:
        return "ended before anybody saw how."
    reason = container.exit_reason
    named = f" ({reason})" if reason not in ("", "Error", "Completed") else ""
    said = f": {container.exit_message}" if container.exit_message.strip() else ""
    return _own(f"ended with exit code {container.exit_code}{named}{said}")


def _logs(pod: PodFacts, container: ContainerFacts) -> str:
    before = " --previous" if container.restarts else ""
    return f"See kubectl logs {pod.name} -c {container.name}{before}."


def _own(words: str) -> str:
    """Write the words of others as one sentence that ends."""
    text = shortened(plain(" ".join(words.split())), _LONGEST)
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
