from typing import Any

import pytest

from modelwarden.admission.model_versions import judged, stamped
from modelwarden.domain.installation import ArtifactStore, Installation
from modelwarden.errors import MalformedObjectError

from .requests import BY, DIGEST, operations, review

OTHER = {"username": "owner@example.com", "uid": "", "groups": []}
NOTES = {"limitations": ["Not evaluated outside the EU."]}
HERE = Installation(
    origin="", stores=(ArtifactStore(name="main", uri_prefix="s3://models/{namespace}/"),)
)


def record(uri: str = "s3://models/risk/fraud/1/", **more: Any) -> dict[str, Any]:
    artifact = {"uri": uri, "digest": DIGEST, "format": "ONNX"}
    trained = [{"kind": "User", "name": "scientist@example.com"}]
    return {"model": "fraud", "version": 1, "artifact": artifact, "trainedBy": trained, **more}


def add(name: str, value: Any) -> dict[str, Any]:
    return {"op": "add", "path": f"/spec/{name}", "value": value}


@pytest.mark.parametrize(
    ("new", "old", "stamps"),
    [
        ({}, None, [add("registeredBy", BY)]),
        ({"registeredBy": OTHER}, None, [add("registeredBy", BY)]),
        ({"notes": NOTES}, None, [add("registeredBy", BY), add("notesBy", BY)]),
        ({"notesBy": OTHER}, None,
         [add("registeredBy", BY), {"op": "remove", "path": "/spec/notesBy"}]),
        # What was stamped stays, whether it is sent, forged or left out.
        ({"registeredBy": OTHER}, {"registeredBy": OTHER}, []),
        ({}, {"registeredBy": OTHER}, [add("registeredBy", OTHER)]),
        ({"registeredBy": BY}, {"registeredBy": OTHER}, [add("registeredBy", OTHER)]),
        ({"registeredBy": BY}, {}, [{"op": "remove", "path": "/spec/registeredBy"}]),
        ({"notes": NOTES}, {}, [add("notesBy", BY)]),
        ({"notes": NOTES, "notesBy": OTHER}, {}, [add("notesBy", BY)]),
        ({"notes": NOTES}, {"notes": NOTES, "notesBy": OTHER}, [add("notesBy", OTHER)]),
        ({}, {"notes": NOTES, "notesBy": OTHER}, [add("notesBy", BY)]),
        ({}, {}, []),
    ],
)  # fmt: skip
def test_registrant_and_noter_are_stamped(
    new: dict[str, Any], old: dict[str, Any] | None, stamps: list[dict[str, Any]]
) -> None:
    stored = None if old is None else record(**old)
    request = review("ModelVersion", record(**new), old=stored)

    assert operations(request, stamped(request)) == stamps


def test_a_login_with_too_many_groups_registers_nothing() -> None:
    crowd = {"username": "a", "groups": [str(number) for number in range(513)]}

    answer = stamped(review("ModelVersion", record(), by=crowd))

    assert answer.verdict.code == "TooManyGroups"


def test_a_record_that_can_be_looked_at_is_admitted_in_silence() -> None:
    answer = judged(review("ModelVersion", record()), HERE)

    assert (answer.verdict.code, answer.warnings) == ("Admitted", ())


@pytest.mark.parametrize("uri", ["file:///etc/passwd", "s3://models/risk/../other/1", "s3://x"])
def test_a_uri_that_says_nothing_is_refused(uri: str) -> None:
    answer = judged(review("ModelVersion", record(uri)), HERE)

    assert answer.verdict.code == "ArtifactUriNotUnderstood"


def test_a_uri_outside_the_stores_is_admitted_with_a_warning() -> None:
    answer = judged(review("ModelVersion", record("s3://models/other/1/")), HERE)

    assert answer.verdict.code == "Admitted"
    assert [warning.partition(":")[0] for warning in answer.warnings] == ["StoreNotAllowed"]


@pytest.mark.parametrize(
    "trainers", [None, [{"kind": "User", "name": "system:serviceaccount:risk:ci"}]], ids=str
)
def test_a_version_that_no_person_trained_is_admitted_with_a_warning(trainers: Any) -> None:
    spec = {**record(), "trainedBy": trainers}

    answer = judged(review("ModelVersion", spec), HERE)

    assert [warning.partition(":")[0] for warning in answer.warnings] == ["TrainerUnknown"]


@pytest.mark.parametrize("old", [None, record()], ids=["created", "edited"])
def test_notes_that_could_not_be_recorded_are_malformed(old: dict[str, Any] | None) -> None:
    tags = {"\u00e9": "composed", "e\u0301": "decomposed"}

    with pytest.raises(MalformedObjectError, match=r"^spec\.notes: two keys are the same text"):
        judged(review("ModelVersion", record(notes={"tags": tags}), old=old), HERE)


def test_an_edit_is_not_judged_again() -> None:
    answer = judged(review("ModelVersion", record("s3://x"), old=record("s3://x")), HERE)

    assert not answer.verdict.denies
