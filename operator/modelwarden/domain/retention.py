"""How long what is archived is kept: as long as the Model or its policy says, the longer counts."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from modelwarden.domain.facts import ModelFacts, PolicyFacts, Snapshot, VersionFacts
from modelwarden.domain.scribe import moment, timestamp
from modelwarden.domain.stages import Stage
from modelwarden.domain.state import ModelState
from modelwarden.domain.verdicts import Verdict


def archived_days(model: ModelFacts | None, policy: PolicyFacts | Verdict) -> int | None:
    """Say for how many days an archived version is kept; None where nobody says."""
    said = (
        None if model is None else model.archived_days,
        None if isinstance(policy, Verdict) else policy.archived_days,
    )
    return max((days for days in said if days is not None), default=None)


def retention_told(model: ModelFacts, policy: PolicyFacts | Verdict) -> Mapping[str, Any]:
    """Write for a Model's status how long its archived versions are kept.

    Where no policy governs just now, what was shown stays: a policy that is gone shortens nothing.
    """
    shown = model.status.get("retention", {})
    days = archived_days(model, policy)
    if isinstance(policy, Verdict):
        days = max(days or 0, shown.get("archivedDays", 0))
    return {"archivedDays": days} if days else {}


def retained_until(
    version: VersionFacts, snapshot: Snapshot, *, state: ModelState
) -> datetime | None:
    """Say until when an archived version is kept; None where it may be deleted by now."""
    known = state.versions.get(version.number)
    if known is None or known.stage is not Stage.ARCHIVED or snapshot.model is None:
        return None
    days = retention_told(snapshot.model, snapshot.policy).get("archivedDays")
    if days is None:
        return None
    until = moment(known.since) + timedelta(days=days)
    return until if snapshot.now < until else None


def kept(version: VersionFacts, snapshot: Snapshot, *, state: ModelState) -> dict[str, str]:
    """Write for a version's status until when it is kept; once that is over, it says nothing.

    Whoever judges a deletion has no clock.
    """
    until = retained_until(version, snapshot, state=state)
    return {} if until is None else {"retainedUntil": timestamp(until)}


def archived_to_draw_again(
    model: ModelFacts | None, policy: PolicyFacts | Verdict, state: ModelState
) -> tuple[int, ...]:
    """List the archived versions, where they are kept for another time than the Model shows.

    Only where to look is taken from status; until when they are kept is decided from facts.
    """
    if model is None or retention_told(model, policy) == model.status.get("retention", {}):
        return ()
    return state.in_stage(Stage.ARCHIVED)
