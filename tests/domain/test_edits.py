from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as some

from modelwarden.domain import rights
from modelwarden.domain.edits import (
    TABLE,
    Change,
    Edit,
    Place,
    rights_needed,
    rights_of_move,
    rows_of,
    touched_entries,
)
from modelwarden.domain.rights import Right
from modelwarden.domain.stages import Move, Stage

from .edit_cases import CASES, Case, shown, staged

STEPS = (
    (Move.REGISTER, None, Stage.REGISTERED, ()),
    (Move.PROMOTE, Stage.REGISTERED, Stage.STAGING, (rights.PROMOTE_STAGING,)),
    (Move.PROMOTE, Stage.STAGING, Stage.PRODUCTION, (rights.PROMOTE_PRODUCTION,)),
    (Move.PROMOTE, Stage.ARCHIVED, Stage.STAGING,
     (rights.PROMOTE_STAGING, rights.PROMOTE_ARCHIVED)),
    (Move.PROMOTE, Stage.ARCHIVED, Stage.REGISTERED, (rights.PROMOTE_ARCHIVED,)),
    (Move.ROLLBACK, Stage.RETIRING, Stage.PRODUCTION, (rights.ROLLBACK_PRODUCTION,)),
    (Move.ROLLBACK, Stage.STAGING, Stage.PRODUCTION, (rights.ROLLBACK_PRODUCTION,)),
    (Move.DEMOTE, Stage.STAGING, Stage.REGISTERED, (rights.DEMOTE_STAGING,)),
    (Move.WITHDRAW, Stage.PRODUCTION, Stage.STAGING, (rights.DEMOTE_PRODUCTION,)),
    (Move.WITHDRAW, Stage.PRODUCTION, Stage.REGISTERED, (rights.DEMOTE_PRODUCTION,)),
    (Move.WITHDRAW, Stage.PRODUCTION, Stage.RETIRING, (rights.DEMOTE_PRODUCTION,)),
    (Move.ARCHIVE, Stage.STAGING, Stage.ARCHIVED, (rights.DEMOTE_STAGING,)),
    (Move.ARCHIVE, Stage.RETIRING, Stage.ARCHIVED, (rights.DEMOTE_ARCHIVED,)),
    (Move.ARCHIVE, Stage.REGISTERED, Stage.ARCHIVED, (rights.DEMOTE_ARCHIVED,)),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_an_edit_asks_for_the_rights_of_its_rows(case: Case) -> None:
    needed = rights_needed(case.old, case.new, case.status)

    assert needed == frozenset(case.needs)


def test_case_titles_are_unique() -> None:
    titles = [case.title for case in CASES]

    assert len(titles) == len(set(titles))


def test_every_row_of_the_table_is_used_by_a_case() -> None:
    used = {
        touched.row
        for case in CASES
        for touched in touched_entries(Edit(old=case.old, new=case.new, status=case.status))
    }

    assert set(TABLE) - used == set()


@pytest.mark.parametrize(("place", "change"), list(product(Place, Change)))
def test_the_last_row_always_holds_and_only_the_last(place: Place, change: Change) -> None:
    rows = rows_of(place, change)

    assert [bool(row.facts) for row in rows] == [True] * (len(rows) - 1) + [False]


@pytest.mark.parametrize(("move", "source", "target", "needs"), STEPS)
def test_a_step_needs_the_rights_of_the_edit_that_asks_for_it(
    move: Move, source: Stage | None, target: Stage, needs: tuple[Right, ...]
) -> None:
    assert rights_of_move(move, source=source, target=target) == frozenset(needs)


def test_without_a_status_the_weaker_row_is_asked() -> None:
    withdrawal = rights_needed(staged(1), staged(archived=(1,)), None)

    assert withdrawal == {rights.ANY_PRODUCTION, rights.DEMOTE_ARCHIVED}


_numbers = some.sets(some.integers(1, 6), max_size=3).map(tuple)
_stages = some.builds(
    staged, some.none() | some.integers(1, 6), staging=_numbers, archived=_numbers
)
_statuses = some.builds(
    shown,
    some.none() | some.integers(1, 6),
    staging=_numbers,
    retiring=_numbers,
    archived=_numbers,
    rollback_to=_numbers,
)


@given(same=_stages, status=_statuses)
def test_an_edit_that_changes_nothing_needs_no_right(
    same: dict[str, object], status: dict[str, object]
) -> None:
    assert rights_needed(same, same, status) == frozenset()


@given(steps=some.lists(_stages, min_size=3, max_size=3), status=_statuses)
def test_whoever_may_edit_twice_changes_nothing_for_free(
    steps: list[dict[str, object]], status: dict[str, object]
) -> None:
    """A detour over a third spec never gives a version into Production without a right there."""
    direct = rights_needed(steps[0], steps[2], status)
    detour = frozenset().union(*(rights_needed(old, new, status) for old, new in pairwise(steps)))

    for right in direct & {rights.PROMOTE_PRODUCTION, rights.ROLLBACK_PRODUCTION}:
        assert any(other.subresource == right.subresource for other in detour)
