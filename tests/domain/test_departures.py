"""Where a version goes when it leaves Production."""

from dataclasses import replace

import pytest

from modelwarden.domain.departures import (
    directly_superseded,
    may_move_away,
    when_rolled_back,
    when_superseded,
    when_withdrawn,
)
from modelwarden.domain.facts import DesiredStages
from modelwarden.domain.stages import Stage
from modelwarden.domain.state import ModelState
from tests.domain.builders import interval, stages, state, version_state


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
