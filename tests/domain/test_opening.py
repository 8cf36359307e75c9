"""What must hold before an attempt opens, and what is then frozen."""

from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from modelwarden.domain.decide import questions
from modelwarden.domain.facts import Access, RollbackRule, Snapshot
from modelwarden.domain.identity import Caller
from modelwarden.domain.opening import (
    NewAttempt,
    never_asked,
    openings,
    registrations_to_reopen,
    trainer_is_known,
    wanted,
)
from modelwarden.domain.rights import DEMOTE_STAGING, PROMOTE_PRODUCTION, PROMOTE_STAGING
from modelwarden.domain.stages import Stage
from modelwarden.domain.state import AttemptKey, AttemptOutcome, ModelState, Versions
from modelwarden.domain.verdicts import wait
from tests.domain.builders import (
    IDENTITY,
    KEY,
    MANAGER,
    NOW_TEXT,
    OWNER,
    PIPELINE,
    POLICY_DIGEST,
    Permissive,
    attempt,
    author,
    decision,
    gate,
    group,
    interval,
    model,
    policy,
    ready_attempt,
    snapshot,
    stages,
    state,
    step,
    transition,
    user,
    version,
    version_spec,
    version_state,
)

STAGED = model(stages=stages(staging=(1,)), authors=(author("r1", "stages.staging/1"),))
RELEASED = model(stages=stages(1, staging=(1,)), authors=(author("r2", "stages.production"),))
TO_STAGING = Access(MANAGER, PROMOTE_STAGING, KEY)
REGISTERED, IN_STAGING = {1: Stage.REGISTERED}, {1: Stage.STAGING}
FAILED_REGISTRATION = attempt(
    to=Stage.REGISTERED,
    request_id="version-1",
    outcome=AttemptOutcome.FAILED,
    sentence="The file is no model.",
)
DEMOTING = model(
    stages=stages(registered=(1,)),
    authors=(author("r3", "stages.registered/1", "stages.production/1"),),
)
ARCHIVING = model(stages=stages(archived=(1,)), authors=(author("r3", "stages.archived/1"),))
OUT_OF_STAGING = Access(MANAGER, DEMOTE_STAGING, KEY)
REPLACED_BY_2 = replace(
    state({1: Stage.ARCHIVED, 2: Stage.PRODUCTION}),
    versions=Versions.of(
        {
            1: version_state(1, Stage.ARCHIVED, was_superseded=True),
            2: version_state(2, Stage.PRODUCTION),
        }
    ),
    intervals=(interval(1, end=NOW_TEXT), interval(2)),
)
ROLLING_3 = attempt(3, outcome=AttemptOutcome.ROLLING_OUT, rollout_begun=NOW_TEXT)
ROLLING_2 = attempt(2, outcome=AttemptOutcome.ROLLING_OUT, rollout_begun=NOW_TEXT)


def opened(facts: Snapshot, after: ModelState) -> tuple[NewAttempt, ...]:
    return openings(facts, after, identity=IDENTITY).attempts


def held(facts: Snapshot, after: ModelState) -> list[tuple[int, str, str]]:
    """Give what holds each wish: the version, the stage and the code."""
    holds = openings(facts, after, identity=IDENTITY).holds
    return [(hold.key.version, hold.key.target.value, hold.verdict.code) for hold in holds]


def asking(**changes: Any) -> Snapshot:
    return snapshot(**{"model": STAGED, **changes})


class Row(NamedTuple):
    """Facts that lack one thing, and what is said of it."""

    facts: Snapshot
    after: ModelState
    codes: tuple[str, ...]


