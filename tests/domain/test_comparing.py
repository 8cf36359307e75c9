from typing import Any

import pytest

from modelwarden.domain.comparing import Difference, Trend, differences, metric_changes

RULES = [
    {"name": "auc", "direction": "HigherIsBetter"},
    {"name": "latency", "direction": "LowerIsBetter"},
]


def measured(name: str, value: str, **more: Any) -> dict[str, Any]:
    return {"metrics": [{"name": name, "value": value, **more}]}


@pytest.mark.parametrize(
    ("name", "before", "after", "delta", "trend"),
    [
        ("auc", "0.943", "0.951", "+0.008", Trend.BETTER),
        ("auc", "0.951", "0.943", "-0.008", Trend.WORSE),
        ("auc", "0.95", "0.950", "0", Trend.SAME),
        ("latency", "31", "29.5", "-1.5", Trend.BETTER),
        ("latency", "0.0000001", "0.0000002", "+0.0000001", Trend.WORSE),
        ("calibration", "1", "2", "+1", Trend.CHANGED),
    ],
)
def test_a_metric_gets_better_or_worse_by_the_models_rule(
    name: str, before: str, after: str, delta: str, trend: Trend
) -> None:
    (change,) = metric_changes(measured(name, before), measured(name, after), RULES)

    assert (change.delta, change.trend) == (delta, trend)


def test_metrics_are_compared_with_those_of_the_same_data_and_segment() -> None:
    total, young = measured("auc", "0.9", dataset="a"), {"age": "18-25"}
    before = {"metrics": [*total["metrics"], *measured("auc", "0.8", segment=young)["metrics"]]}
    after = {"metrics": [*total["metrics"], *measured("auc", "0.8", dataset="b")["metrics"]]}

    changes = metric_changes(before, after, RULES)

    assert [(change.title, change.trend) for change in changes] == [
        ("auc (a)", Trend.SAME),
        ("auc (b)", Trend.ADDED),
        ("auc for age=18-25", Trend.REMOVED),
    ]


def test_the_order_of_a_segments_attributes_says_nothing() -> None:
    before = measured("auc", "0.8", segment={"age": "18-25", "region": "EU"})
    after = measured("auc", "0.8", segment={"region": "EU", "age": "18-25"})

    (change,) = metric_changes(before, after, RULES)

    assert (change.title, change.trend) == ("auc for age=18-25, region=EU", Trend.SAME)


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"label": "a"}, {"label": "b"}, []),
        (
            {"hyperparameters": {"eta": "0.1", "depth": "6"}},
            {"hyperparameters": {"depth": "8", "eta": "0.1"}},
            [("Hyperparameters", "depth", "6", "8")],
        ),
        (
            {"lineage": {"datasets": [{"name": "d", "role": "Training", "version": "1"}]}},
            {"lineage": {"datasets": [{"name": "d", "role": "Training"}]}},
            [("Made from", "dataset d (Training)", "version 1", "named")],
        ),
        (
            {"lineage": {"baseModels": [{"model": "m", "version": 1}]}},
            {"lineage": {"baseModels": [{"uri": "s3://elsewhere/m"}]}},
            [
                ("Made from", "base model s3://elsewhere/m", "", "named"),
                ("Made from", "base model m", "1", ""),
            ],
        ),
        (
            {"signature": {"inputs": [{"name": "x", "type": "float32", "shape": [-1, 4]}]}},
            {"signature": {"inputs": [{"name": "x", "type": "float32", "optional": True}]}},
            [("Signature", "input x", "float32[-1,4]", "float32[] optional")],
        ),
        (
            {},
            {"training": {"cost": {"amount": "61.20", "currency": "EUR"}},
             "artifact": {"format": "ONNX"}},
            [("Artifact", "format", "", "ONNX"), ("Training", "cost", "", "61.20 EUR")],
        ),
    ],
    ids=["labels", "hyperparameter", "data", "base models", "signature", "in sections"],
)  # fmt: skip
def test_what_is_not_the_same_is_listed_by_section(
    before: dict[str, Any], after: dict[str, Any], found: list[tuple[str, str, str, str]]
) -> None:
    assert differences(before, after) == tuple(
        Difference(section=section, name=name, before=old, after=new)
        for section, name, old, new in found
    )
