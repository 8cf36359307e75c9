"""What the records mean: one operation at a time, and what no records can mean."""

from dataclasses import replace
from typing import Any

import pytest

from modelwarden.domain.fold import STARTS_KEPT, fold, fold_all, fold_model
from modelwarden.domain.records import Actor, Operation, Record
from modelwarden.domain.stages import Move, Stage
from modelwarden.domain.state import (
    AttemptKey,
    AttemptOutcome,
    AttemptState,
    Certainty,
    GateOutcome,
    GateState,
    LedgerState,
    ModelState,
    Moved,
    ServingInterval,
    VersionState,
    VoteState,
)
from tests.domain.builders import (
    DIGEST,
    EVIDENCE,
    KEY,
    NOW_TEXT,
    OWNER,
    attempt,
    gate_state,
    interval,
    move,
    record,
    state,
    version_state,
    vote_state,
)

MANAGER = Actor(username="manager@example.com")
PRODUCTION = "fraud-detector-1-production-1"
REGISTRATION = "fraud-detector-1-registered-1"
LATER = "2026-11-24T13:00:00.000Z"
SPEC = "sha256:" + "5" * 64


def after(before: ModelState, operation: Operation, **changes: Any) -> ModelState:
    """Fold one record of index 10, an hour later."""
    return fold_model(before, record(operation, time=LATER, **changes))


def of(folded: ModelState, name: str = PRODUCTION) -> AttemptState:
    return folded.attempts[name]


ASKED: dict[str, Any] = {
    "kind": "Register",
    "from": "",
    "to": "Registered",
    "number": 1,
    "requestId": "version-uid",
    "gates": ["metadata", "artifact"],
    "artifact": {"uri": "s3://models/risk/fraud/1/model.onnx", "digest": DIGEST},
    "label": "gbm-1",
}


def requested(**changes: Any) -> Record:
    given: dict[str, Any] = {
        "actor": MANAGER,
        "transition": REGISTRATION,
        "rationale": "gbm-1",
        "subject": "sha256:" + "1" * 64,
        "evidence": {"transition": SPEC},
        "uids": {"transition": "t-uid", "version": "version-uid"},
        "facts": ASKED,
    }
    return record(Operation.REQUESTED, **{**given, **changes})


def test_the_first_request_about_a_version_records_version_and_attempt() -> None:
    folded = fold_model(ModelState(key=KEY), requested())

    assert folded == ModelState(
        key=KEY,
        versions={
            1: VersionState(
                number=1,
                subject="sha256:" + "1" * 64,
                stage=Stage.REGISTERED,
                since=NOW_TEXT,
                index=10,
                artifact_uri="s3://models/risk/fraud/1/model.onnx",
                artifact_digest=DIGEST,
                label="gbm-1",
                registrant=MANAGER,
                uid="version-uid",
                history=(Moved(Stage.REGISTERED, NOW_TEXT, 10, REGISTRATION),),
            )
        },
        attempts={
            REGISTRATION: AttemptState(
                name=REGISTRATION,
                uid="t-uid",
                key=AttemptKey(1, Stage.REGISTERED),
                number=1,
                kind=Move.REGISTER,
                source=None,
                request_id="version-uid",
                requester=MANAGER,
                rationale="gbm-1",
                subject="sha256:" + "1" * 64,
                spec=SPEC,
                gates_expected=("metadata", "artifact"),
                opened=NOW_TEXT,
                indices=(10,),
            )
        },
        latest={AttemptKey(1, Stage.REGISTERED): REGISTRATION},
        last_index=10,
        last_time=NOW_TEXT,
    )


def test_a_registration_that_is_tried_again_keeps_the_first_registrant_and_content() -> None:
    first = fold_model(ModelState(key=KEY), requested())

    again = fold_model(
        first,
        requested(
            transition="fraud-detector-1-registered-2",
            actor=Actor(username="other@example.com"),
            subject="sha256:" + "2" * 64,
            facts={**ASKED, "number": 2},
        ),
    )

    assert again.versions == first.versions
    assert again.latest == {AttemptKey(1, Stage.REGISTERED): "fraud-detector-1-registered-2"}


def test_an_attempt_to_promote_records_no_version() -> None:
    facts = {**ASKED, "kind": "Promote", "from": "Staging", "to": "Production"}

    folded = fold_model(state({1: Stage.STAGING}), requested(transition=PRODUCTION, facts=facts))

    assert folded.versions == {1: version_state(1, Stage.STAGING)}
    assert (of(folded).source, of(folded).key) == (
        Stage.STAGING,
        AttemptKey(1, Stage.PRODUCTION),
    )


