"""`describe`: everything about a model, or about one version, on one page."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from modelwarden.cli.layout import Page, Row, Span, Tone, aligned, line, section, table
from modelwarden.cli.pages.consumers import consumers_page, is_declared
from modelwarden.cli.pages.dossier import attempt_claims, listed, made_by, metrics_beside
from modelwarden.cli.pages.gates import attempt_title
from modelwarden.cli.pages.lineage import origin_rows
from modelwarden.cli.pages.models import ModelView, model_page
from modelwarden.cli.pages.why import why_page
from modelwarden.domain.ages import ago
from modelwarden.domain.attempts_told import (
    Raw,
    condition,
    is_open,
    latest_attempts,
    unmet,
)
from modelwarden.domain.comparing import tensor_told
from modelwarden.domain.explain import Explanation
from modelwarden.domain.scribe import moment

_INTERVALS_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class VersionView:
    """One version as it was read; `champion` is the one in Production, if that is another."""

    model: Raw
    record: Raw
    champion: Raw | None
    attempts: Sequence[Raw]
    explanation: Explanation


def model_description(view: ModelView) -> Page:
    """Show a model: who answers for it, what it must be, what is where, and what is open."""
    spec, status = view.model["spec"], view.model.get("status", {})
    return (
        *model_page(view),
        *section("About", _about(spec)),
        *section("Contract", _signature(spec.get("contract", {}))),
        *section("Rules for metrics", _rules(spec.get("metrics", ()))),
        *section("Serves with", _serving(spec.get("serving", ()))),
        *section("Served", _served(status.get("serving", ()))),
        *section("May go back to", _back(status.get("stages", {}).get("rollbackTo", ()))),
        *section("Aliases", _aliases(spec, status)),
        *section("Declared consumers", _declared(spec.get("consumers", ()))),
        *section("Open or refused", _unmet(view.model)),
        *section("Conditions", conditions(view.model)),
    )


def version_description(view: VersionView) -> Page:
    """Show a version: where it is and why, what it is, what it was made from, who uses it."""
    spec, notes = view.record["spec"], view.record["spec"].get("notes", {})
    return (
        *why_page(view.explanation),
        *section("Artifact", _artifact(spec)),
        *section("Signature", _signature(spec.get("signature", {}))),
        *section("Metrics", metrics_beside(view.record, view.champion)),
        *section("Hyperparameters", _pairs(sorted(spec.get("hyperparameters", {}).items()))),
        *section("Made from", aligned(origin_rows(spec), indent=2, gap=2)),
        *section("Made by", made_by(spec)),
        *section("Training", _training(spec.get("training", {}))),
        *section("History", _history(view.record)),
        *_attempts(view.attempts),
        *section("Used by", _used(view)),
        *section("Not applicable", _not_applicable(spec.get("notApplicable", ()))),
        *section("Limitations", listed(notes.get("limitations", ()))),
        *section("Known failure modes", listed(notes.get("knownFailureModes", ()))),
        *section("Tags", _pairs(sorted(notes.get("tags", {}).items()))),
        *section("Conditions", conditions(view.record)),
    )


def reviewed_page(model: Raw, record: Raw, *, now: datetime) -> Page:
    """Show what a reviewer answers for: the version in Production, and when a review is due."""
    spec, notes = record["spec"], record["spec"].get("notes", {})
    since = model["status"]["stages"]["production"].get("since")
    where = f"in Production since {ago(moment(since), now)}" if since else "in Production"
    due = condition(model, "ReviewOverdue").get("message", "")
    title = Span(f"{spec['model']} {spec['version']}", Tone.STRONG)
    return (
        *aligned([[title, spec.get("label", ""), where]]),
        *((line(f"  {due}"),) if due else ()),
        *section("Metrics", metrics_beside(record, None)),
        *section("Declared consumers", _declared(model["spec"].get("consumers", ()))),
        *section("Limitations", listed(notes.get("limitations", ("none recorded",)))),
        *section("Known failure modes", listed(notes.get("knownFailureModes", ("none recorded",)))),
    )


def conditions(item: Raw) -> Page:
    """Show an object's conditions."""
    rows: list[Row] = [
        (found["type"], found["status"], found["reason"], found.get("message", ""))
        for found in item.get("status", {}).get("conditions", ())
    ]
    return aligned(rows, indent=2, gap=2)


def _about(spec: Mapping[str, Any]) -> Page:
    reviewers = ", ".join(_subject(subject) for subject in spec.get("reviewers", ()))
    automation, retention = spec.get("automation"), spec.get("retention")
    rows = [
        ("name", spec.get("displayName", "")),
        ("for", spec.get("description", "")),
        ("owners", ", ".join(_subject(subject) for subject in spec["owners"])),
        ("reviewers", reviewers),
        ("automation", f"to {automation['to']}, keeps {automation['keep']}" if automation else ""),
        ("retention", f"{retention['archivedDays']} days archived" if retention else ""),
        ("review", f"every {spec['reviewEveryDays']} days" if spec.get("reviewEveryDays") else ""),
    ]
    return _pairs(row for row in rows if row[1])


def _subject(subject: Mapping[str, Any]) -> str:
    return f"group {subject['name']}" if subject["kind"] == "Group" else str(subject["name"])


