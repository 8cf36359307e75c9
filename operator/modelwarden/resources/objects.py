"""An object of the API: how it is named, read, checked and shown by kubectl."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from modelwarden.domain.labels import API_VERSION
from modelwarden.errors import MalformedObjectError
from modelwarden.resources.scalars import Time
from modelwarden.resources.shapes import Shape


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of `kubectl get`; a wide one shows with `-o wide` only."""

    name: str
    path: str
    description: str
    type: str = "string"
    wide: bool = False


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How a kind is named, listed and selected, and whether its spec is a record."""

    name: str
    plural: str
    short: str
    columns: tuple[Column, ...]
    selectable: tuple[str, ...] = ()
    namespaced: bool = True
    immutable: bool = False

    @property
    def singular(self) -> str:
        """The name for one, as kubectl prints it."""
        return self.name.lower()


def condition_column(condition: str, *, wide: bool = False) -> Column:
    """Show the status of one condition."""
    return Column(
        name=re.sub(r"(?<=[a-z])(?=[A-Z])", " ", condition),
        path=f'.status.conditions[?(@.type=="{condition}")].status',
        description=f"Whether the condition {condition} holds.",
        wide=wide,
    )


class Metadata(Shape):
    """What this project reads of an object's metadata; the rest is the API server's."""

    model_config = ConfigDict(extra="ignore")

    name: str = ""
    """The object's name; empty until the API server has made one from `generate_name`."""
    generate_name: str | None = None
    """What the API server makes a name from."""
    namespace: str | None = None
    """The object's namespace."""
    uid: str | None = None
    """The identity of this very object."""
    resource_version: str | None = None
    """The state of the object that was read."""
    generation: int | None = None
    """How often the spec was written."""
    creation_timestamp: Time | None = None
    """When it was created."""
    deletion_timestamp: Time | None = None
    """When its deletion was asked for."""
    labels: Mapping[str, str] | None = None
    """Its labels."""
    annotations: Mapping[str, str] | None = None
    """Its annotations."""
    finalizers: tuple[str, ...] | None = None
    """Who must act before it goes."""


class Status(Shape):
    """What the operator saw; -1 until it saw anything, so that nobody takes new for ready."""

    observed_generation: Annotated[int, Field(ge=-1)] = -1
    """The generation of the spec that this status is about."""


class Object(Shape):
    """One object of the API."""

    KIND: ClassVar[Kind]

    api_version: str
    """The API's group and version."""
    kind: str
    """The object's kind."""

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        """Read an object from its JSON; MalformedObjectError names every field that is wrong."""
        return parse(cls, raw)


ObjectT = TypeVar("ObjectT", bound=Object)


def parse(kind: type[ObjectT], raw: Mapping[str, Any]) -> ObjectT:
    """Read an object of a kind from its JSON.

    Raises MalformedObjectError whose message begins with the path of the first wrong field and
    goes on with the others. Only what the schema says is checked: what CEL rules say is the API
    server's to refuse and the domain's to deny.
    """
    problems = [*_identity_problems(kind, raw), *_nulls(raw)]
    try:
        text = json.dumps(raw)
    except (TypeError, ValueError) as error:
        raise MalformedObjectError(f"{kind.KIND.name}: is no JSON: {error}") from error
    try:
        # JSON in and strict, so that nothing becomes what it was not: "3" is no number, and a name
        # in snake_case is no field.
        parsed = kind.model_validate_json(text, strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        problems += [_problem(detail) for detail in error.errors(include_url=False)]
        raise MalformedObjectError("; ".join(dict.fromkeys(problems))) from error
    if problems:
        raise MalformedObjectError("; ".join(problems))
    return parsed


def _identity_problems(kind: type[Object], raw: Mapping[str, Any]) -> Iterable[str]:
    for field, wanted in (("apiVersion", API_VERSION), ("kind", kind.KIND.name)):
        if field in raw and raw[field] != wanted:
            yield f"{field}: must be {wanted}, not {raw[field]}"


def _nulls(raw: Mapping[str, Any]) -> Iterable[str]:
    for part in ("spec", "status"):
        yield from _nulls_below(raw.get(part), part)


def _nulls_below(value: Any, path: str) -> Iterable[str]:
    match value:
        case Mapping():
            for key, item in value.items():
                yield from _null_at(item, f"{path}.{key}")
        case list():
            for index, item in enumerate(value):
                yield from _null_at(item, f"{path}[{index}]")
        case _:
            return


def _null_at(value: Any, path: str) -> Iterable[str]:
    if value is None:
        return (f"{path}: null says nothing: leave the field out",)
    return _nulls_below(value, path)


def _problem(detail: ErrorDetails) -> str:
    sentence = detail["msg"][0].lower() + detail["msg"][1:]
    given = detail["input"]
    shown = f", not {given!r:.100}" if isinstance(given, str | int | float) else ""
    return f"{_path(detail['loc'])}: {sentence}{shown}"


def _path(location: tuple[int | str, ...]) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return "".join(steps).removeprefix(".")
