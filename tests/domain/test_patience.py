"""When to look again without being told."""

from dataclasses import replace
from typing import Any

import pytest

from modelwarden.domain.evidence import evidence_digest
from modelwarden.domain.facts import RunKey, Snapshot
from modelwarden.domain.opening import openings
from modelwarden.domain.patience import look_again_in
from modelwarden.domain.stages import Stage
from modelwarden.domain.standing import standing
from modelwarden.domain.state import AttemptOutcome, GateOutcome, ModelState
from modelwarden.domain.verdicts import wait
from tests.domain.builders import (
    IDENTITY,
    INSTALLATION,
    NOW,
    NOW_TEXT,
    OWNER,
    approvals,
    at,
    attempt,
    author,
    carrying,
    decision,
    gate,
    gate_state,
    model,
    ready_attempt,
    run,
    snapshot,
    stages,
    state,
    step,
    transition,
    version,
)

WISH = model(stages=stages(1, staging=(1,)), authors=(author("r1", "stages.production"),))
STAGED = model(stages=stages(staging=(1,)), authors=(author("r1", "stages.staging/1"),))
IN_STAGING, REGISTERED = {1: Stage.STAGING}, {1: Stage.REGISTERED}
OPEN = ready_attempt()
ROLLING = replace(OPEN, outcome=AttemptOutcome.ROLLING_OUT, rollout_begun=NOW_TEXT, approvals=())
SOAKING = step(Stage.PRODUCTION, soak_seconds=3600)
EXPIRING = step(Stage.PRODUCTION, approvals=approvals(expire_after_seconds=600))
VOTE = decision(OWNER, evidence_digest=evidence_digest(OPEN, version()))
WITH_JOB = transition(to=Stage.STAGING, step=step(Stage.STAGING, gate("artifact")))
RUNNING = attempt(to=Stage.STAGING, gates_expected=("artifact",))
LOST_ONCE = gate_state("artifact", GateOutcome.INCONCLUSIVE, tries=1, final=False)
JOB = RunKey(RUNNING.name, "artifact", 1)


def asking(about: Any = None, **changes: Any) -> Snapshot:
    found = about or transition()
    return snapshot(**{"model": WISH, "transitions": {found.name: found}, **changes})


def judging(**changes: Any) -> Snapshot:
    found = run(gate("artifact"), WITH_JOB, **changes)
    return snapshot(model=STAGED, transitions={WITH_JOB.name: WITH_JOB}, runs={JOB: found})


MOMENTS: dict[str, tuple[Snapshot, ModelState, float | None]] = {
    "nothing is asked": (snapshot(), state(IN_STAGING), None),
    "people are awaited: a decision is announced": (asking(), state(IN_STAGING, OPEN), None),
    "a policy is awaited: its coming is announced": (
        snapshot(model=STAGED, policy=wait("NoPolicy", "None.")),
        state(REGISTERED),
        None,
    ),
    "a Deployment without a label of ours is not watched": (
        asking(deployments={}),
        state(IN_STAGING, OPEN),
        5.0,
    ),
    "nor is one that begins to roll out": (
        asking(deployments={"fraud-api": carrying(1, updated=1)}),
        state(IN_STAGING, ROLLING),
        5.0,
    ),
    "what keeps a pod from starting may not be announced": (
        judging(idle_since=NOW),
        state(REGISTERED, RUNNING),
        15.0,
    ),
    "a run that does not start is given up": (
        judging(idle_since=at(seconds=-290)),
        state(REGISTERED, RUNNING),
        10.0,
    ),
    "the end of a container is announced": (judging(), state(REGISTERED, RUNNING), None),
    "an inconclusive gate rests": (
        replace(judging(), runs={}, now=at(seconds=3)),
        state(REGISTERED, replace(RUNNING, gates={"artifact": LOST_ONCE})),
        7.0,
    ),
    "nor does a Job that is not ours": (
        judging(inputs_digest="another"),
        state(REGISTERED, RUNNING),
        5.0,
    ),
    "soaking ends by itself": (
        asking(transition(step=SOAKING)),
        state(IN_STAGING, replace(OPEN, spec=transition(step=SOAKING).digest)),
        3600.0,
    ),
    "a soaking that has ended": (
        asking(transition(step=SOAKING), now=at(hours=2)),
        state(IN_STAGING, OPEN),
        None,
    ),
    "a vote expires by itself": (
        asking(transition(step=EXPIRING), decisions=(VOTE,), now=at(seconds=100)),
        state(IN_STAGING, OPEN),
        500.0,
    ),
    "a vote that has expired": (
        asking(transition(step=EXPIRING), decisions=(VOTE,), now=at(seconds=700)),
        state(IN_STAGING, OPEN),
        None,
    ),
    "never at once, so that nothing spins": (
        asking(transition(step=EXPIRING), decisions=(VOTE,), now=at(seconds=599.9)),
        state(IN_STAGING, OPEN),
        1.0,
    ),
}


@pytest.mark.parametrize(("facts", "after", "seconds"), MOMENTS.values(), ids=MOMENTS)
def test_a_look_is_due_only_where_nothing_will_be_announced(
    facts: Snapshot, after: ModelState, seconds: float | None
) -> None:
    looks = tuple(
        look
        for opened in after.open_attempts()
        if (look := standing(opened, facts, state=after, installation=INSTALLATION)) is not None
    )
    holds = openings(facts, after, identity=IDENTITY).holds

    assert look_again_in(looks, state=after, holds=holds, now=facts.now) == seconds


def test_a_right_that_nobody_could_review_is_asked_again() -> None:
    unanswered = replace(snapshot(model=STAGED), access={})
    holds = openings(unanswered, state(REGISTERED), identity=IDENTITY).holds

    assert look_again_in((), state=state(REGISTERED), holds=holds, now=NOW) == 5.0
