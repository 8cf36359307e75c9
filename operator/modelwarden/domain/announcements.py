"""What is told of a record: on which object, how loud, and in which sentence."""

from dataclasses import dataclass

from modelwarden.domain.history import by_automation, told
from modelwarden.domain.records import Operation, Record
from modelwarden.domain.stages import Stage
from modelwarden.domain.state import GateOutcome


@dataclass(frozen=True)
class Announcement:
    """One event, on the object of one kind."""

    about: str
    warning: bool
    reason: str
    message: str


def announcement(record: Record) -> Announcement | None:
    """Render a record as an event; None where nobody waits to hear of it."""
    match record.operation:
        case Operation.REQUESTED:
            return _on_version(record, _requested(record))
        case Operation.REGISTERED:
            return _on_version(record, "Registered: the record and the file were read.")
        case Operation.GATE_FINISHED:
            return _gate(record)
        case Operation.VOTED:
            return _vote(record)
        case Operation.RETRACTED:
            return _on_transition(record, _retracted(record))
        case Operation.ROLLOUT_BEGUN:
            names = ", ".join(record.facts["deployments"])
            return _on_model(record, f"Version {record.version} is being rolled out to {names}.")
        case Operation.ROLLOUT_FAILED | Operation.ROLLOUT_ABORTED:
            text = f"Version {record.version}: {record.facts['sentence']}"
            return _on_model(record, text, warning=True)
        case Operation.SUPERSEDED:
            return _on_transition(record, record.facts["sentence"])
        case Operation.PROMOTED:
            return _on_model(record, _moved(record))
        case Operation.DEMOTED | Operation.WITHDRAWN | Operation.ROLLED_BACK:
            # What a newer version replaces by the Model's own order surprises nobody.
            return _on_model(record, _went_down(record), warning=not by_automation(record))
        case Operation.ARCHIVED:
            # Who asks for it takes a version away from others; what nobody uses just rests.
            return _on_model(record, _went_down(record), warning=bool(record.transition))
        case Operation.ROLLOUT_OBSERVED:
            return _on_model(record, f"No pod runs version {record.version} any more.")
        case Operation.NOTES_CHANGED:
            return _on_version(record, f"{_sentence(record)}.")
        case Operation.REVIEW:
            return _on_model(record, f"{_sentence(record)}.")
        case Operation.GOVERNED_CHANGED | Operation.POLICY_CHANGED:
            return None if record.facts.get("first") else _on_model(record, f"{_sentence(record)}.")
        case Operation.ARTIFACT_CHECKED:
            return _availability(record) if record.facts["turned"] else None
        case Operation.DELETION_OBSERVED:
            return _on_model(record, f"{_sentence(record)}.", warning=True)
        case _:
            return None


def _sentence(record: Record) -> str:
    """Say it as the history does, as a sentence of its own."""
    sentence = told(record).sentence
    return sentence[0].upper() + sentence[1:]


def _requested(record: Record) -> str:
    target, retry = record.facts["to"], record.facts.get("retry")
    if retry is None:
        asked_by = "spec.automation" if by_automation(record) else record.actor.username
        return f"{asked_by} asked for {target}."
    who = retry["actor"]["username"]
    return f'{who} had {target} tried again: "{retry["rationale"]}"'


def _gate(record: Record) -> Announcement:
    passed = record.facts["outcome"] == GateOutcome.PASSED
    text = f"{record.facts['gate']} {record.facts['outcome']}: {record.facts['sentence']}"
    return Announcement("ModelVersion", not passed, record.facts["code"], text)


def _availability(record: Record) -> Announcement:
    """Tell that an artifact is gone or there again; that it is still as it was is no news."""
    lost = record.facts["outcome"] != GateOutcome.PASSED
    is_now = "is not available any more" if lost else "is available again"
    text = f"The artifact {is_now}: {record.facts['sentence']}"
    return Announcement("ModelVersion", lost, record.facts["code"], text)


def _vote(record: Record) -> Announcement:
    rejected = record.facts["vote"] == "Reject"
    text = f'{record.actor.username}: {record.facts["vote"]}, "{record.rationale}"'
    return Announcement("ModelTransition", rejected, "Voted", text)


def _retracted(record: Record) -> str:
    if record.facts["code"] == "Replaced":
        return f"{record.actor.username} voted again."
    return f"{record.actor.username} took a vote back."


def _moved(record: Record) -> str:
    moves = [f"{m.version} is in {m.target}" for m in record.moves]
    left = [m.version for m in record.moves if m.source is Stage.PRODUCTION]
    return "; ".join(moves) + (f" (replaces {left[0]})." if left else ".")


def _went_down(record: Record) -> str:
    came = [
        f"{m.version} is in {m.target} again" for m in record.moves if m.target is Stage.PRODUCTION
    ]
    went = [
        f"{m.version} went from {m.source} to {m.target}"
        for m in record.moves
        if m.target is not Stage.PRODUCTION
    ]
    return f'{"; ".join((*came, *went))}: "{record.rationale}"'


def _on_version(record: Record, message: str) -> Announcement:
    return Announcement(
        "ModelVersion", warning=False, reason=record.operation.value, message=message
    )


def _on_transition(record: Record, message: str) -> Announcement:
    return Announcement(
        "ModelTransition", warning=False, reason=record.operation.value, message=message
    )


def _on_model(record: Record, message: str, *, warning: bool = False) -> Announcement:
    return Announcement("Model", warning, record.operation.value, message)
