"""What is recorded next of an open attempt: one step, from what is already known."""

from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from modelwarden.audit.objects import MAX_RECORDS, record_bytes
from modelwarden.domain.canonical import digest_of
from modelwarden.domain.decide import RECORDS_AT_ONCE, Plan, decide
from modelwarden.domain.evidence import evidence_digest
from modelwarden.domain.facts import RunKey, RunState, ServingTarget, Snapshot
from modelwarden.domain.identity import Caller
from modelwarden.domain.progress import APPROVALS_NAMED
from modelwarden.domain.records import Operation, Record
from modelwarden.domain.scribe import GROUPS_NAMED
from modelwarden.domain.stages import Stage
from modelwarden.domain.state import AttemptOutcome, AttemptState, GateOutcome, ModelState
from tests.domain.builders import (
    INSTALLATION,
    NOW_TEXT,
    OWNER,
    REVIEWER,
    SCRIBE,
    at,
    attempt,
    author,
    carrying,
    decision,
    deployment,
    gate,
    gate_state,
    group,
    interval,
    metric,
    model,
    move,
    policy,
    ready_attempt,
    rule,
    run,
    segment,
    snapshot,
    stages,
    state,
    step,
    transition,
    version,
    version_spec,
    vote_state,
)

WISH = model(stages=stages(1, staging=(1,)), authors=(author("r1", "stages.production"),))
ABOUT = transition()
OPEN = ready_attempt()
EVIDENCE = evidence_digest(OPEN, version())
VOTED = replace(OPEN, votes=(vote_state(index=9), vote_state(REVIEWER.username, index=10)))
BEGUN = replace(
    VOTED,
    outcome=AttemptOutcome.ROLLING_OUT,
    rollout_begun=NOW_TEXT,
    approvals=(9, 10),
    evidence=EVIDENCE,
)
IN_STAGING = {1: Stage.STAGING}
AFTER_2 = {1: Stage.STAGING, 2: Stage.PRODUCTION}


def vote(by: Caller = OWNER, kind: str = "Approve", **changes: Any) -> Any:
    return decision(by, kind, evidence_digest=EVIDENCE, **changes)


VOTES = (vote(OWNER), vote(REVIEWER))


def asking(**changes: Any) -> Snapshot:
    given = {"model": WISH, "transitions": {ABOUT.name: ABOUT}, "decisions": VOTES}
    return snapshot(**{**given, **changes})


def planned(facts: Snapshot, after: ModelState) -> Plan:
    return decide(facts, after, scribe=SCRIBE, installation=INSTALLATION)


def recorded(facts: Snapshot, after: ModelState) -> list[Record]:
    return [replace(found, evidence={}) for found in planned(facts, after).records]


def said(facts: Snapshot, after: ModelState) -> list[tuple[str, str]]:
    return [(r.operation.value, r.facts.get("code", "")) for r in planned(facts, after).records]


class End(NamedTuple):
    """What became of an attempt, and whether the same request tries again."""

    facts: Snapshot
    attempt: AttemptState
    code: str
    reopens: bool


def governed(**changes: Any) -> Snapshot:
    return asking(model=replace(WISH, governed={**WISH.governed, **changes}))


