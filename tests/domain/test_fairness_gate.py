"""How far groups of people may differ, by the Model's rules and the policy's."""

from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwarden.domain.facts import FairnessRule, GateSpec, Metric, MetricRule
from modelwarden.domain.gate_results import Check
from modelwarden.domain.gates import Case, judge
from modelwarden.domain.state import GateOutcome
from tests.domain.builders import gate, metric, rule, transition, version


def fairness(**settings: Any) -> GateSpec:
    return gate("fairness", settings={"fairness": {"minRatio": "0.80", **settings}})


def alike(by: str = "gender", ratio: str = "0.80", samples: int = 0) -> MetricRule:
    between = FairnessRule(by=by, min_ratio=Decimal(ratio), min_samples=samples)
    return rule("approval_rate", None, fairness=between)


def rate(group: str, value: str, samples: int | None = 1000, **changes: Any) -> Metric:
    given = {"segment": {"gender": group}, "samples": samples, **changes}
    return metric(value, "approval_rate", **given)


class Row(NamedTuple):
    """The policy's gate, the Model's rule, what was measured, and what the gate says."""

    gate: GateSpec
    rule: MetricRule
    values: tuple[Metric, ...]
    said: tuple[str, str, str]


PASSED, FAILED = "Passed", "Failed"
FAIR, GAP = "GroupsTreatedAlike", "GroupsTreatedUnequally"
TRAIN = " Train a version that treats the groups alike."
MEASURE = " Register a version that was measured on enough samples of each group."
BY = "approval_rate by gender: "

ROWS: dict[str, Row] = {
    "a gap": Row(
        fairness(minSamples=100),
        alike(),
        (rate("female", "0.41", 1204), rate("male", "0.55", 2310)),
        (
            FAILED,
            GAP,
            f"{BY}ratio 0.74, needs 0.80 (female 0.41 of 1,204; male 0.55 of 2,310).{TRAIN}",
        ),
    ),
    "alike": Row(
        fairness(),
        alike(),
        (rate("male", "0.50"), rate("female", "0.45")),
        (PASSED, FAIR, f"{BY}ratio 0.90, needs 0.80 (female 0.45 of 1,000; male 0.50 of 1,000)."),
    ),
    "at the bound": Row(
        fairness(),
        alike(),
        (rate("female", "0.4"), rate("male", "0.5")),
        (PASSED, FAIR, f"{BY}ratio 0.80, needs 0.80 (female 0.4 of 1,000; male 0.5 of 1,000)."),
    ),
    "a hair below the bound never looks like it": Row(
        fairness(),
        alike(),
        (rate("female", "0.399999999999999999"), rate("male", "0.5")),
        (
            FAILED,
            GAP,
            (
                f"{BY}ratio 0.79, needs 0.80 "
                f"(female 0.399999999999999999 of 1,000; male 0.5 of 1,000).{TRAIN}"
            ),
        ),
    ),
    "of many groups the lowest and the highest": Row(
        fairness(),
        alike(),
        (rate("b", "0.5"), rate("a", "0.3"), rate("d", "0.6"), rate("c", "0.55")),
        (FAILED, GAP, f"{BY}ratio 0.50, needs 0.80 (a 0.3 of 1,000; d 0.6 of 1,000).{TRAIN}"),
    ),
    "the model is stricter than the policy": Row(
        fairness(),
        alike(ratio="0.905"),
        (rate("female", "0.45"), rate("male", "0.5")),
        (
            FAILED,
            GAP,
            f"{BY}ratio 0.900, needs 0.905 (female 0.45 of 1,000; male 0.5 of 1,000).{TRAIN}",
        ),
    ),
    "the model cannot be laxer than the policy": Row(
        fairness(),
        alike(ratio="0.1"),
        (rate("female", "0.3"), rate("male", "0.5")),
        (
            FAILED,
            GAP,
            f"{BY}ratio 0.60, needs 0.80 (female 0.3 of 1,000; male 0.5 of 1,000).{TRAIN}",
        ),
    ),
    "a group that is too small for the policy": Row(
        fairness(minSamples=100),
        alike(),
        (rate("female", "0.41", 99), rate("male", "0.41")),
        (
            FAILED,
            "GroupTooSmall",
            f"{BY}too few samples (female 0.41 of 99), needs 100 of each group.{MEASURE}",
        ),
    ),
    "a group that is too small for the model": Row(
        fairness(minSamples=1),
        alike(samples=1500),
        (rate("female", "0.5"), rate("male", "0.5", 2000), rate("other", "0.5", 3)),
        (
            FAILED,
            "GroupTooSmall",
            (
                f"{BY}too few samples (female 0.5 of 1,000; other 0.5 of 3), needs 1,500 of each "
                f"group.{MEASURE}"
            ),
        ),
    ),
    "samples that nobody counted": Row(
        fairness(minSamples=1),
        alike(),
        (rate("female", "0.5", None), rate("male", "0.5")),
        (
            FAILED,
            "GroupTooSmall",
            (
                f"{BY}too few samples (female 0.5 of an unknown number), needs 1 of each group."
                f"{MEASURE}"
            ),
        ),
    ),
    "samples that nobody asked about": Row(
        fairness(),
        alike(),
        (rate("female", "0.5", None), rate("male", "0.5", None)),
        (
            PASSED,
            FAIR,
            (
                f"{BY}ratio 1.00, needs 0.80 "
                "(female 0.5 of an unknown number; male 0.5 of an unknown number)."
            ),
        ),
    ),
    "one group": Row(
        fairness(),
        alike(),
        (rate("female", "0.5"), rate("female", "0.6", dataset="")),
        (
            FAILED,
            "TooFewGroups",
            f"{BY}only female 0.5 of 1,000, needs two groups.{MEASURE}",
        ),
    ),
    "no group": Row(
        fairness(),
        alike(),
        (metric("0.5", "approval_rate"), rate("x", "0.5", segment={"age_band": "18-25"})),
        (FAILED, "TooFewGroups", f"{BY}not recorded, needs two groups.{MEASURE}"),
    ),
    "a group within a group is none": Row(
        fairness(),
        alike(),
        (
            rate("female", "0.5"),
            rate("male", "0.5"),
            rate("x", "0.1", segment={"gender": "female", "age_band": "18-25"}),
        ),
        (PASSED, FAIR, f"{BY}ratio 1.00, needs 0.80 (female 0.5 of 1,000; male 0.5 of 1,000)."),
    ),
    "each data set by itself": Row(
        fairness(),
        alike(),
        (
            rate("female", "0.5", dataset="a"),
            rate("male", "0.5", dataset="a"),
            rate("female", "0.1", dataset="b"),
            rate("male", "0.5", dataset="b"),
        ),
        (
            FAILED,
            GAP,
            f"{BY}ratio 0.20, needs 0.80 (female 0.1 of 1,000; male 0.5 of 1,000).{TRAIN}",
        ),
    ),
    "groups of different data sets are not compared": Row(
        fairness(),
        alike(),
        (rate("female", "0.5", dataset="a"), rate("male", "0.5", dataset="b")),
        (
            FAILED,
            "TooFewGroups",
            (
                f"{BY}only female 0.5 of 1,000, needs two groups; "
                f"{BY}only male 0.5 of 1,000, needs two groups.{MEASURE}"
            ),
        ),
    ),
    "one group has nothing": Row(
        fairness(),
        alike(),
        (rate("female", "0"), rate("male", "0.5")),
        (FAILED, GAP, f"{BY}ratio 0.00, needs 0.80 (female 0 of 1,000; male 0.5 of 1,000).{TRAIN}"),
    ),
    "no group has anything": Row(
        fairness(),
        alike(),
        (rate("female", "0"), rate("male", "0.0")),
        (PASSED, FAIR, f"{BY}ratio 1.00, needs 0.80 (female 0 of 1,000; male 0.0 of 1,000)."),
    ),
    "below zero": Row(
        fairness(),
        alike(),
        (rate("female", "-0.1"), rate("male", "0.5")),
        (
            FAILED,
            "NotComparable",
            (f"{BY}below zero (female -0.1 of 1,000), needs values of zero or more.{MEASURE}"),
        ),
    ),
    "no rule about fairness": Row(
        fairness(),
        rule(),
        (rate("female", "0.5"), rate("male", "0.5")),
        (
            FAILED,
            "NoFairnessRule",
            (
                "No rule in spec.metrics of the Model has `fairness`, so no groups were compared. "
                "Say there which metric must be alike for which groups of people, then ask "
                "again with a new reason."
            ),
        ),
    ),
}


