import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from typing_extensions import override

from modelwarden.admission import model_decisions
from modelwarden.admission.model_decisions import judged, stamped
from modelwarden.admission.reviews import Answer
from modelwarden.cluster.paths import MODEL_TRANSITIONS, Resource
from modelwarden.domain.identity import Identity, Person
from modelwarden.errors import UnavailableError

from .requests import BY, DIGEST, OTHER_DIGEST, operations, review

OWNER = {"username": "owner@example.com", "groups": ["system:authenticated"]}
REVIEWER = {"username": "reviewer@example.com", "groups": ["risk-reviewers"]}
SCIENTIST = {"username": "scientist@example.com", "groups": []}
PLATFORM = {"username": "platform@example.com", "groups": ["system:masters"]}
NAME = "fraud-1-production-1"
TEAM = Identity(people=(Person(name="scientist@example.com", logins=("platform@example.com",)),))
REVIEWED = {"subjectDigest": DIGEST, "policyDigest": DIGEST, "evidenceDigest": DIGEST}
OPEN = {"evidenceDigest": DIGEST}
CLOSED = {
    "evidenceDigest": DIGEST,
    "conditions": [{"type": "Succeeded", "status": "False", "reason": "Rejected"}],
}
DONE = {"conditions": [{"type": "Succeeded", "status": "True", "reason": "Succeeded"}]}


