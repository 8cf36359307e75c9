"""What a model's metrics must reach: in total, in each segment, and between groups of people."""

from enum import StrEnum
from typing import Annotated, ClassVar

from modelwarden.resources.rules import Rule, any_of, unique
from modelwarden.resources.scalars import Count, Decimal, Label, Ratio
from modelwarden.resources.shapes import Shape, listed


class Direction(StrEnum):
    """Which way a metric gets better."""

    HIGHER_IS_BETTER = "HigherIsBetter"
    LOWER_IS_BETTER = "LowerIsBetter"


class SegmentRule(Shape):
    """A bound in every segment of the data by one attribute."""

    RULES: ClassVar = (
        any_of("min", "max", message="a segment rule needs min or max, or it rules nothing"),
    )

    by: Label
    """The attribute whose values are the segments."""
    min: Decimal | None = None
    """The least value in any segment, as a decimal in quotes."""
    max: Decimal | None = None
    """The greatest value in any segment, as a decimal in quotes."""
    min_samples: Count | None = None
    """The least number of samples with which a segment says anything."""


class FairnessRule(Shape):
    """A bound on how far groups of people may differ; a fairness gate of the policy asks for it."""

    by: Label
    """The attribute whose values are the groups."""
    min_ratio: Ratio
    """The least ratio of the lowest group's value to the highest group's, from "0" to "1"."""
    min_samples: Count | None = None
    """The least number of samples with which a group says anything."""


class MetricRule(Shape):
    """What one metric must reach."""

    RULES: ClassVar = (
        any_of(
            "min",
            "max",
            "segments",
            "fairness",
            message="a metric rule needs min, max, segments or fairness, or it rules nothing",
        ),
        Rule(
            "!has(self.critical) || !self.critical || has(self.direction)",
            "a critical metric needs a direction: a champion is compared by it",
        ),
        unique("segments", by="by", message="two segment rules by one attribute", optional=True),
    )

    name: Label
    """The metric's name in ModelVersion.spec.metrics."""
    direction: Direction | None = None
    """Which way the metric gets better."""
    min: Decimal | None = None
    """The least value in total, as a decimal in quotes."""
    max: Decimal | None = None
    """The greatest value in total, as a decimal in quotes."""
    critical: bool | None = None
    """Whether a champion gate compares this metric with that of the version in Production."""
    segments: Annotated[tuple[SegmentRule, ...], listed(at_most=16, at_least=1)] | None = None
    """Bounds in the segments of the data."""
    fairness: FairnessRule | None = None
    """A bound on how far groups of people may differ."""