def test_registered_makes_a_version_valid_and_ends_its_attempt() -> None:
    seen = version_state(valid=False)
    before = state({}, attempt(to=Stage.REGISTERED), versions={1: seen})

    folded = after(before, Operation.REGISTERED, transition=REGISTRATION)

    assert folded.versions[1] == replace(seen, valid=True, since=LATER, index=10)
    assert of(folded, REGISTRATION) == replace(
        attempt(to=Stage.REGISTERED),
        outcome=AttemptOutcome.SUCCEEDED,
        code="Succeeded",
        ended=LATER,
        indices=(7, 10),
    )


def test_adopted_changes_nothing_but_the_witness() -> None:
    folded = after(state({1: Stage.STAGING}), Operation.ADOPTED, uids={"version": "new-uid"})

    assert folded.versions[1] == replace(version_state(1, Stage.STAGING), uid="new-uid")


FINISHED: dict[str, Any] = {
    "gate": "metrics",
    "kind": "metrics",
    "outcome": "Passed",
    "code": "MetricsMet",
    "sentence": "auc is 0.94.",
    "try": 1,
    "final": True,
}


def gate_finished(before: ModelState, **facts: Any) -> ModelState:
    return after(
        before,
        Operation.GATE_FINISHED,
        transition=PRODUCTION,
        evidence={"result": EVIDENCE},
        facts={**FINISHED, **facts},
    )


def test_a_finished_gate_is_kept_with_its_evidence() -> None:
    folded = gate_finished(state({}, attempt()))

    assert of(folded).gates == {
        "metrics": GateState(
            name="metrics",
            outcome=GateOutcome.PASSED,
            code="MetricsMet",
            sentence="auc is 0.94.",
            tries=1,
            finished=LATER,
            index=10,
            evidence=EVIDENCE,
        )
    }
    assert of(folded).outcome is AttemptOutcome.OPEN


TWO_GATES = attempt(gates_expected=("metrics", "artifact"))


@pytest.mark.parametrize(
    ("before", "facts", "outcome", "sentence"),
    [
        (attempt(), {"outcome": "Failed"}, AttemptOutcome.FAILED, "metrics: auc is 0.94."),
        (TWO_GATES, {"outcome": "Failed"}, AttemptOutcome.OPEN, ""),
        (
            replace(TWO_GATES, gates={"artifact": gate_state("artifact", GateOutcome.FAILED)}),
            {},
            AttemptOutcome.FAILED,
            "artifact: auc is 0.94, needs at least 0.90.",
        ),
        (
            replace(TWO_GATES, gates={"artifact": gate_state("artifact", GateOutcome.FAILED)}),
            {"outcome": "Failed"},
            AttemptOutcome.FAILED,
            "artifact: auc is 0.94, needs at least 0.90. metrics: auc is 0.94.",
        ),
        (attempt(), {"outcome": "Inconclusive", "final": False}, AttemptOutcome.OPEN, ""),
        (
            attempt(),
            {"outcome": "Inconclusive", "try": 3},
            AttemptOutcome.FAILED,
            "metrics: auc is 0.94.",
        ),
    ],
    ids=[
        "the only gate failed",
        "another gate is not there yet",
        "the last gate passed, another had failed",
        "both failed",
        "nothing was decided, and it is tried again",
        "nothing was decided for the last time",
    ],
)
def test_an_attempt_fails_when_its_last_gate_is_in_and_one_is_no_pass(
    before: AttemptState, facts: dict[str, Any], outcome: AttemptOutcome, sentence: str
) -> None:
    folded = of(gate_finished(state({}, before), **facts))

    assert (folded.outcome, folded.sentence, folded.code) == (
        outcome,
        sentence,
        "GateFailed" if sentence else "",
    )


VOTED: dict[str, Any] = {
    "decision": "approve-owner",
    "vote": "Approve",
    "person": "owner@example.com",
    "roles": ["Owner"],
    "evidenceDigest": EVIDENCE,
}


def voted(before: ModelState, **facts: Any) -> ModelState:
    return after(
        before,
        Operation.VOTED,
        transition=PRODUCTION,
        actor=Actor(username=OWNER.username),
        rationale="Fine.",
        uids={"decision": "d1"},
        facts={**VOTED, **facts},
    )


