"""Where a version goes when it leaves Production."""

from dataclasses import replace

import pytest

from modelwarden.domain.departures import (
    directly_superseded,
    leaves_production,
    may_move_away,
    returnable,
    rollback_targets,
    when_rolled_back,
    when_superseded,
    when_withdrawn,
)
from modelwarden.domain.facts import DesiredStages, PolicyFacts, RollbackRule
from modelwarden.domain.scribe import moment
from modelwarden.domain.stages import Move, Stage
from modelwarden.domain.state import AttemptOutcome, ModelState
from modelwarden.domain.verdicts import Verdict, wait
from tests.domain.builders import (
    NOW,
    NOW_TEXT,
    attempt,
    interval,
    policy,
    stages,
    state,
    version_state,
)

NO_POLICY = wait("NoPolicy", "There is none.")
ROLLING_2 = attempt(2, outcome=AttemptOutcome.ROLLING_OUT, rollout_begun=NOW_TEXT)


@pytest.mark.parametrize(
    ("surface", "stage"),
    [
        (stages(2), Stage.RETIRING),
        (stages(2, staging=(1, 2)), Stage.RETIRING),
        (stages(2, registered=(1,)), Stage.REGISTERED),
        # The archive is reached through Retiring, when no consumer is left.
        (stages(2, archived=(1,)), Stage.RETIRING),
    ],
    ids=["nothing written", "its staging entry is spent", "registered", "archived"],
)
def test_a_superseded_version_goes_where_it_is_written_or_retires(
    surface: DesiredStages, stage: Stage
) -> None:
    assert when_superseded(surface, 1) is stage


@pytest.mark.parametrize(
    ("surface", "stage"),
    [
        (stages(2, staging=(1,)), Stage.STAGING),
        (stages(2), Stage.RETIRING),
        (stages(2, archived=(1,)), Stage.RETIRING),
    ],
    ids=["its staging entry stands", "nothing written", "archived"],
)
def test_a_version_that_was_rolled_back_goes_to_staging_if_its_entry_stands(
    surface: DesiredStages, stage: Stage
) -> None:
    assert when_rolled_back(surface, 1) is stage


@pytest.mark.parametrize(
    ("surface", "stage"),
    [
        (stages(staging=(1,)), Stage.STAGING),
        (stages(registered=(1,)), Stage.REGISTERED),
        (stages(archived=(1,)), Stage.RETIRING),
        (stages(), None),
    ],
    ids=["staging", "registered", "archived", "nothing written"],
)
def test_a_withdrawn_version_goes_where_it_is_written(
    surface: DesiredStages, stage: Stage | None
) -> None:
    assert when_withdrawn(surface, 1) is stage


@pytest.mark.parametrize(
    ("surface", "known", "may"),
    [
        (stages(2), state({1: Stage.PRODUCTION, 2: Stage.STAGING}), False),
        (stages(2), state({1: Stage.RETIRING, 2: Stage.PRODUCTION}), True),
        (stages(), state({1: Stage.PRODUCTION}), True),
        (stages(1), state({1: Stage.PRODUCTION}), True),
    ],
    ids=["the next one has not committed", "the next one has", "withdrawn", "nothing asked"],
)
def test_production_is_left_only_for_what_has_committed(
    *, surface: DesiredStages, known: ModelState, may: bool
) -> None:
    assert may_move_away(surface, known) is may


SERVED_1_THEN_2 = (interval(1, end="2026-11-24T11:00:00Z"), interval(2))


def known(*, was_superseded: bool, intervals: object = SERVED_1_THEN_2) -> ModelState:
    after = state({1: Stage.RETIRING, 2: Stage.PRODUCTION})
    left = version_state(1, Stage.RETIRING, was_superseded=was_superseded)
    return replace(after, versions=after.versions.put(1, left), intervals=intervals)


