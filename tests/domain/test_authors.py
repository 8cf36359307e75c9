from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from modelwarden.domain.authors import changed_parts, stamp
from modelwarden.domain.identity import Caller

from .edit_cases import CASES, Case, shown, spec, staged

ALICE = Caller(username="alice@example.com", uid="a", groups=("risk",))
BOB = Caller(username="bob@example.com", uid="b", groups=("system:authenticated",))

PARTS = {
    "a registered version into Staging": ("stages.staging/1",),
    "from Staging to Production, the entry stays": ("stages.production",),
    "from Staging to Production, the entry moves": ("stages.production", "stages.staging/1"),
    "a new Production replaces the old": ("stages.production",),
    "withdrawn to the archive": ("stages.production/1", "stages.archived/1"),
    "out of Staging to Registered": ("stages.staging/1", "stages.registered/1"),
    "a typo removed": ("stages.staging/7",),
    "the reason of a settled Production": ("stages.production",),
    "a settled line of the archive removed": ("stages.archived/1",),
    "nothing": (),
    "another order": (),
    "a display name": (),
    "empty stages": (),
    "a Model with owners and rules": ("governed",),
    "a Model with automation": ("automation", "governed"),
    "a Model with serving": ("serving", "governed"),
    "owners": ("governed",),
    "another policy": ("governed",),
    "automation": ("automation",),
    "no automation any more": ("automation",),
    "a Deployment before anything serves": ("serving",),
    "promoted, and serving changed": ("stages.production", "stages.staging/1", "serving"),
}


def item(caller: Caller, *parts: str, request: str = "1") -> dict[str, Any]:
    return {"id": request, "by": caller.to_json(), "of": list(parts)}


def authored(stages: Mapping[str, Any], *items: Mapping[str, Any]) -> dict[str, Any]:
    return {**stages, "authors": list(items)}


@pytest.mark.parametrize("case", [c for c in CASES if c.title in PARTS], ids=lambda c: c.title)
def test_an_edit_changes_these_parts(case: Case) -> None:
    assert changed_parts(case.old, case.new) == PARTS[case.title]


def test_whoever_creates_a_model_is_the_author_of_every_part() -> None:
    authors = stamp(None, staged(1, staging=(2,)), None, caller=ALICE, request_id="1")

    assert authors == [item(ALICE, "stages.production", "stages.staging/2", "governed")]


def test_the_changed_part_gets_the_caller_and_the_others_keep_theirs() -> None:
    old = authored(
        staged(1, staging=(2, 3)), item(ALICE, "stages.production", "stages.staging/2", "governed")
    )

    authors = stamp(old, staged(1, staging=(2, 4)), shown(1), caller=BOB, request_id="2")

    assert authors == [
        item(ALICE, "stages.production", "stages.staging/2", "governed"),
        item(BOB, "stages.staging/4", "stages.staging/3", request="2"),
    ]


def test_an_item_without_parts_is_dropped() -> None:
    old = authored(staged(1), item(ALICE, "stages.production"), item(BOB, "governed", request="0"))

    authors = stamp(old, staged(2), None, caller=BOB, request_id="2")

    assert authors == [
        item(BOB, "governed", request="0"),
        item(BOB, "stages.production", request="2"),
    ]


def test_an_edit_of_no_stamped_part_keeps_the_items_untouched() -> None:
    old = authored(staged(), item(ALICE, "stages.archived/1", "stages.staging/9"))
    forged = authored({**staged(), "displayName": "Fraud"}, item(BOB, "governed"))

    authors = stamp(old, forged, shown(archived=(1,)), caller=BOB, request_id="2")

    assert authors == old["authors"]


def test_where_nobody_was_stamped_an_edit_of_no_stamped_part_stamps_nobody() -> None:
    authors = stamp(spec(), spec(displayName="Fraud"), None, caller=BOB, request_id="2")

    assert authors is None


def test_a_forged_item_beside_a_change_is_replaced_by_the_true_one() -> None:
    old = authored(staged(1), item(ALICE, "stages.production"))
    forged = authored(staged(2), item(ALICE, "stages.production", request="9"))

    authors = stamp(old, forged, None, caller=BOB, request_id="2")

    assert authors == [item(BOB, "stages.production", request="2")]