GONE = "AttemptVanished"
CHANGED = "GovernedFieldsChanged"
ENDS: dict[str, End] = {
    "the Model is gone": End(asking(model=None), OPEN, "ModelGone", reopens=True),
    "its object is gone": End(asking(transitions={}), OPEN, GONE, reopens=True),
    "its object was made again": End(
        asking(transitions={ABOUT.name: replace(ABOUT, uid="another")}), OPEN, GONE, reopens=True
    ),
    "its object says something else": End(
        asking(transitions={ABOUT.name: replace(ABOUT, digest="another")}),
        OPEN,
        GONE,
        reopens=True,
    ),
    "the version is gone": End(asking(versions={}), OPEN, GONE, reopens=True),
    "the version has other content": End(
        asking(versions={1: version(spec=version_spec(label="other"))}),
        OPEN,
        "ContentChanged",
        reopens=True,
    ),
    "owners changed": End(governed(owners=[]), OPEN, CHANGED, reopens=True),
    "reviewers changed": End(governed(reviewers=[]), OPEN, CHANGED, reopens=True),
    "it affects people now": End(governed(affectsPeople=True), OPEN, CHANGED, reopens=True),
    "metrics changed": End(governed(metrics=[]), OPEN, CHANGED, reopens=True),
    "a contract was added": End(governed(contract={"inputs": []}), OPEN, CHANGED, reopens=True),
    "another policy governs": End(
        asking(policy=policy(name="strict")), OPEN, CHANGED, reopens=True
    ),
    "nobody asks any more": End(
        asking(model=model(stages=stages(staging=(1,)))), OPEN, "TakenBack", reopens=False
    ),
    "another version is asked for": End(
        asking(model=replace(WISH, stages=stages(2, staging=(1, 2)))),
        OPEN,
        "TakenBack",
        reopens=False,
    ),
    "the entry went while it was rolled out": End(
        asking(model=model(stages=stages(staging=(1,)))), BEGUN, "RolloutAborted", reopens=False
    ),
    "what serves was asked for while it was rolled out": End(
        asking(model=replace(WISH, stages=stages(2))), BEGUN, "RolloutAborted", reopens=False
    ),
    "the Model went while it was rolled out": End(
        asking(model=None), BEGUN, "ModelGone", reopens=True
    ),
    "its object went while it was rolled out": End(
        asking(transitions={}), BEGUN, GONE, reopens=True
    ),
}


@pytest.mark.parametrize("row", ENDS.values(), ids=ENDS)
def test_an_attempt_ends_without_its_stage_when(row: End) -> None:
    after = state(AFTER_2, row.attempt, intervals=(interval(2),))

    ended = [r for r in planned(row.facts, after).records if r.transition == row.attempt.name]

    began = row.attempt.rollout_begun
    assert [(r.operation, r.facts["code"], r.facts["reopens"]) for r in ended] == [
        (
            Operation.ROLLOUT_ABORTED if began else Operation.SUPERSEDED,
            row.code,
            row.reopens,
        )
    ]


@pytest.mark.parametrize(
    "facts",
    [
        governed(owners=[]),
        asking(policy=policy(name="strict")),
        asking(model=replace(WISH, stages=stages(3))),
        asking(versions={1: version(limitations=("Not for merchants.",))}),
        asking(decisions=(*VOTES, vote(OWNER, "Retract", created=at(minutes=1)))),
        asking(decisions=(*VOTES, vote(OWNER, "Reject", created=at(minutes=1)))),
        asking(decisions=()),
    ],
    ids=[
        "governed fields",
        "another policy",
        "another version is asked for",
        "notes",
        "a vote is taken back",
        "a late rejection",
        "decisions that are gone",
    ],
)
def test_after_a_rollout_has_begun_nothing_supersedes_it(facts: Snapshot) -> None:
    live = replace(facts, deployments={"fraud-api": carrying(1, updated=1)})

    assert planned(live, state(AFTER_2, BEGUN)).records == ()


def test_the_end_of_a_rollout_names_what_was_approved_when_it_began() -> None:
    retracted = vote(OWNER, "Retract", created=at(minutes=1))
    facts = asking(
        decisions=(*VOTES, retracted),
        versions={1: version(limitations=("Not for merchants.",))},
        deployments={"fraud-api": carrying(1)},
    )

    (promoted,) = planned(facts, state(IN_STAGING, BEGUN)).records

    assert promoted.facts == {
        "approvals": [
            {"decision": f"approve-{by}", "by": by, "as": ["Owner"], "index": index}
            for by, index in ((OWNER.username, 9), (REVIEWER.username, 10))
        ],
        "gates": {"metrics": gate_state().evidence},
        "evidenceDigest": EVIDENCE,
        "certainty": "Exact",
        "rolloutBegun": NOW_TEXT,
    }


def test_votes_are_recorded_with_who_as_what_and_on_which_evidence() -> None:
    found = recorded(asking(decisions=(vote(REVIEWER),)), state(IN_STAGING, OPEN))

    (voted,) = found
    assert (voted.actor.username, voted.actor.groups, voted.facts) == (
        "reviewer@example.com",
        ("risk-reviewers",),
        {
            "decision": "approve-reviewer@example.com",
            "vote": "Approve",
            "person": "reviewer@example.com",
            "roles": ["Reviewer"],
            "evidenceDigest": EVIDENCE,
        },
    )


ONLY_OWNER = replace(OPEN, votes=(vote_state(index=9),))


