"""Conditions: what is true of an object, with a reason for machines and a sentence for people."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from modelwarden.resources.scalars import CAMEL_CASE, Code, LongText, Sentence, Text, Time
from modelwarden.resources.shapes import Shape, keyed


class ConditionStatus(StrEnum):
    """Whether a condition holds; Unknown until it was looked at."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(Shape):
    """One observation about the object."""

    type: Annotated[str, Field(pattern=CAMEL_CASE, min_length=1, max_length=63)]
    """What is observed, as an adjective or participle."""
    status: ConditionStatus
    """Whether it holds."""
    observed_generation: Annotated[int, Field(ge=0)] | None = None
    """The generation of the spec that was looked at."""
    last_transition_time: Time
    """When `status` last changed."""
    reason: Code
    """Why, in one word for machines."""
    message: LongText
    """Why, in sentences for people, with what to do next."""


Conditions = Annotated[tuple[Condition, ...], keyed("type", at_most=16)]


class Obstacle(StrEnum):
    """How an unmet claim stands."""

    WAIT = "Wait"
    DENY = "Deny"


class Unmet(Shape):
    """One claim that holds a version back; all of them are listed at once."""

    outcome: Obstacle
    """Wait: time or people may meet it. Deny: this attempt never will."""
    code: Code
    """Which claim, in one word for machines."""
    message: Sentence
    """What was found, in a sentence."""
    next_step: Text | None = None
    """What to do about it."""
