"""`history`: what happened to a model, in order, from its objects or from the ledger."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from modelwarden.cli.layout import Page, Row, Span, Tone, line, table
from modelwarden.domain.attempts_told import Raw, condition
from modelwarden.domain.history import Told
from modelwarden.domain.scribe import moment

_HEADER = ("when", "record", "version", "what")


def told_by_objects(model: Raw, versions: Iterable[Raw], attempts: Iterable[Raw]) -> Sequence[Told]:
    """Tell the moves of versions, votes, attempts that ended, and what served, oldest first."""
    found = [told for version in versions for told in _moves(version)]
    for attempt in attempts:
        found += [*_votes(attempt), *_end(attempt)]
    found += [_served(interval) for interval in model.get("status", {}).get("serving", ())]
    return sorted(found, key=lambda told: (moment(told.time), told.index))


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
    for move in version.get("status", {}).get("history", ()):
        by = str(move.get("by", ""))
        quoted = f': "{move["reason"]}"' if move.get("reason") else ""
        yield Told(
            time=move["time"],
            index=move["ledgerIndex"],
            version=version["spec"]["version"],
            operation="Moved",
            by=by,
            sentence=_moved(move, by) + quoted,
        )


def _moved(move: Mapping[str, Any], by: str) -> str:
    if "from" not in move:
        return f"registered by {by}" if by else "registered"
    asked = f", asked for by {by}" if by else ""
    return f"from {move['from']} to {move['to']}{asked}"


def _votes(attempt: Raw) -> Iterable[Told]:
    spec = attempt["spec"]
    for vote in attempt.get("status", {}).get("votes", {}).get("counted", ()):
        if "at" in vote:
            did = "approved" if vote["kind"] == "Approve" else "rejected"
            role = f" as {vote['as'].lower()}" if vote.get("as") else ""
            yield Told(
                time=vote["at"],
                index=-1,
                version=spec["version"],
                operation="Voted",
                by=vote["by"],
                sentence=f"{did} for {spec['to']} by {vote['by']}{role}",
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


def _served(interval: Mapping[str, Any]) -> Told:
    certainty = "" if interval["certainty"] == "Exact" else f" ({interval['certainty'].lower()})"
    return Told(
        time=interval["from"],
        index=interval["ledgerIndex"],
        version=interval["version"],
        operation="Serves",
        by="",
        sentence=f"serves from here{certainty}",
    )
