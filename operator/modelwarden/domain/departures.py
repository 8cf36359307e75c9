"""Where a version goes when it leaves Production, and what may come back without the whole step."""

from modelwarden.domain.facts import DesiredStages, StageEntry
from modelwarden.domain.stages import Stage
from modelwarden.domain.state import ModelState


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