@pytest.mark.parametrize(
    ("after", "back_to"),
    [
        (known(was_superseded=True), 1),
        (known(was_superseded=False), None),
        (known(was_superseded=True, intervals=(interval(2),)), None),
        (replace(known(was_superseded=True), production=None), None),
    ],
    ids=["superseded", "left otherwise", "nothing before", "nothing in Production"],
)
def test_the_version_superseded_last_may_come_back(after: ModelState, back_to: int | None) -> None:
    assert directly_superseded(after) == back_to


def served(*versions: int, left: dict[int, str], superseded: frozenset[int]) -> ModelState:
    """Each version in turn was in Production until its end; the last one still is."""
    *before, last = versions
    after = state({**dict.fromkeys(before, Stage.ARCHIVED), last: Stage.PRODUCTION})
    for number in before:
        gone = version_state(number, Stage.ARCHIVED, was_superseded=number in superseded)
        after = replace(after, versions=after.versions.put(number, gone))
    intervals = (*(interval(n, end=left[n]) for n in before), interval(last))
    return replace(after, intervals=intervals)


LEFT = {1: "2026-11-01T12:00:00Z", 2: "2026-11-20T12:00:00Z", 3: "2026-11-23T12:00:00Z"}
ALL = served(1, 2, 3, 4, left=LEFT, superseded=frozenset({1, 2, 3}))
LAST_WENT_BACK = served(1, 2, 3, 4, left=LEFT, superseded=frozenset({1, 2}))
THIRTY, TEN = RollbackRule(within_days=30), RollbackRule(within_days=10)


@pytest.mark.parametrize(
    ("after", "governing", "back"),
    [
        (ALL, policy(), [(3, None)]),
        (ALL, NO_POLICY, [(3, None)]),
        (
            ALL,
            policy(rollback=THIRTY),
            [(1, "2026-12-01T12:00:00Z"), (2, "2026-12-20T12:00:00Z"), (3, None)],
        ),
        (ALL, policy(rollback=TEN), [(2, "2026-11-30T12:00:00Z"), (3, None)]),
        (LAST_WENT_BACK, policy(), []),
        (LAST_WENT_BACK, policy(rollback=TEN), [(2, "2026-11-30T12:00:00Z")]),
        (
            replace(
                ALL, versions=ALL.versions.put(4, version_state(4, Stage.STAGING)), production=None
            ),
            policy(rollback=TEN),
            [(2, "2026-11-30T12:00:00Z"), (3, "2026-12-03T12:00:00Z")],
        ),
        (state({}), policy(rollback=TEN), []),
    ],
    ids=[
        "the last one, whatever the policy says",
        "the last one, without a policy",
        "older ones for thirty days",
        "older ones for ten days",
        "the last one left by a rollback",
        "the last one left by a rollback, an older one did not",
        "nothing in Production",
        "nothing ever served",
    ],
)
def test_a_version_that_was_superseded_may_come_back(
    after: ModelState, governing: PolicyFacts | Verdict, back: list[tuple[int, str | None]]
) -> None:
    found = rollback_targets(after, governing, now=NOW)

    assert [(t.version, t.until) for t in found] == [
        (number, None if until is None else moment(until)) for number, until in back
    ]


def test_an_attempt_to_come_back_goes_on_by_what_held_when_it_opened() -> None:
    opened = replace(ALL, attempts=state({}, attempt(1, kind=Move.ROLLBACK)).attempts)

    assert returnable(opened, policy(), now=NOW) == {1, 3}


@pytest.mark.parametrize(
    ("surface", "after", "code"),
    [
        (stages(2, registered=(1,)), state({1: Stage.PRODUCTION}), "WaitsForReplacement"),
        (stages(registered=(1,)), state({1: Stage.PRODUCTION}), "MayLeave"),
        (
            stages(registered=(1,)),
            state({1: Stage.PRODUCTION}, ROLLING_2),
            "RolloutInProgress",
        ),
    ],
    ids=["another version is asked for", "nothing is asked for", "another one is rolled out"],
)
def test_the_version_in_production_waits_for_what_is_on_its_way(
    surface: DesiredStages, after: ModelState, code: str
) -> None:
    assert leaves_production(surface, after).code == code