@pytest.mark.parametrize(
    ("facts", "before", "operations"),
    [
        (asking(), OPEN, [("Voted", ""), ("Voted", "")]),
        (asking(decisions=VOTES[:1]), ONLY_OWNER, []),
        (
            asking(decisions=(VOTES[0], vote(OWNER, "Retract", created=at(minutes=1)))),
            ONLY_OWNER,
            [("Retracted", "Retracted")],
        ),
        (
            asking(decisions=(VOTES[0], vote(OWNER, "Reject", created=at(minutes=1)))),
            ONLY_OWNER,
            [("Retracted", "Replaced"), ("Voted", "")],
        ),
        (asking(), VOTED, [("RolloutBegun", "")]),
        (asking(deployments={}), VOTED, []),
        (asking(decisions=VOTES[:1]), VOTED, []),
    ],
    ids=[
        "votes first",
        "nothing new",
        "taken back",
        "voted again",
        "then the rollout",
        "but not without a Deployment",
        "nor with a vote that is not there any more",
    ],
)
def test_votes_come_before_the_rollout(
    facts: Snapshot, before: AttemptState, operations: list[tuple[str, str]]
) -> None:
    assert said(facts, state(IN_STAGING, before)) == operations


def test_without_a_deployment_in_the_model_production_is_declared() -> None:
    facts = asking(model=replace(WISH, serving=()))

    (promoted,) = planned(facts, state(IN_STAGING, VOTED)).records

    assert (promoted.operation, promoted.moves, promoted.facts["certainty"]) == (
        Operation.PROMOTED,
        (move(1, Stage.STAGING, Stage.PRODUCTION),),
        "Declared",
    )


def test_a_deployment_for_staging_is_not_waited_for() -> None:
    shadow = ServingTarget(stage=Stage.STAGING, deployment="fraud-shadow")

    assert said(asking(model=replace(WISH, serving=(shadow,))), state(IN_STAGING, VOTED)) == [
        ("Promoted", "")
    ]


STUCK = carrying(1, updated=1, progressing="ProgressDeadlineExceeded", progressing_message="stuck")
ZERO = carrying(1, replicas=0, current=0, updated=0, ready=0, available=0)


@pytest.mark.parametrize(
    ("live", "passed", "found"),
    [
        (carrying(1), 1, [("Promoted", "")]),
        (carrying(1, updated=1), 1, []),
        (carrying(1, updated=1), 900, []),
        (carrying(1, updated=1), 901, [("RolloutFailed", "RolloutTimedOut")]),
        (carrying(1, paused=True), 901, [("RolloutFailed", "RolloutTimedOut")]),
        (None, 1, []),
        (None, 901, [("RolloutFailed", "RolloutTimedOut")]),
        (deployment(labels={"modelwarden.io/model": "churn"}), 1, []),
        (STUCK, 1, [("RolloutFailed", "ProgressDeadlineExceeded")]),
        (carrying(1), 901, [("Promoted", "")]),
        (ZERO, 1, [("Promoted", "NotServing")]),
        # A clock that went back has not passed the time.
        (carrying(1, updated=1), -3600, []),
    ],
    ids=[
        "done",
        "not yet",
        "at the last moment",
        "too late",
        "paused for too long",
        "the Deployment is gone",
        "and stays away",
        "another model took it",
        "no progress",
        "done, and seen late",
        "no replicas",
        "the clock went back",
    ],
)
def test_a_rollout_ends_as_its_deployments_do(
    live: Any, passed: float, found: list[tuple[str, str]]
) -> None:
    deployments = {} if live is None else {"fraud-api": live}
    facts = asking(deployments=deployments, now=at(seconds=passed))

    assert said(facts, state(IN_STAGING, BEGUN)) == found


def test_several_deployments_commit_together() -> None:
    both = (
        ServingTarget(stage=Stage.PRODUCTION, deployment="fraud-api"),
        ServingTarget(stage=Stage.PRODUCTION, deployment="fraud-batch"),
    )
    facts = asking(
        model=replace(WISH, serving=both),
        deployments={
            "fraud-api": carrying(1),
            "fraud-batch": carrying(1, name="fraud-batch", available=1),
        },
    )

    assert said(facts, state(IN_STAGING, BEGUN)) == []


def test_nothing_serving_at_all_is_only_declared() -> None:
    facts = asking(deployments={"fraud-api": ZERO})

    (promoted,) = planned(facts, state(IN_STAGING, BEGUN)).records

    assert promoted.facts["certainty"] == "Declared"


