"""What `spec.authors` may say when no webhook stamps it: the policies alone hold it to the rule."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from modelwarden.domain.authors import stamp
from tests.cluster.running import RunningCluster
from tests.domain.edit_cases import OWNER, shown, staged

from .callers import EVERYBODY, GROUP, Person, RefusedError
from .conftest import EDITOR
from .objects import binding, model, role, status_of

OFF = "stamping is off, see kubectl model doctor"
OLD = staged(1, staging=(2, 3))
NEW = staged(1, staging=(2, 4), registered=(3,))
STATUS = shown(1, staging=(2, 3))
PARTS = ["stages.staging/4", "stages.staging/3", "stages.registered/3"]
NAME = "stamped"


@pytest.fixture(scope="module")
def alice(bare_cluster: RunningCluster, admin: Person, place: str) -> Person:
    everything = {"apiGroups": ["modelwarden.io", "apps"], "resources": ["*"], "verbs": ["*"]}
    bare_cluster.apply(role("everything", everything), binding("everything"), namespace=place)
    return admin.named("alice@example.com", EDITOR, "everything")


@pytest.fixture
def bob(alice: Person) -> Person:
    return alice.named("bob@example.com", EDITOR, "everything")


@pytest.fixture
def stored(alice: Person, admin: Person, operator: Person, place: str) -> Iterator[Any]:
    """A Model that alice made, with a version in Production and two in Staging."""
    collection = f"{GROUP}/namespaces/{place}/models"
    authors = stamp(None, OLD, None, caller=alice.caller, request_id="first")
    alice.create(collection, model(NAME, {**OLD, "authors": authors}))
    yield operator.merge(f"{collection}/{NAME}/status", {"status": status_of(STATUS)})
    admin.delete(f"{collection}/{NAME}")


def put(who: Person, stored: Any, spec: dict[str, Any]) -> Any:
    path = f"{GROUP}/namespaces/{stored['metadata']['namespace']}/models/{NAME}"
    body = model(NAME, spec, resourceVersion=stored["metadata"]["resourceVersion"])
    return who.put(path, body, dry_run=True)


def test_a_label_needs_no_stamp(bob: Person, stored: Any, place: str) -> None:
    path = f"{GROUP}/namespaces/{place}/models/{NAME}"

    changed = bob.merge(path, {"metadata": {"labels": {"team": "risk"}}}, dry_run=True)

    assert changed["spec"] == stored["spec"]


def test_a_model_may_be_created_without_a_stamp(bob: Person, place: str) -> None:
    bob.create(f"{GROUP}/namespaces/{place}/models", model("bare", OLD), dry_run=True)


def test_a_model_is_not_created_with_the_stamp_of_another(
    alice: Person, bob: Person, place: str
) -> None:
    authors = stamp(None, OLD, None, caller=alice.caller, request_id="first")

    with pytest.raises(RefusedError, match="the new item must be you"):
        bob.create(
            f"{GROUP}/namespaces/{place}/models", model("bare", {**OLD, "authors": authors}),
            dry_run=True,
        )  # fmt: skip


@pytest.mark.parametrize(
    "changed",
    [
        {"stages": staged(2, staging=(3,))["stages"]},
        {"stages": staged(1, staging=(2, 3, 4))["stages"]},
        {"stages": staged(1, staging=(2,), archived=(3,))["stages"]},
        {"stages": staged(1, staging=(2,), registered=(3,))["stages"]},
        {"stages": staged(1, staging=(2, 3), archived=(9,))["stages"]},
        {"serving": [{"stage": "Staging", "deployment": {"name": "api"}}]},
        {"automation": {"to": "Staging", "keep": 1}},
        {"owners": [OWNER, {"kind": "User", "name": "new@example.com"}]},
        {"affectsPeople": True},
        {"reviewEveryDays": 3},
    ],
    ids=str,
)
def test_no_stamped_part_changes_without_a_stamp(
    admin: Person, stored: Any, changed: dict[str, Any]
) -> None:
    spec = {**stored["spec"], **changed}
    someone = admin.named("platform@example.com", "system:masters")

    with pytest.raises(RefusedError, match=OFF):
        put(someone, stored, spec)


def test_the_right_item_by_hand_is_accepted(bob: Person, stored: Any) -> None:
    authors = stamp(stored["spec"], NEW, STATUS, caller=bob.caller, request_id="second")

    put(bob, stored, {**NEW, "authors": authors})


def test_a_uid_and_groups_that_come_twice_are_compared_as_they_are(
    alice: Person, bob: Person, stored: Any
) -> None:
    twice = alice.named("bob@example.com", EDITOR, "everything", EDITOR, EVERYBODY)
    authors = stamp(stored["spec"], NEW, STATUS, caller=twice.caller, request_id="second")

    put(twice, stored, {**NEW, "authors": authors})


def _renamed(item: dict[str, Any], **by: Any) -> dict[str, Any]:
    return {**item, "by": {**item["by"], **by}}


FORGERIES: dict[str, tuple[Callable[[list[Any]], list[Any]], str]] = {
    "another name": (
        lambda a: [a[0], _renamed(a[1], username="alice@example.com")], "must be you"),
    "another uid": (lambda a: [a[0], _renamed(a[1], uid="u")], "must be you"),
    "one more group": (lambda a: [a[0], _renamed(a[1], groups=["admins"])], "must be you"),
    "no groups": (lambda a: [a[0], _renamed(a[1], groups=[])], "must be you"),
    "the id of an old item": (lambda a: [a[0], {**a[1], "id": "first"}], OFF),
    "two items": (lambda a: [*a, {**a[1], "id": "third"}], "must be you"),
    "a part too many": (
        lambda a: [a[0], {**a[1], "of": [*PARTS, "serving"]}], "exactly what this request"),
    "a part too few": (lambda a: [a[0], {**a[1], "of": PARTS[1:]}], "exactly what this request"),
    "another part": (
        lambda a: [a[0], {**a[1], "of": [*PARTS[1:], "serving"]}], "exactly what this request"),
    "the item of another removed": (lambda a: a[1:], "must stay as they are"),
    "the item of another rewritten": (
        lambda a: [_renamed(a[0], username="bob@example.com"), a[1]], "must stay as they are"),
    "the item of another with fewer parts": (
        lambda a: [{**a[0], "of": a[0]["of"][1:]}, a[1]], "must stay as they are"),
    "the changed part left with another": (
        lambda a: [{**a[0], "of": [*a[0]["of"], "stages.staging/3"]}, a[1]],
        "must stay as they are"),
    "no item": (lambda a: a[:1], OFF),
    "nothing": (lambda _: [], OFF),
}  # fmt: skip


@pytest.mark.parametrize("forgery", FORGERIES, ids=str)
def test_a_forged_stamp_is_refused(bob: Person, stored: Any, forgery: str) -> None:
    forge, sentence = FORGERIES[forgery]
    authors = stamp(stored["spec"], NEW, STATUS, caller=bob.caller, request_id="second")
    assert authors is not None

    with pytest.raises(RefusedError, match=sentence):
        put(bob, stored, {**NEW, "authors": forge(list(authors))})


def test_nobody_is_the_author_of_a_change_that_is_none(bob: Person, stored: Any) -> None:
    mine = {"id": "second", "by": bob.caller.to_json(), "of": ["serving"]}
    authors = [*stored["spec"]["authors"], mine]

    with pytest.raises(RefusedError, match="exactly what this request changes"):
        put(bob, stored, {**OLD, "authors": authors})


def test_an_item_alone_is_not_rewritten(bob: Person, stored: Any) -> None:
    authors = [_renamed(stored["spec"]["authors"][0], username="bob@example.com")]

    with pytest.raises(RefusedError, match="must stay as they are"):
        put(bob, stored, {**OLD, "authors": authors})


def test_settled_parts_are_pruned_with_the_next_change(
    bob: Person, operator: Person, stored: Any, place: str
) -> None:
    path = f"{GROUP}/namespaces/{place}/models/{NAME}"
    new = {**NEW, "displayName": "Fraud"}
    settled = operator.merge(f"{path}/status", {"status": status_of(shown(1, staging=(2,)))})
    unpruned = [
        *stored["spec"]["authors"],
        {"id": "second", "by": bob.caller.to_json(), "of": PARTS},
    ]

    with pytest.raises(RefusedError, match="must stay as they are"):
        put(bob, settled, {**new, "authors": unpruned})


def test_the_largest_edit_is_within_what_an_api_server_computes(
    alice: Person, operator: Person, place: str
) -> None:
    """Every list is full and replaced, by somebody in 500 groups, after many others."""
    path = f"{GROUP}/namespaces/{place}/models/full"
    kept = stamp(None, FULL, None, caller=alice.caller, request_id="0")
    found = alice.create(path.rpartition("/")[0], model("full", {**FULL, "authors": kept}))
    for number in range(2, 18):
        crowd = alice.named(f"{number}@example.com", EDITOR, "everything", *_groups(number))
        new = {**found["spec"], "stages": {**found["spec"]["stages"]}}
        new["stages"]["staging"] = [
            {**entry, "reason": "again"} if entry["version"] == number else entry
            for entry in new["stages"]["staging"]
        ]
        new["authors"] = stamp(
            found["spec"], new, None, caller=crowd.caller, request_id=str(number)
        )
        found = crowd.merge(path, {"spec": new})
    found = operator.merge(f"{path}/status", {"status": status_of(FULL_STATUS)})
    last = alice.named("last@example.com", EDITOR, "everything", *_groups(0))
    authors = stamp(found["spec"], OTHER, FULL_STATUS, caller=last.caller, request_id="last")

    replaced = last.merge(path, {"spec": {**OTHER, "authors": authors}})

    assert len(found["spec"]["authors"]) == 17
    (item,) = replaced["spec"]["authors"]
    assert (item["by"]["username"], len(item["of"])) == ("last@example.com", 132)


def _groups(number: int) -> list[str]:
    return [f"{number}-group-of-many-{group}" for group in range(500)]


def _numbers(first: int, count: int) -> tuple[int, ...]:
    return tuple(range(first, first + count))


def _serving(name: str) -> list[dict[str, Any]]:
    return [{"stage": "Staging", "deployment": {"name": f"{name}-{n}"}} for n in range(16)]


FULL = {
    **staged(1, staging=_numbers(2, 16), archived=_numbers(18, 32), registered=_numbers(50, 16)),
    "serving": _serving("old"),
    "automation": {"to": "Staging", "keep": 1},
}
OTHER = {
    **staged(
        70,
        staging=_numbers(71, 16),
        archived=(*_numbers(2, 16), *_numbers(87, 16)),
        registered=_numbers(103, 16),
    ),
    "serving": _serving("new"),
    "automation": {"to": "Staging", "keep": 2},
    "affectsPeople": True,
}
FULL_STATUS = shown(
    1,
    staging=(*_numbers(2, 16), *_numbers(100, 48)),
    retiring=_numbers(700, 64),
    archived=(*_numbers(18, 32), *_numbers(200, 480)),
    rollback_to=_numbers(700, 64),
)
