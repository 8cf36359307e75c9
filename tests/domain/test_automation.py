"""Standing orders: which versions automation asks for, and which it sends back."""

from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from modelwarden.domain.announcements import announcement
from modelwarden.domain.automation import (
    NEWEST_TRIED,
    automation_is_allowed,
    standing_requests,
)
from modelwarden.domain.facts import Automation, ModelFacts, PolicyFacts
from modelwarden.domain.history import told
from modelwarden.domain.opening import access_needed, openings
from modelwarden.domain.records import Operation
from modelwarden.domain.stages import Stage
from modelwarden.domain.state import AttemptOutcome, AttemptState, ModelState, Moved
from modelwarden.domain.verdicts import Verdict, wait
from modelwarden.domain.wishes import requests_now
from tests.domain.builders import (
    IDENTITY,
    MANAGER,
    NOW_TEXT,
    attempt,
    author,
    model,
    policy,
    record,
    snapshot,
    stages,
    state,
    version,
    version_state,
)

NEW, STAGED = Stage.REGISTERED, Stage.STAGING
ALLOWING = policy(automation_up_to=Stage.STAGING)


def automated(keep: int = 1, **changes: Any) -> ModelFacts:
    given = {"automation": Automation(Stage.STAGING, keep), "authors": (author("a", "automation"),)}
    return model(**{**given, **changes})


def tried(number: int, outcome: AttemptOutcome, **changes: Any) -> AttemptState:
    given = {"request_id": "a", "outcome": outcome}
    return attempt(number, Stage.STAGING, **{**given, **changes})


def moves(asked: ModelFacts, known: ModelState) -> list[tuple[int, str, str]]:
    return [
        (request.key.version, request.kind.value, request.reason)
        for request in standing_requests(asked, known)
    ]


def asked(*numbers: int) -> list[tuple[int, str, str]]:
    return [(number, "Promote", "each new version, by spec.automation") for number in numbers]


class Case(NamedTuple):
    model: ModelFacts
    state: ModelState
    moves: list[tuple[int, str, str]]


OPEN, FAILED = tried(1, AttemptOutcome.OPEN), tried(1, AttemptOutcome.FAILED)
LEFT_STAGING = version_state(2, NEW, history=(Moved(STAGED, NOW_TEXT, 3), Moved(NEW, NOW_TEXT, 4)))

