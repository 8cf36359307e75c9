from dataclasses import replace
from typing import Any

import pytest

from modelwarden.domain.decide import decide, questions
from modelwarden.domain.facts import Access, Snapshot
from modelwarden.domain.fold import fold_model
from modelwarden.domain.governance import governance_differs
from modelwarden.domain.identity import Caller
from modelwarden.domain.projection import project
from modelwarden.domain.records import Operation, Record
from modelwarden.domain.rights import GOVERN, PROMOTE_PRODUCTION, Right
from modelwarden.domain.stages import Stage
from modelwarden.domain.state import ModelState

from .builders import (
    INSTALLATION,
    KEY,
    MANAGER,
    OWNER,
    POLICY_DIGEST,
    SCRIBE,
    Permissive,
    attempt,
    author,
    deployment,
    model,
    policy,
    snapshot,
    stages,
    state,
    version_state,
)

OWNERS = {"owners": [{"kind": "User", "name": "owner@example.com"}]}
OTHERS = {"owners": [{"kind": "User", "name": "other@example.com"}]}
SERVING = {"serving": [{"stage": "Production", "deployment": {"name": "fraud-api"}}]}


def declared(*fields: dict[str, Any], by: Caller = MANAGER, **changes: Any) -> Snapshot:
    """A Model that says this, all of it written by one request."""
    content = {name: value for each in fields for name, value in each.items()}
    written = author("r1", "governed", "serving", "automation", by=by)
    made = model(declared=content, authors=(written,), **changes)
    return snapshot(model=made, versions={})


def recorded(facts: Snapshot, known: ModelState) -> tuple[Record, ...]:
    return decide(facts, known, scribe=SCRIBE, installation=INSTALLATION).records


def after(known: ModelState, *looks: Snapshot) -> ModelState:
    """What the ledger says when all of these were looked at, one after the other."""
    for facts in looks:
        for index, record in enumerate(recorded(facts, known), start=known.last_index + 1):
            known = fold_model(known, record.at(index))
    return known


def refusing(caller: Caller, right: Right) -> Permissive:
    return Permissive({Access(caller, right, KEY): False})


EMPTY = replace(state(), governance=ModelState(key=KEY).governance)
KNOWN = after(EMPTY, declared(OWNERS, SERVING))


def test_what_governs_a_model_is_recorded_when_it_is_first_seen_and_once() -> None:
    facts = declared(OWNERS, SERVING)
    (record,) = recorded(facts, EMPTY)

    assert (record.operation, record.actor.username, record.uids) == (
        Operation.GOVERNED_CHANGED,
        MANAGER.username,
        {"model": "model-uid"},
    )
    assert (sorted(record.facts["fields"]), record.facts["first"]) == (["owners", "serving"], True)
    assert recorded(facts, KNOWN) == ()


def test_a_change_is_recorded_with_its_author_and_what_it_was_before() -> None:
    facts = declared(OTHERS, SERVING, by=OWNER)

    (record,) = recorded(facts, KNOWN)

    known = KNOWN.governance.fields["owners"]
    assert (record.actor.username, list(record.facts["fields"])) == (OWNER.username, ["owners"])
    assert record.facts["fields"]["owners"]["from"] == known
    assert after(KNOWN, facts).governance.by == OWNER.username


def test_a_field_that_was_taken_out_is_a_change_too() -> None:
    facts = declared(OWNERS)

    (record,) = recorded(facts, KNOWN)

    assert record.facts["fields"]["serving"]["to"] == ""
    assert list(after(KNOWN, facts).governance.fields) == ["owners"]


def test_what_two_people_changed_is_in_two_records() -> None:
    authors = (author("r1", "serving"), author("r2", "governed", by=OWNER))
    facts = snapshot(model=model(declared={**OTHERS}, authors=authors), versions={})

    records = recorded(facts, KNOWN)

    assert [(r.actor.username, list(r.facts["fields"])) for r in records] == [
        (OWNER.username, ["owners"]),
        (MANAGER.username, ["serving"]),
    ]


def test_a_model_that_is_gone_is_recorded_once_by_nobody_known() -> None:
    gone = snapshot(model=None, versions={})

    (record,) = recorded(gone, KNOWN)

    assert (record.operation, record.actor.username, record.version, record.uids) == (
        Operation.DELETION_OBSERVED,
        "",
        None,
        {"model": "model-uid"},
    )
    assert recorded(gone, after(KNOWN, gone)) == ()


def test_a_version_that_is_gone_is_recorded_once_and_stays_where_it_is() -> None:
    known = replace(KNOWN, versions=state({1: Stage.PRODUCTION}).versions, production=1)
    gone = replace(declared(OWNERS, SERVING), absent=frozenset({1, 7}))

    (record,) = recorded(gone, known)
    folded = after(known, gone)

    assert (record.operation, record.version) == (Operation.DELETION_OBSERVED, 1)
    assert (folded.versions[1].stage, folded.versions[1].uid, recorded(gone, folded)) == (
        Stage.PRODUCTION,
        "",
        (),
    )


