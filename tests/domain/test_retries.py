from dataclasses import replace
from typing import Any

import pytest

from modelwarden.domain.decide import decide, questions
from modelwarden.domain.digests import transition_digest
from modelwarden.domain.facts import Access, DecisionFacts, Snapshot
from modelwarden.domain.identity import Caller
from modelwarden.domain.opening import openings, wanted
from modelwarden.domain.records import Operation
from modelwarden.domain.retries import answer, retries_at
from modelwarden.domain.rights import right_to_decide
from modelwarden.domain.scribe import actor_of
from modelwarden.domain.stages import Stage
from modelwarden.domain.state import AttemptKey, AttemptOutcome, AttemptState, ModelState

from .builders import (
    IDENTITY,
    INSTALLATION,
    KEY,
    MANAGER,
    OWNER,
    PIPELINE,
    SCIENTIST,
    SCRIBE,
    Permissive,
    attempt,
    author,
    decision,
    model,
    snapshot,
    stages,
    state,
    transition,
    version,
    version_state,
)

ASKED = frozenset({AttemptKey(1, Stage.PRODUCTION)})
RIGHT = right_to_decide("Retry", Stage.PRODUCTION)
NEXT = "fraud-detector-1-production-2"
REJECTED = attempt(1, outcome=AttemptOutcome.REJECTED, code="Rejected")
AGAIN = replace(attempt(1), name=NEXT, number=2, retry="uid-of-retry-1")


def retry(by: Caller | None = OWNER, **changes: Any) -> DecisionFacts:
    return decision(by, "Retry", changes.pop("name", "retry-1"), **changes)


def asked(*decisions: DecisionFacts, **changes: Any) -> Snapshot:
    """Version 1 is asked into Production, and people have decided."""
    asking = model(
        stages=stages(1, staging=(1,)),
        authors=(author("r0", "stages.staging/1"), author("r1", "stages.production")),
    )
    return replace(snapshot(model=asking, decisions=decisions), **changes)


def told(*attempts: AttemptState, at: Stage = Stage.STAGING) -> ModelState:
    return state({1: at}, *(attempts or (REJECTED,)))


def refusing(*callers: Caller) -> Permissive:
    return Permissive({Access(caller, RIGHT, KEY): False for caller in callers})


def test_a_retry_opens_the_next_attempt_for_the_same_request() -> None:
    (new,) = openings(asked(retry()), told(), identity=IDENTITY).attempts

    assert (new.name, new.spec["attempt"], new.spec["request"]) == (
        NEXT,
        2,
        {
            "id": "r1",
            "entry": {"version": 1, "part": "stages.production", "reason": "release 1"},
            "author": MANAGER.to_json(),
            "retry": {"decision": "retry-1", "uid": "uid-of-retry-1", "by": OWNER.to_json()},
        },
    )


def test_without_a_retry_a_rejected_request_opens_nothing() -> None:
    assert wanted(asked(), told()) == ()


def test_a_retry_that_opened_an_attempt_opens_no_other_one() -> None:
    failed_again = replace(AGAIN, outcome=AttemptOutcome.FAILED)

    assert wanted(asked(retry()), told(REJECTED, failed_again)) == ()


def test_the_record_names_who_retried_and_the_requester_stays_who_asked() -> None:
    facts, ledger = asked(retry()), told()
    (new,) = openings(facts, ledger, identity=IDENTITY).attempts
    there = replace(
        transition(tries=2), name=NEXT, spec=new.spec, digest=transition_digest(new.spec)
    )

    (record,) = decide(
        replace(facts, transitions={NEXT: there}), ledger, scribe=SCRIBE, installation=INSTALLATION
    ).records

    assert (record.operation, record.actor.username, record.uids["decision"]) == (
        Operation.REQUESTED,
        MANAGER.username,
        "uid-of-retry-1",
    )
    assert record.facts["retry"] == {
        "uid": "uid-of-retry-1",
        "decision": "retry-1",
        "of": REJECTED.name,
        "actor": actor_of(OWNER).to_json(),
        "rationale": "Looked at it.",
    }


