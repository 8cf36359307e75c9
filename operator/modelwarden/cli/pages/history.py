"""`history`: what happened to a model, in order, from its objects or from the ledger."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from modelwarden.cli.layout import Page, Row, Span, Tone, line, table
from modelwarden.domain.attempts_told import Raw, condition
from modelwarden.domain.history import Told

_HEADER = ("when", "record", "version", "what")


def told_by_objects(model: Raw, versions: Iterable[Raw], attempts: Iterable[Raw]) -> Sequence[Told]:
    """Tell the moves of versions, the end of attempts and what served, oldest first."""
    found = [
        *(told for version in versions for told in _moves(version)),
        *(told for attempt in attempts for told in _end(attempt)),
        *(
            told
            for interval in model.get("status", {}).get("serving", ())
            for told in _served(interval)
        ),
    ]
    return sorted(found, key=lambda told: (told.time, told.index))


def history_page(told: Iterable[Told]) -> Page:
    """Show what happened, one thing in each line."""
    rows: list[Row] = [
        (one.time, str(one.index) if one.index >= 0 else "", str(one.version or ""), one.sentence)
        for one in told
    ]
    return table(_HEADER, rows) if rows else (line("Nothing is recorded."),)


def projection_line(model: Raw) -> Page:
    """Say that the objects are a picture of the ledger, and up to which record."""
    index = model.get("status", {}).get("ledgerIndex")
    up_to = "and the ledger has nothing of it yet" if index is None else f"up to record {index}"
    text = f"From the objects' status, a picture of the ledger {up_to}; --ledger pod reads it."
    return (line(Span(text, Tone.QUIET)),)


def _moves(version: Raw) -> Iterable[Told]:
    number = version["spec"]["version"]
    for move in version.get("status", {}).get("history", ()):
        source = f"from {move['from']} " if "from" in move else ""
        yield _told(move, number, "Moved", f"{source}to {move['to']}")


def _told(move: Mapping[str, Any], number: int, operation: str, what: str) -> Told:
    by = str(move.get("by", ""))
    asked = f", asked for by {by}" if by else ""
    reason = f': "{move["reason"]}"' if move.get("reason") else ""
    return Told(
        time=move["time"],
        index=move["ledgerIndex"],
        version=number,
        operation=operation,
        by=by,
        sentence=f"{what}{asked}{reason}",
    )


def _end(attempt: Raw) -> Iterable[Told]:
    """Tell an attempt that came to nothing; what succeeded is told as a move."""
    succeeded = condition(attempt, "Succeeded")
    if succeeded.get("status") != "False":
        return
    spec = attempt["spec"]
    yield Told(
        time=succeeded["lastTransitionTime"],
        index=max(attempt["status"].get("ledger", ()), default=-1),
        version=spec["version"],
        operation="Ended",
        by="",
        sentence=f"attempt to enter {spec['to']} ended: {succeeded.get('message', '')}",
    )


def _served(interval: Mapping[str, Any]) -> Iterable[Told]:
    certainty = "" if interval["certainty"] == "Exact" else f" ({interval['certainty'].lower()})"
    yield Told(
        time=interval["from"],
        index=interval["ledgerIndex"],
        version=interval["version"],
        operation="Serves",
        by="",
        sentence=f"serves from here{certainty}",
    )
