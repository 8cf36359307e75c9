"""What a code means: who must act, what was found in one plain sentence, and what to do next."""

from dataclasses import dataclass
from enum import StrEnum


class Who(StrEnum):
    """The people of whom something is asked; Nobody where a machine or the clock is at work."""

    NOBODY = "Nobody"
    REQUESTER = "Requester"
    REGISTRANT = "Registrant"
    MODEL_OWNER = "ModelOwner"
    APPROVER = "Approver"
    SERVING_TEAM = "ServingTeam"
    PLATFORM_TEAM = "PlatformTeam"


@dataclass(frozen=True)
class Reason:
    """One code as everybody may rely on it; `next_step` is empty where nobody must act."""

    who: Who
    meaning: str
    next_step: str = ""


def nobody(meaning: str) -> Reason:
    """Ask nothing of anybody."""
    return Reason(Who.NOBODY, meaning)


def requester(meaning: str, next_step: str) -> Reason:
    """Ask whoever asked, or called."""
    return Reason(Who.REQUESTER, meaning, next_step)


def registrant(meaning: str, next_step: str) -> Reason:
    """Ask whoever trained or registered the version."""
    return Reason(Who.REGISTRANT, meaning, next_step)


def model_owner(meaning: str, next_step: str) -> Reason:
    """Ask whoever may write the Model's own rules."""
    return Reason(Who.MODEL_OWNER, meaning, next_step)


def approver(meaning: str, next_step: str) -> Reason:
    """Ask whoever votes or reviews."""
    return Reason(Who.APPROVER, meaning, next_step)


def serving_team(meaning: str, next_step: str) -> Reason:
    """Ask whoever runs what serves or uses the model."""
    return Reason(Who.SERVING_TEAM, meaning, next_step)


def platform_team(meaning: str, next_step: str) -> Reason:
    """Ask whoever installs, writes policies and binds roles."""
    return Reason(Who.PLATFORM_TEAM, meaning, next_step)
