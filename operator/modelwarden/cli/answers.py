"""What a verb comes to: lines for people, data for machines, and how it ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

from modelwarden.cli.layout import Page, Span, Tone, line
from modelwarden.domain.labels import GROUP
from modelwarden.domain.verdicts import Verdict
from modelwarden.errors import ModelwardenError


class Exit(IntEnum):
    """How the program ended, for scripts; 2 is for a command that was not understood."""

    DONE = 0
    FAILED = 1
    REFUSED = 3
    WAITING = 4


class Format(StrEnum):
    """What `-o` asks for."""

    JSON = "json"
    YAML = "yaml"
    NAME = "name"
    WIDE = "wide"


def is_for_people(output: Format | None) -> bool:
    """Say whether an answer is read as words."""
    return output in (None, Format.WIDE)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is printed, in one of its forms, and how the program ends.

    `wide` is the page with more columns; without it the page is all there is.
    """

    page: Page
    data: Any
    names: Sequence[str] = ()
    ending: Exit = Exit.DONE
    wide: Page | None = None


class CannotError(ModelwardenError):
    """The verb cannot do it; `sentences` say why, and `ending` how that ends."""

    def __init__(self, *sentences: str, ending: Exit = Exit.FAILED) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = sentences
        self.ending = ending


def cannot(verdict: Verdict, ending: Exit = Exit.FAILED) -> CannotError:
    """Give up because of a verdict."""
    return CannotError(verdict.message, ending=ending)


def name_of(plural: str, name: str) -> str:
    """Name an object as `-o name` does: `model.modelwarden.io/fraud-detector`."""
    return f"{plural.removesuffix('s')}.{GROUP}/{name}"


def sentences(*texts: str, tone: Tone = Tone.PLAIN) -> Page:
    """Write each text as a line of its own."""
    return tuple(line(Span(text, tone)) for text in texts)
