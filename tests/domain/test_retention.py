"""How long an archived version is kept, and what is shown of it."""

from dataclasses import replace
from typing import Any

import pytest

from modelwarden.domain.facts import PolicyFacts
from modelwarden.domain.retention import (
    archived_days,
    archived_to_draw_again,
    kept,
    retention_told,
)
from modelwarden.domain.stages import Stage
from modelwarden.domain.verdicts import Verdict, wait
from tests.domain.builders import at, model, policy, snapshot, state, version

NO_POLICY = wait("NoPolicy", "There is none.")
ARCHIVED = state({1: Stage.ARCHIVED, 2: Stage.REGISTERED, 3: Stage.ARCHIVED})
SHOWN = {"retention": {"archivedDays": 30}}


@pytest.mark.parametrize(
    ("of_model", "governs", "days"),
    [
        (None, policy(), None),
        (30, policy(), 30),
        (None, policy(archived_days=20), 20),
        (30, policy(archived_days=20), 30),
        (10, policy(archived_days=20), 20),
        (10, NO_POLICY, 10),
    ],
)
def test_of_the_model_and_its_policy_the_longer_time_counts(
    of_model: int | None, governs: PolicyFacts | Verdict, days: int | None
) -> None:
    assert archived_days(model(archived_days=of_model), governs) == days


@pytest.mark.parametrize(
    ("of_model", "governs", "told"),
    [
        (None, policy(), {}),
        (10, policy(), {"archivedDays": 10}),
        (10, NO_POLICY, {"archivedDays": 30}),
        (40, NO_POLICY, {"archivedDays": 40}),
    ],
)
def test_a_policy_that_is_gone_shortens_nothing(
    of_model: int | None, governs: PolicyFacts | Verdict, told: dict[str, int]
) -> None:
    assert retention_told(model(archived_days=of_model, status=SHOWN), governs) == told


@pytest.mark.parametrize(
    ("number", "seen", "told"),
    [
        (1, {}, {"retainedUntil": "2026-12-24T12:00:00.000Z"}),
        (1, {"now": at(days=29, hours=23)}, {"retainedUntil": "2026-12-24T12:00:00.000Z"}),
        (1, {"now": at(days=30)}, {}),
        (1, {"model": model()}, {}),
        (1, {"model": None}, {}),
        (2, {}, {}),
        (9, {}, {}),
    ],
    ids=["archived", "nearly over", "over", "nobody says", "no Model", "registered", "unknown"],
)
def test_until_its_time_is_over_an_archived_version_says_so(
    number: int, seen: dict[str, Any], told: dict[str, str]
) -> None:
    facts = replace(snapshot(model=model(archived_days=30)), **seen)

    assert kept(version(number), facts, state=ARCHIVED) == told


def test_all_archived_versions_are_drawn_again_where_another_time_counts() -> None:
    drawn = [
        archived_to_draw_again(found, policy(), ARCHIVED)
        for found in (
            None,
            model(),
            model(status=SHOWN),
            model(archived_days=30, status=SHOWN),
            model(archived_days=31, status=SHOWN),
        )
    ]

    assert drawn == [(), (), (1, 3), (), (1, 3)]
