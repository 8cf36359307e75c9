"""A result always fits, says what it left out, and is read back as it was written."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwarden.domain.gate_results import EXIT_CODES, Check, GateResult, read_result
from modelwarden.domain.state import GateOutcome
from modelwarden.validation.result import LONGEST_BYTES, leave, message

DIGEST = "sha256:" + "1" * 64
URI = "s3://models/risk/fraud/3/"


def check(name: str, outcome: GateOutcome = GateOutcome.PASSED) -> Check:
    return Check(name=name, outcome=outcome, observed="a", expected="a")


def result(**changes: Any) -> GateResult:
    whole = GateResult(
        outcome=GateOutcome.PASSED,
        code="ArtifactValid",
        sentence="The artifact is valid.",
        checks=(check("digest"), check("loads")),
        facts={"format": "ONNX", "opset": 21, "inputs": [], "outputs": []},
        started_at="2026-11-24T08:00:00Z",
        ended_at="2026-11-24T08:00:02Z",
    )
    return replace(whole, **changes)


def written(given: GateResult, uri: str = URI) -> str:
    return message(given, gate="artifact", uri=uri, digest=DIGEST)


def reread(given: GateResult, uri: str = URI) -> GateResult:
    return read_result(written(given, uri), EXIT_CODES[given.outcome], digest=DIGEST)


def tensors(count: int, prefix: str = "column") -> list[dict[str, Any]]:
    names = [f"{prefix}{n}" for n in range(count)]
    return [{"type": "float32", "shape": [-1], "names": names}] if names else []


def test_a_result_is_read_back_as_it_was_written() -> None:
    assert reread(result()) == result()


def test_a_message_is_one_line() -> None:
    assert "\n" not in written(result(sentence="two\nlines"))


def test_passed_checks_are_left_out_first() -> None:
    failed = check("loads", GateOutcome.FAILED)
    checks = (check("format"), failed, *(check(f"extra-{n}") for n in range(80)))

    kept = reread(result(outcome=GateOutcome.FAILED, checks=checks))

    assert kept.checks[:2] == (check("format"), failed)
    assert kept.omitted == {"checks": len(checks) - len(kept.checks)}


def test_then_the_ends_of_the_lists_of_inputs_and_outputs() -> None:
    failed = check("signature", GateOutcome.FAILED)
    facts = {"format": "ONNX", "inputs": tensors(900), "outputs": tensors(10, "score")}

    kept = reread(result(outcome=GateOutcome.FAILED, checks=(check("digest"), failed), facts=facts))

    (run,) = kept.facts["inputs"]
    assert kept.checks == (failed,)
    assert kept.facts["inputs"] == tensors(len(run["names"]))
    assert len(run["names"]) > 250
    assert kept.facts["outputs"] == facts["outputs"]
    assert kept.omitted == {"inputs": 900 - len(run["names"]), "checks": 1}


def test_failed_checks_are_left_out_last() -> None:
    checks = tuple(
        Check(name=f"c{n}", outcome=GateOutcome.FAILED, observed="é" * 500, expected="é" * 500)
        for n in range(40)
    )

    kept = reread(result(outcome=GateOutcome.FAILED, checks=checks, facts={"inputs": tensors(300)}))

    assert kept.facts["inputs"] == []
    assert [entry.name for entry in kept.checks] == [f"c{n}" for n in range(len(kept.checks))]
    assert kept.omitted == {"inputs": 300, "checks": 40 - len(kept.checks)}


def test_a_name_is_whole_or_missing() -> None:
    long = [{"type": "float32", "shape": [-1], "names": ["x", "y" * 1000, "z" * 4000]}]

    kept = reread(result(facts={"inputs": long, "outputs": []}))

    assert (kept.facts["inputs"], kept.omitted["inputs"]) == (
        [{"type": "float32", "shape": [-1], "names": ["x", "y" * 1000]}],
        1,
    )


def test_a_long_sentence_is_cut_and_says_so() -> None:
    kept = reread(result(sentence="word " * 1000))

    assert kept.sentence.startswith("word word")
    assert kept.sentence.endswith("…")


@pytest.mark.parametrize("uri", ["s3://models/" + "é" * 1300, "s3://models/" + "\0" * 1300])
def test_a_long_uri_is_cut_and_the_digest_decides(uri: str) -> None:
    assert reread(result(), uri) == result()


@settings(deadline=None)
@given(
    sentence=st.text(max_size=2000),
    names=st.lists(st.text(max_size=200), max_size=120),
    observed=st.text(max_size=400),
)
def test_whatever_a_hostile_file_says_fits(sentence: str, names: list[str], observed: str) -> None:
    facts = {"inputs": [{"type": name, "shape": [-1] * 16, "names": names} for name in names[:9]]}
    odd = Check(name="loads", outcome=GateOutcome.FAILED, observed=observed, expected=observed)
    given = result(
        outcome=GateOutcome.FAILED, sentence=f"It says {sentence}", facts=facts, checks=(odd,) * 12
    )

    text = written(given)

    assert len(text.encode()) <= LONGEST_BYTES
    assert reread(given).code == "ArtifactValid"


def test_the_message_is_left_in_the_file(tmp_path: Path) -> None:
    leave(written(result()), tmp_path / "termination-log")

    assert (tmp_path / "termination-log").read_text() == written(result())
