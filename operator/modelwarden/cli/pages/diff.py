"""`diff`: two versions beside each other."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from modelwarden.cli.layout import Page, Row, Span, Tone, aligned, line, section, table
from modelwarden.domain.attempts_told import Raw
from modelwarden.domain.comparing import (
    Difference,
    MetricChange,
    Trend,
    differences,
    metric_changes,
)

_TONES = {Trend.BETTER: Tone.GOOD, Trend.WORSE: Tone.BAD, Trend.REMOVED: Tone.BUSY}
# What is named by so long a value is told by its beginning, unless all of it is asked for.
_SHORT = 60


def diff_page(model: Raw, before: Raw, after: Raw, *, in_full: bool = False) -> Page:
    """Show what became of every metric, and whatever else is not the same."""
    old, new = before["spec"], after["spec"]
    metrics = metric_changes(old, new, model["spec"].get("metrics", ()))
    others = differences(old, new)
    same = () if others else (line("Otherwise both are the same."),)
    return (
        *aligned([[Span(f"{old['model']} {old['version']} -> {new['version']}", Tone.STRONG),
                   " -> ".join(_told(record) for record in (before, after))]]),
        *section("Metrics", _metrics(metrics, old["version"], new["version"])),
        *_others(others, old["version"], new["version"], in_full=in_full),
        *same,
    )  # fmt: skip


def diff_json(model: Raw, before: Raw, after: Raw) -> dict[str, Any]:
    """Write the same for machines."""
    old, new = before["spec"], after["spec"]
    changes = metric_changes(old, new, model["spec"].get("metrics", ()))
    return {
        "model": old["model"],
        "from": old["version"],
        "to": new["version"],
        "metrics": [change.to_json() for change in changes],
        "differences": [difference.to_json() for difference in differences(old, new)],
    }


def _told(record: Raw) -> str:
    stage = record.get("status", {}).get("stage") or "not registered"
    label = record["spec"].get("label")
    return f"{label} ({stage})" if label else str(stage)


def _metrics(changes: Sequence[MetricChange], old: int, new: int) -> Page:
    if not changes:
        return (line("  none recorded"),)
    rows: list[Row] = [
        (
            f"  {change.title}",
            change.before,
            change.after,
            Span(change.delta, _TONES.get(change.trend, Tone.PLAIN)),
            Span(change.trend.value, _TONES.get(change.trend, Tone.PLAIN)),
        )
        for change in changes
    ]
    return table(("  metric", str(old), str(new), "delta", "trend"), rows)


def _others(found: Iterable[Difference], old: int, new: int, *, in_full: bool) -> Page:
    shown: list[Any] = []
    for title, group in groupby(found, key=lambda difference: difference.section):
        rows: list[Row] = [
            (
                f"  {one.name}",
                one.before if in_full else _short(one.before),
                one.after if in_full else _short(one.after),
            )
            for one in group
        ]
        shown += section(title, table(("  what", str(old), str(new)), rows))
    return tuple(shown)


def _short(text: str) -> str:
    return text if len(text) <= _SHORT else text[: _SHORT - 3] + "..."
