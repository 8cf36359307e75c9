"""Whether what somebody asked for has come to its end, and how: for whoever waits for it."""

from collections.abc import Iterable
from dataclasses import dataclass

from modelwarden.domain.attempts_told import Raw, condition, is_open, unmet
from modelwarden.domain.explain import Subject
from modelwarden.domain.stages import Stage
from modelwarden.domain.verdicts import Verdict, allow, deny

# What ended because something broke, not because a rule or a person said no.
BROKEN = frozenset({"ProgressDeadlineExceeded", "RolloutAborted", "RolloutTimedOut", "TakenBack"})
# After these the same request opens the next attempt by itself.
_REOPENS = frozenset({"AttemptVanished", "ContentChanged", "GovernedFieldsChanged", "ModelGone"})


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What was asked: a version into a stage, by the request with this id.

    `generation` is that of the Model with the request in it; 0 if the request changed nothing.
    Registered is asked for by the creation of the version, and needs neither.
    """

    version: int
    target: Stage
    request_id: str = ""
    generation: int = 0


def settled(wish: Wish, subject: Subject) -> Verdict | None:
    """Say how it ended; None while it may still come true."""
    if wish.target is Stage.REGISTERED:
        return _registered(subject)
    status = subject.model.get("status", {})
    if status.get("observedGeneration", -1) < wish.generation:
        return None
    if _is_there(wish, status.get("stages", {})):
        return allow("Done", f"Version {wish.version} is in {wish.target}.")
    own = [a for a in subject.attempts if a["spec"]["version"] == wish.version]
    if any(is_open(attempt) for attempt in own):
        return None
    for item in unmet(subject.model):
        denied = item["outcome"] == "Deny" and item["code"] not in _REOPENS
        if denied and item["version"] == wish.version:
            return deny(item["code"], item["message"], _advice(item))
    return _end_of_its_attempt(wish, own)


def _advice(item: Raw) -> str:
    """Give the next step, unless the sentence ends in the same advice."""
    advice = str(item.get("nextStep", ""))
    return "" if advice.rpartition(", then ")[2] in item["message"] else advice


def _registered(subject: Subject) -> Verdict | None:
    if subject.registration == "True":
        return allow("Done", f"Version {subject.version} is registered.")
    if subject.registration == "False":
        ready = condition(subject.record, "Ready")
        return deny(ready["reason"], ready.get("message", ""))
    return None


def _is_there(wish: Wish, stages: Raw) -> bool:
    if wish.target is Stage.PRODUCTION:
        return bool(stages.get("production", {}).get("version") == wish.version)
    return wish.version in stages.get(wish.target.lower(), ())


def _end_of_its_attempt(wish: Wish, attempts: Iterable[Raw]) -> Verdict | None:
    for attempt in attempts:
        succeeded = condition(attempt, "Succeeded")
        if (
            wish.request_id
            and attempt["spec"]["request"]["id"] == wish.request_id
            and attempt["spec"]["to"] == wish.target
            and succeeded.get("status") == "False"
            and succeeded["reason"] not in _REOPENS
        ):
            return deny(succeeded["reason"], succeeded.get("message", ""))
    return None
