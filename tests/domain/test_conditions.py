"""Conditions as kubectl wait, Helm and Argo CD read them: kstatus, and people time nobody out."""

from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from modelwarden.domain.conditions import (
    Condition,
    from_verdict,
    is_false,
    is_true,
    is_unknown,
    obstacle,
    written,
)
from modelwarden.domain.evidence import evidence_digest
from modelwarden.domain.facts import Access, RunKey, RunState, Snapshot
from modelwarden.domain.model_status import model_status
from modelwarden.domain.opening import openings
from modelwarden.domain.rights import PROMOTE_PRODUCTION
from modelwarden.domain.stages import Stage
from modelwarden.domain.standing import Standing, standing
from modelwarden.domain.state import AttemptOutcome, AttemptState, ModelState
from modelwarden.domain.transition_status import transition_status
from modelwarden.domain.verdicts import Verdict, allow, deny, wait
from tests.domain.builders import (
    IDENTITY,
    INSTALLATION,
    KEY,
    MANAGER,
    NOW,
    NOW_TEXT,
    OWNER,
    REVIEWER,
    Permissive,
    attempt,
    author,
    carrying,
    decision,
    gate,
    model,
    ready_attempt,
    run,
    snapshot,
    stages,
    state,
    step,
    transition,
    user,
    version,
    version_state,
    vote_state,
)

EARLIER = "2026-11-24T08:00:00.000Z"


@pytest.mark.parametrize(
    ("verdict", "holds"),
    [
        (allow("Fine", "It is so."), True),
        (wait("NotYet", "Not yet.", "Wait."), None),
        (deny("Never", "Never.", "Give up."), False),
    ],
    ids=["allow", "wait", "deny"],
)
def test_what_waits_is_unknown_and_what_is_denied_is_false(
    *, verdict: Verdict, holds: bool | None
) -> None:
    assert from_verdict("Ready", verdict) == Condition(
        "Ready", holds, verdict.code, verdict.message
    )


def test_conditions_are_written_in_the_order_of_their_types() -> None:
    conditions = (
        is_true("Ready", "A", "a"),
        is_false("InUse", "B", "b"),
        is_unknown("Z", "C", "c"),
    )

    assert written(conditions, generation=3, now=NOW, before=()) == [
        {
            "type": kind,
            "status": status,
            "observedGeneration": 3,
            "lastTransitionTime": NOW_TEXT,
            "reason": reason,
            "message": reason.lower(),
        }
        for kind, status, reason in (
            ("InUse", "False", "B"),
            ("Ready", "True", "A"),
            ("Z", "Unknown", "C"),
        )
    ]


@pytest.mark.parametrize(
    ("before", "since"),
    [
        ([{"type": "Ready", "status": "True", "lastTransitionTime": EARLIER}], EARLIER),
        ([{"type": "Ready", "status": "False", "lastTransitionTime": EARLIER}], NOW_TEXT),
        ([{"type": "Settled", "status": "True", "lastTransitionTime": EARLIER}], NOW_TEXT),
        ([], NOW_TEXT),
        # What somebody else wrote there may lack anything.
        ([{}], NOW_TEXT),
        ([{"type": "Ready", "status": "True"}], NOW_TEXT),
    ],
    ids=["unchanged", "changed", "another", "none", "empty", "timeless"],
)
def test_the_time_of_the_last_change_outlives_the_picture(
    before: list[dict[str, Any]], since: str
) -> None:
    (found,) = written([is_true("Ready", "A", "a")], generation=1, now=NOW, before=before)

    assert found["lastTransitionTime"] == since


def test_a_text_too_long_for_its_field_is_cut_and_shows_it() -> None:
    (found,) = written([is_true("Ready", "A", "x" * 9000)], generation=1, now=NOW, before=())
    held = obstacle(wait("NotYet", "y" * 2000, "z" * 2000))

    assert (len(found["message"]), found["message"][-1]) == (4096, "…")
    assert (len(held["message"]), len(held["nextStep"])) == (1024, 1024)


class Signs(NamedTuple):
    """What the four conditions of a Model, or the first three of an attempt, say."""

    ready: str
    reconciling: str
    stalled: str
    settled: str


SETTLED = Signs("True", "False", "False", "True")
PEOPLE_AWAITED = Signs("True", "False", "False", "False")
AT_WORK = Signs("True", "True", "False", "False")
REFUSED = Signs("False", "False", "True", "False")