CASES = {
    "no automation": Case(model(), state({1: NEW}), []),
    "no version": Case(automated(), state({}), []),
    "a new version": Case(automated(), state({1: NEW}), asked(1)),
    "as many new ones as may stay": Case(
        automated(2), state({1: NEW, 2: NEW, 3: NEW}), asked(3, 2)
    ),
    "one that is not valid": Case(
        automated(), state(versions={1: version_state(1, valid=False)}), []
    ),
    "one that is named": Case(automated(stages=stages(registered=(1,))), state({1: NEW}), []),
    "one that is older than what was in Staging": Case(
        automated(2), state({1: NEW, 2: STAGED}), []
    ),
    "one that is older than what went back": Case(
        automated(2), state(versions={1: version_state(1), 2: LEFT_STAGING}), []
    ),
    "one that is on its way": Case(automated(), state({1: NEW}, OPEN), asked(1)),
    "one that is on its way, and a newer one": Case(
        automated(), state({1: NEW, 2: NEW}, OPEN), asked(2, 1)
    ),
    "one that is on its way, and a newer one in Staging": Case(
        automated(2), state({1: NEW, 2: STAGED}, OPEN), asked(1)
    ),
    "one that is on its way, and as many newer ones in Staging as may stay": Case(
        automated(), state({1: NEW, 2: STAGED}, OPEN), []
    ),
    "one on its way by another request, older than what was in Staging": Case(
        automated(2), state({1: NEW, 2: STAGED}, replace(OPEN, request_id="r")), []
    ),
    "one that failed may be retried by people, and is not tried again": Case(
        automated(), state({1: NEW}, FAILED), asked(1)
    ),
    "one that failed, and an older one": Case(
        automated(),
        state({1: NEW, 2: NEW}, tried(2, AttemptOutcome.FAILED)),
        asked(2, 1),
    ),
    "one that failed when somebody asked for it": Case(
        automated(), state({1: NEW, 2: NEW}, tried(2, AttemptOutcome.FAILED, request_id="r")),
        asked(2),
    ),
    "one whose attempt a change superseded": Case(
        automated(),
        state({1: NEW, 2: NEW}, tried(2, AttemptOutcome.SUPERSEDED, reopens=True)),
        asked(2),
    ),
    "as many in Staging as may stay": Case(automated(2), state({1: STAGED, 2: STAGED}), []),
    "one more in Staging than may stay": Case(
        automated(), state({1: STAGED, 2: STAGED}), [(1, "Demote", "replaced by 2")]
    ),
    "more in Staging than may stay": Case(
        automated(2),
        state({1: STAGED, 2: STAGED, 3: STAGED, 7: STAGED}),
        [(2, "Demote", "replaced by 7"), (1, "Demote", "replaced by 7")],
    ),
    "one in Staging that is named": Case(
        automated(stages=stages(staging=(1,))), state({1: STAGED, 2: STAGED}), []
    ),
    "one in Staging that is asked further": Case(
        automated(stages=stages(production=1)), state({1: STAGED, 2: STAGED}), []
    ),
    "one in Staging that is on its way to Production": Case(
        automated(), state({1: STAGED, 2: STAGED}, attempt(1)), []
    ),
    "one in Production": Case(automated(), state({1: Stage.PRODUCTION, 2: STAGED}), []),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_automation_asks_for_the_newest_versions_and_sends_back_what_they_replace(
    name: str,
) -> None:
    case = CASES[name]

    assert moves(case.model, case.state) == case.moves


def test_only_the_newest_versions_are_tried() -> None:
    many = dict.fromkeys(range(1, 100), NEW)
    failed = [tried(number, AttemptOutcome.FAILED) for number in range(1, 100)]

    found = moves(automated(), state(many, *failed))

    assert found == asked(*range(99, 99 - NEWEST_TRIED, -1))


def test_each_stay_in_staging_is_ended_by_a_request_of_its_own() -> None:
    known = state(
        versions={1: version_state(1, STAGED, index=40), 2: version_state(2, STAGED, index=30)}
    )

    (request,) = standing_requests(automated(), known)

    assert (request.id, request.requester) == ("a/40", MANAGER)


def test_whoever_wrote_the_automation_needs_the_rights_for_its_moves() -> None:
    known, seen = state({1: STAGED, 2: STAGED, 3: NEW}), snapshot(model=automated())

    needed = [
        (question.caller, verb)
        for request in standing_requests(automated(), known)
        for question in access_needed(request, seen)
        for verb in question.right.verbs
    ]

    assert needed == [(MANAGER, "promote"), (MANAGER, "demote")]


@pytest.mark.parametrize(
    ("governs", "code"),
    [
        (ALLOWING, "AutomationAllowed"),
        (policy(), "AutomationNotAllowed"),
        (wait("NoPolicy", "There is none."), "NoPolicy"),
    ],
)
def test_the_policy_says_how_far_automation_may_go(
    governs: PolicyFacts | Verdict, code: str
) -> None:
    assert automation_is_allowed(automated().automation, governs).code == code


@pytest.mark.parametrize("where", [{1: NEW}, {1: STAGED, 2: STAGED}])
def test_nothing_is_moved_that_the_policy_does_not_let_move(where: dict[int, Stage]) -> None:
    versions = {number: version(number) for number in where}
    seen = snapshot(model=automated(), versions=versions, policy=policy())

    opened = openings(seen, state(where), identity=IDENTITY)

    assert ([hold.verdict.code for hold in opened.holds], opened.attempts) == (
        ["AutomationNotAllowed"],
        (),
    )


def test_an_automation_that_nobody_is_known_to_have_written_waits() -> None:
    seen = snapshot(model=automated(authors=()), policy=ALLOWING)

    opened = openings(seen, state({1: NEW}), identity=IDENTITY)

    assert [hold.verdict.code for hold in opened.holds] == ["AuthorUnknown"]


def test_what_the_stages_ask_for_stands_beside_it() -> None:
    seen = snapshot(model=automated(stages=stages(staging=(1,))), policy=ALLOWING)

    found = [(r.key.version, r.part) for r in requests_now(seen, state({1: NEW, 2: NEW}))]

    assert found == [(1, "stages.staging/1"), (2, "automation")]


def test_a_version_that_a_newer_one_replaces_alarms_nobody() -> None:
    given = {"rationale": "replaced by 2", "facts": {"byAutomation": True}}

    found = announcement(record(Operation.DEMOTED, **given))

    assert found is not None
    assert not found.warning


def test_it_is_told_that_nobody_wrote_the_request() -> None:
    asked_for = record(
        Operation.REQUESTED,
        facts={"kind": "Promote", "to": "Staging", "byAutomation": True},
        rationale="each new version, by spec.automation",
    )

    found = announcement(asked_for)

    assert found is not None
    assert found.message == "spec.automation asked for Staging."
    assert told(asked_for).sentence == (
        'Staging asked for by the automation of operator: "each new version, by spec.automation"'
    )
