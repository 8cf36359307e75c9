"""The ladder a version climbs, and the steps between its rungs."""

from enum import StrEnum


class Stage(StrEnum):
    """Where a version is; Retiring and Archived follow Production."""

    REGISTERED = "Registered"
    STAGING = "Staging"
    PRODUCTION = "Production"
    RETIRING = "Retiring"
    ARCHIVED = "Archived"


class Move(StrEnum):
    """The kinds of attempts: what moving a version one step means."""

    REGISTER = "Register"
    PROMOTE = "Promote"
    DEMOTE = "Demote"
    ROLLBACK = "Rollback"
    WITHDRAW = "Withdraw"
    ARCHIVE = "Archive"


# Moves that only take something away: no gate and no vote stands in their way, nor a policy.
DOWNWARDS = frozenset({Move.DEMOTE, Move.WITHDRAW, Move.ARCHIVE})

LADDER = (Stage.REGISTERED, Stage.STAGING, Stage.PRODUCTION)


def is_above(stage: Stage, other: Stage | None) -> bool:
    """Say whether a stage is higher on the ladder; Retiring and Archived stand below all of it."""
    return _rung(stage) > _rung(other)


def next_step(at: Stage, wanted: Stage) -> Stage:
    """Name the next rung towards the wanted stage: the way to Production leads through Staging."""
    if wanted is Stage.PRODUCTION and at is not Stage.STAGING:
        return Stage.STAGING
    return wanted


def _rung(stage: Stage | None) -> int:
    return LADDER.index(stage) if stage in LADDER else -1
