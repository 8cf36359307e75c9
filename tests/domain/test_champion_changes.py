"""What an attempt is compared with was in Production when it opened, or it begins again."""

from dataclasses import replace
from typing import Any

import pytest

from modelwarden.domain.decide import Plan, decide
from modelwarden.domain.facts import Snapshot, TransitionFacts
from modelwarden.domain.records import Operation
from modelwarden.domain.stages import Stage
from modelwarden.domain.standing import standing
from modelwarden.domain.state import AttemptOutcome, AttemptState, ModelState
from tests.domain.builders import (
    INSTALLATION,
    NOW_TEXT,
    SCRIBE,
    approvals,
    attempt,
    author,
    carrying,
    gate,
    interval,
    metric,
    model,
    policy,
    rule,
    snapshot,
    stages,
    state,
    step,
    transition,
    version,
)

CHAMPION = gate("champion", settings={"champion": {"maxDrop": "0"}})
WISH = model(
    metrics=(rule(critical=True),),
    stages=stages(3, staging=(3,)),
    authors=(author("r1", "stages.production"),),
)
GUARDED = step(Stage.PRODUCTION, CHAMPION)
UNGUARDED = step(Stage.PRODUCTION)


def frozen(*champion: int, guard: Any = GUARDED) -> TransitionFacts:
    named = [{"version": n, "subjectDigest": version(n).subject} for n in champion]
    spec = {"champion": named[0]} if named else {}
    return transition(3, spec=spec, step=guard, metrics=WISH.metrics)


def opened(about: TransitionFacts, **changes: Any) -> AttemptState:
    return attempt(3, spec=about.digest, gates_expected=("champion",), **changes)


def facts(about: TransitionFacts, **changes: Any) -> Snapshot:
    versions = {number: version(number) for number in (1, 2, 3)}
    given = {"model": WISH, "versions": versions, "transitions": {about.name: about}}
    return snapshot(**{**given, **changes})


def in_production(*numbers: int, of: AttemptState) -> ModelState:
    where = {1: Stage.RETIRING, 2: Stage.RETIRING, 3: Stage.STAGING}
    return state({**where, **dict.fromkeys(numbers, Stage.PRODUCTION)}, of)


def planned(about: TransitionFacts, after: ModelState) -> Plan:
    return decide(facts(about), after, scribe=SCRIBE, installation=INSTALLATION)


@pytest.mark.parametrize(
    ("before", "now", "sentence"),
    [
        (
            (1,),
            (2,),
            "In Production is version 2 now; when the attempt opened, it was version 1.",
        ),
        ((), (2,), "In Production is version 2 now; when the attempt opened, it was no version."),
        ((1,), (), "In Production is no version now; when the attempt opened, it was version 1."),
    ],
    ids=["another one", "the first one", "none any more"],
)
def test_a_new_production_supersedes_whatever_was_compared_with_the_old_one(
    before: tuple[int, ...], now: tuple[int, ...], sentence: str
) -> None:
    about = frozen(*before)

    (record,) = planned(about, in_production(*now, of=opened(about))).records

    assert (record.operation, record.facts) == (
        Operation.SUPERSEDED,
        {"code": "ChampionChanged", "sentence": sentence, "reopens": True},
    )


def test_the_same_request_opens_the_next_attempt_against_the_new_production() -> None:
    about = frozen(1)
    ended = opened(about, outcome=AttemptOutcome.SUPERSEDED, reopens=True)

    (new,) = planned(about, in_production(2, of=ended)).create

    champion = {"version": 2, "subjectDigest": version(2).subject}
    assert (new.name, new.spec["champion"]) == ("fraud-detector-3-production-2", champion)


def test_an_attempt_that_compares_with_nothing_goes_on() -> None:
    about = frozen(1, guard=UNGUARDED)

    (record,) = planned(about, in_production(2, of=opened(about))).records

    assert record.operation is Operation.GATE_FINISHED


def test_after_the_rollout_has_begun_the_comparison_has_been_made() -> None:
    about = frozen(1)
    begun = opened(about, outcome=AttemptOutcome.ROLLING_OUT, rollout_begun=NOW_TEXT, approvals=())
    live = facts(about, deployments={"fraud-api": carrying(3, updated=1)})
    after = replace(in_production(2, of=begun), intervals=(interval(2),))

    assert decide(live, after, scribe=SCRIBE, installation=INSTALLATION).records == ()


def test_the_gate_waits_for_a_champion_that_cannot_be_read() -> None:
    about = frozen(2)
    without = facts(about, versions={3: version(3)})
    after = in_production(2, of=opened(about))

    look = standing(opened(about), without, state=after, installation=INSTALLATION)

    assert look is not None
    assert [gate.verdict.code for gate in look.gates] == ["ChampionUnreadable"]
    assert decide(without, after, scribe=SCRIBE, installation=INSTALLATION).records == ()


def test_a_champion_is_frozen_wherever_a_gate_compares_with_it() -> None:
    wish = replace(WISH, stages=stages(staging=(3,)), authors=(author("r1", "stages.staging/3"),))
    early = policy(step(Stage.STAGING, gate(), CHAMPION))
    asked = facts(frozen(2), model=wish, policy=early, transitions={})
    after = state({1: Stage.RETIRING, 2: Stage.PRODUCTION, 3: Stage.REGISTERED})

    (new,) = decide(asked, after, scribe=SCRIBE, installation=INSTALLATION).create

    assert new.spec["champion"] == {"version": 2, "subjectDigest": version(2).subject}


def test_a_result_names_the_numbers_of_both_versions() -> None:
    about = frozen(2)
    versions = {2: version(2), 3: version(3, metrics=(metric("0.951"),))}
    without_people = replace(GUARDED, approvals=approvals(0, 0))
    about = replace(about, step=without_people)
    after = in_production(2, of=opened(about))

    (record,) = decide(
        facts(about, versions=versions), after, scribe=SCRIBE, installation=INSTALLATION
    ).records

    assert (record.facts["gate"], record.facts["outcome"], record.facts["sentence"]) == (
        "champion",
        "Passed",
        "auc 0.951, Production has 0.94.",
    )