def test_a_vote_is_kept_with_what_it_was_about() -> None:
    folded = of(voted(state({}, attempt())))

    assert (folded.votes, folded.evidence, folded.outcome) == (
        (
            VoteState(
                decision="approve-owner",
                uid="d1",
                kind="Approve",
                actor=Actor(username="owner@example.com"),
                person="owner@example.com",
                roles=("Owner",),
                rationale="Fine.",
                time=LATER,
                index=10,
            ),
        ),
        EVIDENCE,
        AttemptOutcome.OPEN,
    )


def test_a_rejection_ends_the_attempt_in_the_voters_words() -> None:
    folded = of(voted(state({}, attempt()), vote="Reject"))

    assert (folded.outcome, folded.code, folded.sentence, folded.ended, folded.reopens) == (
        AttemptOutcome.REJECTED,
        "Rejected",
        'owner@example.com rejected it: "Fine."',
        LATER,
        False,
    )


def test_a_vote_that_is_taken_back_is_gone_and_no_other() -> None:
    kept, gone = vote_state("a"), vote_state("b")

    folded = after(
        state({}, attempt(votes=(gone, kept))),
        Operation.RETRACTED,
        transition=PRODUCTION,
        facts={"vote": gone.uid, "code": "Retracted"},
    )

    assert of(folded).votes == (kept,)


APPROVED = vote_state(index=9)
GROUNDS: dict[str, Any] = {
    "approvals": [{"decision": APPROVED.decision, "by": "x", "as": ["Owner"], "index": 9}],
    "gates": {"metrics": EVIDENCE},
    "evidenceDigest": EVIDENCE,
}


def test_a_begun_rollout_keeps_what_it_rests_on() -> None:
    late = vote_state("late@example.com", index=12)
    begun = after(
        state({}, attempt(votes=(APPROVED,))),
        Operation.ROLLOUT_BEGUN,
        transition=PRODUCTION,
        facts={"deployments": ["fraud-api"], **GROUNDS},
    )

    folded = replace(of(begun), votes=(APPROVED, late))

    assert (folded.outcome, folded.rollout_begun, folded.approvals, folded.evidence) == (
        AttemptOutcome.ROLLING_OUT,
        LATER,
        (9,),
        EVIDENCE,
    )
    assert folded.decisive_votes == (APPROVED,)


ENDED: dict[str, Any] = {"code": "TakenBack", "sentence": "Nobody asks.", "reopens": False}


@pytest.mark.parametrize(
    ("operation", "facts", "outcome"),
    [
        (Operation.SUPERSEDED, ENDED, AttemptOutcome.SUPERSEDED),
        (Operation.SUPERSEDED, {**ENDED, "reopens": True}, AttemptOutcome.SUPERSEDED),
        (Operation.ROLLOUT_ABORTED, ENDED, AttemptOutcome.SUPERSEDED),
        (Operation.ROLLOUT_FAILED, ENDED, AttemptOutcome.FAILED),
    ],
    ids=["taken back", "superseded by a change", "aborted", "failed"],
)
def test_an_attempt_ends_with_a_code_and_a_sentence(
    operation: Operation, facts: dict[str, Any], outcome: AttemptOutcome
) -> None:
    begun = attempt(outcome=AttemptOutcome.ROLLING_OUT, rollout_begun=NOW_TEXT, votes=(APPROVED,))

    folded = after(state({1: Stage.STAGING}, begun), operation, transition=PRODUCTION, facts=facts)

    assert of(folded) == replace(
        begun,
        outcome=outcome,
        code="TakenBack",
        sentence="Nobody asks.",
        reopens=facts["reopens"],
        ended=LATER,
        indices=(7, 10),
    )
    assert (folded.production, folded.stage_of(1)) == (None, Stage.STAGING)


def promoted(before: ModelState, *moves: Any, **facts: Any) -> ModelState:
    return after(
        before,
        Operation.PROMOTED,
        transition=PRODUCTION,
        moves=moves,
        facts={**GROUNDS, "certainty": "Exact", "rolloutBegun": NOW_TEXT, **facts},
    )


UP = move(1, Stage.STAGING, Stage.PRODUCTION)


