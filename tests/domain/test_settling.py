from typing import Any

import pytest

from modelwarden.domain.explain import Subject
from modelwarden.domain.settling import Wish, called_off, registered, settled, tried_again
from modelwarden.domain.stages import Stage
from modelwarden.domain.verdicts import Verdict
from tests.domain.told_objects import a_gate, a_model, a_version, an_attempt, held

PRODUCTION = Wish(version=3, target=Stage.PRODUCTION, request_id="r1", generation=1)
STAGING = Wish(version=3, target=Stage.STAGING, request_id="r1", generation=1)
GATE = a_gate("quality", "Passed", "Fine.")


def of_version(code: str, *, outcome: str, version: int = 3) -> dict[str, Any]:
    return held(code, "A sentence.", outcome=outcome, version=version, to="Production")


def end_of(
    wish: Wish, model: dict[str, Any], *attempts: dict[str, Any], ready: str = "True"
) -> Verdict | None:
    record = a_version(ready=ready)
    return settled(wish, Subject(model=model, version=3, record=record, attempts=attempts))


@pytest.mark.parametrize(
    ("wish", "stages"),
    [(PRODUCTION, {"production": {"version": 3}}), (STAGING, {"staging": [2, 3]})],
)
def test_a_version_in_its_stage_is_done(wish: Wish, stages: dict[str, Any]) -> None:
    end = end_of(wish, a_model(in_stages=stages))

    assert end is not None
    assert (end.allows, end.code) == (True, "Done")


@pytest.mark.parametrize(
    ("model", "attempts"),
    [
        (a_model(), ()),
        (a_model(in_stages={"production": {"version": 2}}), ()),
        (a_model(of_version("NoPolicy", outcome="Wait")), ()),
        (a_model(of_version("GateFailed", outcome="Deny", version=2)), ()),
        (a_model(of_version("GateFailed", outcome="Deny")), (an_attempt(GATE),)),
        (a_model(of_version("GovernedFieldsChanged", outcome="Deny")), ()),
        (a_model(), (an_attempt(GATE, succeeded=("False", "GovernedFieldsChanged", "x")),)),
        (a_model(), (an_attempt(GATE, request="r0", succeeded=("False", "Rejected", "x")),)),
    ],
    ids=[
        "nothing yet",
        "another in production",
        "held",
        "another version denied",
        "still open",
        "reopens",
        "reopens too",
        "an earlier request",
    ],
)
def test_what_may_still_come_true_is_waited_for(
    model: dict[str, Any], attempts: tuple[dict[str, Any], ...]
) -> None:
    assert end_of(PRODUCTION, model, *attempts) is None


def test_a_status_from_before_the_request_says_nothing() -> None:
    wish = Wish(version=3, target=Stage.PRODUCTION, request_id="r1", generation=2)

    assert end_of(wish, a_model(of_version("Rejected", outcome="Deny"))) is None


@pytest.mark.parametrize(
    ("model", "attempts", "code"),
    [
        (a_model(of_version("RequesterLacksRight", outcome="Deny")), (), "RequesterLacksRight"),
        (a_model(), (an_attempt(GATE, succeeded=("False", "Rejected", "No.")),), "Rejected"),
    ],
)
def test_what_was_refused_is_over(
    model: dict[str, Any], attempts: tuple[dict[str, Any], ...], code: str
) -> None:
    end = end_of(PRODUCTION, model, *attempts)

    assert end is not None
    assert (end.denies, end.code) == (True, code)


def test_advice_that_the_sentence_ends_in_is_not_given_twice() -> None:
    sentence = "fairness: no rule. Add at least one rule, then ask again with a new reason."
    advice = "Mend it, or correct the Model, then ask again with a new reason."
    refused = of_version("GateFailed", outcome="Deny") | {"message": sentence, "nextStep": advice}

    end = end_of(PRODUCTION, a_model(refused))

    assert end is not None
    assert end.message == sentence


