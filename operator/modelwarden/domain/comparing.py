"""Two versions of a model beside each other: what was measured, and what they were made from."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeAlias

Spec: TypeAlias = Mapping[str, Any]


class Trend(StrEnum):
    """What became of a metric, by the Model's own rule of which way is better."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"
    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, kw_only=True)
class MetricChange:
    """One metric of one part of the data in both versions; empty where a version has it not."""

    name: str
    dataset: str
    segment: tuple[tuple[str, str], ...]
    before: str
    after: str
    delta: str
    trend: Trend

    @property
    def title(self) -> str:
        """The metric as people name it: `auc for age_band=18-25 (holdout)`."""
        return metric_title(self.name, dataset=self.dataset, segment=self.segment)

    def to_json(self) -> dict[str, Any]:
        """Write the change as JSON."""
        told: dict[str, Any] = {"name": self.name, "trend": self.trend.value}
        told |= {"dataset": self.dataset} if self.dataset else {}
        told |= {"segment": dict(self.segment)} if self.segment else {}
        parts = {"before": self.before, "after": self.after, "delta": self.delta}
        return told | {name: value for name, value in parts.items() if value}


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One thing that is not the same; empty where a version has it not."""

    section: str
    name: str
    before: str
    after: str

    def to_json(self) -> dict[str, Any]:
        """Write the difference as JSON."""
        parts = {"before": self.before, "after": self.after}
        told = {name: value for name, value in parts.items() if value}
        return {"section": self.section, "name": self.name, **told}


def metric_title(name: str, *, dataset: str, segment: Iterable[tuple[str, str]]) -> str:
    """Name a metric: `auc for age_band=18-25 (holdout)`."""
    of = ", ".join(f"{key}={value}" for key, value in segment)
    return f"{name}{' for ' + of if of else ''}{f' ({dataset})' if dataset else ''}"


def metric_changes(
    before: Spec, after: Spec, rules: Iterable[Mapping[str, Any]]
) -> tuple[MetricChange, ...]:
    """Compare every metric that either version has, in the order of the newer one."""
    old, new = _metrics(before), _metrics(after)
    directions = {rule["name"]: rule.get("direction", "") for rule in rules}
    keys = dict.fromkeys((*new, *old))
    return tuple(
        _metric_change(
            key, old.get(key, ""), new.get(key, ""), direction=directions.get(key[0], "")
        )
        for key in keys
    )


def differences(before: Spec, after: Spec) -> tuple[Difference, ...]:
    """List everything but the metrics that is not the same in both versions."""
    old, new = dict(_facts(before)), dict(_facts(after))
    return tuple(
        Difference(
            section=section, name=name, before=old.get((section, name), ""), after=value or ""
        )
        for (section, name), value in _in_sections(old, new)
        if old.get((section, name)) != value
    )


_MetricKey: TypeAlias = tuple[str, str, tuple[tuple[str, str], ...]]
_FactKey: TypeAlias = tuple[str, str]
_SECTIONS = ("Artifact", "Hyperparameters", "Made from", "Environment", "Signature", "Training")


def _metrics(spec: Spec) -> dict[_MetricKey, str]:
    found: dict[_MetricKey, str] = {}
    for metric in spec.get("metrics", ()):
        segment = tuple(sorted(metric.get("segment", {}).items()))
        found[metric["name"], metric.get("dataset", ""), segment] = str(metric["value"])
    return found


def _metric_change(key: _MetricKey, before: str, after: str, *, direction: str) -> MetricChange:
    name, dataset, segment = key
    delta = Decimal(after) - Decimal(before) if before and after else None
    return MetricChange(
        name=name,
        dataset=dataset,
        segment=segment,
        before=before,
        after=after,
        delta="" if delta is None else _signed(delta),
        trend=_trend(delta, direction=direction, is_new=not before),
    )


def _trend(delta: Decimal | None, *, direction: str, is_new: bool) -> Trend:
    if delta is None:
        return Trend.ADDED if is_new else Trend.REMOVED
    if not delta:
        return Trend.SAME
    if direction not in {"HigherIsBetter", "LowerIsBetter"}:
        return Trend.CHANGED
    return Trend.BETTER if (delta > 0) == (direction == "HigherIsBetter") else Trend.WORSE


def _signed(delta: Decimal) -> str:
    return f"{delta:+f}" if delta else "0"


def _in_sections(
    old: Mapping[_FactKey, str], new: Mapping[_FactKey, str]
) -> Iterator[tuple[_FactKey, str | None]]:
    """Go through both in the order of sections; within one, as the newer version has it."""
    keys = dict.fromkeys((*new, *old))
    for key in sorted(keys, key=lambda key: _SECTIONS.index(key[0])):
        yield key, new.get(key)


def _facts(spec: Spec) -> Iterator[tuple[_FactKey, str]]:
    artifact, lineage = spec.get("artifact", {}), spec.get("lineage", {})
    yield from _named("Artifact", artifact, "format", "digest", "sizeBytes")
    for name, value in sorted(spec.get("hyperparameters", {}).items()):
        yield ("Hyperparameters", name), str(value)
    yield from _of_lineage(lineage)
    yield from _named("Environment", lineage.get("environment", {}), "image", "packagesDigest")
    for direction in ("inputs", "outputs"):
        for tensor in spec.get("signature", {}).get(direction, ()):
            yield ("Signature", f"{direction[:-1]} {tensor['name']}"), tensor_told(tensor)
    training = spec.get("training", {})
    yield from _named("Training", training, "hardware", "durationSeconds")
    if "cost" in training:
        cost = training["cost"]
        yield ("Training", "cost"), f"{cost['amount']} {cost['currency']}"
    if spec.get("trainedBy"):
        yield ("Training", "trained by"), ", ".join(who["name"] for who in spec["trainedBy"])


def _of_lineage(lineage: Mapping[str, Any]) -> Iterator[tuple[_FactKey, str]]:
    for item in lineage.get("datasets", ()):
        title = f"dataset {item['name']} ({item['role']})"
        yield (
            ("Made from", title),
            _told(item, ("version", "digest", "uri", "query", "filters", "sampling")) or "named",
        )
    code = lineage.get("code", {})
    yield from _named("Made from", code, "repository", "commit", "path", prefix="code ")
    for item in lineage.get("features", ()):
        told = _told(item, ("version", "store")) or "named"
        yield ("Made from", f"feature {item['name']}"), told
    for base in lineage.get("baseModels", ()):
        name = base.get("uri") or "/".join(filter(None, (base.get("namespace"), base["model"])))
        yield ("Made from", f"base model {name}"), str(base.get("version", "named"))
    if "run" in lineage:
        run = lineage["run"]
        yield ("Made from", "run"), f"{run['system']} {run['id']}"


def _named(
    section: str, item: Mapping[str, Any], *names: str, prefix: str = ""
) -> Iterator[tuple[_FactKey, str]]:
    for name in names:
        if name in item:
            yield (section, f"{prefix}{name}"), str(item[name])


def _told(item: Mapping[str, Any], names: Sequence[str]) -> str:
    return ", ".join(f"{name} {item[name]}" for name in names if item.get(name))


def tensor_told(tensor: Mapping[str, Any]) -> str:
    """Write an input or output as people do: `float32[-1,4]`."""
    shape = ",".join(str(size) for size in tensor.get("shape", ()))
    optional = " optional" if tensor.get("optional") else ""
    return f"{tensor['type']}[{shape}]{optional}"