def attempt(status: Mapping[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    content = {
        "model": "fraud",
        "version": 1,
        "kind": "Promote",
        "from": "Staging",
        "to": "Production",
        "attempt": 1,
        "request": {"id": "r", "entry": {"version": 1}},
        "subjectDigest": DIGEST,
        "policy": {"name": "standard", "digest": DIGEST},
        "owners": [
            {"kind": "User", "name": "owner@example.com"},
            {"kind": "User", "name": "scientist@example.com"},
        ],
        "reviewers": [{"kind": "Group", "name": "risk-reviewers"}],
        "affectsPeople": False,
        "excluded": [{"name": "scientist@example.com", "as": "Trainer"}],
        **spec,
    }
    metadata = {"name": NAME, "namespace": "risk", "uid": "u-1", "resourceVersion": "1"}
    return {
        "apiVersion": "modelwarden.io/v1alpha1",
        "kind": "ModelTransition",
        "metadata": metadata,
        "spec": content,
        "status": dict(OPEN if status is None else status),
    }


def model(production: int) -> dict[str, Any]:
    return {
        "kind": "Model",
        "metadata": {"name": "fraud", "namespace": "risk"},
        "spec": {"stages": {"production": {"version": production, "reason": "Release"}}},
    }


def decision(kind: str = "Approve", **spec: Any) -> dict[str, Any]:
    content: dict[str, Any] = {
        "model": "fraud",
        "version": 1,
        "stage": "Production",
        "transition": {"name": NAME, "uid": "u-1"},
        "decision": kind,
        "rationale": "Reviewed.",
        **({"reviewed": REVIEWED} if kind in {"Approve", "Reject"} else {}),
        **spec,
    }
    if kind == "Override":
        until = "2030-01-01T00:00:00Z"
        content["override"] = {"gates": ["Soak"], "ticket": "RISK-1", "expiresAt": until}
    return content


class Shelf:
    """A reader that has some objects, or none, or cannot read."""

    def __init__(self, *found: Mapping[str, Any], error: Exception | None = None) -> None:
        self._found = {(item["kind"], item["metadata"]["name"]): item for item in found}
        self._error = error
        self.asked: list[tuple[Resource, str, str]] = []

    async def find(
        self, resource: Resource, name: str, namespace: str = ""
    ) -> Mapping[str, Any] | None:
        self.asked.append((resource, name, namespace))
        if self._error is not None:
            raise self._error
        return self._found.get((resource.kind, name))


async def ask(
    spec: Mapping[str, Any],
    *others: Mapping[str, Any],
    by: Mapping[str, Any] = OWNER,
    found: Mapping[str, Any] | None = None,
) -> Answer:
    shelf = Shelf(attempt() if found is None else found, model(1), *others)
    return await judged(review("ModelDecision", spec, by=by), shelf, identity=TEAM)


@pytest.mark.parametrize("written", [{}, {"by": {"username": "owner@example.com"}}], ids=str)
def test_the_voter_is_stamped(written: dict[str, Any]) -> None:
    request = review("ModelDecision", decision(**written))

    assert operations(request, stamped(request)) == [{"op": "add", "path": "/spec/by", "value": BY}]


def test_an_edit_is_not_stamped() -> None:
    request = review("ModelDecision", decision(rationale="x"), old=decision())

    assert operations(request, stamped(request)) == []


@pytest.mark.parametrize("by", [OWNER, REVIEWER], ids=str)
@pytest.mark.parametrize("kind", ["Approve", "Reject", "Retract", "Override"])
async def test_people_who_may_are_let_through(by: dict[str, Any], kind: str) -> None:
    answer = await ask(decision(kind), by=by)

    assert answer.verdict.code == "Admitted"


@pytest.mark.parametrize(
    ("by", "kind", "sentence"),
    [
        (SCIENTIST, "Approve", "scientist@example.com trained fraud 1 and may not approve it."),
        (SCIENTIST, "Reject", "scientist@example.com trained fraud 1 and may not reject it."),
        (SCIENTIST, "Override", "scientist@example.com trained fraud 1 and may not override it."),
        (PLATFORM, "Approve",
         ("platform@example.com, another login of scientist@example.com, trained fraud 1 and may "
          "not approve it.")),
    ],
)  # fmt: skip
async def test_who_trained_it_may_not_decide(by: dict[str, Any], kind: str, sentence: str) -> None:
    answer = await ask(decision(kind), by=by)

    assert (answer.verdict.code, answer.verdict.sentence) == ("TrainerExcluded", sentence)
    assert answer.verdict.next_step == "Ask another owner or reviewer."


@pytest.mark.parametrize(("kind", "status"), [("Retract", OPEN), ("Retry", CLOSED)])
async def test_who_trained_it_may_do_what_decides_nothing(
    kind: str, status: dict[str, Any]
) -> None:
    answer = await ask(decision(kind), by=SCIENTIST, found=attempt(status))

    assert answer.verdict.code == "Admitted"


@pytest.mark.parametrize("spec", [decision(), decision("Review", transition=None)], ids=str)
async def test_a_service_account_decides_nothing(spec: dict[str, Any]) -> None:
    written = {key: value for key, value in spec.items() if value is not None}

    answer = await ask(written, by={"username": "system:serviceaccount:argocd:argocd"})

    assert answer.verdict.code == "NotAPerson"


@pytest.mark.parametrize(
    ("spec", "found", "code"),
    [
        (decision(transition={"name": NAME, "uid": "u-0"}), attempt(), "AnotherAttempt"),
        (decision(version=2), attempt(), "WrongVersion"),
        (decision(model="other"), attempt(), "WrongVersion"),
        (decision(stage="Staging"), attempt(), "WrongStage"),
        (decision("Retry"), attempt(to="Staging"), "WrongStage"),
        (decision(reviewed={**REVIEWED, "subjectDigest": OTHER_DIGEST}), attempt(),
         "SubjectChanged"),
        (decision(reviewed={**REVIEWED, "policyDigest": OTHER_DIGEST}), attempt(),
         "PolicyChanged"),
        (decision(reviewed={**REVIEWED, "evidenceDigest": OTHER_DIGEST}), attempt(),
         "EvidenceChanged"),
        (decision(), attempt({}), "EvidenceNotReady"),
    ],
)  # fmt: skip
async def test_a_decision_about_something_else_is_refused(
    spec: dict[str, Any], found: dict[str, Any], code: str
) -> None:
    answer = await ask(spec, found=found)

    assert answer.verdict.denies
    assert answer.verdict.code == code


async def test_who_is_neither_owner_nor_reviewer_hears_it() -> None:
    answer = await ask(decision(), by={"username": "engineer@example.com"})

    assert answer.verdict.code == "NeitherOwnerNorReviewer"


@pytest.mark.parametrize("kind", ["Approve", "Reject", "Retract", "Override"])
async def test_an_attempt_that_has_ended_takes_no_decision(kind: str) -> None:
    answer = await ask(decision(kind), found=attempt(CLOSED))

    assert answer.verdict.code == "AttemptClosed"
    assert answer.verdict.sentence == f"The attempt {NAME} has ended (Rejected)."


async def test_an_attempt_that_has_ended_may_be_tried_again() -> None:
    answer = await ask(decision("Retry"), found=attempt(CLOSED))

    assert answer.verdict.code == "Admitted"


FOLLOWING = {**attempt(), "metadata": {"name": "fraud-1-production-2"}}


@pytest.mark.parametrize(
    ("status", "others", "code"),
    [
        (OPEN, (), "AttemptOpen"),
        (DONE, (), "AttemptSucceeded"),
        (CLOSED, (FOLLOWING,), "NotTheLatestAttempt"),
        (CLOSED, (model(2),), "NothingAsksForIt"),
    ],
)
async def test_a_retry_that_can_lead_to_nothing_is_refused(
    status: dict[str, Any], others: tuple[dict[str, Any], ...], code: str
) -> None:
    answer = await ask(decision("Retry"), *others, found=attempt(status))

    assert answer.verdict.code == code


async def test_who_decides_what_this_release_does_not_act_on_is_told() -> None:
    answer = await ask(decision("Override"))

    assert answer.warnings == (
        (
            "NotYetSupported: This release does not act on a decision to Override yet. "
            "Leave it out, or wait for a release that acts on it."
        ),
    )


async def test_a_registration_is_tried_again_by_who_may_ask_for_staging() -> None:
    registration = attempt(CLOSED, to="Registered", kind="Register")
    del registration["spec"]["from"]

    answer = await ask(decision("Retry", stage="Staging"), found=registration)

    assert answer.verdict.code == "Admitted"


async def test_an_attempt_that_is_not_there_is_named() -> None:
    answer = await judged(review("ModelDecision", decision(), by=OWNER), Shelf(), identity=TEAM)

    assert answer.verdict.code == "AttemptUnknown"
    assert answer.verdict.sentence == f"There is no attempt {NAME} in risk."


async def test_one_attempt_is_read_and_nothing_else() -> None:
    shelf = Shelf(attempt())

    await judged(review("ModelDecision", decision(), by=OWNER), shelf, identity=TEAM)

    assert shelf.asked == [(MODEL_TRANSITIONS, NAME, "risk")]


async def test_a_read_that_fails_is_a_503_to_be_tried_again() -> None:
    shelf = Shelf(error=UnavailableError("gone"))

    answer = await judged(review("ModelDecision", decision(), by=OWNER), shelf, identity=TEAM)

    assert (answer.verdict.code, answer.code) == ("AttemptNotRead", 503)


async def test_a_read_that_takes_too_long_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(Shelf):
        @override
        async def find(
            self, resource: Resource, name: str, namespace: str = ""
        ) -> Mapping[str, Any] | None:
            await asyncio.Event().wait()
            return None

    monkeypatch.setattr(model_decisions, "READ_SECONDS", 0.01)
    answer = await judged(review("ModelDecision", decision(), by=OWNER), Slow(), identity=TEAM)

    assert answer.verdict.code == "AttemptNotRead"


SERVING = {
    **model(1),
    "status": {"stages": {"production": {"version": 1}}, "policy": {"name": "standard"}},
}
MADE = {
    "kind": "ModelVersion",
    "metadata": {"name": "fraud-1"},
    "spec": {"trainedBy": [{"kind": "User", "name": "scientist@example.com"}]},
}
SOLO = {
    "kind": "ModelPolicy",
    "metadata": {"name": "standard"},
    "spec": {"steps": [{"to": "Production", "approvals": {"owners": 1}}]},
}


async def reviewing(*found: Mapping[str, Any], by: Mapping[str, Any], **spec: Any) -> Answer:
    content = {**decision("Review"), **spec}
    written = {name: value for name, value in content.items() if value is not None}
    return await judged(review("ModelDecision", written, by=by), Shelf(*found), identity=TEAM)


@pytest.mark.parametrize(
    ("found", "by", "code"),
    [
        ((SERVING, MADE), OWNER, "Admitted"),
        ((SERVING, MADE), SCIENTIST, "TrainerExcluded"),
        ((SERVING, MADE), PLATFORM, "TrainerExcluded"),
        ((SERVING, MADE, SOLO), SCIENTIST, "Admitted"),
        ((SERVING,), OWNER, "Admitted"),
        ((model(1),), OWNER, "NothingToReview"),
        ((), OWNER, "ModelUnknown"),
    ],
)
async def test_the_review_of_a_model_is_of_what_is_in_production_and_not_ones_own(
    found: tuple[dict[str, Any], ...], by: dict[str, Any], code: str
) -> None:
    answer = await reviewing(*found, by=by, transition=None)

    assert answer.verdict.code == code


def rolled_back(by: str = "manager@example.com", **changes: Any) -> dict[str, Any]:
    request = {"id": "r", "entry": {"version": 1}, "author": {"username": by}}
    return attempt(changes.pop("status", DONE), kind="Rollback", request=request, **changes)


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (rolled_back(), "Admitted"),
        (rolled_back("owner@example.com"), "RequesterExcluded"),
        (rolled_back(status=OPEN), "NothingToReview"),
        (attempt(DONE), "NothingToReview"),
        ({**rolled_back(), "metadata": {"name": NAME, "uid": "u-2"}}, "AttemptUnknown"),
    ],
)
async def test_the_review_of_a_rollback_is_of_one_that_was_made_by_somebody_else(
    found: dict[str, Any], code: str
) -> None:
    answer = await reviewing(found, by=OWNER)

    assert answer.verdict.code == code
