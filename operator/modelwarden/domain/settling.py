"""Whether what somebody asked for has come to its end, and how: for whoever waits for it."""

from collections.abc import Iterable
from dataclasses import dataclass

from modelwarden.domain.attempts_told import Raw, condition, is_open, unmet
from modelwarden.domain.explain import Subject
from modelwarden.domain.stages import Stage
from modelwarden.domain.verdicts import Outcome, Verdict, allow

# What ended because something broke, not because a rule or a person said no.
BROKEN = frozenset({"ProgressDeadlineExceeded", "RolloutAborted", "RolloutTimedOut", "TakenBack"})
# After these the same request opens the next attempt by itself.
_REOPENS = frozenset({"AttemptVanished", "ContentChanged", "GovernedFieldsChanged", "ModelGone"})


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What was asked: a version into a stage, by the request with this id.

    `generation` is that of the Model with the request in it; 0 if the request changed nothing.
    """

    version: int
    target: Stage
    request_id: str = ""
    generation: int = 0


def settled(wish: Wish, subject: Subject) -> Verdict | None:
    """Say how it ended; None while it may still come true."""
    status = subject.model.get("status", {})
    if status.get("observedGeneration", -1) < wish.generation:
        return None
    if _is_there(wish, status.get("stages", {}), subject=subject):
        return allow("Done", f"Version {wish.version} {_where(wish.target)}.")
    own = [a for a in subject.attempts if a["spec"]["version"] == wish.version]
    if any(is_open(attempt) for attempt in own):
        return None
    for item in unmet(subject.model):
        denied = item["outcome"] == "Deny" and item["code"] not in _REOPENS
        if denied and item["version"] == wish.version:
            return _retold(item["code"], item["message"], _advice(item))
    return _end_of_its_attempt(wish, own)


def registered(subject: Subject) -> Verdict | None:
    """Say how a registration ended; the creation of the version asked for it."""
    if subject.registration == "True":
        return allow("Done", f"Version {subject.version} is registered.")
    if subject.registration == "False":
        ready = condition(subject.record, "Ready")
        return _retold(ready["reason"], ready.get("message", ""))
    return None


def called_off(wish: Wish, subject: Subject) -> Verdict | None:
    """Say that nothing brings the version into the stage any more; None while something may.

    On its way to Production a version is brought into Staging first, unless that is asked too.
    """
    model = subject.model
    if model.get("status", {}).get("observedGeneration", -1) < wish.generation:
        return None
    staging = model["spec"].get("stages", {}).get("staging", ())
    targets = {wish.target}
    if wish.target is Stage.PRODUCTION and all(e["version"] != wish.version for e in staging):
        targets.add(Stage.STAGING)
    own = (a for a in subject.attempts if a["spec"]["version"] == wish.version)
    if any(is_open(attempt) and attempt["spec"]["to"] in targets for attempt in own):
        return None
    text = f"Nothing brings version {wish.version} into {wish.target} any more."
    return allow("CalledOff", text)


def tried_again(before: Raw, retry: str, subject: Subject) -> Verdict | None:
    """Say how the attempt after this one ended; None while it is open, or not there yet.

    A Retry that leads to nothing is told beside the votes of the attempt that it names.
    """
    spec = before["spec"]
    later = [
        attempt
        for attempt in subject.attempts
        if (attempt["spec"]["version"], attempt["spec"]["to"]) == (spec["version"], spec["to"])
        and attempt["spec"]["attempt"] > spec["attempt"]
    ]
    if not later:
        return _refused(before, retry, subject.attempts)
    newest = max(later, key=lambda attempt: int(attempt["spec"]["attempt"]))
    succeeded = condition(newest, "Succeeded")
    match succeeded.get("status"):
        case "True":
            return allow("Done", f"Version {spec['version']} {_where(Stage(spec['to']))}.")
        case "False" if succeeded["reason"] not in _REOPENS:
            return _retold(succeeded["reason"], succeeded.get("message", ""))
        case _:
            return None


def _refused(before: Raw, retry: str, attempts: Iterable[Raw]) -> Verdict | None:
    for attempt in attempts:
        if attempt["metadata"]["name"] == before["metadata"]["name"]:
            for found in attempt.get("status", {}).get("votes", {}).get("discarded", ()):
                if found["decision"] == retry and found["reason"] != "Retried":
                    return _retold(found["reason"], found.get("message", ""))
    return None


def _retold(code: str, message: str, next_step: str = "") -> Verdict:
    """Say a refusal again as a status has it: what to do next is in it already."""
    return Verdict(Outcome.DENY, code, message, next_step)


def _advice(item: Raw) -> str:
    """Give the next step, unless the sentence ends in the same advice."""
    advice = str(item.get("nextStep", ""))
    return "" if advice.rpartition(", then ")[2] in item["message"] else advice


def _where(stage: Stage) -> str:
    """Say where a version is: `is in Staging`, `is Archived`."""
    return f"is {'in ' if stage in (Stage.STAGING, Stage.PRODUCTION) else ''}{stage}"


def _is_there(wish: Wish, stages: Raw, *, subject: Subject) -> bool:
    if wish.target is Stage.PRODUCTION:
        return bool(stages.get("production", {}).get("version") == wish.version)
    if wish.target in (Stage.REGISTERED, Stage.ARCHIVED):
        # Nothing lists what is Registered, and not everything that is Archived.
        return subject.stage == wish.target
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
            return _retold(succeeded["reason"], succeeded.get("message", ""))
    return None
