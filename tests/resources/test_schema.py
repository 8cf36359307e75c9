"""What has no structural schema, no bound or no exact value is refused with the field's path."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import Field

from modelwarden.resources.objects import Kind, Metadata, Object
from modelwarden.resources.schema import UnstructuralError, structural_schema
from modelwarden.resources.shapes import Shape, keyed, listed, mapped

Short = Annotated[str, Field(max_length=8)]


class Part(Shape):
    """A part."""

    name: Short
    """Its name."""
    nick: Short | None = None
    """Another name."""


class Loop(Shape):
    """A part that contains itself."""

    inner: "Loop | None" = None
    """The same again."""


def kind_with(annotation: Any, *, default: Any = ..., immutable: bool = False) -> type[Object]:
    """A kind whose spec has one field, `it`."""

    class Spec(Shape):
        """The spec."""

        it: annotation = default
        """The field."""

    class Thing(Object):
        """A thing."""

        KIND: ClassVar = Kind(
            name="Thing", plural="things", short="th", columns=(), immutable=immutable
        )

        metadata: Metadata
        """The metadata."""
        spec: Spec
        """The spec."""

    return Thing


def field_of(kind: type[Object]) -> Any:
    return structural_schema(kind)["properties"]["spec"]["properties"]["it"]


@pytest.mark.parametrize(
    ("annotation", "path", "why"),
    [
        (str, "spec.it", "needs a bound (maxLength)"),
        (tuple[Short, ...], "spec.it", "a list says how it is compared"),
        (Annotated[tuple[str, ...], listed(at_most=2)], "spec.it[]", "needs a bound (maxLength)"),
        (
            Annotated[
                tuple[Short, ...], Field(json_schema_extra={"x-kubernetes-list-type": "atomic"})
            ],
            "spec.it",
            "needs a bound (maxItems)",
        ),
        (Mapping[str, Short], "spec.it", "needs a bound (maxProperties)"),
        (
            Annotated[Mapping[str, str], mapped(at_most=2, keys_at_most=8)],
            "spec.it[]",
            "needs a bound (maxLength)",
        ),
        (float, "spec.it", "a float is not what was written"),
        (Annotated[tuple[float, ...], listed(at_most=2)], "spec.it[]", "a float"),
        (Loop, "spec.it.inner", "Loop contains itself"),
        (int | Short, "spec.it", "a field needs one type"),
        (Part | Loop, "spec.it", "a field needs one type"),
        (Any, "spec.it", "a field needs one type"),
        (dict[str, Any], "spec.it", "an object has either known fields, or values of one type"),
        (tuple[Short, int], "spec.it", "a structural schema has no prefixItems"),
        (
            Annotated[Mapping[Annotated[str, Field(pattern="^a")], Short], Field(max_length=2)],
            "spec.it",
            "a structural schema has no patternProperties",
        ),
        (
            Annotated[Short, Field(json_schema_extra={"not": {"enum": ["x"]}})],
            "spec.it",
            "a structural schema has no not",
        ),
        (Annotated[int, Field(gt=1)], "spec.it", "a structural schema has no exclusiveMinimum"),
        (None, "spec.it", "a structural schema has no type null"),
        (
            Annotated[tuple[Part, ...], keyed("nick", at_most=2)],
            "spec.it",
            "a list's keys are required in its items: nick",
        ),
    ],
)
def test_it_is_refused_with_its_path(annotation: Any, path: str, why: str) -> None:
    with pytest.raises(UnstructuralError) as refusal:
        structural_schema(kind_with(annotation))

    assert str(refusal.value).startswith(f"{path}: {why}")


@pytest.mark.parametrize("default", ["", "x", 0, False, ()])
def test_a_default_in_a_spec_is_refused(default: Any) -> None:
    annotation = {
        str: Short,
        int: int,
        bool: bool,
        tuple: Annotated[tuple[Short, ...], listed(at_most=2)],
    }[type(default)]

    with pytest.raises(UnstructuralError, match=r"^spec\.it: a default would write"):
        structural_schema(kind_with(annotation, default=default))


def test_a_keyed_list_in_a_record_is_refused() -> None:
    annotation = Annotated[tuple[Part, ...], keyed("name", at_most=2)]

    with pytest.raises(UnstructuralError, match=r"^spec\.it: a keyed list is compared without"):
        structural_schema(kind_with(annotation, immutable=True))


def test_an_optional_field_is_its_type_without_null_and_without_default() -> None:
    assert field_of(kind_with(Short | None, default=None)) == {
        "description": "The field.",
        "type": "string",
        "maxLength": 8,
    }


def test_a_part_is_written_where_it_is_used() -> None:
    assert field_of(kind_with(Annotated[tuple[Part, ...], keyed("name", at_most=2)])) == {
        "description": "The field.",
        "type": "array",
        "maxItems": 2,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
        "items": {
            "description": "A part.",
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": {"description": "Its name.", "type": "string", "maxLength": 8},
                "nick": {"description": "Another name.", "type": "string", "maxLength": 8},
            },
        },
    }


def test_the_keys_of_a_map_are_bounded_by_a_rule() -> None:
    field = field_of(kind_with(Annotated[Mapping[str, Short], mapped(at_most=2, keys_at_most=9)]))

    assert field == {
        "description": "The field.",
        "type": "object",
        "maxProperties": 2,
        "x-kubernetes-validations": [
            {
                "rule": "self.all(key, size(key) <= 9)",
                "message": "a key has at most 9 characters",
                "reason": "FieldValueInvalid",
            }
        ],
        "additionalProperties": {"type": "string", "maxLength": 8},
    }