def case(*rules: MetricRule, values: tuple[Metric, ...]) -> Case:
    return Case(attempt=transition(metrics=rules), version=version(metrics=values), champion=None)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_groups_of_people_are_treated_alike(row: Row) -> None:
    result = judge(row.gate, case(row.rule, values=row.values))

    assert (result.outcome.value, result.code, result.sentence) == row.said


def test_every_rule_about_fairness_must_hold() -> None:
    by_age = FairnessRule(by="age_band", min_ratio=Decimal("0.9"))
    rules = (alike(), rule("recall", None, fairness=by_age))
    values = (
        rate("female", "0.5"),
        rate("male", "0.5"),
        metric("0.80", "recall", segment={"age_band": "18-25"}, samples=40),
        metric("1.00", "recall", segment={"age_band": "51+"}, samples=50),
    )

    assert judge(fairness(), case(*rules, values=values)).checks == (
        Check(
            name="approval_rate by gender",
            outcome=GateOutcome.PASSED,
            observed="ratio 1.00 (female 0.5 of 1,000; male 0.5 of 1,000)",
            expected="needs 0.80",
        ),
        Check(
            name="recall by age_band",
            outcome=GateOutcome.FAILED,
            observed="ratio 0.80 (18-25 0.80 of 40; 51+ 1.00 of 50)",
            expected="needs 0.9",
        ),
    )


decimals = st.decimals("0", "1000", places=18, allow_nan=False)


@given(st.lists(decimals, min_size=2, max_size=6), st.decimals("0", "1", places=4))
def test_a_passed_ratio_really_holds_between_any_two_groups(
    values: list[Decimal], ratio: Decimal
) -> None:
    groups = tuple(rate(f"g{number}", f"{value:f}") for number, value in enumerate(values))
    settings = {"minRatio": f"{ratio:f}"}

    result = judge(fairness(**settings), case(alike(ratio="0"), values=groups))

    holds = all(a * 10_000 >= int(ratio * 10_000) * b for a in values for b in values)
    assert (result.outcome is GateOutcome.PASSED) is holds
