"""A result answers a question again only while the question is the same."""

from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from modelwarden.domain.evidence import evidence_key
from modelwarden.domain.facts import GateSpec
from modelwarden.domain.reuse import Question, earlier_result
from modelwarden.domain.stages import Move, Stage
from modelwarden.domain.state import (
    AttemptOutcome,
    AttemptState,
    GateOutcome,
    GateState,
    Origin,
)
from tests.domain.builders import attempt, gate, gate_state, state, transition

STILL_THERE = gate("artifact", "still-there")
QUALITY = gate("metrics", "quality")
BESIDE = gate("champion", "beside", settings={"champion": {"maxDrop": "0"}})
ABOUT = transition()


@pytest.mark.parametrize(
    ("asked", "changed"),
    [
        (QUALITY, {"subjectDigest": "sha256:other"}),
        (QUALITY, {"metrics": [{"name": "auc", "min": "0.95"}]}),
        (QUALITY, {"contract": {"inputs": []}}),
        (QUALITY, {"allowedFormats": ["Safetensors"]}),
        (QUALITY, {"requiredMetadata": ["lineage.features"]}),
        (BESIDE, {"champion": {"version": 2, "subjectDigest": "sha256:two"}}),
    ],
    ids=["content", "rules", "contract", "formats", "metadata", "champion"],
)
def test_another_content_or_rule_is_another_question(
    asked: GateSpec, changed: dict[str, Any]
) -> None:
    assert evidence_key(asked, transition(spec=changed)) != evidence_key(asked, ABOUT)


@pytest.mark.parametrize(
    "changed",
    [{"owners": []}, {"affectsPeople": True}, {"attempt": 2}, {"champion": {"version": 2}}],
    ids=["owners", "affectsPeople", "the attempt", "a champion that it does not look at"],
)
def test_whoever_asks_and_how_often_is_no_part_of_the_question(changed: dict[str, Any]) -> None:
    assert evidence_key(QUALITY, transition(spec=changed)) == evidence_key(QUALITY, ABOUT)


@pytest.mark.parametrize(
    "other",
    [
        replace(STILL_THERE, name="again"),
        replace(STILL_THERE, kind="contract"),
        replace(STILL_THERE, settings={"artifact": {}, "runAt": "Registration"}),
    ],
    ids=["name", "kind", "settings"],
)
def test_another_gate_is_another_question(other: GateSpec) -> None:
    assert evidence_key(other, ABOUT) != evidence_key(STILL_THERE, ABOUT)


def found(outcome: GateOutcome = GateOutcome.PASSED, **changes: Any) -> GateState:
    given = {"index": 5, "key": evidence_key(STILL_THERE, ABOUT), **changes}
    return gate_state("still-there", outcome, **given)


def registered(result: GateState, **changes: Any) -> AttemptState:
    early = attempt(
        to=Stage.REGISTERED,
        outcome=AttemptOutcome.SUCCEEDED,
        gates_early=("still-there",),
        gates={"still-there": result},
    )
    return replace(early, **changes)


def numbered(
    number: int, outcome: AttemptOutcome, *results: GateState, **changes: Any
) -> AttemptState:
    built = attempt(
        outcome=outcome,
        reopens=outcome is AttemptOutcome.SUPERSEDED,
        gates={result.name: result for result in results},
        gates_expected=("still-there",),
        **changes,
    )
    return replace(built, name=f"fraud-detector-1-production-{number}", number=number)


OPEN, FAILED = AttemptOutcome.OPEN, AttemptOutcome.FAILED
SUPERSEDED, REJECTED = AttemptOutcome.SUPERSEDED, AttemptOutcome.REJECTED
EARLY = Origin("fraud-detector-1-registered-1", 5)
FIRST = Origin("fraud-detector-1-production-1", 5)


class Row(NamedTuple):
    """The attempts so far, the last of which asks; and where its answer was measured."""

    attempts: tuple[AttemptState, ...]
    origin: Origin | None
    gate: GateSpec = STILL_THERE


