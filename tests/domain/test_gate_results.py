"""What a gate pod left behind counts only if it is whole and about the right artifact."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwarden.domain.canonical import digest_of
from modelwarden.domain.gate_results import Check, GateResult, read_result
from modelwarden.domain.state import GateOutcome

DIGEST = "sha256:" + "1" * 64


def message(**changes: Any) -> str:
    result = {
        "format": 1,
        "gate": "artifact",
        "subject": {"uri": "s3://models/risk/fraud/3/", "digest": DIGEST},
        "outcome": "Passed",
        "code": "ArtifactValid",
        "sentence": "The artifact is valid.",
        "checks": [{"name": "digest", "outcome": "Passed", "observed": "a", "expected": "a"}],
        "facts": {"format": "ONNX", "opset": 21, "inputs": [{"name": "amount", "shape": [-1]}]},
        "startedAt": "2026-11-24T08:00:00Z",
        "endedAt": "2026-11-24T08:00:02Z",
    }
    return json.dumps({**result, **changes})


def test_a_whole_result_is_read_as_it_was_written() -> None:
    assert read_result(message(omitted={"checks": 2}), 0, digest=DIGEST) == GateResult(
        outcome=GateOutcome.PASSED,
        code="ArtifactValid",
        sentence="The artifact is valid.",
        checks=(Check(name="digest", outcome=GateOutcome.PASSED, observed="a", expected="a"),),
        facts={"format": "ONNX", "opset": 21, "inputs": [{"name": "amount", "shape": [-1]}]},
        omitted={"checks": 2},
        started_at="2026-11-24T08:00:00Z",
        ended_at="2026-11-24T08:00:02Z",
    )


@pytest.mark.parametrize(
    ("outcome", "exit_code"), [("Passed", 0), ("Failed", 1), ("Inconclusive", 2)]
)
def test_the_exit_code_agrees_with_the_outcome(outcome: str, exit_code: int) -> None:
    assert read_result(message(outcome=outcome), exit_code, digest=DIGEST).outcome == outcome


@pytest.mark.parametrize(
    ("outcome", "exit_code"),
    [("Passed", 1), ("Passed", 137), ("Passed", None), ("Failed", 0), ("Inconclusive", 0)],
)
def test_a_result_that_its_exit_code_belies_is_a_failure(
    outcome: str, exit_code: int | None
) -> None:
    result = read_result(message(outcome=outcome), exit_code, digest=DIGEST)

    assert (result.outcome, result.code) == (GateOutcome.FAILED, "ExitCodeDisagrees")


@pytest.mark.parametrize(
    ("exit_code", "sentence"),
    [
        (0, "The validation ended without a result (exited with 0)."),
        (137, "The validation ended without a result (exited with 137)."),
        (None, "The validation ended without a result (was ended from outside)."),
    ],
)
def test_no_message_is_a_failure_even_with_exit_code_zero(
    exit_code: int | None, sentence: str
) -> None:
    result = read_result("", exit_code, digest=DIGEST)

    assert (result.outcome, result.code, result.sentence) == (
        GateOutcome.FAILED,
        "NoResult",
        sentence,
    )


@pytest.mark.parametrize("size", [4096, 4097, 10_000])
def test_a_message_of_4096_bytes_was_cut_and_is_a_failure(size: int) -> None:
    whole = message()
    padded = whole + " " * (size - len(whole))

    assert read_result(padded, 0, digest=DIGEST).code == "ResultTooLarge"


def test_the_size_of_a_message_is_counted_in_bytes() -> None:
    padded = message(sentence="")[:-1] + ', "x": "' + "é" * 1900 + '"}'

    assert len(padded) < 4096
    assert read_result(padded, 0, digest=DIGEST).code == "ResultTooLarge"


def test_a_message_of_4095_bytes_is_read() -> None:
    whole = message()

    assert read_result(whole + " " * (4095 - len(whole)), 0, digest=DIGEST).code == "ArtifactValid"


@pytest.mark.parametrize(
    "text",
    [
        "OK",
        "exec: modelwarden: not found",
        "{",
        "[]",
        "null",
        "[" * 4000,
        '{"a":' * 800,
        message()[:-1],
        message() + message(),
        message(format=2),
        message(format="1"),
        message(outcome="passed"),
        message(outcome="Allow"),
        message(outcome=["Passed"]),
        message(code=""),
        message(code="two words"),
        message(code="lower"),
        message(code=None),
        message(sentence=7),
        message(checks={}),
        message(checks=[1]),
        message(checks=[{"name": "a", "outcome": "Passed"}]),
        message(facts=[]),
        message(facts={"auc": 0.9}),
        message(facts={"auc": float("nan")}),
        message(facts={"size": 2**63}),
        message(omitted=[]),
        message(omitted={"checks": "many"}),
        message(subject=None),
        message(subject="fraud"),
        message(subject={}),
        message(startedAt=0),
    ],
)
def test_anything_else_is_a_failure(text: str) -> None:
    result = read_result(text, 0, digest=DIGEST)

    assert (result.outcome, result.code) == (GateOutcome.FAILED, "ResultUnreadable")


def test_a_result_about_another_artifact_is_a_failure() -> None:
    result = read_result(message(), 0, digest="sha256:" + "2" * 64)

    assert (result.outcome, result.code) == (GateOutcome.FAILED, "ResultOfAnotherArtifact")


def test_what_a_terminal_would_obey_is_not_kept() -> None:
    text = message(
        sentence="\x1b[2Jgone\u202e",
        facts={"inputs": [{"na\x00me": "\x9b1m"}], "deep": {"a": [["\u200b"]]}},
    )

    result = read_result(text, 0, digest=DIGEST)

    assert result.sentence == "\ufffd[2Jgone\ufffd"
    assert result.facts == {
        "inputs": [{"na\ufffdme": "\ufffd1m"}],
        "deep": {"a": [["\ufffd"]]},
    }


@settings(deadline=None)
@given(st.text(max_size=300), st.integers() | st.none())
def test_nothing_unexpected_passes_or_raises(text: str, exit_code: int | None) -> None:
    assert read_result(text, exit_code, digest=DIGEST).outcome is GateOutcome.FAILED


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=4), plain, max_size=4))
def test_facts_that_were_read_have_a_digest(facts: dict[str, Any]) -> None:
    result = read_result(message(facts=facts), 0, digest=DIGEST)

    assert result.code == "ArtifactValid"
    assert digest_of(result.facts).startswith("sha256:")