def test_the_version_that_is_replaced_leaves_in_the_same_record_with_its_spent_request() -> None:
    asked = (author("r9", "stages.staging/2"), author("r1", "stages.production"))
    facts = asking(
        model=replace(WISH, stages=stages(1, staging=(1, 2)), authors=asked),
        deployments={"fraud-api": carrying(1)},
    )

    (promoted,) = planned(facts, state(AFTER_2, BEGUN)).records

    assert (promoted.moves, promoted.facts["spentRequest"]) == (
        (
            move(1, Stage.STAGING, Stage.PRODUCTION),
            move(2, Stage.PRODUCTION, Stage.RETIRING),
        ),
        "r9",
    )


WITH_JOB = transition(to=Stage.STAGING, step=step(Stage.STAGING, gate("artifact")))
JOB_OPEN = attempt(to=Stage.STAGING, gates_expected=("artifact",))
STAGED = model(stages=stages(staging=(1,)), authors=(author("r1", "stages.staging/1"),))
LOST = "ImagePullBackOff"


def judged(*, tries: int = 1, **changes: Any) -> Snapshot:
    found = run(gate("artifact"), WITH_JOB, state=RunState.FINISHED, **changes)
    return snapshot(
        model=STAGED,
        transitions={WITH_JOB.name: WITH_JOB},
        runs={RunKey(JOB_OPEN.name, "artifact", tries): found},
    )


def tried(times: int) -> AttemptState:
    lost = gate_state("artifact", GateOutcome.INCONCLUSIVE, tries=times, final=False)
    return replace(JOB_OPEN, gates={"artifact": lost})


@pytest.mark.parametrize(
    ("facts", "before", "found"),
    [
        (judged(reason=LOST), JOB_OPEN, ("Inconclusive", "ImageNotPulled", 1, False)),
        (judged(reason=LOST, tries=2), tried(1), ("Inconclusive", "ImageNotPulled", 2, False)),
        (judged(reason=LOST, tries=3), tried(2), ("Inconclusive", "ImageNotPulled", 3, True)),
        (judged(exit_code=137), JOB_OPEN, ("Failed", "NoResult", 1, True)),
    ],
    ids=["lost once", "lost twice", "lost for the last time", "ended without a word"],
)
def test_what_the_infrastructure_broke_is_tried_again_with_a_limit(
    facts: Snapshot, before: AttemptState, found: tuple[str, str, int, bool]
) -> None:
    (finished,) = planned(facts, state({1: Stage.REGISTERED}, before)).records

    told = finished.facts
    assert (told["outcome"], told["code"], told["try"], told["final"]) == found


def test_a_job_that_judges_something_else_is_not_heard() -> None:
    facts = judged(exit_code=137, inputs_digest="another")

    assert planned(facts, state({1: Stage.REGISTERED}, JOB_OPEN)).records == ()


def test_an_artifact_outside_the_stores_fails_without_a_job() -> None:
    elsewhere = version(artifact=replace(version().artifact, uri="s3://other/risk/model.onnx"))
    facts = replace(judged(), runs={}, versions={1: elsewhere})

    assert said(facts, state({1: Stage.REGISTERED}, JOB_OPEN)) == [
        ("GateFinished", "StoreNotAllowed")
    ]


def test_a_version_that_came_back_under_a_new_uid_is_adopted() -> None:
    came_back = snapshot(versions={1: version(uid="new-uid")})

    (adopted,) = planned(came_back, state(IN_STAGING)).records

    assert (adopted.operation, adopted.uids) == (Operation.ADOPTED, {"version": "new-uid"})


def test_an_attempt_that_was_made_and_never_recorded_is_recorded_or_made_again() -> None:
    registered = state({1: Stage.REGISTERED})
    facts = snapshot(model=STAGED)
    (new,) = planned(facts, registered).create
    same = replace(transition(to=Stage.STAGING), digest=digest_of(dict(new.spec)), spec=new.spec)
    other = replace(same, digest="another")

    recorded_as = planned(replace(facts, transitions={new.name: same}), registered)
    made_again = planned(replace(facts, transitions={new.name: other}), registered)

    assert [r.operation for r in recorded_as.records] == [Operation.REQUESTED]
    assert (made_again.records, made_again.discard) == ((), (other,))