def _signature(signature: Mapping[str, Any]) -> Page:
    rows: list[Row] = [
        (direction[:-1], tensor["name"], tensor_told(tensor))
        for direction in ("inputs", "outputs")
        for tensor in signature.get(direction, ())
    ]
    return aligned(rows, indent=2, gap=2)


def _rules(rules: Iterable[Mapping[str, Any]]) -> Page:
    return aligned([(rule["name"], _rule(rule)) for rule in rules], indent=2, gap=2)


def _rule(rule: Mapping[str, Any]) -> str:
    told = [str(rule.get("direction", "")), _bounds(rule)]
    told += ["critical"] if rule.get("critical") else []
    told += [f"by {segment['by']} {_bounds(segment)}" for segment in rule.get("segments", ())]
    fairness = rule.get("fairness")
    told += [f"fair by {fairness['by']}, ratio {fairness['minRatio']}"] if fairness else []
    return "; ".join(text for text in told if text)


def _bounds(rule: Mapping[str, Any]) -> str:
    parts = [f"at least {rule['min']}"] if "min" in rule else []
    parts += [f"at most {rule['max']}"] if "max" in rule else []
    return " and ".join(parts)


def _serving(targets: Iterable[Mapping[str, Any]]) -> Page:
    rows = [(t["stage"], f"deploy/{t['deployment']['name']}") for t in targets]
    return aligned(rows, indent=2, gap=2)


def _served(intervals: Sequence[Mapping[str, Any]]) -> Page:
    rows: list[Row] = [
        (
            f"version {found['version']}",
            f"{found['from']} to {found.get('to', 'now')}",
            found["certainty"],
            f"record {found['ledgerIndex']}",
        )
        for found in reversed(intervals[-_INTERVALS_SHOWN:])
    ]
    return aligned(rows, indent=2, gap=2)


def _back(targets: Iterable[Mapping[str, Any]]) -> Page:
    rows = [
        (f"version {found['version']}", f"until {found['until']}" if found.get("until") else "")
        for found in targets
    ]
    return aligned(rows, indent=2, gap=2)


def _aliases(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Page:
    """Show what every name means now, and which chosen ones mean nothing yet."""
    means = {alias["name"]: str(alias["version"]) for alias in status.get("aliases", ())}
    for alias in spec.get("aliases", ()):
        means.setdefault(alias["name"], f"{alias['version']} (not registered)")
    return _pairs(sorted(means.items()))


def _declared(found: Iterable[Mapping[str, Any]]) -> Page:
    rows: list[Row] = [(item["kind"], item["name"], item.get("contact", "")) for item in found]
    return aligned(rows, indent=2, gap=2)


def _unmet(model: Raw) -> Page:
    rows: list[Row] = [
        (f"version {item['version']}", item["to"], item["code"], item["message"])
        for item in unmet(model)
    ]
    return aligned(rows, indent=2, gap=2)


def _artifact(spec: Mapping[str, Any]) -> Page:
    artifact = spec["artifact"]
    size = f"{artifact['sizeBytes']} bytes" if "sizeBytes" in artifact else ""
    rows = [
        ("at", artifact["uri"]),
        ("digest", artifact["digest"]),
        ("format", artifact["format"]),
        ("size", size),
        ("label", spec.get("label", "")),
    ]
    return _pairs(row for row in rows if row[1])


def _training(training: Mapping[str, Any]) -> Page:
    cost, seconds = training.get("cost"), training.get("durationSeconds")
    rows = [
        ("hardware", training.get("hardware", "")),
        ("took", "" if seconds is None else f"{seconds} seconds"),
        ("cost", f"{cost['amount']} {cost['currency']}" if cost else ""),
    ]
    return _pairs(row for row in rows if row[1])


def _history(record: Raw) -> Page:
    rows: list[Row] = [
        (
            move["time"],
            f"{move['from']} to {move['to']}" if move.get("from") else move["to"],
            move.get("by", ""),
            move.get("reason", ""),
            f"record {move['ledgerIndex']}",
        )
        for move in record.get("status", {}).get("history", ())
    ]
    return (
        table(("  when", "move", "by", "reason", "record"), [_indented(row) for row in rows])
        if (rows)
        else ()
    )


def _indented(row: Row) -> Row:
    return (f"  {row[0]}", *row[1:])


def _attempts(attempts: Sequence[Raw]) -> Page:
    """Show the latest attempt to enter each stage that has ended: what is open stands above."""
    return tuple(
        printed
        for attempt in latest_attempts(attempts)
        if not is_open(attempt)
        for printed in section(f"To {attempt_title(attempt)}", attempt_claims(attempt))
    )


def _used(view: VersionView) -> Page:
    found = view.record.get("status", {}).get("consumers", ())
    if any(is_declared(consumer) for consumer in found):
        return consumers_page(view.model, [view.record])
    # What the Model declares uses the version in Production.
    nothing_declared = {**view.model, "spec": {**view.model["spec"], "consumers": ()}}
    return consumers_page(nothing_declared, [view.record]) if found else ()


def _not_applicable(found: Iterable[Mapping[str, Any]]) -> Page:
    return _pairs((item["field"], item["reason"]) for item in found)


def _pairs(rows: Iterable[tuple[str, str]]) -> Page:
    return aligned([(name, value) for name, value in rows], indent=2, gap=2)
