"""`versions`: all versions of a model in a table, newest first."""

from collections.abc import Iterable
from datetime import datetime

from modelwarden.cli.layout import Page, Row, Span, Tone, line, table
from modelwarden.cli.pages.models import critical_metrics, metric_value, version_stage
from modelwarden.domain.ages import age
from modelwarden.domain.attempts_told import Raw
from modelwarden.domain.scribe import moment


def versions_page(model: Raw, versions: Iterable[Raw], *, now: datetime, wide: bool) -> Page:
    """Show one version in each row; `wide` says by whom, from what and which bytes too."""
    metrics = critical_metrics(model)
    header = ["version", "stage", "label", "since", *metrics, "registered by"]
    header += ["trained by", "format", "digest"] if wide else []
    rows = [_row(model, version, now=now, wide=wide) for version in versions]
    return table(header, rows) if rows else (line("It has no such versions."),)


def _row(model: Raw, version: Raw, *, now: datetime, wide: bool) -> Row:
    spec, stage = version["spec"], version_stage(version)
    since = version.get("status", {}).get("since")
    row = [
        str(spec["version"]),
        Span(stage or "registering", Tone.GOOD if stage == "Production" else Tone.PLAIN),
        spec.get("label", ""),
        age(moment(since), now) if since else "",
        *(metric_value(version, name, model) for name in critical_metrics(model)),
        spec.get("registeredBy", {}).get("username", ""),
    ]
    if wide:
        trained = ", ".join(person["name"] for person in spec.get("trainedBy", ()))
        row += [trained, spec["artifact"]["format"], spec["artifact"]["digest"]]
    return row
