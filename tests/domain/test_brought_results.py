"""What an image that a policy brings may leave behind, and how each of it is read."""

import json
from decimal import Decimal
from typing import Any

import pytest

from modelwarden.domain.brought_results import read_brought
from modelwarden.domain.facts import Metric
from modelwarden.domain.gate_results import Check, GateResult
from modelwarden.domain.state import GateOutcome

PASSED, FAILED, INCONCLUSIVE = GateOutcome.PASSED, GateOutcome.FAILED, GateOutcome.INCONCLUSIVE
GOOD = {"name": "nulls", "outcome": "Passed", "observed": "0", "expected": "0"}
BAD = {"name": "rows", "outcome": "Failed", "observed": 12, "expected": "at least 1,000"}
UNSURE = {"name": "drift", "outcome": "Inconclusive"}
AUC = {"name": "auc", "value": "0.94", "dataset": "holdout", "samples": 100}
MEASURED = (Metric(name="auc", value=Decimal("0.94"), dataset="holdout", samples=100),)


def check(name: str, outcome: GateOutcome, observed: str = "", expected: str = "") -> Check:
    return Check(name=name, outcome=outcome, observed=observed, expected=expected)


def result(outcome: GateOutcome, code: str, sentence: str, **more: Any) -> GateResult:
    return GateResult(outcome=outcome, code=code, sentence=sentence, **more)


ANSWERS: dict[str, tuple[dict[str, Any], GateResult]] = {
    "an outcome is enough": ({"outcome": "Passed"}, result(PASSED, "JobPassed", "The Job passed.")),
    "it failed": (
        {"outcome": "Failed", "code": "TooFewRows", "sentence": "12 rows, needs 1,000."},
        result(FAILED, "TooFewRows", "12 rows, needs 1,000.", free_code=True),
    ),
    "it could not tell": (
        {"outcome": "Inconclusive"},
        result(INCONCLUSIVE, "JobInconclusive", "The Job could not tell."),
    ),
    "checks that pass": (
        {"checks": [GOOD]},
        result(PASSED, "JobPassed", "The Job passed.", checks=(check("nulls", PASSED, "0", "0"),)),
    ),
    "one check that fails": (
        {"checks": [GOOD, UNSURE, BAD]},
        result(
            FAILED,
            "JobFailed",
            "drift: Inconclusive, needs to pass. rows: 12, needs at least 1,000.",
            checks=(
                check("nulls", PASSED, "0", "0"),
                check("drift", INCONCLUSIVE),
                check("rows", FAILED, "12", "at least 1,000"),
            ),
        ),
    ),
    "metrics beside an outcome": (
        {"outcome": "Passed", "metrics": [AUC]},
        result(PASSED, "JobPassed", "The Job passed.", metrics=MEASURED),
    ),
    "what nobody asked for": (
        {"outcome": "Passed", "format": 1, "facts": {"rows": 12}},
        result(PASSED, "JobPassed", "The Job passed."),
    ),
    "neither an outcome nor checks": (
        {"sentence": "Done."},
        result(FAILED, "NoOutcome", "The result says neither an outcome nor what was checked."),
    ),
    "metrics alone, of a gate that claims nothing": (
        {"metrics": [AUC]},
        result(FAILED, "NoOutcome", "The result says neither an outcome nor what was checked."),
    ),
    "a pass that its checks deny": (
        {"outcome": "Passed", "checks": [BAD]},
        result(FAILED, "ChecksDisagree", "The result says Passed, and not all of its checks do."),
    ),
}


@pytest.mark.parametrize(("answer", "read"), ANSWERS.values(), ids=ANSWERS)
def test_a_result_is_what_the_image_says(answer: dict[str, Any], read: GateResult) -> None:
    assert read_brought(json.dumps(answer), 0, measures=False) == read


