"""JSON schemas of Kubernetes' kinds and of our own, made from what is at hand without a network.

Kubernetes publishes its API as OpenAPI inside its Go module, which the cluster's programs are
built from; our kinds come from crds/.
"""

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.local import programs

GROUPS = (
    "api__v1",
    "apis__admissionregistration.k8s.io__v1",
    "apis__apiextensions.k8s.io__v1",
    "apis__apps__v1",
    "apis__networking.k8s.io__v1",
    "apis__policy__v1",
    "apis__rbac.authorization.k8s.io__v1",
)
# How kubeconform finds the schema of a kind in the folder.
LOCATION = "{{ .ResourceKind }}{{ .KindSuffix }}.json"


class SchemasMissingError(Exception):
    """Kubernetes' Go module is not there."""


def write_schemas(folder: Path, definitions: Path) -> None:
    for group in GROUPS:
        document = json.loads((_openapi() / f"{group}_openapi.json").read_text())
        for kind, schema in _kinds(document):
            _write(folder, kind, schema)
    for path in definitions.glob("*.yaml"):
        definition = yaml.safe_load(path.read_text())
        for version in definition["spec"]["versions"]:
            kind = {
                "group": definition["spec"]["group"],
                "version": version["name"],
                "kind": definition["spec"]["names"]["kind"],
            }
            _write(folder, kind, _strict(_with_metadata(version["schema"]["openAPIV3Schema"])))


def _openapi() -> Path:
    module = subprocess.run(
        [programs.go(), "list", "-m", "-f", "{{.Dir}}", "k8s.io/kubernetes"],
        cwd=programs.PINS / "kubernetes",
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    if not module:
        raise SchemasMissingError("the Go module k8s.io/kubernetes is not in Go's module cache")
    return Path(module) / "api" / "openapi-spec" / "v3"


def _kinds(document: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, str], Mapping[str, Any]]]:
    components = {"schemas": _strict(document["components"]["schemas"])}
    for name, schema in document["components"]["schemas"].items():
        for kind in schema.get("x-kubernetes-group-version-kind", ()):
            reference = {"$ref": f"#/components/schemas/{name}"}
            yield kind, {"allOf": [reference], "components": components}


def _strict(part: Any) -> Any:
    """A field that the API does not know is a mistake, though the server would only drop it."""
    if isinstance(part, list):
        return [_strict(item) for item in part]
    if not isinstance(part, dict):
        return part
    strict = {key: _strict(value) for key, value in part.items()}
    open_ended = "additionalProperties" in part or part.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(part.get("properties"), dict) and part.get("type") == "object" and not open_ended:
        strict["additionalProperties"] = False
    return strict


def _with_metadata(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    about = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}}
    properties = {**schema["properties"], **about}
    properties["metadata"] = {**properties.get("metadata", {}), "additionalProperties": True}
    return {**schema, "properties": properties}


def _write(folder: Path, kind: Mapping[str, str], schema: Mapping[str, Any]) -> None:
    group = kind["group"].split(".")[0]
    name = "-".join(part for part in (kind["kind"], group, kind["version"]) if part).lower()
    (folder / f"{name}.json").write_text(json.dumps(schema))
