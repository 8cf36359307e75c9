"""`consumers`: who uses which version."""

from collections.abc import Iterable, Mapping
from typing import Any

from modelwarden.cli.layout import Page, Row, Span, Tone, aligned, line, section, table
from modelwarden.cli.pages.models import version_stage
from modelwarden.domain.attempts_told import Raw, condition
from modelwarden.domain.consumers import How

_HEADER = ("version", "stage", "kind", "namespace", "name", "ready", "found by")


def consumers_page(model: Raw, versions: Iterable[Raw], *, wide: bool = False) -> Page:
    """Show what uses each version, and what the Model declares that the cluster cannot see."""
    rows: list[Row] = []
    notes: list[str] = []
    for version in versions:
        found = version.get("status", {}).get("consumers", ())
        rows += [_row(version, one, model, wide=wide) for one in found if not is_declared(one)]
        notes += _notes(version, shown=len(found))
    header = (*_HEADER, "detail") if wide else _HEADER
    seen = table(header, rows) if rows else (line("Nothing was found to use it."),)
    return (
        *seen,
        *(line(Span(note, Tone.BUSY)) for note in notes),
        *section("Declared by the Model", _declared(model)),
    )


def consumers_json(model: Raw, versions: Iterable[Raw]) -> dict[str, Any]:
    """Write the same for machines."""
    return {
        "model": model["metadata"]["name"],
        "versions": [
            {
                "version": version["spec"]["version"],
                "stage": version.get("status", {}).get("stage", ""),
                "consumers": list(version.get("status", {}).get("consumers", ())),
            }
            for version in versions
        ],
        "declared": list(model["spec"].get("consumers", ())),
    }


def is_declared(consumer: Mapping[str, Any]) -> bool:
    """Say whether a consumer lies outside of the cluster, and the Model's word is all there is."""
    return consumer.get("how") == How.DECLARED


def _row(version: Raw, consumer: Mapping[str, Any], model: Raw, *, wide: bool) -> Row:
    ready = consumer.get("ready")
    row = [
        str(version["spec"]["version"]),
        version_stage(version),
        consumer["kind"],
        consumer.get("namespace") or model["metadata"]["namespace"],
        consumer["name"],
        "" if ready is None else str(ready),
        consumer.get("how", ""),
    ]
    return [*row, consumer.get("detail", "")] if wide else row


def _notes(version: Raw, *, shown: int) -> Iterable[str]:
    """Say what the rows do not: how many are left out, and what should not be there."""
    number, total = version["spec"]["version"], version.get("status", {}).get("consumersFound", 0)
    if total > shown:
        yield f"Version {number} has {total - shown} more."
    after = condition(version, "ConsumedAfterArchive")
    if after.get("status") == "True":
        yield f"Version {number}: {after.get('message', '')}"


def _declared(model: Raw) -> Page:
    rows: list[Row] = [
        (item["kind"], item["name"], item.get("contact", ""), item.get("uri", ""))
        for item in model["spec"].get("consumers", ())
    ]
    return aligned(rows, indent=2, gap=2)
