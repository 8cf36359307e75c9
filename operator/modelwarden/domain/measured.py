"""Metrics that a gate's Job measured, as its message carries them: read as strictly as a version's.

"metrics": [{"name": "auc", "value": "0.943", "dataset": "holdout",
             "segment": {"age_band": "18-25"}, "samples": 5120}]
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from modelwarden.domain.facts import Metric

# What ModelVersion.spec.metrics takes: nothing that was measured could not have been recorded.
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?", re.ASCII)
_LONGEST = 128
_ATTRIBUTES = 4
_KEYS = frozenset({"name", "value", "dataset", "segment", "samples"})


def read_metrics(value: Any) -> tuple[Metric, ...]:
    """Read a list of metrics; ValueError names the field that is not as it must be."""
    if not isinstance(value, list):
        raise ValueError("metrics is not a list")
    return tuple(_metric(item, f"metrics[{index}]") for index, item in enumerate(value))


def metrics_to_json(metrics: tuple[Metric, ...]) -> list[dict[str, Any]]:
    """Write metrics as messages, versions and evidence have them."""
    return [
        {
            "name": metric.name,
            "value": f"{metric.value:f}",
            **({"dataset": metric.dataset} if metric.dataset else {}),
            **({"segment": dict(metric.segment)} if metric.segment else {}),
            **({} if metric.samples is None else {"samples": metric.samples}),
        }
        for metric in metrics
    ]


def _metric(item: Any, at: str) -> Metric:
    if not isinstance(item, Mapping):
        raise ValueError(f"{at} is not an object")
    unknown = sorted(str(key) for key in item if key not in _KEYS)
    if unknown:
        raise ValueError(f"{at} has {', '.join(unknown)}, which no metric has")
    return Metric(
        name=_label(item.get("name"), f"{at}.name"),
        value=_decimal(item.get("value"), f"{at}.value"),
        dataset=_label(item["dataset"], f"{at}.dataset") if "dataset" in item else "",
        segment=_segment(item.get("segment", {}), f"{at}.segment"),
        samples=_count(item["samples"], f"{at}.samples") if "samples" in item else None,
    )


def _decimal(value: Any, at: str) -> Decimal:
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise ValueError(f"{at} is not a decimal in quotes")
    return Decimal(value)


def _segment(value: Any, at: str) -> Mapping[str, str]:
    if not isinstance(value, Mapping) or len(value) > _ATTRIBUTES:
        raise ValueError(f"{at} is not an object of at most {_ATTRIBUTES} attributes")
    return {_label(key, at): _label(item, f"{at}.{key}") for key, item in value.items()}


def _label(value: Any, at: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST:
        raise ValueError(f"{at} is not a text of 1 to {_LONGEST} characters")
    return value


def _count(value: Any, at: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{at} is not a count")
    return value
