import pytest

from modelwarden.admission.reviews import Answer, Review, patch
from modelwarden.domain.verdicts import allow, deny
from modelwarden.errors import MalformedObjectError

from .requests import UID, asked, patched, review


def test_a_refusal_is_a_403_with_the_sentence_and_the_next_step() -> None:
    answer = Answer(verdict=deny("Because", "It must not be.", "Do something else."))

    response = answer.to_json(review("Model", {}))["response"]

    assert response == {
        "uid": UID,
        "allowed": False,
        "status": {
            "code": 403,
            "reason": "Forbidden",
            "message": "It must not be. Do something else.",
        },
    }


def test_an_answer_without_stamps_has_no_patch() -> None:
    answer = Answer(verdict=allow("Fine", "Fine."), warnings=("Mind the gap.",))

    response = answer.to_json(review("Model", {}))["response"]

    assert response == {"uid": UID, "allowed": True, "warnings": ["Mind the gap."]}


def test_a_refusal_stamps_nothing() -> None:
    answer = Answer(verdict=deny("Because", "No."), stamps={"by": {"username": "a"}})

    assert patched(answer.to_json(review("ModelDecision", {}))["response"]) == []


@pytest.mark.parametrize(
    ("spec", "stamps", "operations"),
    [
        ({}, {"by": 1}, [{"op": "add", "path": "/spec/by", "value": 1}]),
        ({"by": 2}, {"by": 1}, [{"op": "add", "path": "/spec/by", "value": 1}]),
        ({"by": 1}, {"by": 1}, []),
        ({"by": 1}, {"by": None}, [{"op": "remove", "path": "/spec/by"}]),
        ({"by": None}, {"by": None}, [{"op": "remove", "path": "/spec/by"}]),
        ({}, {"by": None}, []),
    ],
)
def test_a_patch_says_only_what_is_not_so_already(
    spec: dict[str, object], stamps: dict[str, object], operations: list[dict[str, object]]
) -> None:
    assert patch(spec, stamps) == operations


@pytest.mark.parametrize("data", [None, [], {}, {"request": None}, {"request": {"uid": "1"}}])
def test_anything_else_is_no_review(data: object) -> None:
    with pytest.raises(MalformedObjectError, match="is no AdmissionReview"):
        Review.from_json(data)


def test_a_review_says_who_asks_for_what() -> None:
    read = Review.from_json(asked("Model", {"a": 1}, old={"a": 2}, status={"stages": {}}))

    assert (read.operation, read.is_creation) == ("UPDATE", False)
    assert (read.spec, read.old_spec) == ({"a": 1}, {"a": 2})
    assert read.caller.username == "scientist@example.com"