def test_a_model_made_again_as_it_was_goes_on() -> None:
    again = declared(OWNERS, SERVING, uid="another-uid")
    folded = after(KNOWN, snapshot(model=None, versions={}))

    (record,) = recorded(again, folded)

    assert (record.operation, after(folded, again).governance.uid) == (
        Operation.ADOPTED,
        "another-uid",
    )


AGAIN = declared(OTHERS, SERVING, uid="another-uid")


def test_a_model_made_again_otherwise_by_somebody_who_may_govern_goes_on() -> None:
    assert (governance_differs(AGAIN, KNOWN), [r.operation for r in recorded(AGAIN, KNOWN)]) == (
        None,
        [Operation.GOVERNED_CHANGED],
    )


def test_a_model_made_again_otherwise_by_anybody_else_stalls_and_nothing_opens() -> None:
    asking = replace(
        AGAIN,
        access=refusing(MANAGER, GOVERN),
        model=model(
            uid="another-uid",
            declared={**OTHERS, **SERVING},
            authors=(author("r1", "governed", "stages.staging/1"),),
            stages=stages(staging=(1,)),
        ),
        versions=snapshot().versions,
    )
    known = replace(KNOWN, versions=state({1: Stage.REGISTERED}).versions)

    plan = decide(asking, known, scribe=SCRIBE, installation=INSTALLATION)

    assert (plan.is_empty, [hold.verdict.code for hold in plan.holds]) == (
        True,
        ["GovernedDiffers"],
    )
    drawn = project(asking, known, holds=plan.holds, installation=INSTALLATION)
    status = next(order.status for order in drawn.statuses if order.kind == "Model")
    said = {c["type"]: (c["status"], c["reason"]) for c in status["conditions"]}
    assert (said["Stalled"], said["Settled"]) == (
        ("True", "GovernedDiffers"),
        ("False", "GovernedDiffers"),
    )


def test_a_model_made_again_otherwise_changes_no_label() -> None:
    version = version_state(1, Stage.PRODUCTION)
    known = state({}, versions={1: version}, production=1, governance=KNOWN.governance)
    facts = replace(
        AGAIN, access=refusing(MANAGER, GOVERN), deployments={"fraud-api": deployment()}
    )

    drawn = project(facts, known, holds=(), installation=INSTALLATION)

    assert drawn.labels == ()


@pytest.mark.parametrize(
    ("production", "code"), [(None, None), (1, "GovernedDiffers")], ids=["idle", "serving"]
)
def test_other_deployments_take_the_right_to_promote_while_one_serves(
    production: int | None, code: str | None
) -> None:
    again = declared(OWNERS, uid="another-uid")
    asked = replace(again, access=refusing(MANAGER, PROMOTE_PRODUCTION))

    differs = governance_differs(asked, replace(KNOWN, production=production))

    assert (None if differs is None else differs.code) == code


def test_while_the_right_is_not_known_it_waits() -> None:
    unknown = replace(AGAIN, access=Permissive({Access(MANAGER, GOVERN, KEY): None}))

    differs = governance_differs(unknown, KNOWN)

    assert differs is not None
    assert (differs.denies, differs.code) == (False, "RightNotReviewed")
    assert Access(MANAGER, GOVERN, KEY) in questions(AGAIN, KNOWN)


def test_an_open_attempt_of_a_model_made_again_otherwise_ends() -> None:
    known = replace(state({1: Stage.STAGING}, attempt(1)), governance=KNOWN.governance)
    denied = replace(AGAIN, access=refusing(MANAGER, GOVERN))

    (record,) = recorded(denied, known)

    assert (record.operation, record.facts["code"], record.facts["reopens"]) == (
        Operation.SUPERSEDED,
        "GovernedDiffers",
        True,
    )


def governed_by(digest: str, known: ModelState) -> ModelState:
    return replace(known, governance=replace(known.governance, policy=digest))


def test_another_content_of_the_policy_is_recorded_once_where_it_governs() -> None:
    known = governed_by(POLICY_DIGEST, state({1: Stage.PRODUCTION}))
    changed = snapshot(policy=policy(digest="sha256:" + "d" * 64), versions={})

    (record,) = recorded(changed, known)

    assert (record.operation, record.facts["from"], record.policy) == (
        Operation.POLICY_CHANGED,
        POLICY_DIGEST,
        "sha256:" + "d" * 64,
    )
    assert recorded(changed, after(known, changed)) == ()


@pytest.mark.parametrize("stage", [Stage.REGISTERED, Stage.STAGING])
def test_a_policy_that_governs_nothing_yet_is_not_recorded(stage: Stage) -> None:
    known = governed_by(POLICY_DIGEST, state({1: stage}))

    assert recorded(snapshot(policy=policy(digest="sha256:" + "d" * 64), versions={}), known) == ()