def test_the_first_promotion_opens_an_interval() -> None:
    folded = promoted(state({1: Stage.STAGING}, attempt()), UP)

    assert (folded.production, folded.intervals, of(folded).outcome) == (
        1,
        (
            ServingInterval(
                version=1,
                start=LATER,
                end="",
                certainty=Certainty.EXACT,
                index=10,
                window_start=NOW_TEXT,
            ),
        ),
        AttemptOutcome.SUCCEEDED,
    )


def test_one_record_brings_a_version_in_and_the_other_out() -> None:
    before = state({1: Stage.STAGING, 2: Stage.PRODUCTION}, attempt(), intervals=(interval(2),))

    folded = promoted(before, UP, move(2, Stage.PRODUCTION, Stage.RETIRING), spentRequest="r1")

    assert folded.production == 1
    assert folded.versions == {
        1: replace(
            version_state(1, Stage.PRODUCTION),
            since=LATER,
            index=10,
            history=(
                Moved(Stage.STAGING, NOW_TEXT, 1),
                Moved(Stage.PRODUCTION, LATER, 10, PRODUCTION),
            ),
        ),
        2: replace(
            version_state(2, Stage.RETIRING),
            since=LATER,
            index=10,
            was_superseded=True,
            spent_request="r1",
            history=(
                Moved(Stage.PRODUCTION, NOW_TEXT, 2),
                Moved(Stage.RETIRING, LATER, 10, PRODUCTION),
            ),
        ),
    }
    assert [(i.version, i.end) for i in folded.intervals] == [(2, LATER), (1, "")]


def test_two_versions_in_production_are_no_meaning_at_all() -> None:
    before = state({1: Stage.STAGING, 2: Stage.PRODUCTION}, attempt())

    with pytest.raises(ValueError, match=r"record 10 leaves \[1, 2\] in Production at once"):
        promoted(before, UP)


def test_a_move_to_staging_leaves_the_intervals_alone() -> None:
    before = state({1: Stage.REGISTERED, 2: Stage.PRODUCTION}, attempt(), intervals=(interval(2),))

    folded = promoted(before, move(1, Stage.REGISTERED, Stage.STAGING))

    assert (folded.production, folded.intervals) == (2, (interval(2),))


@pytest.mark.parametrize(
    ("operation", "target", "superseded"),
    [
        (Operation.WITHDRAWN, Stage.STAGING, False),
        (Operation.DEMOTED, Stage.REGISTERED, False),
        (Operation.RETIRED, Stage.RETIRING, False),
        (Operation.ARCHIVED, Stage.ARCHIVED, False),
        (Operation.ROLLED_BACK, Stage.RETIRING, False),
        (Operation.PROMOTED, Stage.RETIRING, True),
    ],
    ids=lambda value: value.value if isinstance(value, Operation) else "",
)
def test_only_who_was_replaced_by_a_promotion_counts_as_superseded(
    *, operation: Operation, target: Stage, superseded: bool
) -> None:
    before = state({1: Stage.PRODUCTION}, intervals=(interval(1),))

    folded = after(before, operation, moves=(move(1, Stage.PRODUCTION, target),))

    assert (folded.stage_of(1), folded.production, folded.intervals[0].end) == (
        target,
        None,
        LATER,
    )
    assert folded.versions[1].was_superseded is superseded


STILL = {"stillServedBy": ["fraud-api"]}
OUT = (move(1, Stage.PRODUCTION, Stage.STAGING),)


def withdrawn() -> ModelState:
    """Version 1 has left Production, and its pods have not ended."""
    before = state({1: Stage.PRODUCTION, 2: Stage.STAGING}, intervals=(interval(1),))
    return after(before, Operation.WITHDRAWN, moves=OUT, facts=STILL)


def test_a_withdrawn_version_serves_on_until_its_last_pod_was_seen_to_be_gone() -> None:
    leaving = withdrawn()

    gone = after(leaving, Operation.ROLLOUT_OBSERVED, facts={"deployments": ["fraud-api"]})

    left = replace(interval(1), left=LATER, served_by=("fraud-api",))
    assert (leaving.production, leaving.intervals) == (None, (left,))
    assert gone.intervals == (replace(left, end=LATER),)


def test_another_version_ends_what_was_left_of_the_withdrawn_one() -> None:
    up = (move(2, Stage.STAGING, Stage.PRODUCTION),)

    folded = after(withdrawn(), Operation.PROMOTED, version=2, moves=up)

    assert [(i.version, bool(i.left), i.end) for i in folded.intervals] == [
        (1, True, LATER),
        (2, False, ""),
    ]


