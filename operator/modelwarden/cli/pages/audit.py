"""`audit`: what the ledger holds, and whether it is whole."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from modelwarden.cli.layout import Page, Row, Span, Tone, line, table
from modelwarden.domain.history import told
from modelwarden.domain.records import Record

_HEADER = ("record", "when", "model", "version", "operation", "by", "what")


def records_page(records: Iterable[Record]) -> Page:
    """Show records, one in each line."""
    rows: list[Row] = [_row(record) for record in records]
    return table(_HEADER, rows) if rows else (line("No record fits."),)


def verification_page(result: Mapping[str, Any], findings: Sequence[str], *, trust: str) -> Page:
    """Show the result of a verification, every flaw in a line of its own."""
    said = (line(Span(text, Tone.BAD)) for text in findings)
    return (_verdict(result), *said, *_read(result), line(Span(trust, Tone.QUIET)))


def _row(record: Record) -> Row:
    model = f"{record.namespace}/{record.model}" if record.model else ""
    said = told(record)
    return (
        str(record.index),
        record.time,
        model,
        str(record.version or ""),
        record.operation.value,
        record.actor.username,
        said.sentence,
    )


def _verdict(result: Mapping[str, Any]) -> tuple[Span, ...]:
    if result["ok"]:
        return line(Span("The ledger is whole.", Tone.GOOD))
    number = len(result["findings"])
    return line(Span(f"The ledger is not whole: {number} flaw{'s'[: number != 1]}.", Tone.BAD))


def _read(result: Mapping[str, Any]) -> Page:
    counted = f"{result['records']} records in {result['objects']} objects"
    proofs = f"{result['evidence']} pieces of evidence"
    span = f"from {result['firstTime']} to {result['lastTime']}" if result["records"] else ""
    anchored = (
        "They go at least as far as the anchor in the Lease says."
        if result["anchored"]
        else "No anchor was compared: nobody can say whether the newest records were cut off."
    )
    return (line(f"Read {counted}, {proofs} {span}".rstrip() + "."), line(anchored))
