"""The record of a version, put together from a file of the training run and what is known here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from modelwarden.domain.labels import API_VERSION
from modelwarden.domain.names import version_name

_FORMATS = {".onnx": "ONNX", ".safetensors": "Safetensors"}
_OF_AN_OBJECT = ("apiVersion", "kind", "metadata", "spec")


@dataclass(frozen=True, kw_only=True)
class Given:
    """What the command line says of the version; it goes before what the file says."""

    label: str | None = None
    trained_by: Sequence[str] = ()
    artifact: Mapping[str, Any] | None = None
    metrics: Sequence[Mapping[str, Any]] = ()


def manifest(
    base: Mapping[str, Any], given: Given, *, model: str, version: int, namespace: str
) -> dict[str, Any]:
    """Write the ModelVersion to create."""
    spec = {**base, "model": model, "version": version}
    if given.label is not None:
        spec["label"] = given.label
    if given.artifact is not None:
        spec["artifact"] = {**base.get("artifact", {}), **given.artifact}
    if given.trained_by:
        spec["trainedBy"] = [{"kind": "User", "name": name} for name in given.trained_by]
    if given.metrics:
        spec["metrics"] = [*base.get("metrics", ()), *given.metrics]
    return {
        "apiVersion": API_VERSION,
        "kind": "ModelVersion",
        "metadata": {"name": version_name(model, version), "namespace": namespace},
        "spec": spec,
    }


def spec_of(document: Any) -> Mapping[str, Any]:
    """Take the spec out of a whole ModelVersion, or the document for what is below `spec`.

    ValueError says what is wrong with a document that is neither.
    """
    if not isinstance(document, Mapping):
        raise ValueError("must be a ModelVersion, or the fields of its spec")
    if "spec" not in document:
        return document
    unknown = [name for name in document if name not in _OF_AN_OBJECT]
    if unknown:
        raise ValueError(f"{unknown[0]}: is no field of a ModelVersion")
    kind = document.get("kind", "ModelVersion")
    if kind != "ModelVersion":
        raise ValueError(f"kind: must be ModelVersion, not {kind}")
    spec = document["spec"]
    if not isinstance(spec, Mapping):
        raise ValueError("spec: must have fields")
    return spec


def metrics_of(document: Any) -> Sequence[Mapping[str, Any]]:
    """Read metrics from `name: value` lines or from a list like spec.metrics, numbers as text.

    ValueError names the metric that cannot be read.
    """
    match document:
        case Mapping():
            return [
                {"name": str(name), "value": _text(value, str(name))}
                for name, value in document.items()
            ]
        case list():
            return [_metric(item, number) for number, item in enumerate(document)]
        case _:
            raise ValueError("must be `name: value` lines, or a list like spec.metrics")


def format_of(names: Sequence[str]) -> str | None:
    """Tell the format of an artifact by the names of its files; None if they do not tell."""
    if "MLmodel" in names:
        return "MLflow"
    found = {_FORMATS.get(PurePath(name).suffix.lower()) for name in names}
    known = [form for form in found if form]
    return known[0] if len(known) == 1 else None


def _metric(item: Any, number: int) -> Mapping[str, Any]:
    if not isinstance(item, Mapping) or "name" not in item:
        raise ValueError(f"[{number}]: must have a name and a value")
    written = dict(item)
    if "value" in item:
        written["value"] = _text(item["value"], f"[{number}].value")
    if isinstance(item.get("samples"), str) and item["samples"].isdecimal():
        written["samples"] = int(item["samples"])
    return written


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{where}: must be a number")
    return value
