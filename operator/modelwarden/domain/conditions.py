"""Conditions of an object, as kubectl, Helm and Argo CD read them (API conventions, kstatus)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from modelwarden.domain import pod_words
from modelwarden.domain.scribe import timestamp
from modelwarden.domain.texts import LONGEST_MESSAGE, LONGEST_SENTENCE, shortened
from modelwarden.domain.verdicts import Outcome, Verdict

# While one of these holds a version back a machine is at work; all others are for people or time.
# What waits for something else that waits is not among them: that one says who is at work.
MACHINE_AT_WORK = pod_words.CODES | {
    "GateFinished",
    "GatePending",
    "GateQueued",
    "GateRetrying",
    "GateRunning",
    "NotYetLabelled",
    "Registering",
    "RightNotReviewed",
    "RollingOut",
}


@dataclass(frozen=True)
class Condition:
    """One observation: `holds` is None while it cannot be said."""

    type: str
    holds: bool | None
    reason: str
    message: str


def is_true(kind: str, reason: str, message: str) -> Condition:
    """Observe that something is so."""
    return Condition(kind, holds=True, reason=reason, message=message)


def is_false(kind: str, reason: str, message: str) -> Condition:
    """Observe that something is not so."""
    return Condition(kind, holds=False, reason=reason, message=message)


def is_unknown(kind: str, reason: str, message: str) -> Condition:
    """Say that it is not known yet."""
    return Condition(kind, holds=None, reason=reason, message=message)


def from_verdict(kind: str, verdict: Verdict) -> Condition:
    """Render a verdict: what waits is Unknown, what is denied is False."""
    holds = {Outcome.ALLOW: True, Outcome.DENY: False, Outcome.WAIT: None}[verdict.outcome]
    return Condition(kind, holds, verdict.code, verdict.message)


def written(
    conditions: Iterable[Condition],
    *,
    generation: int,
    now: datetime,
    before: Iterable[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """Write conditions as status has them; the time of the last change outlives the picture."""
    known = {condition.get("type"): condition for condition in before}
    return [
        _one(condition, known.get(condition.type), generation=generation, now=now)
        for condition in sorted(conditions, key=lambda c: c.type)
    ]


def obstacle(verdict: Verdict) -> dict[str, Any]:
    """Write an answer that holds something back."""
    written_out: dict[str, Any] = {
        "outcome": verdict.outcome.value,
        "code": verdict.code,
        "message": shortened(verdict.sentence, LONGEST_SENTENCE),
    }
    if verdict.next_step:
        written_out["nextStep"] = shortened(verdict.next_step, LONGEST_SENTENCE)
    return written_out


def _one(
    condition: Condition, before: Mapping[str, Any] | None, *, generation: int, now: datetime
) -> dict[str, Any]:
    status = {True: "True", False: "False", None: "Unknown"}[condition.holds]
    unchanged = before is not None and before.get("status") == status
    since = before.get("lastTransitionTime") if unchanged and before is not None else None
    return {
        "type": condition.type,
        "status": status,
        "observedGeneration": generation,
        "lastTransitionTime": since or timestamp(now),
        "reason": condition.reason,
        "message": shortened(condition.message, LONGEST_MESSAGE),
    }
