"""Recorded values against a Model's own rules."""

from decimal import Decimal
from typing import NamedTuple

import pytest

from modelwarden.domain.facts import FairnessRule, Metric, MetricRule
from modelwarden.domain.gate_results import Check
from modelwarden.domain.metrics_gate import metric_checks, metrics_meet_the_rules
from modelwarden.domain.state import GateOutcome
from modelwarden.domain.verdicts import allow, deny
from tests.domain.builders import metric, rule, segment

ATLEAST = "needs at least 0.90"


def passed(observed: str, name: str = "auc", expected: str = ATLEAST) -> Check:
    return Check(name=name, outcome=GateOutcome.PASSED, observed=observed, expected=expected)


def failed(observed: str, name: str = "auc", expected: str = ATLEAST) -> Check:
    return Check(name=name, outcome=GateOutcome.FAILED, observed=observed, expected=expected)


class Row(NamedTuple):
    """A rule, the values that were recorded, and what each comparison says."""

    title: str
    rule: MetricRule
    values: tuple[Metric, ...]
    checks: tuple[Check, ...]


YOUNG, OLD = {"age_band": "18-25"}, {"age_band": "65+"}
BY_AGE = rule(minimum=None, segments=(segment(),))
BOUND = "needs at least 0.85"
LOWER = rule("fpr", minimum=None, maximum=Decimal("0.05"), higher_is_better=False)
ATMOST = "needs at most 0.05"

ROWS = (
    Row("above the bound", rule(), (metric("0.94"),), (passed("0.94"),)),
    Row("at the bound", rule(), (metric("0.90"),), (passed("0.90"),)),
    Row("below the bound", rule(), (metric("0.8999"),), (failed("0.8999"),)),
    Row("not recorded", rule(), (), (failed("not recorded"),)),
    Row("only another metric", rule(), (metric("0.94", "f1"),), (failed("not recorded"),)),
    Row(
        "a segment is no total",
        rule(),
        (metric("0.94", segment=YOUNG),),
        (failed("not recorded"),),
    ),
    Row(
        "of several data sets the worst counts",
        rule(),
        (metric("0.94", dataset="a"), metric("0.89", dataset="b"), metric("0.95", dataset="c")),
        (failed("0.89"),),
    ),
    Row(
        "lower is better, below", LOWER, (metric("0.04", "fpr"),), (passed("0.04", "fpr", ATMOST),)
    ),
    Row(
        "lower is better, the worst counts",
        LOWER,
        (metric("0.04", "fpr"), metric("0.06", "fpr")),
        (failed("0.06", "fpr", ATMOST),),
    ),
    Row(
        "an upper bound without a direction, the worst counts",
        rule("fpr", minimum=None, maximum=Decimal("0.05")),
        (metric("0.04", "fpr"), metric("0.06", "fpr")),
        (failed("0.06", "fpr", ATMOST),),
    ),
    Row(
        "between two bounds, above",
        rule(maximum=Decimal("0.99")),
        (metric("0.95"), metric("0.995")),
        (failed("0.995", expected="needs at least 0.90 and at most 0.99"),),
    ),
    Row("no number", rule(), (metric("NaN"), metric("0.95")), (failed("NaN"),)),
    Row("no end", rule(), (metric("Infinity"),), (failed("Infinity"),)),
    Row(
        "each segment by itself",
        BY_AGE,
        (metric("0.92", segment=YOUNG), metric("0.80", segment=OLD)),
        (
            passed("0.92", "auc for age_band=18-25", BOUND),
            failed("0.80", "auc for age_band=65+", BOUND),
        ),
    ),
    Row(
        "no segment recorded",
        BY_AGE,
        (metric("0.94"), metric("0.94", segment={"channel": "web"})),
        (failed("not recorded", "auc by age_band", BOUND),),
    ),
    Row(
        "a segment of two attributes",
        BY_AGE,
        (metric("0.92", segment={"channel": "web", **YOUNG}),),
        (passed("0.92", "auc for age_band=18-25, channel=web", BOUND),),
    ),
    Row(
        "a segment with enough samples",
        rule(minimum=None, segments=(segment(min_samples=200),)),
        (metric("0.92", segment=YOUNG, samples=200),),
        (passed("0.92", "auc for age_band=18-25", BOUND),),
    ),
    Row(
        "a segment with too few samples",
        rule(minimum=None, segments=(segment(min_samples=200),)),
        (metric("0.99", segment=YOUNG, samples=199),),
        (failed("from 199 samples", "auc for age_band=18-25", "needs 200 samples to count"),),
    ),
    Row(
        "a segment whose samples nobody counted",
        rule(minimum=None, segments=(segment(min_samples=1),)),
        (metric("0.99", segment=YOUNG),),
        (failed("from 0 samples", "auc for age_band=18-25", "needs 1 samples to count"),),
    ),
    Row(
        "an upper bound of a segment",
        rule("fpr", minimum=None, segments=(segment(minimum=None, maximum=Decimal("0.05")),)),
        (metric("0.06", "fpr", segment=YOUNG),),
        (failed("0.06", "fpr for age_band=18-25", ATMOST),),
    ),
    Row(
        "a rule about fairness alone",
        rule(minimum=None, fairness=FairnessRule(by="gender", min_ratio=Decimal("0.8"))),
        (),
        (),
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)
def test_a_rule_is_compared_with_every_value_it_speaks_of(row: Row) -> None:
    assert metric_checks([row.rule], row.values) == row.checks


def test_every_failed_comparison_is_told_at_once() -> None:
    checks = (failed("0.80"), passed("0.95", "f1"), failed("0.7", "auc for age_band=65+", BOUND))

    assert metrics_meet_the_rules(checks) == deny(
        "MetricsNotMet",
        "auc is 0.80, needs at least 0.90; auc for age_band=65+ is 0.7, needs at least 0.85.",
        "Register a version that meets the rules.",
    )


def test_what_is_too_much_to_tell_is_counted() -> None:
    checks = tuple(failed("0.8", f"m{number}") for number in range(9))

    assert metrics_meet_the_rules(checks).sentence.endswith("; and 3 more.")


def test_met_rules_are_told_with_their_numbers() -> None:
    assert metrics_meet_the_rules((passed("0.95"),)) == allow(
        "MetricsMet", "auc is 0.95, needs at least 0.90."
    )


def test_without_rules_nothing_could_hold() -> None:
    assert metrics_meet_the_rules(()).code == "NoMetricRules"
    assert metrics_meet_the_rules(()).denies