@pytest.mark.parametrize("outcome", ["Failed", "Rejected", "Superseded"])
def test_whatever_ended_badly_is_tried_again(outcome: str) -> None:
    ended = replace(REJECTED, outcome=AttemptOutcome(outcome))

    assert [r.retry for r in wanted(asked(retry()), told(ended))] == [retry()]


def test_a_registration_that_failed_is_tried_again_in_the_registrants_name() -> None:
    of_registration = retry(
        stage=Stage.STAGING,
        transition="fraud-detector-1-registered-1",
        transition_uid="uid-of-fraud-detector-1-registered-1",
    )
    failed = attempt(1, Stage.REGISTERED, request_id=version(1).uid, outcome=AttemptOutcome.FAILED)
    invalid = state({}, failed, versions={1: version_state(1, valid=False)})

    (new,) = openings(snapshot(decisions=(of_registration,)), invalid, identity=IDENTITY).attempts

    assert (new.name, new.request.requester) == ("fraud-detector-1-registered-2", PIPELINE)


def test_of_two_retries_the_first_that_may_counts() -> None:
    decisions = (retry(SCIENTIST), retry(OWNER, name="retry-2"))

    (request,) = wanted(asked(*decisions, access=refusing(SCIENTIST)), told())

    assert request.retry == decisions[1]


def test_a_retry_whose_right_is_not_known_yet_waits() -> None:
    unknown = Permissive({Access(OWNER, RIGHT, KEY): None})

    opened = openings(asked(retry(), access=unknown), told(), identity=IDENTITY)

    assert (opened.attempts, [hold.verdict.code for hold in opened.holds]) == (
        (),
        ["RightNotReviewed"],
    )


def test_the_requester_still_needs_the_right_to_ask() -> None:
    promote = Access(MANAGER, right_to_decide("Retry", Stage.PRODUCTION), KEY)

    opened = openings(
        asked(retry(), access=Permissive({promote: False})), told(), identity=IDENTITY
    )

    assert (opened.attempts, [hold.verdict.code for hold in opened.holds]) == (
        (),
        ["RequesterLacksRight"],
    )


def test_the_right_of_whoever_retries_is_asked_about() -> None:
    assert Access(OWNER, RIGHT, KEY) in questions(asked(retry()), told())


@pytest.mark.parametrize(
    ("given", "attempts", "code"),
    [
        (retry(), (REJECTED,), "RetrierMay"),
        (retry(), (REJECTED, AGAIN), "Retried"),
        (retry(name="retry-2"), (REJECTED, AGAIN), "NotTheLatestAttempt"),
        (retry(), (attempt(1),), "AttemptOpen"),
        (retry(), (replace(REJECTED, outcome=AttemptOutcome.SUCCEEDED),), "AttemptSucceeded"),
        (retry(transition="fraud-detector-7-staging-1"), (REJECTED,), "AttemptUnknown"),
        (retry(transition_uid="another"), (REJECTED,), "AnotherAttempt"),
        (retry(stage=Stage.STAGING), (REJECTED,), "WrongStage"),
        (retry(PIPELINE), (REJECTED,), "NotAPerson"),
        (retry(None), (REJECTED,), "RetrierUnknown"),
        (retry(SCIENTIST), (REJECTED,), "RightMissing"),
    ],
)
def test_every_retry_is_answered(
    given: DecisionFacts, attempts: tuple[AttemptState, ...], code: str
) -> None:
    facts = asked(given, access=refusing(SCIENTIST))

    assert answer(given, facts, state=told(*attempts), asked=ASKED).code == code


def test_a_retry_of_what_nothing_asks_for_any_more_opens_nothing() -> None:
    facts, ledger = snapshot(decisions=(retry(),)), told()

    assert (wanted(facts, ledger), answer(retry(), facts, state=ledger, asked=()).code) == (
        (),
        "NothingAsksForIt",
    )


def test_versions_of_ended_attempts_that_are_retried_are_looked_at() -> None:
    named = [{"decision": "Retry", "transition": {"name": REJECTED.name}}]

    assert [retries_at(told(), named), retries_at(told(attempt(1)), named)] == [
        frozenset({1}),
        frozenset(),
    ]
