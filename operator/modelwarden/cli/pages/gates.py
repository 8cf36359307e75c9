"""`gates`: every gate of a version's attempts, with what was found and what was needed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from modelwarden.cli.layout import Page, Row, Span, Tone, line, table
from modelwarden.cli.pages.why import TONES
from modelwarden.domain.ages import ago
from modelwarden.domain.attempts_told import Raw, condition, gate_mark, is_open
from modelwarden.domain.scribe import moment

_HEADER = ("  stands", "gate", "check", "found", "needed", "tries", "when", "record")
_WIDE = ("evidence", "job")


def gates_page(attempts: Iterable[Raw], *, now: datetime, wide: bool = False) -> Page:
    """Show each attempt with a row for each thing that its gates looked at."""
    pages = [_attempt(attempt, now=now, wide=wide) for attempt in attempts]
    return tuple(printed for page in pages for printed in page)


def gates_json(attempts: Iterable[Raw]) -> list[dict[str, Any]]:
    """Write the same for machines."""
    return [
        {
            "transition": attempt["metadata"]["name"],
            "to": attempt["spec"]["to"],
            "attempt": attempt["spec"]["attempt"],
            "succeeded": condition(attempt, "Succeeded").get("status", "Unknown"),
            "gates": list(attempt.get("status", {}).get("gates", ())),
        }
        for attempt in attempts
    ]


def attempt_title(attempt: Raw) -> str:
    """Name an attempt and say how it stands: `Production, attempt 1: open`."""
    return f"{attempt['spec']['to']}, attempt {attempt['spec']['attempt']}: {_standing(attempt)}"


def _standing(attempt: Raw) -> str:
    if is_open(attempt):
        return "open"
    succeeded = condition(attempt, "Succeeded")
    if succeeded["status"] == "True":
        return "succeeded"
    return f"ended, {succeeded['reason']}"


def _attempt(attempt: Raw, *, now: datetime, wide: bool) -> Page:
    rows = [
        row
        for gate in attempt.get("status", {}).get("gates", ())
        for row in _rows(gate, attempt, now=now, wide=wide)
    ]
    header = (*_HEADER, *_WIDE) if wide else _HEADER
    body = table(header, rows) if rows else (line("  It has no gates."),)
    return (line(Span(attempt_title(attempt), Tone.STRONG)), *body)


def _rows(gate: Mapping[str, Any], attempt: Raw, *, now: datetime, wide: bool) -> Iterator[Row]:
    """Write a gate with its first check, and a row for each further one."""
    mark = gate_mark(gate, attempt)
    checks: Sequence[Mapping[str, Any]] = gate.get("checks") or ({},)
    for number, check in enumerate(checks):
        is_first = not number
        lost = check.get("outcome", "Passed") not in ("Passed", "Pending")
        found = check.get("observed") or ("" if check else gate.get("message", ""))
        looked_at = (
            check.get("name", ""),
            Span(found, Tone.BAD if lost else Tone.PLAIN),
            check.get("expected", ""),
        )
        if not is_first:
            yield ("  ", " ", *looked_at)
            continue
        yield (
            Span(f"  {mark.value}", TONES[mark]),
            f"{gate['name']} for {gate['step']}" if "step" in gate else gate["name"],
            *looked_at,
            str(gate.get("tries", "")),
            _when(gate, now),
            str(gate.get("ledgerIndex", "")),
            *((gate.get("evidence", ""), gate.get("job", "")) if wide else ()),
        )


def _when(gate: Mapping[str, Any], now: datetime) -> str:
    return ago(moment(gate["finishedAt"]), now) if gate.get("finishedAt") else ""