def test_where_the_gate_judges_what_was_measured_the_metrics_are_enough() -> None:
    answer = json.dumps({"metrics": [AUC]})

    assert read_brought(answer, 0, measures=True) == result(
        PASSED, "JobPassed", "The Job passed.", metrics=MEASURED
    )


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("0.943", "0.943"),
        ("1e-3", "0.001"),
        ("1", "1"),
        ("-2.50", "-2.50"),
        ('"0.9430000000000001"', "0.9430000000000001"),
    ],
)
def test_a_number_is_kept_as_it_is_written(written: str, value: str) -> None:
    message = f'{{"metrics": [{{"name": "auc", "value": {written}}}]}}'

    (metric,) = read_brought(message, 0, measures=True).metrics

    assert str(metric.value) == value


UNREADABLE = {
    "no JSON": ("auc=0.94", "it is not JSON (Expecting value at character 0)"),
    "half of it": ('{"outcome": "Pas', "it is not JSON"),
    "a list": ("[]", "it is not an object"),
    "a text": ('"Passed"', "it is not an object"),
    "another outcome": ('{"outcome": "passed"}', "outcome is none of Passed, Failed, Inconclusive"),
    "an outcome that is a list": ('{"outcome": []}', "outcome is none of"),
    "two words": ('{"outcome": "Failed", "code": "too few"}', "code is not one CamelCase word"),
    "no sentence": ('{"outcome": "Failed", "sentence": " "}', "sentence is not a text"),
    "checks that are none": ('{"checks": {}}', "checks is not a list"),
    "a check without a name": ('{"checks": [{"outcome": "Passed"}]}', "checks[0].name is not"),
    "a check without an end": ('{"checks": [{"name": "x"}]}', "checks[0].outcome is none of"),
    "a check that is a text": ('{"checks": ["x"]}', "checks[0] is not an object"),
    "metrics that are none": ('{"metrics": {"auc": 1}}', "metrics is not a list"),
    "a metric without a value": ('{"metrics": [{"name": "auc"}]}', "metrics[0].value is not"),
    "a metric that is true": (
        '{"metrics": [{"name": "auc", "value": true}]}',
        "metrics[0].value is not a decimal",
    ),
    "no number": ('{"metrics": [{"name": "auc", "value": NaN}]}', "NaN is not a number"),
    "a number without end": ('{"x": ' + "9" * 100 + "}", "is not a number that can be recorded"),
    "depth without end": ("[" * 3000, "cannot be read"),
}


@pytest.mark.parametrize(("message", "said"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_fails_and_says_where(message: str, said: str) -> None:
    read = read_brought(message, 0, measures=False)

    assert (read.outcome, read.code) == (FAILED, "ResultUnreadable")
    assert said in read.sentence


@pytest.mark.parametrize(
    ("message", "code"),
    [("", "NoResult"), (" \n", "NoResult"), ("x" * 4096, "ResultTooLarge")],
    ids=["nothing", "blank", "too much"],
)
def test_no_result_is_a_failure(message: str, code: str) -> None:
    read = read_brought(message, 0, measures=True)

    assert (read.outcome, read.code) == (FAILED, code)


EXITS = {
    "without a word": ("", result(FAILED, "GateExited", "The Job exited with 3.")),
    "with words": (
        "Traceback:\n  boom",
        result(FAILED, "GateExited", "The Job exited with 3: Traceback: boom"),
    ),
    "with its reason": (
        '{"outcome": "Failed", "code": "TooFewRows", "sentence": "12 rows."}',
        result(FAILED, "TooFewRows", "12 rows.", free_code=True),
    ),
    "having passed": (
        '{"outcome": "Passed"}',
        result(FAILED, "GateExited", "The Job exited with 3."),
    ),
    "unable to tell": (
        '{"outcome": "Inconclusive"}',
        result(FAILED, "GateExited", "The Job exited with 3."),
    ),
    "with metrics": ('{"metrics": []}', result(FAILED, "GateExited", "The Job exited with 3.")),
}


@pytest.mark.parametrize(("message", "read"), EXITS.values(), ids=EXITS)
def test_any_other_exit_code_is_a_failure(message: str, read: GateResult) -> None:
    assert read_brought(message, 3, measures=True) == read


def test_the_words_of_a_brought_image_are_shown_and_never_obeyed() -> None:
    read = read_brought('{"outcome": "Failed", "sentence": "\\u001b[2Jgone"}', 0, measures=False)

    assert "\x1b" not in read.sentence