@pytest.mark.parametrize(
    ("ready", "outcome"), [("True", "Allow"), ("False", "Deny"), ("Unknown", "still open")]
)
def test_a_registration_ends_as_the_version_says(ready: str, outcome: str) -> None:
    record = a_version(ready=ready)

    end = registered(Subject(model=a_model(), version=3, record=record, attempts=()))

    assert ("still open" if end is None else end.outcome) == outcome


DEMOTED = Wish(version=3, target=Stage.REGISTERED, request_id="r1", generation=1)
ARCHIVED = Wish(version=3, target=Stage.ARCHIVED, request_id="r1", generation=1)


@pytest.mark.parametrize(
    ("wish", "stage", "end"),
    [
        (DEMOTED, "Staging", None),
        (DEMOTED, "Registered", "Version 3 is Registered."),
        (ARCHIVED, "Retiring", None),
        (ARCHIVED, "Archived", "Version 3 is Archived."),
    ],
)
def test_a_move_down_ends_where_the_version_is(wish: Wish, stage: str, end: str | None) -> None:
    record = a_version(stage=stage)

    found = settled(wish, Subject(model=a_model(), version=3, record=record, attempts=()))

    assert (None if found is None else found.sentence) == end


TO_STAGING = an_attempt(GATE, to="Staging")
STAGED = {"stages": {"staging": [{"version": 3, "reason": "stays asked"}]}}


@pytest.mark.parametrize(
    ("model", "attempt", "is_off"),
    [
        (a_model(), an_attempt(GATE), False),
        (a_model(), an_attempt(GATE, succeeded=("False", "TakenBack", "x")), True),
        (a_model(), TO_STAGING, False),
        (a_model(**STAGED), TO_STAGING, True),
    ],
    ids=["open", "ended", "on its way", "asked into Staging too"],
)
def test_a_request_is_called_off_when_its_attempts_have_ended(
    *, model: dict[str, Any], attempt: dict[str, Any], is_off: bool
) -> None:
    subject = Subject(model=model, version=3, record=a_version(), attempts=(attempt,))

    end = called_off(PRODUCTION, subject)

    assert (end is not None and end.allows) is is_off


def test_a_request_is_not_called_off_before_the_operator_has_looked() -> None:
    wish = Wish(version=3, target=Stage.PRODUCTION, generation=2)

    subject = Subject(model=a_model(), version=3, record=a_version(), attempts=())

    assert called_off(wish, subject) is None


@pytest.mark.parametrize(
    ("later", "end"),
    [
        ((), None),
        ((an_attempt(GATE, number=2),), None),
        (
            (an_attempt(GATE, number=2, succeeded=("True", "Done", "")),),
            "Version 3 is in Production.",
        ),
        ((an_attempt(GATE, number=2, succeeded=("False", "GateFailed", "No.")),), "No."),
        ((an_attempt(GATE, number=2, to="Staging", succeeded=("True", "Done", "")),), None),
    ],
    ids=["not yet", "open", "succeeded", "failed", "of another stage"],
)
def test_what_is_tried_again_ends_as_its_next_attempt(
    later: tuple[dict[str, Any], ...], end: str | None
) -> None:
    before = an_attempt(GATE, succeeded=("False", "GateFailed", "x"))
    subject = Subject(model=a_model(), version=3, record=a_version(), attempts=(before, *later))

    found = tried_again(before, "retry-1", subject)

    assert (None if found is None else found.sentence) == end


def test_a_retry_that_leads_to_nothing_ends_with_its_reason() -> None:
    votes = {"discarded": [{"decision": "retry-1", "reason": "RightMissing", "message": "No."}]}
    before = an_attempt(GATE, succeeded=("False", "GateFailed", "x"), votes=votes)
    subject = Subject(model=a_model(), version=3, record=a_version(), attempts=(before,))

    found = [tried_again(before, name, subject) for name in ("retry-1", "retry-2")]

    assert [end and end.code for end in found] == ["RightMissing", None]
