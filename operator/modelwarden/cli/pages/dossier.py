"""What an approver looks at before deciding: the version beside the one in Production."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from modelwarden.cli.layout import Page, Row, Span, Tone, aligned, line, section, table
from modelwarden.cli.pages.lineage import origin_rows
from modelwarden.cli.pages.why import claims
from modelwarden.domain.ages import ago
from modelwarden.domain.approvals_told import approval_lines
from modelwarden.domain.attempts_told import Raw, attempt_lines
from modelwarden.domain.comparing import metric_title
from modelwarden.domain.scribe import moment

_NONE = ("none recorded",)


@dataclass(frozen=True, kw_only=True)
class Dossier:
    """One attempt with its version; `champion` is the version it would replace, if there is one."""

    attempt: Raw
    record: Raw
    champion: Raw | None
    now: datetime

    def to_json(self) -> dict[str, Any]:
        """Write the dossier as JSON."""
        return {
            "transition": self.attempt,
            "version": self.record,
            "champion": self.champion,
        }


def dossier_page(dossier: Dossier) -> Page:
    """Show the dossier."""
    spec = dossier.record["spec"]
    notes = spec.get("notes", {})
    return (
        *_about(dossier),
        *section("Metrics", metrics_beside(dossier.record, dossier.champion)),
        *section("Gates and approvals", attempt_claims(dossier.attempt)),
        *section("Made from", aligned(origin_rows(spec), indent=2, gap=2)),
        *section("Made by", made_by(spec)),
        *section("Limitations", listed(notes.get("limitations", _NONE))),
        *section("Known failure modes", listed(notes.get("knownFailureModes", _NONE))),
    )


def _about(dossier: Dossier) -> Page:
    spec, attempt = dossier.record["spec"], dossier.attempt["spec"]
    request = attempt["request"]
    who = request.get("author", {}).get("username") or "somebody unknown"
    when = ago(moment(dossier.attempt["metadata"]["creationTimestamp"]), dossier.now)
    title = Span(f"{spec['model']} {spec['version']}", Tone.STRONG)
    label = [spec["label"]] if spec.get("label") else []
    reason = request["entry"].get("reason")
    asked = f"{attempt['to']}, asked for by {who} {when}"
    quoted = (line(f'  "{reason}"'),) if reason else ()
    return (*aligned([[title, *label, asked]]), *quoted)


def metrics_beside(record: Raw, champion: Raw | None) -> Page:
    """Show every value of the version beside the champion's of the same name and segment."""
    own = _values(record)
    other = {} if champion is None else _values(champion)
    if not own:
        return (line("  none recorded"),)
    header = ["  metric", str(record["spec"]["version"])]
    if champion is not None:
        header.append(f"{champion['spec']['version']} in production")
    rows: list[Row] = [
        (f"  {name}", value, *([other.get(name, "")] if champion else []))
        for name, value in own.items()
    ]
    return table(header, rows)


def _values(record: Raw) -> Mapping[str, str]:
    return {
        metric_title(
            metric["name"],
            dataset=metric.get("dataset", ""),
            segment=metric.get("segment", {}).items(),
        ): metric["value"]
        for metric in record["spec"].get("metrics", ())
    }


def attempt_claims(attempt: Raw) -> Page:
    """Show the gates, the approvals and the rollout of an attempt."""
    return claims((*attempt_lines(attempt), *approval_lines(attempt)))


def made_by(spec: Mapping[str, Any]) -> Page:
    """Show who answers for a version."""
    trained = ", ".join(person["name"] for person in spec.get("trainedBy", ())) or "nobody named"
    registered = spec.get("registeredBy", {}).get("username") or "nobody known"
    rows: list[Row] = [("trained by", trained), ("registered by", registered)]
    return aligned(rows, indent=2, gap=2)


def listed(texts: Iterable[str]) -> Page:
    """Show each text on a line of its own."""
    return tuple(line(f"  {text}") for text in texts)