NO_POLICY = wait("NoPolicy", "There is none.", "Apply one.")
ROWS: dict[str, Row] = {
    "no version": Row(asking(versions={}), state({}), ("VersionNotFound",)),
    "a version that was deleted": Row(asking(versions={}), state(REGISTERED), ("VersionNotFound",)),
    "other content under its number": Row(
        asking(versions={1: version(spec=version_spec(label="other"))}),
        state(REGISTERED),
        ("NumberTaken",),
    ),
    "a registration under way": Row(
        asking(),
        state({}, attempt(to=Stage.REGISTERED), versions={1: version_state(valid=False)}),
        ("Registering",),
    ),
    "a registration that failed": Row(
        asking(),
        state({}, FAILED_REGISTRATION, versions={1: version_state(valid=False)}),
        ("RegistrationFailed",),
    ),
    "nobody known asked": Row(
        asking(model=replace(STAGED, authors=())), state(REGISTERED), ("AuthorUnknown",)
    ),
    "somebody without a name asked": Row(
        asking(
            model=replace(
                STAGED, authors=(author("r1", "stages.staging/1", by=Caller(username="")),)
            )
        ),
        state(REGISTERED),
        ("AuthorUnknown",),
    ),
    "whoever asked may not": Row(
        asking(access=Permissive({TO_STAGING: False})),
        state(REGISTERED),
        ("RequesterLacksRight",),
    ),
    "nobody could say whether they may": Row(
        asking(access=Permissive({TO_STAGING: None})),
        state(REGISTERED),
        ("RightNotReviewed",),
    ),
    "no policy": Row(asking(policy=NO_POLICY), state(REGISTERED), ("NoPolicy",)),
    "a policy without the step": Row(
        asking(policy=policy(steps={})), state(REGISTERED), ("NoGates",)
    ),
    "a policy below the floor": Row(
        asking(policy=policy(step(Stage.STAGING, gate("artifact")))),
        state(REGISTERED),
        ("PolicyBelowFloor",),
    ),
    "a gate that nobody can run": Row(
        asking(policy=policy(step(Stage.STAGING, gate(), gate("benchmark")))),
        state(REGISTERED),
        ("NotYetSupported",),
    ),
    "two gates of one name": Row(
        asking(policy=policy(step(Stage.STAGING, gate(), gate("artifact", "metrics")))),
        state(REGISTERED),
        ("GateNameTaken",),
    ),
    "no fairness gate for people": Row(
        snapshot(model=replace(RELEASED, affects_people=True)),
        state(IN_STAGING),
        ("NoFairnessGate",),
    ),
    "another version's rollout": Row(
        snapshot(model=RELEASED),
        state({1: Stage.STAGING, 2: Stage.STAGING}, ROLLING_2),
        ("RolloutInProgress",),
    ),
    "an archived line of a version that nobody registered": Row(
        snapshot(model=ARCHIVING, versions={}), state({}), ("VersionNotFound",)
    ),
    "a demotion by somebody who may not": Row(
        snapshot(model=DEMOTING, access=Permissive({OUT_OF_STAGING: False})),
        state(IN_STAGING),
        ("RequesterLacksRight",),
    ),
    "a demotion that nobody stamped": Row(
        snapshot(model=replace(DEMOTING, authors=())), state(IN_STAGING), ("AuthorUnknown",)
    ),
    "a way out of Production while another version is asked for": Row(
        snapshot(model=replace(DEMOTING, stages=stages(2, registered=(1,)))),
        state({1: Stage.PRODUCTION, 2: Stage.STAGING}),
        ("WaitsForReplacement",),
    ),
    "a way out of Production while another version is rolled out": Row(
        snapshot(model=DEMOTING),
        state({1: Stage.PRODUCTION, 2: Stage.STAGING}, ROLLING_2),
        ("RolloutInProgress",),
    ),
    "a rollback without a policy": Row(
        snapshot(model=RELEASED, policy=NO_POLICY), REPLACED_BY_2, ("NoPolicy",)
    ),
    "a rollback while another version is rolled out": Row(
        snapshot(model=RELEASED),
        replace(REPLACED_BY_2, attempts=state({}, ROLLING_3).attempts),
        ("RolloutInProgress",),
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_an_attempt_does_not_open_with(row: Row) -> None:
    found = openings(row.facts, row.after, identity=IDENTITY)

    assert tuple(hold.verdict.code for hold in found.holds if hold.key.version == 1) == row.codes
    assert found.attempts == ()


def test_everything_unmet_is_said_at_once() -> None:
    facts = asking(
        model=replace(STAGED, authors=()),
        versions={1: version(spec=version_spec(label="other"))},
        policy=NO_POLICY,
    )

    found = held(facts, state({}, versions={1: version_state(valid=False)}))

    assert found == [
        (1, "Registered", "NumberTaken"),
        (1, "Registered", "NoPolicy"),
        (1, "Staging", "NumberTaken"),
        (1, "Staging", "NotRegistered"),
        (1, "Staging", "AuthorUnknown"),
        (1, "Staging", "NoPolicy"),
    ]


def test_a_lacked_right_is_named() -> None:
    facts = asking(access=Permissive({TO_STAGING: False}))

    (hold,) = openings(facts, state(REGISTERED), identity=IDENTITY).holds

    assert hold.verdict.sentence == (
        "manager@example.com lacks the verb promote on models/staging for fraud-detector in risk."
    )


def test_a_policy_cannot_hide_a_gate_behind_the_name_of_one_of_the_floor() -> None:
    hidden = policy(step(Stage.REGISTERED, gate("artifact", "metadata")))

    assert held(snapshot(policy=hidden), state({})) == [(1, "Registered", "GateNameTaken")]


def test_a_version_waits_for_its_model() -> None:
    assert held(snapshot(model=None), state({})) == [(1, "Registered", "ModelNotFound")]


def test_a_version_that_nobody_registered_waits() -> None:
    facts = snapshot(versions={1: version(registered_by=None)})

    assert held(facts, state({})) == [(1, "Registered", "AuthorUnknown")]


def test_an_attempt_freezes_everything_that_decides_about_it() -> None:
    serving = state({1: Stage.STAGING, 2: Stage.PRODUCTION})

    (new,) = opened(snapshot(model=RELEASED), serving)

    assert new == NewAttempt(
        name="fraud-detector-1-production-1",
        key=AttemptKey(1, Stage.PRODUCTION),
        request=new.request,
        spec={
            "model": "fraud-detector",
            "version": 1,
            "kind": "Promote",
            "from": "Staging",
            "to": "Production",
            "attempt": 1,
            "request": {
                "id": "r2",
                "entry": {"version": 1, "part": "stages.production", "reason": "release 1"},
                "author": {"username": "manager@example.com", "uid": "u2", "groups": ["staff"]},
            },
            "subjectDigest": version().subject,
            "policy": {"name": "standard", "digest": POLICY_DIGEST},
            **model().governed,
            "champion": {"version": 2, "subjectDigest": version(2).subject},
            "excluded": [{"name": "scientist@example.com", "as": "Trainer"}],
            "allowedFormats": ["ONNX"],
            "requiredMetadata": [],
            "step": {"to": "Production"},
        },
    )


def test_without_a_production_there_is_no_champion() -> None:
    (new,) = opened(snapshot(model=RELEASED), state(IN_STAGING))

    assert "champion" not in new.spec


def test_a_registration_is_asked_for_by_whoever_made_the_version() -> None:
    (new,) = opened(snapshot(), state({}))

    assert (new.name, new.spec["request"], "from" in new.spec) == (
        "fraud-detector-1-registered-1",
        {
            "id": "version-1",
            "entry": {"version": 1, "reason": "gbm-1"},
            "author": PIPELINE.to_json(),
        },
        False,
    )


def test_the_next_attempt_at_a_key_gets_the_next_number() -> None:
    ended = attempt(to=Stage.STAGING, outcome=AttemptOutcome.SUPERSEDED, reopens=True)
    before = replace(ended, number=4)

    (new,) = opened(asking(), state(REGISTERED, before))

    assert (new.name, new.spec["attempt"]) == ("fraud-detector-1-staging-5", 5)


def test_a_version_made_again_registers_again_if_its_registration_had_failed() -> None:
    before = state({}, FAILED_REGISTRATION, versions={1: version_state(valid=False)})

    names = [new.name for new in opened(snapshot(versions={1: version(uid="made-again")}), before)]

    assert names == ["fraud-detector-1-registered-2"]


@pytest.mark.parametrize(
    ("known", "numbers"),
    [
        (version_state(valid=True), ()),
        (version_state(valid=False), (1,)),
    ],
    ids=["registered meanwhile", "not registered"],
)
def test_a_superseded_registration_begins_again(known: Any, numbers: tuple[int, ...]) -> None:
    ended = attempt(to=Stage.REGISTERED, outcome=AttemptOutcome.SUPERSEDED, reopens=True)

    assert registrations_to_reopen(state({}, ended, versions={1: known})) == numbers


def test_a_failed_registration_does_not_begin_again() -> None:
    before = state({}, FAILED_REGISTRATION, versions={1: version_state(valid=False)})

    assert registrations_to_reopen(before) == ()


@pytest.mark.parametrize(
    ("trained_by", "excludes", "code"),
    [
        ((user("scientist@example.com"),), ("Trainer",), "TrainerKnown"),
        ((), ("Trainer",), "TrainerUnknown"),
        ((user(PIPELINE.username),), ("Trainer",), "TrainerUnknown"),
        ((group("scientists"),), ("Trainer",), "TrainerUnknown"),
        ((user(PIPELINE.username), user("a@example.com")), ("Trainer",), "TrainerKnown"),
        ((), ("Registrant",), "TrainerKnown"),
    ],
    ids=["a person", "nobody", "a machine", "a group", "a machine and a person", "not excluded"],
)
def test_a_person_must_be_known_who_trained_it(
    trained_by: Any, excludes: tuple[str, ...], code: str
) -> None:
    assert trainer_is_known(version(trained_by=trained_by), excludes).code == code


def test_rights_are_asked_of_requesters_and_voters_and_of_nobody_unnamed() -> None:
    nameless = decision(Caller(username=""))
    facts = snapshot(
        model=replace(
            RELEASED,
            stages=stages(1, staging=(1, 2)),
            authors=(*RELEASED.authors, author("r4", "stages.staging/2")),
        ),
        versions={1: version(), 2: version(2)},
        transitions={transition().name: transition()},
        decisions=(decision(OWNER), nameless, decision(None)),
    )
    after = state({1: Stage.STAGING, 2: Stage.REGISTERED}, ready_attempt())

    assert {(access.caller.username, access.right.title) for access in questions(facts, after)} == {
        ("manager@example.com", "promote on models/staging"),
        ("manager@example.com", "promote on models/production"),
        ("owner@example.com", "approve on models/production"),
    }


def test_only_what_is_not_under_way_is_wanted() -> None:
    after = state(IN_STAGING, ready_attempt())

    assert wanted(snapshot(model=RELEASED), after) == ()


def test_production_is_asked_of_the_one_who_may_promote_to_it() -> None:
    facts = snapshot(
        model=RELEASED, access=Permissive({Access(MANAGER, PROMOTE_PRODUCTION, KEY): False})
    )

    assert held(facts, state(IN_STAGING)) == [(1, "Production", "RequesterLacksRight")]


def test_a_move_down_is_frozen_without_a_policy_and_without_a_step() -> None:
    facts = snapshot(model=DEMOTING, policy=NO_POLICY)

    (found,) = opened(facts, state(IN_STAGING))

    assert (found.name, dict(found.spec)) == (
        "fraud-detector-1-registered-1",
        {
            "model": "fraud-detector",
            "version": 1,
            "kind": "Demote",
            "from": "Staging",
            "to": "Registered",
            "attempt": 1,
            "request": {
                "id": "r3",
                "entry": {"version": 1, "part": "stages.registered/1", "reason": "demote 1"},
                "author": MANAGER.to_json(),
            },
            "subjectDigest": version().subject,
            **model().governed,
        },
    )


def test_what_was_registered_once_can_go_down_whatever_became_of_its_object() -> None:
    other = version(spec=version_spec(label="other"))
    found = [
        opened(snapshot(model=DEMOTING, versions=there), state(IN_STAGING))
        for there in ({}, {1: other})
    ]

    assert [attempts[0].spec["subjectDigest"] for attempts in found] == [version().subject] * 2


def test_a_rollback_checks_the_file_again_and_asks_whom_the_policy_says() -> None:
    approvals = {"reviewers": 1, "exclude": ["Trainer"]}
    rule = RollbackRule(approvals=approvals, exclude=("Trainer",), review_within_days=3)
    standard = step(Stage.PRODUCTION, stored={"rolloutTimeoutSeconds": 60, "soakSeconds": 600})
    facts = snapshot(model=RELEASED, policy=policy(standard, rollback=rule))

    (found,) = opened(facts, REPLACED_BY_2)

    assert {name: found.spec[name] for name in ("kind", "from", "to", "step", "excluded")} == {
        "kind": "Rollback",
        "from": "Archived",
        "to": "Production",
        "step": {
            "to": "Production",
            "gates": [{"name": "artifact", "artifact": {}}],
            "approvals": approvals,
            "rolloutTimeoutSeconds": 60,
        },
        "excluded": [{"name": "scientist@example.com", "as": "Trainer"}],
    }
    assert found.spec["reviewWithinDays"] == 3


def test_only_what_was_created_and_never_recorded_nor_asked_for_is_let_go() -> None:
    recorded = transition(1, Stage.STAGING)
    awaited = transition(1, Stage.PRODUCTION)
    told = transition(1, Stage.ARCHIVED, status={"observedGeneration": 1, "ledger": [4]})
    taken_back = transition(2, Stage.STAGING, status={"observedGeneration": 1})
    there = {each.name: each for each in (recorded, awaited, told, taken_back)}
    known = state(IN_STAGING, attempt(1, Stage.STAGING, outcome=AttemptOutcome.SUCCEEDED))

    found = never_asked(snapshot(model=RELEASED, transitions=there), known)

    assert found == (taken_back,)
