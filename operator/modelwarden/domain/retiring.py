"""From Retiring to Archived: by the operator itself, as soon as nothing uses the version."""

from modelwarden.domain.consumers import nothing_consumes
from modelwarden.domain.departures import names
from modelwarden.domain.facts import DesiredStages, Snapshot
from modelwarden.domain.leaving import still_leaving
from modelwarden.domain.records import Operation, Record, StageMove
from modelwarden.domain.scribe import Scribe
from modelwarden.domain.stages import Stage
from modelwarden.domain.state import ModelState
from modelwarden.domain.verdicts import Verdict, wait
from modelwarden.domain.wishes import requests_now

NOBODY_LEFT = "no consumer is left"


def may_rest(version: int, snapshot: Snapshot, *, state: ModelState) -> Verdict:
    """Nothing uses a retiring version, and nothing else is to become of it."""
    interval = still_leaving(state)
    if interval is not None and interval.version == version:
        return wait("StillServing", f"Version {version} may still answer.")
    busy = any(attempt.key.version == version for attempt in state.open_attempts())
    asked = any(request.key.version == version for request in requests_now(snapshot, state))
    if busy or asked:
        return wait("AskedElsewhere", f"Version {version} is asked into another stage.")
    return nothing_consumes(snapshot.consumers, version)


def archived(snapshot: Snapshot, state: ModelState, *, scribe: Scribe) -> tuple[Record, ...]:
    """Record for every retiring version that may rest that it is archived."""
    if snapshot.model is None:
        return ()
    return tuple(
        scribe.of_version(
            Operation.ARCHIVED,
            state.versions[number],
            rationale=_reason(snapshot.model.stages, number),
            moves=(StageMove(version=number, source=Stage.RETIRING, target=Stage.ARCHIVED),),
        )
        for number in state.in_stage(Stage.RETIRING)
        if may_rest(number, snapshot, state=state).allows
    )


def held_from_the_archive(snapshot: Snapshot, state: ModelState) -> tuple[tuple[int, Verdict], ...]:
    """Say what holds the retiring versions back that somebody wants in the archive."""
    if snapshot.model is None:
        return ()
    wanted = snapshot.model.stages.archived
    found = (
        (number, may_rest(number, snapshot, state=state))
        for number in state.in_stage(Stage.RETIRING)
        if names(wanted, number)
    )
    return tuple((number, verdict) for number, verdict in found if not verdict.allows)


def _reason(stages: DesiredStages, version: int) -> str:
    written = (entry.reason for entry in stages.archived if entry.version == version)
    return next(written, NOBODY_LEFT)
