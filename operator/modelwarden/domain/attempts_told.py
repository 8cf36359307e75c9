"""An attempt, line by line: every gate with what it found, and how far the rollout is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from modelwarden.domain import pod_words
from modelwarden.domain.stages import DOWNWARDS, LADDER, Stage

# An object as the API server gives it.
Raw: TypeAlias = Mapping[str, Any]


class Mark(StrEnum):
    """How a claim stands, as it is written in front of it."""

    PASSED = "passed"
    FAILED = "FAILED"
    RUNNING = "running"
    WAITING = "waiting"
    NOT_OPEN = "not open"
    NOT_COUNTED = "not counted"
    NOTE = "note"


@dataclass(frozen=True)
class Line:
    """One claim: how it stands, what it is about, and what was found."""

    mark: Mark
    subject: str
    text: str

    def to_json(self) -> dict[str, Any]:
        """Write the line as JSON."""
        return {"mark": self.mark.value, "subject": self.subject, "text": self.text}


_MARKS = {
    "Passed": Mark.PASSED,
    "Failed": Mark.FAILED,
    "Inconclusive": Mark.WAITING,
    "Pending": Mark.WAITING,
    "Running": Mark.RUNNING,
}


_ROLLING = pod_words.CODES | {"NotYetLabelled", "RollingOut"}


def attempt_lines(attempt: Raw) -> tuple[Line, ...]:
    """Tell the gates and the rollout of an attempt."""
    gates = tuple(
        _early_line(gate) if "step" in gate else _gate_line(gate, attempt)
        for gate in attempt.get("status", {}).get("gates", ())
    )
    if not gates and is_open(attempt) and attempt["spec"]["kind"] not in DOWNWARDS:
        text = "The operator has not looked at this attempt yet."
        return (Line(Mark.WAITING, "NotSeenYet", text),)
    return (*gates, *_rollout_lines(attempt))


def condition(item: Raw | None, kind: str) -> Raw:
    """Find a condition; an empty one if it is not there."""
    conditions = (item or {}).get("status", {}).get("conditions", ())
    return next((found for found in conditions if found["type"] == kind), {})


def is_open(attempt: Raw | None) -> bool:
    """Say whether an attempt may still succeed."""
    if attempt is None:
        return False
    return bool(condition(attempt, "Succeeded").get("status", "Unknown") == "Unknown")


def latest_attempts(attempts: Iterable[Raw]) -> tuple[Raw, ...]:
    """Keep the latest attempt to enter each stage, the one that began first in front."""
    latest: dict[str, Raw] = {}
    for attempt in attempts:
        known = latest.get(attempt["spec"]["to"])
        if known is None or attempt["spec"]["attempt"] > known["spec"]["attempt"]:
            latest[attempt["spec"]["to"]] = attempt
    return tuple(sorted(latest.values(), key=order_of))


def order_of(attempt: Raw) -> tuple[str, int, int]:
    """Order attempts by time, and those of one second by the ladder and their number."""
    target = Stage(attempt["spec"]["to"])
    rung = LADDER.index(target) if target in LADDER else len(LADDER)
    created = attempt["metadata"].get("creationTimestamp", "")
    return (created, rung, attempt["spec"]["attempt"])


def ended_badly(attempt: Raw) -> bool:
    """Say whether an attempt has come to its end without reaching its stage."""
    return bool(condition(attempt, "Succeeded").get("status") == "False")


def unmet(item: Raw | None) -> tuple[Raw, ...]:
    """List what an object's status says holds it back."""
    return tuple((item or {}).get("status", {}).get("unmet", ()))


def failed_gates(attempt: Raw | None) -> tuple[str, ...]:
    """Name the gates of an attempt that failed for good."""
    gates = _own_gates(attempt)
    lost = ("Failed",) if is_open(attempt) else ("Failed", "Inconclusive")
    return tuple(gate["name"] for gate in gates if gate["outcome"] in lost)


def have_all_passed(attempt: Raw) -> bool:
    """Say whether an attempt has gates and every one of them passed."""
    gates = _own_gates(attempt)
    return bool(gates) and all(gate["outcome"] == "Passed" for gate in gates)


def marked(outcome: str) -> Mark:
    """Write an unmet claim's outcome as a mark."""
    return Mark.FAILED if outcome == "Deny" else Mark.WAITING


def gate_mark(gate: Raw, attempt: Raw) -> Mark:
    """Say how a gate of an attempt stands."""
    lost = gate["name"] in failed_gates(attempt)
    return Mark.FAILED if lost else _MARKS[gate["outcome"]]


def _gate_line(gate: Raw, attempt: Raw) -> Line:
    text = gate.get("message", "")
    if is_open(attempt):
        text = _what_is_under_way(gate, attempt) or text
    return Line(gate_mark(gate, attempt), gate["name"], text)


def _early_line(gate: Raw) -> Line:
    """Tell a gate of a later step that ran early: nobody waits for it here."""
    mark = {"Passed": Mark.PASSED, "Failed": Mark.FAILED}.get(gate["outcome"], Mark.NOTE)
    return Line(mark, gate["name"], f"{gate.get('message', '')} (For {gate['step']}.)".strip())


def _own_gates(attempt: Raw | None) -> tuple[Raw, ...]:
    """List the gates that decide about an attempt."""
    gates = (attempt or {}).get("status", {}).get("gates", ())
    return tuple(gate for gate in gates if "step" not in gate)


def _what_is_under_way(gate: Raw, attempt: Raw) -> str:
    """Find what is unmet about a gate; it says more than the last try's result."""
    begins = f"Gate {gate['name']} "
    told = (str(item["message"]) for item in unmet(attempt))
    return next((text for text in told if text.startswith(begins)), "")


def _rollout_lines(attempt: Raw) -> tuple[Line, ...]:
    rolled = condition(attempt, "RolledOut")
    marks = {"True": Mark.PASSED, "Unknown": Mark.RUNNING, "False": Mark.FAILED}
    if not rolled:
        return ()
    held = [item["message"] for item in unmet(attempt) if item["code"] in _ROLLING]
    return (Line(marks[rolled["status"]], "rollout", " ".join(held) or rolled["message"]),)
