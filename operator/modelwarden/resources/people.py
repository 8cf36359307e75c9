"""People as manifests name them, and logins as admission stamps them."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from modelwarden.resources.scalars import NOT_BLANK, ShortText
from modelwarden.resources.shapes import Shape, listed


class SubjectKind(StrEnum):
    """One login, or a group of them."""

    USER = "User"
    GROUP = "Group"


class Subject(Shape):
    """A person or a group, as in a RoleBinding."""

    kind: SubjectKind
    """Whether the name is a login or a group's."""
    name: Annotated[str, Field(pattern=NOT_BLANK, min_length=1, max_length=256)]
    """The name as the API server knows it."""


class Trainer(Shape):
    """A person answerable for the training code; a group cannot be, for nobody would be."""

    kind: Literal[SubjectKind.USER]
    """Always User."""
    name: Annotated[str, Field(pattern=NOT_BLANK, min_length=1, max_length=256)]
    """The login as the API server knows it."""


class Stamp(Shape):
    """A login as the API server authenticated it; written by admission, in no manifest."""

    username: Annotated[str, Field(max_length=512)]
    """The login."""
    uid: ShortText | None = None
    """The login's uid, where the provider gives one."""
    groups: Annotated[tuple[ShortText, ...], listed(at_most=512)] | None = None
    """All groups of the login at that moment, in the API server's order."""
