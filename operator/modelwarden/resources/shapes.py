"""What every part of the API has in common: frozen, nothing unknown, every list and map bounded.

A field's docstring becomes its description in the CRD. Absent and empty differ everywhere: an
optional field is None when it was not written.
"""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from typing_extensions import override

from modelwarden.resources.rules import Rule

LIST_TYPE = "x-kubernetes-list-type"
LIST_KEYS = "x-kubernetes-list-map-keys"
MAP_TYPE = "x-kubernetes-map-type"
VALIDATIONS = "x-kubernetes-validations"


class Shape(BaseModel):
    """A part of an object: camelCase as JSON, snake_case in Python, with the CEL rules it obeys."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        validate_by_alias=True,
        validate_by_name=True,
    )

    RULES: ClassVar[tuple[Rule, ...]] = ()

    def to_json(self) -> dict[str, Any]:
        """Write the part as JSON; what is None is left out, what is empty stays."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    @classmethod
    def field_names(cls) -> tuple[str, ...]:
        """List the fields by their names in JSON."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())

    @classmethod
    @override
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        schema = handler.resolve_ref_schema(handler(core_schema))
        if cls.RULES:
            schema[VALIDATIONS] = [rule.to_json() for rule in cls.RULES]
        return schema


class IntOrString:
    """What Kubernetes takes as a number or as text, such as 2 and "500m"."""

    def __init__(self, *, pattern: str, at_most: int) -> None:
        self._schema = {
            "x-kubernetes-int-or-string": True,
            "pattern": pattern,
            "maxLength": at_most,
        }

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Write the schema that the API server knows for it."""
        del core_schema, handler
        return dict(self._schema)


def listed(*, at_most: int, at_least: int = 0) -> Any:
    """Bound a list that is one value: its order counts, and whoever applies it owns all of it."""
    return Field(
        min_length=at_least or None,
        max_length=at_most,
        json_schema_extra={LIST_TYPE: "atomic"},
    )


def keyed(*keys: str, at_most: int, at_least: int = 0) -> Any:
    """Bound a list of entries with a key: no key twice, and two appliers may own an entry each."""
    return Field(
        min_length=at_least or None,
        max_length=at_most,
        json_schema_extra={LIST_TYPE: "map", LIST_KEYS: list(keys)},
    )


def mapped(*, at_most: int, keys_at_most: int) -> Any:
    """Bound a map; a schema cannot bound its keys, so a CEL rule does."""
    rule = Rule(
        f"self.all(key, size(key) <= {keys_at_most})",
        f"a key has at most {keys_at_most} characters",
    )
    return Field(max_length=at_most, json_schema_extra={VALIDATIONS: [rule.to_json()]})
