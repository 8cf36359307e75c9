"""What people note of a version later: recorded before votes are counted, for some rest on it."""

from collections.abc import Mapping
from typing import Any

from modelwarden.domain.canonical import digest_of
from modelwarden.domain.facts import Snapshot, VersionFacts
from modelwarden.domain.identity import Caller
from modelwarden.domain.progress import NO_STEP, Step
from modelwarden.domain.records import Operation, Record
from modelwarden.domain.scribe import Scribe, actor_of, timestamp
from modelwarden.domain.state import ModelState, NotesState, VersionState

NO_NOTES: Mapping[str, Any] = {}


def notes_of(version: VersionFacts) -> dict[str, str]:
    """Name the notes, and the part of them that votes rest on: all but the tags."""
    return {
        "digest": digest_of(_content(version)),
        "warnings": digest_of(
            {
                "limitations": list(version.limitations),
                "knownFailureModes": list(version.known_failure_modes),
            }
        ),
    }


def notes_changes(snapshot: Snapshot, state: ModelState, *, scribe: Scribe) -> Step:
    """Record every change of notes, with who made it."""
    step = NO_STEP
    for number, version in sorted(snapshot.versions.items()):
        known = state.versions.get(number)
        if known is not None and known.subject == version.subject and _differ(version, known.notes):
            record = _changed(version, known, state=state, scribe=scribe)
            step = step.joined_with(Step(records=(record,), evidence=(_content(version),)))
    return step


def _content(version: VersionFacts) -> dict[str, Any]:
    return dict(version.spec.get("notes") or NO_NOTES)


def _differ(version: VersionFacts, known: NotesState | None) -> bool:
    digest = digest_of(_content(version))
    # Of a version that an earlier release recorded, only that it had no notes is never news.
    return digest != (digest_of(NO_NOTES) if known is None else known.digest)


def _changed(
    version: VersionFacts, known: VersionState, *, state: ModelState, scribe: Scribe
) -> Record:
    notes = notes_of(version)
    before = None if known.notes is None else known.notes.warnings
    return Record(
        operation=Operation.NOTES_CHANGED,
        time=timestamp(scribe.now),
        transaction=scribe.transaction,
        actor=actor_of(Caller.from_json(version.spec.get("notesBy") or {})),
        namespace=scribe.key.namespace,
        model=scribe.key.name,
        version=version.number,
        subject=version.subject,
        evidence={"notes": notes["digest"]},
        uids={"version": version.uid},
        facts={
            **notes,
            "discardsVotes": before != notes["warnings"],
            # Whose votes are to be cast anew; after the rollout has begun, nobody's.
            "attempts": [
                attempt.name
                for attempt in state.open_attempts()
                if attempt.key.version == version.number and not attempt.rollout_begun
            ],
        },
        build=scribe.build,
    )
