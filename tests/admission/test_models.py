from typing import Any

import pytest

from modelwarden.admission.models import stamped
from tests.domain.edit_cases import shown, spec, staged

from .requests import BY, UID, operations, review

MINE = {"id": UID, "by": BY, "of": ["stages.staging/1"]}


def authored(stages: dict[str, Any], *authors: dict[str, Any]) -> dict[str, Any]:
    return {**stages, "authors": list(authors)}


def test_whoever_changes_a_part_is_stamped() -> None:
    request = review("Model", staged(staging=(1,)), old=staged())

    answer = stamped(request)

    assert operations(request, answer) == [{"op": "add", "path": "/spec/authors", "value": [MINE]}]


def test_what_changes_no_part_is_left_alone() -> None:
    old = authored(staged(staging=(1,)), MINE)
    request = review("Model", {**old, "displayName": "Fraud"}, old=old)

    answer = stamped(request)

    assert operations(request, answer) == []


@pytest.mark.parametrize(
    "written", [{}, {"authors": []}, {"authors": [{**MINE, "id": "forged"}]}], ids=str
)
def test_a_stamp_that_the_caller_wrote_is_written_over(written: dict[str, Any]) -> None:
    old = authored(staged(staging=(1,)), MINE)
    request = review("Model", {**staged(staging=(1,)), **written}, old=old)

    answer = stamped(request)

    assert operations(request, answer) == [{"op": "add", "path": "/spec/authors", "value": [MINE]}]


def test_a_stamp_that_nobody_needs_is_taken_out() -> None:
    request = review("Model", authored(spec(displayName="Fraud"), MINE), old=spec())

    answer = stamped(request)

    assert operations(request, answer) == [{"op": "remove", "path": "/spec/authors"}]


def test_settled_parts_are_pruned_by_what_status_shows() -> None:
    old = authored(staged(archived=(1,)), {**MINE, "of": ["stages.archived/1"]})
    new = staged(archived=(1,), staging=(2,))
    request = review("Model", new, old=old, status={"stages": shown(archived=(1,))})

    (operation,) = operations(request, stamped(request))

    assert [item["of"] for item in operation["value"]] == [["stages.staging/2"]]


def test_asking_twice_changes_nothing_more() -> None:
    once = authored(staged(staging=(1,)), MINE)
    request = review("Model", once, old=staged())

    assert operations(request, stamped(request)) == []


@pytest.mark.parametrize(
    "stages",
    [
        {"staging": [{"reason": "no version"}]},
        {"staging": [7]},
        {"staging": [{"version": {}}]},
        {"staging": 7},
        {"production": "x"},
        [],
        "x",
    ],
    ids=str,
)
def test_what_is_malformed_is_left_to_the_schema(stages: Any) -> None:
    request = review("Model", spec(stages=stages), old=spec())

    answer = stamped(request)

    assert not answer.verdict.denies
    assert operations(request, answer) == []


CROWD = {"username": "a@example.com", "groups": [f"group-{number}" for number in range(602)]}


def test_a_login_with_too_many_groups_changes_no_part() -> None:
    answer = stamped(review("Model", staged(staging=(1,)), old=staged(), by=CROWD))

    assert answer.verdict.code == "TooManyGroups"
    assert answer.verdict.sentence == "a@example.com is in 602 groups, a stamp holds 512."


def test_a_login_with_too_many_groups_may_change_the_rest() -> None:
    answer = stamped(review("Model", spec(displayName="Fraud"), old=spec(), by=CROWD))

    assert not answer.verdict.denies


def test_a_group_with_an_endless_name_is_named() -> None:
    by = {"username": "a@example.com", "groups": ["g" * 300]}

    answer = stamped(review("Model", staged(staging=(1,)), old=staged(), by=by))

    assert answer.verdict.code == "GroupNameTooLong"


def test_a_model_does_not_grow_over_a_megabyte() -> None:
    answer = stamped(review("Model", spec(description="x" * 1_000_000), old=spec()))

    assert answer.verdict.code == "ModelTooLarge"
    assert "1,000,000 is the most" in answer.verdict.sentence


def test_a_model_that_is_too_large_may_become_smaller() -> None:
    old = spec(description="x" * 1_200_000)

    answer = stamped(review("Model", spec(description="x" * 1_100_000), old=old))

    assert not answer.verdict.denies
