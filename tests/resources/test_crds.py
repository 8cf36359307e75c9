"""The files are what the models say, and the API server will take them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelwarden.resources.crds import FOLDERS, crd, write_crds
from modelwarden.resources.kinds import KINDS
from modelwarden.resources.objects import Object

TOP = Path(__file__).parents[2]
EVERY_KIND = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())


def schema_of(kind: type[Object]) -> dict[str, Any]:
    version = crd(kind)["spec"]["versions"][0]
    schema: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    return schema


def nodes(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every part of a schema with its path, those of metadata left out."""
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        if (path, name) not in {("", "metadata"), ("", "apiVersion"), ("", "kind")}:
            yield from nodes(child, f"{path}.{name}".removeprefix("."))
    for inner in ("items", "additionalProperties"):
        if inner in schema:
            yield from nodes(schema[inner], f"{path}[]")


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_the_files_are_what_the_models_say(folder: Path, tmp_path: Path) -> None:
    write_crds(tmp_path)

    there = {path.name: path.read_bytes() for path in (TOP / folder).iterdir()}
    assert there == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_every_kind_has_its_names() -> None:
    names = {
        kind: (n["plural"], n["singular"], n["shortNames"], n["categories"], spec["scope"])
        for kind, spec in ((kind, crd(KINDS[kind])["spec"]) for kind in KINDS)
        for n in (spec["names"],)
    }

    ours = ["modelwarden"]
    assert names == {
        "Model": ("models", "model", ["mdl"], ours, "Namespaced"),
        "ModelVersion": ("modelversions", "modelversion", ["mdv"], ours, "Namespaced"),
        "ModelTransition": ("modeltransitions", "modeltransition", ["mdt"], ours, "Namespaced"),
        "ModelDecision": ("modeldecisions", "modeldecision", ["mdd"], ours, "Namespaced"),
        "ModelPolicy": ("modelpolicies", "modelpolicy", ["mdp"], ours, "Cluster"),
    }


@EVERY_KIND
def test_nothing_is_unbounded(kind: type[Object]) -> None:
    bounds = {"string": "maxLength", "array": "maxItems", "object": "maxProperties"}
    unbounded = [
        path
        for path, node in nodes(schema_of(kind))
        if "enum" not in node
        and not (node.get("type") == "object" and "additionalProperties" not in node)
        and bounds.get(node.get("type", "string"), "type") not in node
    ]

    assert unbounded == []


@EVERY_KIND
def test_nothing_is_a_float(kind: type[Object]) -> None:
    types = {node.get("type") for _, node in nodes(schema_of(kind))}

    assert types <= {"string", "integer", "boolean", "array", "object", None}


@EVERY_KIND
def test_only_an_unseen_status_has_a_default(kind: type[Object]) -> None:
    defaults = {path: node["default"] for path, node in nodes(schema_of(kind)) if "default" in node}

    seen = {"status": {"observedGeneration": -1}}
    assert defaults == (seen if "status" in kind.model_fields else {})


@EVERY_KIND
def test_every_field_is_described(kind: type[Object]) -> None:
    properties = [
        (f"{path}.{name}", child)
        for path, node in nodes(schema_of(kind))
        for name, child in node.get("properties", {}).items()
        if (path, name) != ("", "metadata")
    ]

    assert [path for path, child in properties if not child.get("description")] == []


@EVERY_KIND
def test_enums_are_camel_case(kind: type[Object]) -> None:
    values = {
        value
        for path, node in nodes(schema_of(kind))
        for value in node.get("enum", ())
        # The names of numpy and ONNX, as in the note.
        if not path.endswith("puts[].type")
    }

    assert [value for value in values if not (value[0].isupper() and value.isalnum())] == []


@EVERY_KIND
def test_a_list_in_a_record_is_compared_in_order(kind: type[Object]) -> None:
    if not kind.KIND.immutable:
        return
    kinds_of_lists = {
        node["x-kubernetes-list-type"]
        for path, node in nodes(schema_of(kind))
        if path.startswith("spec") and node.get("type") == "array"
    }

    assert kinds_of_lists == {"atomic"}


@EVERY_KIND
def test_columns_and_selectable_fields_lead_to_fields(kind: type[Object]) -> None:
    known = {path.replace("[]", "") for path, _ in nodes(schema_of(kind))}
    paths = (*(column.path for column in kind.KIND.columns), *kind.KIND.selectable)
    fields = [path for path in paths if "?(@" not in path]

    assert [p for p in fields if p[1:].replace("[0]", "") not in known] == []


@EVERY_KIND
def test_at_most_eight_fields_are_selectable(kind: type[Object]) -> None:
    assert 1 <= len(kind.KIND.selectable) <= 8


@EVERY_KIND
def test_a_client_side_apply_has_room_for_its_annotation(kind: type[Object]) -> None:
    assert len(json.dumps(crd(kind))) < 200_000


@EVERY_KIND
def test_a_rule_says_its_sentence_in_one_line(kind: type[Object]) -> None:
    rules = [
        rule
        for _, node in nodes(schema_of(kind))
        for rule in node.get("x-kubernetes-validations", ())
    ]

    assert rules
    assert [rule for rule in rules if not 10 < len(rule["message"]) < 200] == []
    assert [rule for rule in rules if "\n" in rule["message"] + rule["rule"]] == []