WISH = model(stages=stages(1, staging=(1,)), authors=(author("r1", "stages.production"),))
STAGED = model(stages=stages(staging=(1,)), authors=(author("r1", "stages.staging/1"),))
IN_STAGING, REGISTERED = {1: Stage.STAGING}, {1: Stage.REGISTERED}
ASKING = snapshot(model=WISH, transitions={transition().name: transition()})
MAY = Access(MANAGER, PROMOTE_PRODUCTION, KEY)

WITH_JOB = transition(to=Stage.STAGING, step=step(Stage.STAGING, gate("artifact")))
RUNNING = attempt(to=Stage.STAGING, gates_expected=("artifact",))


def judged_by(**changes: Any) -> Snapshot:
    """A version on its way to Staging, whose only gate has this run."""
    return snapshot(
        model=STAGED,
        transitions={WITH_JOB.name: WITH_JOB},
        runs={RunKey(RUNNING.name, "artifact", 1): run(gate("artifact"), WITH_JOB, **changes)},
    )


def rolling_out(**changes: Any) -> Snapshot:
    """A version on its way to Production, whose Deployment is like this."""
    return replace(ASKING, deployments={"fraud-api": carrying(1, **changes)})


APPROVED = ready_attempt(votes=(vote_state(index=9), vote_state(REVIEWER.username, index=10)))
ROLLING = replace(
    APPROVED, outcome=AttemptOutcome.ROLLING_OUT, rollout_begun=NOW_TEXT, approvals=(9, 10)
)
VOTES = tuple(
    decision(voter, evidence_digest=evidence_digest(APPROVED, version()))
    for voter in (OWNER, REVIEWER)
)
SOAKING = transition(step=step(Stage.PRODUCTION, soak_seconds=3600))


class Case(NamedTuple):
    """What a Model and its latest attempt say, and why it is not settled."""

    facts: Snapshot
    after: ModelState
    signs: Signs
    reason: str


CASES: dict[str, Case] = {
    "nothing is asked": Case(snapshot(), state(IN_STAGING), SETTLED, "AsWritten"),
    "all is as written": Case(snapshot(model=STAGED), state(IN_STAGING), SETTLED, "AsWritten"),
    "a version without a stage was removed": Case(
        snapshot(versions={}), state({}), SETTLED, "AsWritten"
    ),
    "approvals are awaited": Case(
        ASKING, state(IN_STAGING, ready_attempt()), PEOPLE_AWAITED, "ApprovalsMissing"
    ),
    "time is awaited": Case(
        replace(ASKING, transitions={SOAKING.name: SOAKING}, decisions=VOTES),
        state(IN_STAGING, replace(APPROVED, spec=SOAKING.digest)),
        PEOPLE_AWAITED,
        "Soaking",
    ),
    "a version is awaited": Case(
        snapshot(model=STAGED, versions={}), state({}), PEOPLE_AWAITED, "VersionNotFound"
    ),
    "a policy is awaited": Case(
        snapshot(model=STAGED, policy=wait("NoPolicy", "There is none.")),
        state(REGISTERED),
        PEOPLE_AWAITED,
        "NoPolicy",
    ),
    "a policy is awaited, even for the registration": Case(
        snapshot(model=STAGED, policy=wait("NoPolicy", "There is none.")),
        state({}),
        PEOPLE_AWAITED,
        "NoPolicy",
    ),
    "another owner is awaited": Case(
        replace(
            ASKING,
            transitions={transition().name: transition(owners=(user("scientist@example.com"),))},
        ),
        state(IN_STAGING, ready_attempt()),
        PEOPLE_AWAITED,
        "QuorumImpossible",
    ),
    "a Deployment is awaited": Case(
        replace(ASKING, deployments={}, decisions=VOTES),
        state(IN_STAGING, APPROVED),
        PEOPLE_AWAITED,
        "DeploymentMissing",
    ),
    "a rollout is paused": Case(
        rolling_out(paused=True), state(IN_STAGING, ROLLING), PEOPLE_AWAITED, "RolloutPaused"
    ),
    "a gate cannot start": Case(
        judged_by(reason="ImagePullBackOff", detail="no such image"),
        state(REGISTERED, RUNNING),
        PEOPLE_AWAITED,
        "GateWaiting",
    ),
    "a gate runs": Case(judged_by(), state(REGISTERED, RUNNING), AT_WORK, "GateRunning"),
    "a gate's result is being read": Case(
        judged_by(state=RunState.FINISHED), state(REGISTERED, RUNNING), AT_WORK, "GateFinished"
    ),
    "a gate's Job is being made": Case(
        replace(judged_by(), runs={}), state(REGISTERED, RUNNING), AT_WORK, "GatePending"
    ),
    "a rollout goes on": Case(
        rolling_out(updated=1), state(IN_STAGING, ROLLING), AT_WORK, "RollingOut"
    ),
    "rights could not be reviewed": Case(
        replace(snapshot(model=WISH), access=Permissive({MAY: None})),
        state(IN_STAGING),
        AT_WORK,
        "RightNotReviewed",
    ),
    "a gate failed": Case(
        snapshot(model=STAGED),
        state(
            REGISTERED,
            attempt(to=Stage.STAGING, outcome=AttemptOutcome.FAILED, code="GateFailed"),
        ),
        REFUSED,
        "GateFailed",
    ),
    "a rollout failed": Case(
        snapshot(model=WISH),
        state(IN_STAGING, replace(ROLLING, outcome=AttemptOutcome.FAILED, code="RolloutTimedOut")),
        REFUSED,
        "RolloutTimedOut",
    ),
    "somebody rejected it": Case(
        snapshot(model=WISH),
        state(IN_STAGING, attempt(outcome=AttemptOutcome.REJECTED, code="Rejected")),
        REFUSED,
        "Rejected",
    ),
    "whoever asked lacks the right": Case(
        replace(snapshot(model=WISH), access=Permissive({MAY: False})),
        state(IN_STAGING),
        REFUSED,
        "RequesterLacksRight",
    ),
}


