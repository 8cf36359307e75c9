from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from modelwarden.domain.decide import decide, questions
from modelwarden.domain.facts import Access, DecisionFacts, Snapshot
from modelwarden.domain.fold import fold_model
from modelwarden.domain.identity import Caller
from modelwarden.domain.projection import project
from modelwarden.domain.records import Operation, Record
from modelwarden.domain.reviews import dues, review_counts, review_overdue
from modelwarden.domain.rights import right_to_decide
from modelwarden.domain.scribe import timestamp
from modelwarden.domain.stages import Move, Stage
from modelwarden.domain.state import AttemptOutcome, ModelState, OwedReview, Reviews

from .builders import (
    IDENTITY,
    INSTALLATION,
    KEY,
    MANAGER,
    NOW,
    NOW_TEXT,
    OWNER,
    PIPELINE,
    REVIEWER,
    SCIENTIST,
    SCRIBE,
    Permissive,
    approvals,
    at,
    attempt,
    decision,
    interval,
    model,
    move,
    policy,
    record,
    snapshot,
    state,
    step,
    version,
)

RIGHT = right_to_decide("Review", Stage.PRODUCTION)
BACK = "fraud-detector-1-production-2"
OWED = OwedReview(attempt=BACK, version=1, requester=MANAGER.username, due=timestamp(at(days=3)))
IN_PRODUCTION = state({1: Stage.PRODUCTION}, intervals=(interval(1),))
ROLLED_BACK = replace(IN_PRODUCTION, reviews=Reviews(owed=(OWED,)))


def review(by: Caller | None = OWNER, **changes: Any) -> DecisionFacts:
    """A Review of the Model, of no attempt of it."""
    given = {"transition": "", "transition_uid": "", **changes}
    return decision(by, "Review", changes.pop("name", "review-1"), **given)


def looked_at(*decisions: DecisionFacts, days: int | None = 90, **changes: Any) -> Snapshot:
    return snapshot(model=model(review_every_days=days), decisions=decisions, **changes)


def recorded(facts: Snapshot, known: ModelState) -> tuple[Record, ...]:
    return decide(facts, known, scribe=SCRIBE, installation=INSTALLATION).records


def after(known: ModelState, *records: Record) -> ModelState:
    for index, each in enumerate(records, start=known.last_index + 1):
        known = fold_model(known, each.at(index))
    return known


def judged(given: DecisionFacts, facts: Snapshot, known: ModelState) -> str:
    return review_counts(given, facts, state=known, identity=IDENTITY).code


def test_a_review_is_recorded_once_with_who_made_it() -> None:
    facts = looked_at(review())

    (told,) = recorded(facts, IN_PRODUCTION)

    assert (told.operation, told.actor.username, told.version, told.rationale, told.facts) == (
        Operation.REVIEW,
        OWNER.username,
        1,
        "Looked at it.",
        {"decision": "review-1", "ofModel": True, "rollbacks": []},
    )
    assert recorded(facts, after(IN_PRODUCTION, told)) == ()


def test_whoever_may_approve_may_review() -> None:
    assert Access(OWNER, RIGHT, KEY) in questions(looked_at(review()), IN_PRODUCTION)


@pytest.mark.parametrize(
    ("given", "known", "code"),
    [
        (review(), IN_PRODUCTION, "Reviewed"),
        (review(SCIENTIST), IN_PRODUCTION, "TrainerExcluded"),
        (review(replace(SCIENTIST, username="platform@example.com")), IN_PRODUCTION,
         "TrainerExcluded"),
        (review(PIPELINE), IN_PRODUCTION, "NotAPerson"),
        (review(None), IN_PRODUCTION, "ReviewerUnknown"),
        (review(REVIEWER), IN_PRODUCTION, "RightMissing"),
        (review(), state({1: Stage.STAGING}), "NothingToReview"),
        (review(transition=BACK), IN_PRODUCTION, "NothingToReview"),
        (review(transition=BACK), ROLLED_BACK, "Reviewed"),
        (review(MANAGER, transition=BACK), ROLLED_BACK, "RequesterExcluded"),
        (review(MANAGER), ROLLED_BACK, "Reviewed"),
    ],
)  # fmt: skip
def test_every_review_is_answered(given: DecisionFacts, known: ModelState, code: str) -> None:
    facts = looked_at(given, access=Permissive({Access(REVIEWER, RIGHT, KEY): False}))

    assert judged(given, facts, known) == code


def test_where_no_person_is_named_as_trainer_no_review_counts() -> None:
    facts = looked_at(review(), versions={1: version(trained_by=())})

    assert judged(review(), facts, IN_PRODUCTION) == "TrainerUnknown"


