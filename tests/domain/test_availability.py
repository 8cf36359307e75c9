"""Which artifacts are looked at again, when, and what is made of it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from modelwarden.domain.availability import (
    CHECK,
    check_to_start,
    checked,
    checks_of_now,
    due_at,
    versions_to_check,
)
from modelwarden.domain.facts import RunKey, RunState
from modelwarden.domain.fold import fold_model
from modelwarden.domain.history import history
from modelwarden.domain.records import Operation
from modelwarden.domain.scribe import moment
from modelwarden.domain.stages import Stage
from modelwarden.domain.state import AttemptOutcome, CheckState, ModelState
from tests.domain.builders import (
    INSTALLATION,
    KEY,
    NOW,
    NOW_TEXT,
    SCRIBE,
    at,
    attempt,
    interval,
    policy,
    record,
    run,
    snapshot,
    state,
    version,
    version_state,
)

DAY = 86_400
REGISTERED = attempt(1, Stage.REGISTERED, outcome=AttemptOutcome.SUCCEEDED, ended=NOW_TEXT)
STAGED = state({1: Stage.STAGING}, REGISTERED)
LATER = snapshot(now=at(days=1))


def after(check: CheckState) -> ModelState:
    return state({1: Stage.STAGING}, REGISTERED, versions={1: replace(ONE, check=check)})


ONE = version_state(1, Stage.STAGING)


def found(outcome: str, number: int = 1, *, turned: bool = False) -> dict[str, Any]:
    return {
        "number": number,
        "outcome": outcome,
        "code": "Said",
        "sentence": f"{outcome}, said number {number}.",
        "turned": turned,
    }


def test_what_serves_is_a_candidate_or_may_be_gone_back_to_is_looked_at() -> None:
    stages = {
        1: Stage.ARCHIVED, 2: Stage.RETIRING, 3: Stage.PRODUCTION,
        4: Stage.STAGING, 5: Stage.REGISTERED,
    }  # fmt: skip
    known = state(stages)
    left = version_state(2, Stage.RETIRING, was_superseded=True)
    intervals = (interval(2, end=NOW_TEXT), interval(3))
    known = replace(known, versions=known.versions.put(2, left), intervals=intervals)

    assert versions_to_check(known, policy(), now=NOW) == (2, 3, 4)


def test_each_version_is_looked_at_within_a_period_and_not_all_at_once() -> None:
    dues = [
        (due_at(version_state(number), state(), every_seconds=DAY) - NOW).total_seconds()
        for number in range(1, 200)
    ]

    assert min(dues) >= 0.75 * DAY
    assert max(dues) <= DAY
    assert len({int(due / 60) for due in dues}) > 100


@pytest.mark.parametrize(("in_vain", "soon"), [(0, False), (1, True), (2, True), (3, False)])
def test_what_could_not_be_told_is_tried_again_soon_but_not_for_ever(
    in_vain: int, *, soon: bool
) -> None:
    last = CheckState(number=7, time=NOW_TEXT, in_vain=in_vain)

    due = due_at(replace(ONE, check=last), state(), every_seconds=DAY)

    assert (due - NOW <= timedelta(seconds=300)) is soon


def test_where_a_period_is_short_nothing_waits_for_longer() -> None:
    last = CheckState(number=7, time=NOW_TEXT, in_vain=1)

    due = due_at(replace(ONE, check=last), state(), every_seconds=4)

    assert due <= at(seconds=4)


def test_of_what_is_due_one_is_started() -> None:
    turn = check_to_start(LATER, STAGED, installation=INSTALLATION)

    assert turn is not None
    check, store = turn
    assert (check.key, store.name) == (
        RunKey("fraud-detector-1-registered-1", "artifact.again", 1),
        "models",
    )
    assert check.transition.uid == REGISTERED.uid


@pytest.mark.parametrize(
    ("facts", "known"),
    [
        (snapshot(), STAGED),
        (replace(LATER, model=None), STAGED),
        (replace(LATER, versions={}), STAGED),
        (replace(LATER, versions={1: version(spec={"model": "other"})}), STAGED),
        (LATER, state({1: Stage.REGISTERED}, REGISTERED)),
        (LATER, state({1: Stage.STAGING})),
    ],
    ids=["too early", "no Model", "no object", "other content", "not in use", "no registration"],
)
def test_else_nothing_is_started(facts: Any, known: ModelState) -> None:
    assert check_to_start(facts, known, installation=INSTALLATION) is None


def running(**changes: Any) -> Any:
    check = checks_of_now(LATER, STAGED, installation=INSTALLATION)[0]
    return replace(LATER, runs={check.key: run(CHECK, check.transition, **changes)})


def test_while_one_runs_none_is_started_and_nothing_is_recorded() -> None:
    facts = running()

    assert check_to_start(facts, STAGED, installation=INSTALLATION) is None
    assert checked(facts, STAGED, scribe=SCRIBE, installation=INSTALLATION) == ()


def test_a_run_that_ended_is_recorded_of_its_version() -> None:
    facts = running(state=RunState.FINISHED, reason="Evicted", detail="The node went away.")

    (written,) = checked(facts, STAGED, scribe=SCRIBE, installation=INSTALLATION)

    assert (written.operation, written.version, written.transition, written.uids) == (
        Operation.ARTIFACT_CHECKED,
        1,
        "",
        {"job": "job-1"},
    )
    assert (written.facts["number"], written.facts["outcome"], written.facts["turned"]) == (
        1,
        "Inconclusive",
        False,
    )


def test_an_artifact_in_no_store_any_more_is_not_available_and_needs_no_run() -> None:
    nowhere = replace(INSTALLATION, stores=())

    (written,) = checked(LATER, STAGED, scribe=SCRIBE, installation=nowhere)

    assert (written.facts["outcome"], written.facts["code"], written.facts["turned"]) == (
        "Failed",
        "StoreNotAllowed",
        True,
    )


def test_the_fold_keeps_what_the_last_check_found_that_could_tell() -> None:
    known = STAGED
    for number, outcome in enumerate(("Passed", "Failed", "Inconclusive", "Inconclusive"), 1):
        checks = record(Operation.ARTIFACT_CHECKED, facts=found(outcome, number))
        known = fold_model(known, checks)

    assert known.versions[1].check == CheckState(
        number=4,
        time=NOW_TEXT,
        available=False,
        code="Said",
        sentence="Failed, said number 2.",
        in_vain=2,
        problem="Inconclusive, said number 4.",
    )


def test_the_history_tells_only_of_checks_that_found_another_thing_than_before() -> None:
    records = [
        record(Operation.ARTIFACT_CHECKED, facts=found(outcome, number, turned=turned))
        for number, (outcome, turned) in enumerate(
            [("Passed", False), ("Failed", True), ("Failed", False), ("Passed", True)], 1
        )
    ]

    assert [told.sentence for told in history(records, KEY)] == [
        "artifact looked at again, failed: Failed, said number 2.",
        "artifact looked at again, passed: Passed, said number 4.",
    ]


def test_time_is_counted_from_the_last_check() -> None:
    last = CheckState(number=1, time="2026-11-25T12:00:00.000Z", available=True)

    due = due_at(replace(ONE, check=last), after(last), every_seconds=DAY)

    assert moment(last.time) < due <= at(days=2)