def test_the_withdrawn_version_itself_comes_back_in_an_interval_of_its_own() -> None:
    up = (move(1, Stage.STAGING, Stage.PRODUCTION),)

    folded = after(withdrawn(), Operation.PROMOTED, moves=up)

    assert [(i.version, bool(i.left), i.end) for i in folded.intervals] == [
        (1, True, LATER),
        (1, False, ""),
    ]


def test_what_happens_to_others_meanwhile_ends_nothing() -> None:
    down = (move(2, Stage.STAGING, Stage.REGISTERED),)

    folded = after(withdrawn(), Operation.DEMOTED, version=2, moves=down)

    assert folded.intervals == withdrawn().intervals


def test_an_observation_ends_only_what_is_leaving() -> None:
    served = state({1: Stage.PRODUCTION}, intervals=(interval(1),))

    folded = after(served, Operation.ROLLOUT_OBSERVED, facts={"deployments": ["fraud-api"]})

    assert folded.intervals == served.intervals


def test_a_superseded_version_stays_one_in_the_archive() -> None:
    before = state({}, versions={1: version_state(1, Stage.RETIRING, was_superseded=True)})

    folded = after(before, Operation.ARCHIVED, moves=(move(1, Stage.RETIRING, Stage.ARCHIVED),))

    assert folded.versions[1].was_superseded


@pytest.mark.parametrize(
    "operation",
    [Operation.ROLLOUT_OBSERVED, Operation.TAMPERING_REPAIRED],
)
def test_what_only_happened_moves_nothing(operation: Operation) -> None:
    before = state({1: Stage.PRODUCTION}, intervals=(interval(1),))

    assert after(before, operation) == replace(before, last_index=10, last_time=LATER)


def test_each_model_has_its_own_state() -> None:
    other = requested(model="churn", index=11)

    folded = fold_all(LedgerState(), (requested(), other))

    assert [key.name for key in folded.models] == ["fraud-detector", "churn"]
    assert folded.size == 12


def test_the_ledger_remembers_its_origin_and_when_somebody_watched() -> None:
    genesis = record(Operation.GENESIS, model="", version=None, facts={"origin": "o"}, index=0)
    started = record(Operation.STARTED, model="", version=None, time=LATER, index=1)

    folded = fold_all(LedgerState(), (genesis, started))

    assert folded == LedgerState(origin="o", size=2, last_time=LATER, starts=((NOW_TEXT, LATER),))


def test_of_many_starts_the_last_ones_are_kept() -> None:
    folded = LedgerState()
    for index in range(STARTS_KEPT + 3):
        folded = fold(folded, record(Operation.STARTED, model="", version=None, index=index))

    assert len(folded.starts) == STARTS_KEPT


@pytest.mark.parametrize(
    ("operation", "changes"),
    [
        (Operation.REGISTERED, {"version": None}),
        (Operation.REGISTERED, {"version": 9}),
        (Operation.GATE_FINISHED, {"transition": "unknown", "facts": FINISHED}),
        (Operation.GATE_FINISHED, {"transition": PRODUCTION, "facts": {}}),
        (Operation.VOTED, {"transition": "unknown", "facts": VOTED, "uids": {"decision": "d"}}),
        (Operation.PROMOTED, {"moves": (move(9, None, Stage.STAGING),)}),
        (Operation.REQUESTED, {"facts": {**ASKED, "to": "Nowhere"}}),
        (
            Operation.GATE_FINISHED,
            {"transition": PRODUCTION, "facts": {**FINISHED, "outcome": "Perhaps"}},
        ),
    ],
    ids=[
        "no version",
        "a version never recorded",
        "a gate of no attempt",
        "a gate without facts",
        "a vote on no attempt",
        "a move of no version",
        "a stage nobody knows",
        "an outcome nobody knows",
    ],
)
def test_what_it_does_not_understand_it_refuses(
    operation: Operation, changes: dict[str, Any]
) -> None:
    before = state({1: Stage.STAGING}, attempt())

    with pytest.raises((KeyError, ValueError)):
        fold_model(before, record(operation, **changes))


def test_a_record_survives_being_written_and_read() -> None:
    written = requested(moves=(UP, move(2, None, Stage.REGISTERED)))

    assert Record.from_json(written.to_json()) == written


def test_an_operation_of_a_later_release_is_not_read() -> None:
    with pytest.raises(ValueError, match="Teleported"):
        Record.from_json(requested().to_json() | {"operation": "Teleported"})
