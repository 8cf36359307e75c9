"""The complete manifests leave no field out, so that what holds of them holds of every field."""

from collections.abc import Iterator
from typing import Any

from modelwarden.resources.kinds import KINDS
from modelwarden.resources.objects import Metadata, parse
from modelwarden.resources.shapes import Shape
from tests.resources import manifests


def declared() -> set[str]:
    """Every field of every part of every kind."""
    schemas = [kind.model_json_schema(by_alias=True) for kind in KINDS.values()]
    parts = {name: part for schema in schemas for name, part in schema["$defs"].items()}
    return {
        f"{name}.{field}"
        for name, part in parts.items()
        for field in part.get("properties", {})
        if not name.endswith("Metadata")
    }


def written(value: Any) -> Iterator[str]:
    """Every field that a manifest writes."""
    if isinstance(value, Shape) and not isinstance(value, Metadata):
        fields = type(value).model_fields
        for name in value.model_fields_set:
            yield f"{type(value).__name__}.{fields[name].alias}"
            yield from written(getattr(value, name))
    if isinstance(value, tuple):
        for item in value:
            yield from written(item)


def test_every_field_is_in_a_complete_manifest() -> None:
    manifest_fields = {
        field
        for name, kind in KINDS.items()
        for raw in manifests.complete(name)
        for field in written(parse(kind, raw))
    }

    assert declared() - manifest_fields == set()