def test_a_policy_that_excludes_nobody_lets_the_trainer_review() -> None:
    lax = policy(step(Stage.PRODUCTION, approvals=approvals(exclude=())))
    facts = looked_at(review(SCIENTIST), policy=lax)

    assert judged(review(SCIENTIST), facts, IN_PRODUCTION) == "Reviewed"


def test_a_rollback_is_owed_a_review_until_somebody_else_has_looked() -> None:
    back = attempt(
        1,
        kind=Move.ROLLBACK,
        outcome=AttemptOutcome.ROLLING_OUT,
        rollout_begun=NOW_TEXT,
    )
    known = state({1: Stage.RETIRING, 2: Stage.PRODUCTION}, back, intervals=(interval(2),))
    due = timestamp(at(days=3))
    moves = (move(1, Stage.RETIRING, Stage.PRODUCTION), move(2, Stage.PRODUCTION, Stage.RETIRING))
    done = record(
        Operation.ROLLED_BACK, transition=back.name, moves=moves, facts={"reviewDue": due}
    )

    folded = after(known, done)

    owed = OwedReview(attempt=back.name, version=1, requester=MANAGER.username, due=due)
    assert folded.reviews.owed == (owed,)
    (told,) = recorded(looked_at(review(transition=back.name)), folded)
    assert (told.facts["rollbacks"], told.facts["ofModel"]) == ([back.name], False)
    assert after(folded, told).reviews.owed == ()


def test_the_review_of_a_model_settles_every_rollback_that_its_reviewer_may() -> None:
    (by_owner,) = recorded(looked_at(review()), ROLLED_BACK)
    (by_requester,) = recorded(looked_at(review(MANAGER)), ROLLED_BACK)

    assert [by_owner.facts["rollbacks"], by_requester.facts["rollbacks"]] == [[BACK], []]


@pytest.mark.parametrize(
    ("known", "days", "due"),
    [
        (IN_PRODUCTION, 90, [at(days=90)]),
        (IN_PRODUCTION, None, []),
        (state({1: Stage.STAGING}), 90, []),
        (ROLLED_BACK, 90, [at(days=3), at(days=90)]),
        (replace(IN_PRODUCTION, reviews=Reviews(last=timestamp(at(days=10)))), 90, [at(days=100)]),
        (replace(IN_PRODUCTION, reviews=Reviews(last=timestamp(at(days=-10)))), 90, [at(days=90)]),
    ],
    ids=["since it came", "never", "nothing serves", "a rollback", "reviewed", "before a gap"],
)
def test_the_days_count_from_the_last_review_else_from_when_the_version_came(
    known: ModelState, days: int | None, due: list[object]
) -> None:
    assert [each.when for each in dues(model(review_every_days=days), known)] == due


def test_a_review_of_the_version_before_counts_for_the_one_that_replaced_it() -> None:
    later = timestamp(at(days=50))
    intervals = (interval(1, end=later), interval(2, later))
    known = state(
        {1: Stage.RETIRING, 2: Stage.PRODUCTION},
        intervals=intervals,
        reviews=Reviews(last=timestamp(at(days=10))),
    )

    assert [each.when for each in dues(model(review_every_days=90), known)] == [at(days=100)]


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (at(days=89), (False, "ReviewDue")),
        (at(days=90), (True, "ReviewOverdue")),
    ],
)
def test_a_review_is_overdue_from_the_moment_it_is_due(
    now: datetime, said: tuple[bool, str]
) -> None:
    condition = review_overdue(
        model(review_every_days=90), looked_at(now=now), state=IN_PRODUCTION, identity=IDENTITY
    )

    assert (condition.holds, condition.reason) == said
    assert f"{at(days=90):%Y-%m-%d %H:%M}Z" in condition.message


def test_without_a_cadence_no_review_is_due() -> None:
    said = review_overdue(model(), looked_at(days=None), state=IN_PRODUCTION, identity=IDENTITY)

    assert (said.holds, said.reason, said.message) == (False, "NoReviewDue", "No review is due.")


def test_a_review_that_does_not_count_is_answered_in_the_condition() -> None:
    said = review_overdue(
        model(), looked_at(review(SCIENTIST)), state=IN_PRODUCTION, identity=IDENTITY
    )

    assert "scientist@example.com trained fraud-detector 1 and may not review it." in said.message


def test_it_is_looked_at_again_when_the_review_is_due() -> None:
    facts = replace(looked_at(), now=NOW + timedelta(days=89, hours=23))

    drawn = project(facts, IN_PRODUCTION, holds=(), installation=INSTALLATION)

    assert drawn.look_again == 3600.0