def test_a_plan_fits_into_one_object_of_the_ledger_and_brings_the_evidence_it_names() -> None:
    numbers = range(1, 301)
    facts = snapshot(versions={number: version(number) for number in numbers})
    made = {
        new.name: replace(
            transition(new.key.version, Stage.REGISTERED),
            digest=digest_of(dict(new.spec)),
            spec=new.spec,
        )
        for new in planned(facts, state({})).create
    }

    plan = planned(replace(facts, transitions=made), state({}))

    named = {digest for r in plan.records for digest in r.evidence.values()}
    assert len(plan.records) == RECORDS_AT_ONCE == MAX_RECORDS
    assert {digest_of(content) for content in plan.evidence} == named


LONG = "\u2603" * 100_000
MANY_VOTES = tuple(
    vote_state(f"{number}@example.com" + "x" * 80, index=number) for number in range(9, 400)
)


def worst(before: AttemptState, **changes: Any) -> tuple[Record, ...]:
    given = {"model": replace(WISH, serving=())}
    return planned(asking(**{**given, **changes}), state(IN_STAGING, before)).records


def a_vote_of_a_member_of_everything() -> tuple[Record, ...]:
    groups = tuple(f"{number:0256d}" for number in range(64))
    crowd = transition(owners=tuple(group(name) for name in groups))
    member = Caller(username="m" * 256, groups=groups)
    chatty = replace(vote(member), rationale="\u2603" * 2000)
    return worst(OPEN, transitions={crowd.name: crowd}, decisions=(chatty,))


def a_long_failure() -> tuple[Record, ...]:
    return planned(
        judged(reason="Evicted", detail=LONG), state({1: Stage.REGISTERED}, JOB_OPEN)
    ).records


def a_hostile_log() -> tuple[Record, ...]:
    facts = judged(exit_code=137, log_tail="\x1b\x01" * 2000)
    return planned(facts, state({1: Stage.REGISTERED}, JOB_OPEN)).records


def a_long_list_of_metrics() -> tuple[Record, ...]:
    rules = tuple(rule(f"m{n}" * 40, segments=(segment("s" * 128),)) for n in range(64))
    named = {"\u2603" * 128: "\u2603" * 128, "s" * 128: "\u2603" * 128}
    values = tuple(metric("0.1", rule.name, segment=named) for rule in rules)
    about = transition(to=Stage.STAGING, metrics=rules)
    facts = snapshot(
        model=STAGED, transitions={about.name: about}, versions={1: version(metrics=values)}
    )
    return planned(facts, state({1: Stage.REGISTERED}, attempt(to=Stage.STAGING))).records


def a_rollout_that_says_much() -> tuple[Record, ...]:
    stuck = replace(STUCK, progressing_message=LONG)
    return planned(asking(deployments={"fraud-api": stuck}), state(IN_STAGING, BEGUN)).records


def a_promotion_that_hundreds_approved() -> tuple[Record, ...]:
    before = replace(BEGUN, votes=MANY_VOTES, approvals=tuple(range(9, 400)))
    return planned(
        asking(deployments={"fraud-api": carrying(1)}), state(IN_STAGING, before)
    ).records


@pytest.mark.parametrize(
    "write",
    [
        a_vote_of_a_member_of_everything,
        a_long_failure,
        a_hostile_log,
        a_long_list_of_metrics,
        a_rollout_that_says_much,
        a_promotion_that_hundreds_approved,
    ],
    ids=lambda write: write.__name__.replace("_", " "),
)
def test_a_record_has_room_for_the_longest_texts(write: Any) -> None:
    records = write()

    assert records
    # It raises for a record of more than the ledger takes.
    assert all(record_bytes(found.at(1)) for found in records)


def test_what_a_terminal_would_obey_is_not_in_a_record() -> None:
    (finished,) = planned(
        judged(exit_code=137, log_tail="Traceback:\n\x1b[2J\u202egone"),
        state({1: Stage.REGISTERED}, JOB_OPEN),
    ).records

    assert finished.facts["logTail"] == "Traceback:\n\ufffd[2J\ufffdgone"


def test_what_a_record_names_is_bounded() -> None:
    (voted,) = a_vote_of_a_member_of_everything()
    (promoted,) = a_promotion_that_hundreds_approved()

    assert (len(voted.actor.groups), len(promoted.facts["approvals"])) == (
        GROUPS_NAMED,
        APPROVALS_NAMED,
    )