ROWS: dict[str, Row] = {
    "nothing was measured": Row((numbered(1, OPEN),), None),
    "the registration ran it early": Row((registered(found()), numbered(1, OPEN)), EARLY),
    "it failed early": Row((registered(found(GateOutcome.FAILED)), numbered(1, OPEN)), EARLY),
    "it was inconclusive": Row(
        (registered(found(GateOutcome.INCONCLUSIVE)), numbered(1, OPEN)), None
    ),
    "it is tried again": Row((registered(found(final=False)), numbered(1, OPEN)), None),
    "it answered another question": Row(
        (registered(found(key="another")), numbered(1, OPEN)), None
    ),
    "it was recorded before there were keys": Row(
        (registered(found(key="")), numbered(1, OPEN)), None
    ),
    "the registration asked it for itself": Row(
        (registered(found(), gates_early=()), numbered(1, OPEN)), None
    ),
    "an attempt that was superseded had it": Row(
        (numbered(1, SUPERSEDED, found()), numbered(2, OPEN)), FIRST
    ),
    "the one before had taken it over": Row(
        (numbered(1, SUPERSEDED, found(index=9, origin=EARLY)), numbered(2, OPEN)), EARLY
    ),
    "two were superseded": Row(
        (
            numbered(1, SUPERSEDED, found()),
            numbered(2, SUPERSEDED),
            numbered(3, OPEN),
        ),
        FIRST,
    ),
    "an attempt that was rejected had it": Row(
        (numbered(1, REJECTED, found()), numbered(2, OPEN)), None
    ),
    "an attempt before the one that was rejected had it": Row(
        (numbered(1, SUPERSEDED, found()), numbered(2, REJECTED), numbered(3, OPEN)), None
    ),
    "an attempt that was taken back had it": Row(
        (
            replace(numbered(1, SUPERSEDED, found()), reopens=False),
            numbered(2, OPEN),
        ),
        None,
    ),
    "what failed early is asked anew once its step has failed": Row(
        (registered(found(GateOutcome.FAILED)), numbered(1, FAILED), numbered(2, OPEN)), None
    ),
    "what passed early holds even then": Row(
        (registered(found()), numbered(1, FAILED), numbered(2, OPEN)), EARLY
    ),
    "it went another way before": Row(
        (
            numbered(1, SUPERSEDED, found(), kind=Move.ROLLBACK),
            numbered(2, OPEN),
        ),
        None,
    ),
    "a way back asks anew": Row((registered(found()), numbered(1, OPEN, kind=Move.ROLLBACK)), None),
    "an attempt that is over asks nothing": Row((registered(found()), numbered(1, FAILED)), None),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_result_is_taken_over(row: Row) -> None:
    asked = Question(gate=row.gate, attempt=row.attempts[-1], transition=ABOUT)

    earlier = earlier_result(asked, state({1: Stage.STAGING}, *row.attempts))

    assert (None if earlier is None else earlier.origin) == row.origin


def test_of_two_answers_the_newer_one_counts() -> None:
    asked = Question(gate=STILL_THERE, attempt=numbered(2, OPEN), transition=ABOUT)
    newer = found(GateOutcome.FAILED, index=9)
    attempts = (registered(found()), numbered(1, SUPERSEDED, newer), asked.attempt)

    earlier = earlier_result(asked, state({1: Stage.STAGING}, *attempts))

    assert earlier is not None
    assert earlier.result == newer


def test_a_judged_gate_that_failed_fails_again_without_another_word() -> None:
    key = evidence_key(QUALITY, ABOUT)
    result = gate_state("quality", GateOutcome.FAILED, index=5, key=key)
    early = registered(result, gates_early=("quality",), gates={"quality": result})
    attempts = (early, numbered(1, FAILED), numbered(2, OPEN))
    asked = Question(gate=QUALITY, attempt=attempts[-1], transition=ABOUT)

    earlier = earlier_result(asked, state({1: Stage.STAGING}, *attempts))

    assert earlier is not None
    assert earlier.result == result
