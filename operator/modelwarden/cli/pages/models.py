"""`get`: the models of a namespace in a table, or one model with its versions by stage."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from modelwarden.cli.layout import Page, Row, Span, Tone, aligned, line, table
from modelwarden.domain.ages import age
from modelwarden.domain.attempts_told import Raw, condition, unmet
from modelwarden.domain.scribe import moment

# What a version is whose registration failed.
INVALID = "Registered, invalid"
# Production first; what nobody uses any more last.
_ORDER = ("Production", "Staging", "Retiring", "Registered", INVALID, "Archived", "")
_REGISTERED_SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class ModelView:
    """A model as it was read; `replicas` has the wanted ones of each Deployment that was read."""

    model: Raw
    versions: Sequence[Raw]
    replicas: Mapping[str, int]
    now: datetime
    everything: bool = False


def models_page(models: Iterable[Raw], *, with_namespace: bool, wide: bool = False) -> Page:
    """Show many models, one in each row; `wide` says by what and whom they are governed too."""
    header = ["model", "production", "staging", "latest", "waiting"]
    header += ["versions", "policy", "owners", "affects people"] if wide else []
    rows = [(*_model_row(model), *(_governed(model) if wide else ())) for model in models]
    if not rows:
        return (line("There are no models here."),)
    if not with_namespace:
        return table(header, [row[1:] for row in rows])
    return table(("namespace", *header), rows)


def model_page(view: ModelView) -> Page:
    """Show one model: who answers for it, and its versions by stage."""
    shown, left_out = _shown(view)
    metrics = critical_metrics(view.model)
    header = ("stage", "version", "label", "since", "runs on", *metrics, "for")
    rows = [_version_row(version, view, metrics=metrics) for version in shown]
    body = table(header, rows) if rows else (line("It has no versions yet."),)
    more = (line(Span(f"and {left_out} more (--all)", Tone.QUIET)),) if left_out else ()
    return (*_about(view.model), *body, *more)


def version_stage(version: Raw) -> str:
    """Say where a version is; empty while it is being registered."""
    stage = str(version.get("status", {}).get("stage", ""))
    ready = condition(version, "Ready").get("status")
    if stage != "Registered" or ready == "True":
        return stage
    return INVALID if ready == "False" else ""


def _model_row(model: Raw) -> tuple[str, ...]:
    status = model.get("status", {})
    summary = status.get("summary", {})
    return (
        model["metadata"]["namespace"],
        model["metadata"]["name"],
        summary.get("production", ""),
        summary.get("staging", ""),
        str(status.get("latestVersion", "")),
        summary.get("waiting", ""),
    )


def _governed(model: Raw) -> tuple[str, ...]:
    spec, status = model["spec"], model.get("status", {})
    return (
        str(status.get("versions", "")),
        status.get("policy", {}).get("name") or spec.get("policy", ""),
        ", ".join(owner["name"] for owner in spec["owners"]),
        "yes" if spec["affectsPeople"] else "no",
    )


def _about(model: Raw) -> Page:
    spec, status = model["spec"], model.get("status", {})
    policy = status.get("policy", {})
    parts = [
        model["metadata"]["name"],
        "owner " + ", ".join(owner["name"] for owner in spec["owners"]),
        f"policy {policy.get('name') or spec.get('policy') or 'none'}",
        "affects people" if spec["affectsPeople"] else "does not affect people",
    ]
    named = aligned([[Span(parts[0], Tone.STRONG), *parts[1:]]])
    below = policy.get("belowFloor")
    return (
        *named,
        *((line(f"below the floor: {below}"),) if below else ()),
        *_aliases(spec.get("aliases", ())),
    )


def _aliases(chosen: Sequence[Mapping[str, Any]]) -> Page:
    """Show the names that the team chose; the derived ones are in the table below."""
    named = ", ".join(f"{alias['name']} is {alias['version']}" for alias in chosen)
    return (line(f"aliases: {named}"),) if named else ()


def _shown(view: ModelView) -> tuple[Sequence[Raw], int]:
    """Choose the versions to show: of what nobody asked up, the newest."""
    ordered = sorted(view.versions, key=_place)
    if view.everything:
        return ordered, 0
    kept = [version for version in ordered if version_stage(version) != "Archived"]
    unused = [version for version in kept if version_stage(version) == "Registered"]
    hidden = {version["spec"]["version"] for version in unused[_REGISTERED_SHOWN:]}
    kept = [version for version in kept if version["spec"]["version"] not in hidden]
    return kept, len(ordered) - len(kept)


def _place(version: Raw) -> tuple[int, int]:
    return (_ORDER.index(version_stage(version)), -version["spec"]["version"])


def critical_metrics(model: Raw) -> tuple[str, ...]:
    """Name the metrics that a champion is compared by."""
    rules = model["spec"].get("metrics", ())
    return tuple(rule["name"] for rule in rules if rule.get("critical"))


def _version_row(version: Raw, view: ModelView, *, metrics: Sequence[str]) -> Row:
    status, stage = version.get("status", {}), version_stage(version)
    since = status.get("since")
    return (
        Span(stage, Tone.GOOD if stage == "Production" else Tone.PLAIN),
        str(version["spec"]["version"]),
        version["spec"].get("label", ""),
        age(moment(since), view.now) if since else "",
        ", ".join(_runs_on(consumer, view) for consumer in served_by(version)),
        *(metric_value(version, name, view.model) for name in metrics),
        _for(version, view.model),
    )


def served_by(version: Raw) -> list[Mapping[str, Any]]:
    """List the Deployments of a version's own namespace that serve it."""
    found = version.get("status", {}).get("consumers", ())
    return [each for each in found if each["kind"] == "Deployment" and "namespace" not in each]


def _runs_on(consumer: Mapping[str, Any], view: ModelView) -> str:
    name, ready = consumer["name"], consumer.get("ready", 0)
    wanted = view.replicas.get(name)
    return (
        f"deploy/{name} ({ready} ready)" if wanted is None else f"deploy/{name} ({ready}/{wanted})"
    )


def metric_value(version: Raw, name: str, model: Raw) -> str:
    """Show a metric of the whole data; of several values the worst, which the gate goes by."""
    values = [
        metric["value"]
        for metric in version["spec"].get("metrics", ())
        if metric["name"] == name and not metric.get("segment")
    ]
    rules = {rule["name"]: rule for rule in model["spec"].get("metrics", ())}
    lower_is_better = rules.get(name, {}).get("direction") == "LowerIsBetter"
    worst = max if lower_is_better else min
    return str(worst(values, key=Decimal)) if values else ""


def _for(version: Raw, model: Raw) -> Span:
    """Say what is asked for and not so, with the first reason."""
    number = version["spec"]["version"]
    found = [item for item in unmet(model) if item["version"] == number]
    if not found:
        return _of_its_registration(version)
    first = min(found, key=lambda item: item["outcome"] != "Deny")
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return _reason(first["to"], f"{first['message']}{more}", denied=first["outcome"] == "Deny")


def _of_its_registration(version: Raw) -> Span:
    ready = condition(version, "Ready")
    if not ready or ready["status"] == "True":
        return Span("")
    # Ready says what to do next too, which would stand in every row.
    said = condition(version, "Stalled") or ready
    return _reason("Registered", said.get("message", ""), denied=ready["status"] == "False")


def _reason(stage: str, message: str, *, denied: bool) -> Span:
    failed = "failed, " if denied else ""
    return Span(f"{stage}: {failed}{message}", Tone.BAD if denied else Tone.BUSY)
