from dataclasses import replace
from typing import Any

import pytest

from modelwarden.domain.decide import decide
from modelwarden.domain.evidence import evidence_digest, noted_since
from modelwarden.domain.facts import Snapshot, VersionFacts
from modelwarden.domain.fold import fold_model
from modelwarden.domain.notes import notes_of
from modelwarden.domain.records import Operation, Record
from modelwarden.domain.scribe import timestamp
from modelwarden.domain.stages import Stage
from modelwarden.domain.standing import standing
from modelwarden.domain.state import AttemptOutcome, ModelState, NotesState

from .builders import (
    INSTALLATION,
    NOW,
    OWNER,
    SCRIBE,
    attempt,
    author,
    decision,
    model,
    ready_attempt,
    snapshot,
    stages,
    state,
    transition,
    version,
    version_spec,
    version_state,
)

CAREFUL = {"limitations": ["Not evaluated outside the EU."]}
TAGGED = {"tags": {"team": "risk"}}


def noted(notes: dict[str, Any] | None, **changes: Any) -> VersionFacts:
    """Version 1 with notes that the owner wrote."""
    spec = version_spec() if notes is None else {**version_spec(), "notes": notes}
    spec["notesBy"] = OWNER.to_json()
    limitations = tuple((notes or {}).get("limitations", ()))
    return version(spec=spec, limitations=limitations, **changes)


def looked_at(found: VersionFacts, **changes: Any) -> Snapshot:
    asked = model(stages=stages(1), authors=(author("r1", "stages.production"),))
    return snapshot(model=asked, versions={1: found}, **changes)


def known(before: VersionFacts, *attempts: Any) -> ModelState:
    """The ledger knows version 1 with these notes."""
    told = version_state(
        1, Stage.STAGING, subject=before.subject, notes=NotesState(**notes_of(before))
    )
    return state({}, *attempts, versions={1: told})


def recorded(facts: Snapshot, ledger: ModelState) -> tuple[Record, ...]:
    return decide(facts, ledger, scribe=SCRIBE, installation=INSTALLATION).records


def folded(ledger: ModelState, *records: Record) -> ModelState:
    for index, record in enumerate(records, start=ledger.last_index + 1):
        ledger = fold_model(ledger, record.at(index))
    return ledger


def test_notes_that_changed_are_recorded_with_their_author_and_once() -> None:
    facts, ledger = looked_at(noted(CAREFUL)), known(noted(None))

    (record,) = recorded(facts, ledger)

    assert (record.operation, record.actor.username, record.facts["discardsVotes"]) == (
        Operation.NOTES_CHANGED,
        OWNER.username,
        True,
    )
    assert not [
        again
        for again in recorded(facts, folded(ledger, record))
        if again.operation is Operation.NOTES_CHANGED
    ]


def test_tags_are_recorded_and_no_vote_rests_on_them() -> None:
    (record,) = recorded(looked_at(noted(TAGGED)), known(noted(None)))

    assert record.facts["discardsVotes"] is False


def test_notes_that_were_taken_away_are_a_change() -> None:
    (record,) = recorded(looked_at(noted(None)), known(noted(CAREFUL)))

    assert record.operation is Operation.NOTES_CHANGED


def test_a_version_recorded_without_a_word_of_notes_has_none_until_some_are_there() -> None:
    ledger = state({1: Stage.REGISTERED})
    silent, speaking = (
        snapshot(versions={1: version(spec=s)})
        for s in (version_spec(), {**version_spec(), "notes": TAGGED})
    )

    assert (recorded(silent, ledger), [r.operation for r in recorded(speaking, ledger)]) == (
        (),
        [Operation.NOTES_CHANGED],
    )


def test_changed_notes_are_recorded_before_votes_are_counted() -> None:
    about = ready_attempt()
    old = evidence_digest(about, noted(None))
    vote = decision(OWNER, evidence_digest=old)
    facts = looked_at(noted(CAREFUL), transitions={about.name: transition()}, decisions=(vote,))

    records = recorded(facts, known(noted(None), about))

    assert [(r.operation, r.facts["attempts"]) for r in records] == [
        (Operation.NOTES_CHANGED, [about.name])
    ]


def test_an_older_vote_is_discarded_in_the_name_of_the_editor() -> None:
    about = replace(ready_attempt(), indices=(7,))
    vote = decision(OWNER, evidence_digest=evidence_digest(about, noted(None)))
    facts = looked_at(noted(CAREFUL), transitions={about.name: transition()}, decisions=(vote,))
    ledger = known(noted(None), about)
    ledger = folded(ledger, *recorded(facts, ledger))

    look = standing(ledger.attempts[about.name], facts, state=ledger, installation=INSTALLATION)

    assert look is not None
    assert [(v.verdict.code, v.verdict.sentence) for v in look.votes] == [
        (
            "NotesChanged",
            "owner@example.com changed the notes that owner@example.com had reviewed.",
        )
    ]


@pytest.mark.parametrize("notes", [TAGGED, None], ids=["tags", "nothing"])
def test_a_vote_outlives_what_it_does_not_rest_on(notes: dict[str, Any] | None) -> None:
    about = ready_attempt()
    vote = decision(OWNER, evidence_digest=evidence_digest(about, noted(None)))
    facts = looked_at(noted(notes), transitions={about.name: transition()}, decisions=(vote,))
    ledger = known(noted(notes), about)

    look = standing(about, facts, state=ledger, installation=INSTALLATION)

    assert look is not None
    assert [v.verdict.code for v in look.votes] == ["Counted"]


def test_once_the_rollout_has_begun_notes_are_only_recorded() -> None:
    rolling = ready_attempt(
        outcome=AttemptOutcome.ROLLING_OUT, rollout_begun=timestamp(NOW), evidence="sha256:e"
    )
    facts = looked_at(noted(CAREFUL), transitions={rolling.name: transition()})

    (record,) = recorded(facts, known(noted(None), rolling))

    assert (record.operation, record.facts["attempts"]) == (Operation.NOTES_CHANGED, [])


def test_notes_of_another_content_under_the_number_are_not_recorded() -> None:
    other = noted(CAREFUL, subject="sha256:" + "f" * 64)

    assert recorded(looked_at(other), known(noted(None))) == ()


def test_notes_from_before_an_attempt_are_nobodys_change_of_it() -> None:
    about = attempt(1, indices=(20,))
    ledger = folded(
        known(noted(None), about), *recorded(looked_at(noted(CAREFUL)), known(noted(None)))
    )

    assert noted_since(about, ledger) is None
