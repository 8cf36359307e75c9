"""A step of a policy: what must hold, and who must approve, before a version enters a stage."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field

from modelwarden.domain.stages import Stage
from modelwarden.resources.gates import Gate
from modelwarden.resources.rules import unique
from modelwarden.resources.scalars import Seconds
from modelwarden.resources.shapes import Shape, listed

Votes: TypeAlias = Annotated[int, Field(ge=0, le=8)]


class Exclusion(StrEnum):
    """Whose votes do not count, because of what they did for this version."""

    TRAINER = "Trainer"
    REGISTRANT = "Registrant"


class Approvals(Shape):
    """How many people must approve; one person counts once."""

    owners: Votes | None = None
    """How many of the Model's owners."""
    reviewers: Votes | None = None
    """How many of the Model's reviewers."""
    expire_after_seconds: Annotated[int, Field(ge=60, le=31_536_000)] | None = None
    """How long a vote counts."""
    exclude: Annotated[tuple[Exclusion, ...], listed(at_most=2)] | None = None
    """Whose votes do not count."""


class PolicyStep(Shape):
    """What guards the way into one stage."""

    RULES: ClassVar = (
        unique("gates", by="name", message="two gates with one name", optional=True),
    )

    to: Literal[Stage.REGISTERED, Stage.STAGING, Stage.PRODUCTION]
    """The stage that the step leads to."""
    gates: Annotated[tuple[Gate, ...], listed(at_most=16)] | None = None
    """The claims that must hold; all of them are asked and all answers are reported."""
    approvals: Approvals | None = None
    """Who must approve, once the gates have passed."""
    soak_seconds: Seconds | None = None
    """How long a version must have been in Staging."""
    rollout_timeout_seconds: Annotated[int, Field(ge=1, le=86_400)] | None = None
    """When a rollout that has not finished has failed."""