def drawn(case: Case) -> dict[str, Any]:
    """Draw the status of the Model."""
    looks = tuple(
        look
        for open_attempt in case.after.open_attempts()
        if (look := look_at(open_attempt, case)) is not None
    )
    holds = openings(case.facts, case.after, identity=IDENTITY).holds
    assert case.facts.model is not None
    return model_status(
        case.facts.model,
        case.facts,
        state=case.after,
        holds=holds,
        looks=looks,
        review=is_false("ReviewOverdue", "NoReviewDue", "No review is due."),
    )


def look_at(open_attempt: AttemptState, case: Case) -> Standing | None:
    return standing(open_attempt, case.facts, state=case.after, installation=INSTALLATION)


def signs_of(status: dict[str, Any]) -> Signs:
    found = {condition["type"]: condition["status"] for condition in status["conditions"]}
    return Signs(*(found.get(kind.capitalize(), "") for kind in Signs._fields))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_model_says_who_is_awaited(case: Case) -> None:
    status = drawn(case)

    settled = next(c for c in status["conditions"] if c["type"] == "Settled")
    assert (signs_of(status), settled["reason"]) == (case.signs, case.reason)


@pytest.mark.parametrize(
    "case",
    [case for case in CASES.values() if case.after.open_attempts()],
    ids=[name for name, case in CASES.items() if case.after.open_attempts()],
)
def test_an_open_attempt_says_the_same(case: Case) -> None:
    (open_attempt,) = case.after.open_attempts()

    status = transition_status(
        case.facts.transitions[open_attempt.name],
        case.facts,
        state=case.after,
        look=look_at(open_attempt, case),
        installation=INSTALLATION,
    )

    assert signs_of(status) == case.signs._replace(settled="")


def test_everything_unmet_is_listed_with_what_to_do() -> None:
    facts = snapshot(
        model=replace(WISH, authors=()),
        versions={},
        policy=wait("NoPolicy", "There is none.", "Apply one."),
    )

    status = drawn(Case(facts, state({}), PEOPLE_AWAITED, ""))

    assert [(item["to"], item["code"], item.get("nextStep")) for item in status["unmet"]] == [
        (
            "Staging",
            "VersionNotFound",
            "Register it, or correct the number in spec.stages.",
        ),
        ("Staging", "AuthorUnknown", "Check that the webhook runs, then write it again."),
        ("Staging", "NoPolicy", "Apply one."),
    ]


def test_a_replaced_version_whose_staging_entry_still_stands_leaves_the_model_settled() -> None:
    left = version_state(1, Stage.RETIRING, was_superseded=True, spent_request="r1")
    succeeded = attempt(to=Stage.STAGING, outcome=AttemptOutcome.SUCCEEDED)
    after = state({2: Stage.PRODUCTION}, succeeded)
    asked = (author("r1", "stages.staging/1"), author("r2", "stages.production"))
    case = Case(
        snapshot(model=model(stages=stages(2, staging=(1, 2)), authors=asked)),
        replace(after, versions=after.versions.put(1, left)),
        SETTLED,
        "AsWritten",
    )

    assert signs_of(drawn(case)) == SETTLED
