"""Where a version goes when it leaves Production, and what may come back without the whole step."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from modelwarden.domain.facts import DesiredStages, PolicyFacts, StageEntry
from modelwarden.domain.scribe import moment
from modelwarden.domain.stages import Move, Stage
from modelwarden.domain.state import ModelState, ServingInterval
from modelwarden.domain.verdicts import Verdict, allow, wait


def names(entries: tuple[StageEntry, ...], version: int) -> bool:
    """Say whether one of the entries names the version."""
    return any(entry.version == version for entry in entries)


def when_superseded(stages: DesiredStages, version: int) -> Stage:
    """Say where a version goes that another one replaces: as written, else Retiring.

    Archived is reached through Retiring, when no consumer is left. A staging entry of it is spent:
    it asked for Staging once, long ago, and does not ask again by standing there.
    """
    if names(stages.registered, version):
        return Stage.REGISTERED
    return Stage.RETIRING


def when_rolled_back(stages: DesiredStages, version: int) -> Stage:
    """Say where a version goes that an older one replaces: Staging if its entry stands."""
    return Stage.STAGING if names(stages.staging, version) else Stage.RETIRING


def when_withdrawn(stages: DesiredStages, version: int) -> Stage | None:
    """Say where a version goes that nothing replaces: as written, and None where nothing is."""
    if names(stages.staging, version):
        return Stage.STAGING
    if names(stages.registered, version):
        return Stage.REGISTERED
    if names(stages.archived, version):
        return Stage.RETIRING
    return None


def leaves_production(stages: DesiredStages, state: ModelState) -> Verdict:
    """The version in Production may leave it: nothing else is on its way there."""
    if not may_move_away(stages, state) and stages.production is not None:
        return wait(
            "WaitsForReplacement",
            f"Version {state.production} leaves Production once version "
            f"{stages.production.version} has taken its place.",
        )
    rollout = state.rollout()
    if rollout is not None:
        number = rollout.key.version
        return wait("RolloutInProgress", f"Version {number} is being rolled out just now.")
    return allow("MayLeave", "Nothing else is on its way to Production.")


def may_move_away(stages: DesiredStages, state: ModelState) -> bool:
    """Say whether the version in Production may leave it.

    It may when the version that `production` names has committed, or when `production` is gone: so
    `production: 2 -> 3` and `archived: [2]` in one commit never leave Production empty.
    """
    return stages.production is None or stages.production.version == state.production


def directly_superseded(state: ModelState) -> int | None:
    """Name the version that the one in Production replaced, if it left by being replaced."""
    closed = [interval for interval in state.intervals if interval.end]
    if state.production is None or not closed:
        return None
    version = closed[-1].version
    known = state.versions[version]
    return version if known.was_superseded and version != state.production else None


@dataclass(frozen=True)
class RollbackTarget:
    """A version that may come back without the whole step, and until when; None has no end."""

    version: int
    until: datetime | None = None


def rollback_targets(
    state: ModelState, policy: PolicyFacts | Verdict, *, now: datetime
) -> tuple[RollbackTarget, ...]:
    """List the versions that may come back: the one superseded last, and older ones for some days.

    The last one may come back whatever a policy says; without a policy no other one may.
    """
    direct = directly_superseded(state)
    found = {} if direct is None else {direct: RollbackTarget(direct)}
    days = policy.rollback.within_days if isinstance(policy, PolicyFacts) else None
    for number, left in _left_by_being_superseded(state).items():
        until = moment(left.end) + timedelta(days=days or 0)
        if number not in found and now < until:
            found[number] = RollbackTarget(number, until)
    return tuple(found[number] for number in sorted(found))


def returnable(
    state: ModelState, policy: PolicyFacts | Verdict, *, now: datetime
) -> frozenset[int]:
    """Name the versions whose way to Production is a rollback.

    An attempt to come back that has opened goes on by what held when it did.
    """
    returning = {a.key.version for a in state.open_attempts() if a.kind is Move.ROLLBACK}
    targets = {target.version for target in rollback_targets(state, policy, now=now)}
    return frozenset(targets | returning)


def _left_by_being_superseded(state: ModelState) -> dict[int, ServingInterval]:
    """Find the last interval of every version that another one replaced."""
    last = {interval.version: interval for interval in state.intervals if interval.end}
    return {
        number: interval
        for number, interval in last.items()
        if number != state.production and state.versions[number].was_superseded
    }
