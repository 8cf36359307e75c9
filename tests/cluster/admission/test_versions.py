"""Who registers versions and notes what was learned, by the policies alone."""

from typing import Any

import pytest

from modelwarden.domain.rights import ATTEST
from tests.cluster.running import RunningCluster

from .callers import GROUP, Person, RefusedError
from .conftest import EDITOR
from .objects import holder_of, role_for, version

MODEL = "fraud-detector"
PIPELINE = "system:serviceaccount:risk:pipeline"
NOTES = {"limitations": ["Not evaluated outside the EU."]}


@pytest.fixture(scope="module", autouse=True)
def _roles(bare_cluster: RunningCluster, place: str) -> None:
    bare_cluster.apply(*role_for("attest", ATTEST), namespace=place)


@pytest.fixture
def scientist(admin: Person) -> Person:
    return admin.named("scientist@example.com", EDITOR)


@pytest.fixture
def pipeline(admin: Person) -> Person:
    return admin.named(PIPELINE, EDITOR)


def attesting(person: Person) -> Person:
    return person.named(person.username, *person.groups, holder_of("attest", ATTEST))


def trained_by(*names: str) -> dict[str, Any]:
    return {"trainedBy": [{"kind": "User", "name": name} for name in names]}


def register(who: Person, place: str, **spec: Any) -> Any:
    collection = f"{GROUP}/namespaces/{place}/modelversions"
    return who.create(collection, version(MODEL, 1, **spec), dry_run=True)


@pytest.mark.parametrize(
    "spec",
    [
        {},
        trained_by("scientist@example.com"),
        {"notes": NOTES},
    ],
    ids=str,
)
def test_a_person_registers_their_own_version(
    scientist: Person, place: str, spec: dict[str, Any]
) -> None:
    register(scientist, place, **spec)
    register(scientist, place, **spec, registeredBy=scientist.caller.to_json())


def test_the_prefix_of_the_identity_provider_is_no_other_person(admin: Person, place: str) -> None:
    person = admin.named("oidc:scientist@example.com", EDITOR)

    register(person, place, **trained_by("scientist@example.com"))


@pytest.mark.parametrize(
    "names",
    [
        ["owner@example.com"],
        ["scientist@example.com", "owner@example.com"],
    ],
    ids=str,
)
def test_naming_others_as_trainers_takes_attest(
    scientist: Person, place: str, names: list[str]
) -> None:
    sentence = f"lacks the verb attest on models for {MODEL} in {place}"

    with pytest.raises(RefusedError, match=sentence):
        register(scientist, place, **trained_by(*names))

    register(attesting(scientist), place, **trained_by(*names))


def test_a_pipeline_attests_who_trained(pipeline: Person, place: str) -> None:
    register(pipeline, place)
    register(attesting(pipeline), place, **trained_by("scientist@example.com"))

    with pytest.raises(RefusedError, match="lacks the verb attest"):
        register(pipeline, place, **trained_by("scientist@example.com"))


@pytest.mark.parametrize(
    "other",
    [
        {"username": "owner@example.com"},
        {"uid": "another"},
        {"groups": ["admins"]},
    ],
    ids=str,
)
def test_nobody_registers_in_the_name_of_another(
    scientist: Person, place: str, other: dict[str, Any]
) -> None:
    stamp = {**scientist.caller.to_json(), **other}

    with pytest.raises(
        RefusedError, match=r"spec.registeredBy must be you \(scientist@example.com\)"
    ):
        register(scientist, place, registeredBy=stamp)
    with pytest.raises(RefusedError, match=r"spec\.notesBy must be who last changed"):
        register(scientist, place, notes=NOTES, notesBy=stamp)


def test_nobody_signs_notes_that_are_not_there(scientist: Person, place: str) -> None:
    with pytest.raises(RefusedError, match=r"spec\.notesBy must be who last changed"):
        register(scientist, place, notesBy=scientist.caller.to_json())


@pytest.fixture(scope="module")
def noted(admin: Person, place: str) -> str:
    """The path of a version with notes that the owner signed."""
    owner = admin.named("owner@example.com", EDITOR)
    collection = f"{GROUP}/namespaces/{place}/modelversions"
    body = version(MODEL, 7, notes=NOTES, notesBy=owner.caller.to_json())
    owner.create(collection, body)
    return f"{collection}/{MODEL}-7"


MORE = {"limitations": [*NOTES["limitations"], "Nor for merchants."]}


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"notes": MORE}, "stamping is off"),
        ({"notes": None}, "stamping is off"),
        ({"notesBy": {"username": "scientist@example.com"}}, "must be who last changed"),
        ({"notesBy": None}, "must be who last changed"),
        ({"notes": MORE, "notesBy": {"username": "reviewer@example.com"}}, "must be who last"),
        ({"artifact": {"digest": "sha256:" + "1" * 64}}, "never changes"),
        ({"label": "another"}, "never changes"),
        (trained_by("scientist@example.com"), "never changes"),
    ],
    ids=str,
)
def test_notes_change_under_ones_own_name_and_nothing_else_changes(
    scientist: Person, noted: str, spec: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(RefusedError, match=sentence):
        scientist.merge(noted, {"spec": spec}, dry_run=True)


def test_signed_notes_are_accepted(scientist: Person, noted: str) -> None:
    signed = {"notes": MORE, "notesBy": scientist.caller.to_json()}

    scientist.merge(noted, {"spec": signed}, dry_run=True)
    scientist.merge(noted, {"metadata": {"labels": {"team": "risk"}}}, dry_run=True)