@pytest.mark.parametrize(
    ("part", "stages", "status", "stays"),
    [
        # A settled archive is history; a pending one is a request with an author.
        ("stages.archived/1", staged(archived=(1,)), shown(archived=(1,)), False),
        ("stages.archived/1", staged(archived=(1,)), shown(retiring=(1,)), True),
        ("stages.registered/1", staged(registered=(1,)), shown(), False),
        ("stages.registered/1", staged(registered=(1,)), shown(staging=(1,)), True),
        ("stages.registered/1", staged(registered=(1,)), shown(1), True),
        ("stages.registered/1", staged(registered=(1,)), shown(retiring=(1,)), True),
        ("stages.registered/1", staged(registered=(1,)), shown(archived=(1,)), True),
        # A removed part keeps its author until status has followed.
        ("stages.staging/1", staged(), shown(staging=(1,)), True),
        ("stages.staging/1", staged(), shown(), False),
        ("stages.staging/1", staged(staging=(1,)), shown(), True),
        ("stages.production/2", staged(), shown(2), True),
        ("stages.production/2", staged(), shown(), False),
        ("stages.production/2", staged(2), shown(2), False),
        ("stages.production", staged(), shown(2), False),
        ("stages.production", staged(2), shown(), True),
        ("serving", staged(), shown(), True),
        ("automation", staged(), shown(), True),
        ("governed", staged(), shown(), True),
    ],
)
def test_an_author_stays_while_the_part_is_asked_or_status_has_not_followed(
    *, part: str, stages: dict[str, Any], status: dict[str, Any], stays: bool
) -> None:
    old = authored(stages, item(ALICE, part))
    more = [{"version": 8, "reason": "r"}, *stages["stages"].get("registered", ())]
    new = {**stages, "stages": {**stages["stages"], "registered": more}}

    authors = stamp(old, new, status, caller=BOB, request_id="2")

    assert authors is not None
    assert (item(ALICE, part) in authors) is stays


@pytest.mark.parametrize(
    ("old", "new", "status", "parts"),
    [
        (staged(1, staging=(1,)), staged(staging=(1,)), shown(1), ("stages.production/1",)),
        (staged(2, staging=(1,)), staged(staging=(1,)), shown(1), ("stages.production/2",)),
        (
            staged(staging=(1,)),
            staged(staging=(1,), reasons={1: "down with it"}),
            shown(1),
            ("stages.production/1", "stages.staging/1"),
        ),
        (
            staged(2, staging=(1,)),
            staged(staging=(1,), reasons={1: "down with it"}),
            shown(1),
            ("stages.production/2", "stages.production/1", "stages.staging/1"),
        ),
        (
            staged(1, staging=(1,)),
            staged(staging=(1,), reasons={1: "down with it"}),
            shown(1),
            ("stages.production/1", "stages.staging/1"),
        ),
        (
            staged(1),
            staged(1, staging=(1,)),
            shown(1),
            ("stages.staging/1",),
        ),
    ],
    ids=[
        "the first promotion is taken back",
        "the request for another version is taken back",
        "a new staging line asks it down",
        "another version's request is taken back, and this one asked down",
        "both at once",
        "where a rollback would leave it",
    ],
)
def test_who_asked_the_version_in_production_down_is_told_from_who_took_a_request_back(
    old: dict[str, Any], new: dict[str, Any], status: dict[str, Any], parts: tuple[str, ...]
) -> None:
    assert changed_parts(old, new, status) == parts


_numbers = some.sets(some.integers(1, 5), max_size=3).map(tuple)
_stages = some.builds(
    staged,
    some.none() | some.integers(1, 5),
    staging=_numbers,
    archived=_numbers,
    registered=_numbers,
)


@settings(deadline=None)
@given(edits=some.lists(_stages, min_size=2, max_size=6))
def test_no_part_ever_has_two_authors(edits: list[dict[str, Any]]) -> None:
    authors = None
    for number, new in enumerate(edits):
        old = None if number == 0 else authored(edits[number - 1], *(authors or ()))
        authors = stamp(old, new, None, caller=ALICE, request_id=str(number))

    parts = [part for one in authors or () for part in one["of"]]
    assert len(parts) == len(set(parts))


@given(new=_stages, old=_stages)
def test_stamping_a_stamped_spec_again_changes_nothing(
    new: dict[str, Any], old: dict[str, Any]
) -> None:
    authors = stamp(old, new, None, caller=ALICE, request_id="1")
    stored = {**new, "authors": authors} if authors else new

    again = stamp(stored, {**new, "authors": []}, None, caller=BOB, request_id="2")

    assert again == authors
