"""What a gate's Job measured is read strictly, and held against the gate's claim."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwarden.domain.facts import GateSpec, Metric
from modelwarden.domain.gate_results import Check, GateResult, read_result
from modelwarden.domain.gates import Case, judge_measured
from modelwarden.domain.measured import metrics_to_json, read_metrics
from modelwarden.domain.state import GateOutcome
from tests.domain.builders import DIGEST, gate, metric, rule, transition, version

WHOLE = {
    "name": "auc",
    "value": "0.943",
    "dataset": "holdout",
    "segment": {"age_band": "18-25"},
    "samples": 5120,
}


def test_a_metric_is_read_as_a_version_records_it() -> None:
    assert read_metrics([WHOLE, {"name": "f1", "value": "-3"}]) == (
        metric("0.943", dataset="holdout", segment={"age_band": "18-25"}, samples=5120),
        metric("-3", "f1"),
    )


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({}, "metrics is not a list"),
        ("auc", "metrics is not a list"),
        ([WHOLE, 7], "metrics[1] is not an object"),
        ([{"value": "1"}], "metrics[0].name is not a text of 1 to 128 characters"),
        ([{**WHOLE, "name": " "}], "metrics[0].name is not a text of 1 to 128 characters"),
        ([{**WHOLE, "name": "x" * 129}], "metrics[0].name is not a text of 1 to 128 characters"),
        ([{"name": "auc"}], "metrics[0].value is not a decimal in quotes"),
        ([{**WHOLE, "value": 1}], "metrics[0].value is not a decimal in quotes"),
        ([{**WHOLE, "value": "NaN"}], "metrics[0].value is not a decimal in quotes"),
        ([{**WHOLE, "value": "1e3"}], "metrics[0].value is not a decimal in quotes"),
        ([{**WHOLE, "value": "0.9 "}], "metrics[0].value is not a decimal in quotes"),
        ([{**WHOLE, "value": "٣"}], "metrics[0].value is not a decimal in quotes"),
        ([{**WHOLE, "dataset": ""}], "metrics[0].dataset is not a text of 1 to 128 characters"),
        ([{**WHOLE, "segment": "old"}], "metrics[0].segment is not an object of at most 4"),
        ([{**WHOLE, "segment": dict.fromkeys("abcde", "x")}], "metrics[0].segment is not an"),
        ([{**WHOLE, "segment": {"age": 7}}], "metrics[0].segment.age is not a text"),
        ([{**WHOLE, "samples": -1}], "metrics[0].samples is not a count"),
        ([{**WHOLE, "samples": True}], "metrics[0].samples is not a count"),
        ([{**WHOLE, "samples": "7"}], "metrics[0].samples is not a count"),
        ([{**WHOLE, "unit": "%"}], "metrics[0] has unit, which no metric has"),
    ],
)
def test_the_field_that_is_wrong_is_named(value: Any, problem: str) -> None:
    with pytest.raises(ValueError, match="metrics") as told:
        read_metrics(value)

    assert str(told.value).startswith(problem)


texts = st.text(min_size=1, max_size=12).filter(str.strip)
written = st.builds(
    Metric,
    name=texts,
    value=st.decimals(-(10**17), 10**17, places=18, allow_nan=False),
    dataset=st.just("") | texts,
    segment=st.dictionaries(texts, texts, max_size=4),
    samples=st.none() | st.integers(0, 2**53),
)


@given(st.lists(written, max_size=4))
def test_what_is_written_is_read_again(metrics: list[Metric]) -> None:
    assert read_metrics(metrics_to_json(tuple(metrics))) == tuple(metrics)


def message(**changes: Any) -> str:
    result = {
        "format": 1,
        "gate": "holdout",
        "subject": {"uri": "s3://models/risk/fraud/3/", "digest": DIGEST},
        "outcome": "Passed",
        "code": "Measured",
        "sentence": "Measured on the holdout.",
        "checks": [],
        "facts": {},
        "startedAt": "2026-11-24T08:00:00Z",
        "endedAt": "2026-11-24T08:00:02Z",
    }
    return json.dumps({**result, **changes})


def test_a_result_carries_what_was_measured() -> None:
    result = read_result(message(metrics=[WHOLE]), 0, digest=DIGEST)

    assert result.metrics == read_metrics([WHOLE])


def test_a_result_with_a_metric_that_is_none_is_a_failure() -> None:
    result = read_result(message(metrics=[{**WHOLE, "value": "high"}]), 0, digest=DIGEST)

    assert (result.outcome, result.code) == (GateOutcome.FAILED, "ResultUnreadable")


CASE = Case(
    attempt=transition(3, metrics=(rule(critical=True),)),
    version=version(3, metrics=(metric("0.99"),)),
    champion=version(2, metrics=(metric("0.94"),)),
)
OWN = Check(name="rows", outcome=GateOutcome.PASSED, observed="48211", expected="48211")
MEASURED = GateResult(
    outcome=GateOutcome.PASSED,
    code="Measured",
    sentence="Measured on the holdout.",
    checks=(OWN,),
    metrics=(metric("0.89"),),
    started_at="2026-11-24T08:00:00Z",
    ended_at="2026-11-24T08:00:02Z",
)
HOLDOUT = gate("metrics", "holdout", settings={"metrics": {}, "job": {"image": "eval"}})
BESIDE = gate("champion", settings={"champion": {"maxDrop": "0"}, "job": {"image": "eval"}})
FAIR = gate("fairness", settings={"fairness": {"minRatio": "0.8"}, "job": {"image": "eval"}})


def test_a_claim_is_about_what_was_measured_and_not_about_what_was_recorded() -> None:
    assert judge_measured(HOLDOUT, CASE, MEASURED) == replace(
        MEASURED,
        outcome=GateOutcome.FAILED,
        code="MetricsNotMet",
        sentence="auc is 0.89, needs at least 0.90. Register a version that meets the rules.",
        checks=(
            Check(
                name="auc",
                outcome=GateOutcome.FAILED,
                observed="0.89",
                expected="needs at least 0.90",
            ),
            OWN,
        ),
    )


@pytest.mark.parametrize(
    ("asked", "metrics", "said"),
    [
        (HOLDOUT, (metric("0.95"),), "MetricsMet: auc is 0.95, needs at least 0.90."),
        (
            HOLDOUT,
            (metric("0.95", "f1"),),
            (
                "MetricsNotMet: auc is not measured, needs at least 0.90. "
                "Register a version that meets the rules."
            ),
        ),
        (BESIDE, (metric("0.95"),), "NoWorseThanChampion: auc 0.95, Production has 0.94."),
        (
            BESIDE,
            (metric("0.95", "f1"),),
            (
                "NotComparable: auc: not measured, Production has 0.94. "
                "A metric can be critical once the version in Production has it too."
            ),
        ),
        (
            FAIR,
            (metric("0.95"),),
            (
                "NoFairnessRule: No rule in spec.metrics of the Model has `fairness`, so no groups "
                "were compared. Say there which metric must be alike for which groups of people, "
                "then ask again with a new reason."
            ),
        ),
        (
            HOLDOUT,
            (),
            "NothingMeasured: The Job of gate holdout passed without a metric in its result.",
        ),
    ],
    ids=[
        "the rules are met",
        "a rule's metric is missing",
        "no worse than Production",
        "the critical metric is missing",
        "fairness without a rule",
        "nothing was measured",
    ],
)
def test_each_claim_is_judged_on_the_measured_values(
    asked: GateSpec, metrics: tuple[Metric, ...], said: str
) -> None:
    result = judge_measured(asked, CASE, replace(MEASURED, metrics=metrics))

    assert f"{result.code}: {result.sentence}" == said


def test_what_had_no_room_in_the_message_might_be_what_fails() -> None:
    partly = replace(MEASURED, metrics=(metric("0.95"),), omitted={"metrics": 2})

    result = judge_measured(HOLDOUT, CASE, partly)

    assert (result.outcome, result.code, result.sentence) == (
        GateOutcome.FAILED,
        "MeasuredTooMuch",
        "The Job of gate holdout left out 2 of the metrics it measured.",
    )


@pytest.mark.parametrize("outcome", [GateOutcome.FAILED, GateOutcome.INCONCLUSIVE])
def test_a_job_that_did_not_pass_has_the_last_word(outcome: GateOutcome) -> None:
    lost = replace(MEASURED, outcome=outcome, code="NoHoldout", metrics=(metric("0.95"),))

    assert judge_measured(HOLDOUT, CASE, lost) == lost


@pytest.mark.parametrize("kind", ["job", "dataQuality"])
def test_a_job_whose_gate_claims_nothing_about_metrics_has_the_last_word(kind: str) -> None:
    assert judge_measured(gate(kind), CASE, MEASURED) == MEASURED
