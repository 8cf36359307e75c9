"""Helm, Flux and kubectl agree on every status: waiting for people times nobody out."""

from dataclasses import replace
from typing import Any

import pytest

from modelwarden.domain.facts import Snapshot
from modelwarden.domain.opening import Hold
from modelwarden.domain.stages import Stage
from modelwarden.domain.state import AttemptKey, AttemptOutcome, AttemptState, ModelState
from modelwarden.domain.transition_status import transition_status
from modelwarden.domain.verdicts import deny, wait
from modelwarden.domain.version_status import version_status
from modelwarden.resources.schema import STATUS_UNTIL_SEEN
from tests.domain.builders import INSTALLATION, attempt, snapshot, state, transition, version
from tests.domain.kstatus import kstatus
from tests.domain.test_conditions import (
    AT_WORK,
    CASES,
    PEOPLE_AWAITED,
    REFUSED,
    SETTLED,
    Case,
    Signs,
    drawn,
    look_at,
)

ANSWERS: dict[Signs, str] = {
    SETTLED: "Current",
    PEOPLE_AWAITED: "Current",
    AT_WORK: "InProgress",
    REFUSED: "Failed",
}


def seen(status: dict[str, Any]) -> str:
    """What kstatus says once the operator has looked at the newest edit."""
    return kstatus({"metadata": {"generation": status["observedGeneration"]}, "status": status})


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_model_is_current_unless_a_machine_is_at_work_or_something_was_refused(
    case: Case,
) -> None:
    assert seen(drawn(case)) == ANSWERS[case.signs]


@pytest.mark.parametrize(
    "case",
    [case for case in CASES.values() if case.after.open_attempts()],
    ids=[name for name, case in CASES.items() if case.after.open_attempts()],
)
def test_an_open_attempt_is_what_its_model_is(case: Case) -> None:
    (open_attempt,) = case.after.open_attempts()

    status = transition_status(
        case.facts.transitions[open_attempt.name],
        case.facts,
        state=case.after,
        look=look_at(open_attempt, case),
        installation=INSTALLATION,
    )

    assert seen(status) == ANSWERS[case.signs]


ENDS: dict[str, tuple[AttemptState, str]] = {
    "succeeded": (attempt(outcome=AttemptOutcome.SUCCEEDED, code="Succeeded"), "Current"),
    "failed at a gate": (attempt(outcome=AttemptOutcome.FAILED, code="GateFailed"), "Failed"),
    "failed in the rollout": (
        attempt(outcome=AttemptOutcome.FAILED, code="RolloutTimedOut", rollout_begun="now"),
        "Failed",
    ),
    "rejected": (attempt(outcome=AttemptOutcome.REJECTED, code="Rejected"), "Failed"),
    # Nobody has to mend what nobody asks for any more.
    "taken back": (attempt(outcome=AttemptOutcome.SUPERSEDED, code="TakenBack"), "Current"),
    "opened again": (
        attempt(outcome=AttemptOutcome.SUPERSEDED, code="GovernedFieldsChanged", reopens=True),
        "Current",
    ),
}


@pytest.mark.parametrize(("ended", "answer"), ENDS.values(), ids=ENDS)
def test_an_attempt_that_has_ended_moves_no_more(ended: AttemptState, answer: str) -> None:
    facts = snapshot(transitions={ended.name: transition()})

    status = transition_status(
        transition(),
        facts,
        state=state({1: Stage.STAGING}, ended),
        look=None,
        installation=INSTALLATION,
    )

    assert seen(status) == answer


REGISTRATION = attempt(to=Stage.REGISTERED)
HELD = AttemptKey(1, Stage.REGISTERED)
VERSIONS: dict[str, tuple[ModelState, tuple[Hold, ...], str]] = {
    "it is registered": (state({1: Stage.REGISTERED}), (), "Current"),
    "it is in Production": (state({1: Stage.PRODUCTION}), (), "Current"),
    "it is archived": (state({1: Stage.ARCHIVED}), (), "Current"),
    "it waits for approvals on its way up": (
        state({1: Stage.STAGING}, attempt()),
        (),
        "Current",
    ),
    "a gate of a later step failed": (
        state({1: Stage.STAGING}, attempt(outcome=AttemptOutcome.FAILED, code="GateFailed")),
        (),
        "Current",
    ),
    "its file is being read": (state({}, REGISTRATION), (), "InProgress"),
    "nobody has looked at it": (state({}), (), "InProgress"),
    "its Model is not there yet": (
        state({}),
        (Hold(key=HELD, request=None, verdict=wait("ModelNotFound", "There is none.")),),
        "InProgress",
    ),
    "its registration failed": (
        state({}, replace(REGISTRATION, outcome=AttemptOutcome.FAILED, code="GateFailed")),
        (),
        "Failed",
    ),
    "its number is taken": (
        state({}),
        (Hold(key=HELD, request=None, verdict=deny("NumberTaken", "It is.")),),
        "Failed",
    ),
}


@pytest.mark.parametrize(("after", "holds", "answer"), VERSIONS.values(), ids=VERSIONS)
def test_a_version_is_current_from_its_registration_on(
    after: ModelState, holds: tuple[Hold, ...], answer: str
) -> None:
    facts: Snapshot = snapshot(versions={1: version()})

    assert seen(version_status(version(), facts, state=after, holds=holds)) == answer


def test_a_new_object_is_in_progress_before_anybody_has_looked() -> None:
    assert kstatus({"metadata": {"generation": 1}, "status": {**STATUS_UNTIL_SEEN}}) == "InProgress"


def test_an_edit_is_in_progress_until_it_was_looked_at() -> None:
    status = drawn(CASES["all is as written"])

    assert kstatus({"metadata": {"generation": 99}, "status": status}) == "InProgress"


def test_what_is_refused_beside_what_is_at_work_is_told_once_the_work_is_done() -> None:
    busy, lost = CASES["a gate runs"], CASES["somebody rejected it"]
    refused = replace(lost.after.attempts[attempt().name], key=AttemptKey(1, Stage.PRODUCTION))
    both = replace(
        busy.facts,
        model=replace(
            busy.facts.model,
            stages=replace(busy.facts.model.stages, production=lost.facts.model.stages.production),
            authors=(*busy.facts.model.authors, *lost.facts.model.authors),
        ),
    )
    open_attempts = busy.after.open_attempts()

    status = drawn(Case(both, state({1: Stage.STAGING}, *open_attempts, refused), AT_WORK, ""))

    found = {each["type"]: each["status"] for each in status["conditions"]}
    assert (found["Ready"], found["Reconciling"], found["Stalled"], seen(status)) == (
        "False",
        "True",
        "True",
        "InProgress",
    )
