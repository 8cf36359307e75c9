"""From a pydantic model to a structural schema, or a refusal that names the field.

What the API server would refuse, what it would store without a bound, and what would silently
change or escape comparison is refused here, so that no such field ever reaches a cluster.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from modelwarden.errors import ModelwardenError
from modelwarden.resources.objects import Object
from modelwarden.resources.shapes import LIST_KEYS, LIST_TYPE, MAP_TYPE, VALIDATIONS

Json: TypeAlias = dict[str, Any]

# Written whenever an object has no status yet, so that nobody takes a new object for a ready one.
STATUS_UNTIL_SEEN: Final[Mapping[str, int]] = {"observedGeneration": -1}

_INT_OR_STRING = "x-kubernetes-int-or-string"
# In the order in which a person reads them.
_KEPT = (
    "description",
    "type",
    "format",
    "enum",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    _INT_OR_STRING,
    LIST_TYPE,
    LIST_KEYS,
    MAP_TYPE,
    VALIDATIONS,
)
_HANDLED = frozenset(
    {"$ref", "$defs", "title", "default", "const", "anyOf", "items", "properties", "required"}
    | {"additionalProperties"}
)


class UnstructuralError(ModelwardenError):
    """A model that has no structural schema; the message starts with the field's path."""


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where the conversion is, and what holds there."""

    path: str
    definitions: Mapping[str, Json]
    above: tuple[str, ...] = ()
    in_spec: bool = False
    ordered: bool = False

    def below(self, name: str) -> "_Place":
        return replace(self, path=f"{self.path}.{name}".removeprefix("."))

    def item(self) -> "_Place":
        return replace(self, path=f"{self.path}[]")

    def refuse(self, sentence: str) -> UnstructuralError:
        return UnstructuralError(f"{self.path or 'the object'}: {sentence}")


def structural_schema(kind: type[Object]) -> Json:
    """Write the structural schema of a kind, descriptions and CEL rules included.

    Raises UnstructuralError for: recursion, a choice of types, a field of no type, a float, a
    string, list or map without a bound, a list that does not say how it is compared, a default in
    a spec, and a keyed list in a spec that must never change (equality ignores its order).
    """
    whole = kind.model_json_schema(by_alias=True)
    root = _Place(path="", definitions=whole.get("$defs", {}))
    fields = whole["properties"]
    properties = {
        "apiVersion": _plain("The API's group and version."),
        "kind": _plain("The object's kind."),
        "metadata": _metadata(fields["metadata"], root.below("metadata")),
        "spec": _convert(
            fields["spec"],
            replace(root.below("spec"), in_spec=True, ordered=kind.KIND.immutable),
        ),
    }
    if "status" in fields:
        status = {key: value for key, value in fields["status"].items() if key != "default"}
        properties["status"] = {
            **_convert(status, root.below("status")),
            "default": dict(STATUS_UNTIL_SEEN),
        }
    schema: Json = {
        "description": _one_line(whole["description"]),
        "type": "object",
        "required": ["metadata", "spec"],
        "properties": properties,
    }
    if VALIDATIONS in whole:
        schema[VALIDATIONS] = whole[VALIDATIONS]
    return schema


def _plain(description: str) -> Json:
    return {"description": description, "type": "string"}


def _metadata(node: Json, place: _Place) -> Json:
    # The API server has its own schema of metadata; only the name may be bounded further.
    name = _resolved(node, place)["properties"]["name"]
    schema: Json = {"type": "object"}
    if "pattern" in name:
        bounds = ("type", "pattern", "minLength", "maxLength")
        schema["properties"] = {"name": {key: name[key] for key in bounds if key in name}}
    return schema


def _convert(node: Json, place: _Place) -> Json:
    place, node = _followed(node, place)
    node = _without_null(node, place)
    place, node = _followed(node, place)
    unknown = node.keys() - _HANDLED - frozenset(_KEPT)
    if unknown:
        raise place.refuse(f"a structural schema has no {', '.join(sorted(unknown))}")
    if place.in_spec and node.get("default") is not None:
        raise place.refuse("a default would write what nobody wrote, and change its digest")
    if "const" in node:
        node = {**node, "enum": [node["const"]]}
    schema = {key: node[key] for key in _KEPT if key in node}
    if "description" in schema:
        schema["description"] = _one_line(schema["description"])
    return _typed(schema, node, place)


def _typed(schema: Json, node: Json, place: _Place) -> Json:
    if node.get(_INT_OR_STRING):
        return _bounded(schema, "maxLength", place)
    match node.get("type"):
        case "string":
            return schema if "enum" in schema else _bounded(schema, "maxLength", place)
        case "integer":
            return {**schema, "format": "int64"}
        case "boolean":
            return schema
        case "number":
            raise place.refuse("a float is not what was written; use a decimal in quotes")
        case "array":
            return _list(schema, node, place)
        case "object":
            return _object(schema, node, place)
        case None:
            raise place.refuse("a field needs one type")
        case other:
            raise place.refuse(f"a structural schema has no type {other}")


def _list(schema: Json, node: Json, place: _Place) -> Json:
    if LIST_TYPE not in schema:
        raise place.refuse("a list says how it is compared: listed() or keyed()")
    if place.ordered and schema[LIST_TYPE] != "atomic":
        raise place.refuse("a keyed list is compared without its order, so a reordering would pass")
    if "items" not in node:
        raise place.refuse("a list says what its items are")
    items = _convert(node["items"], place.item())
    missing = set(schema.get(LIST_KEYS, ())) - set(items.get("required", ()))
    if missing:
        raise place.refuse(f"a list's keys are required in its items: {', '.join(sorted(missing))}")
    return {**_bounded(schema, "maxItems", place), "items": items}


def _object(schema: Json, node: Json, place: _Place) -> Json:
    values = node.get("additionalProperties", True)
    if values is False:
        return _fields(schema, node, place)
    if values is True or "properties" in node:
        raise place.refuse("an object has either known fields, or values of one type")
    bounded = _bounded(schema, "maxProperties", place)
    return {**bounded, "additionalProperties": _convert(values, place.item())}


def _fields(schema: Json, node: Json, place: _Place) -> Json:
    if node.get("required"):
        schema = {**schema, "required": sorted(node["required"])}
    if not node.get("properties"):
        return schema
    fields = node["properties"].items()
    return {**schema, "properties": {name: _convert(f, place.below(name)) for name, f in fields}}


def _followed(node: Json, place: _Place) -> tuple[_Place, Json]:
    if "$ref" not in node:
        return place, node
    name = node["$ref"].rsplit("/", 1)[-1]
    if name in place.above:
        raise place.refuse(f"{name} contains itself")
    return replace(place, above=(*place.above, name)), _resolved(node, place)


def _resolved(node: Json, place: _Place) -> Json:
    if "$ref" not in node:
        return node
    name = node["$ref"].rsplit("/", 1)[-1]
    siblings = {key: value for key, value in node.items() if key != "$ref"}
    return {**place.definitions[name], **siblings}


def _without_null(node: Json, place: _Place) -> Json:
    if "anyOf" not in node:
        return node
    choices = [choice for choice in node["anyOf"] if choice.get("type") != "null"]
    if len(choices) != 1:
        raise place.refuse("a field needs one type")
    return {**choices[0], **{key: value for key, value in node.items() if key != "anyOf"}}


def _bounded(schema: Json, bound: str, place: _Place) -> Json:
    if bound not in schema:
        raise place.refuse(f"needs a bound ({bound})")
    return schema


def _one_line(description: str) -> str:
    return " ".join(description.split())
