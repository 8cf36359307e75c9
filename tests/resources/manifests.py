"""Objects to test with: the smallest of each kind that is valid, and one with every field."""

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from modelwarden.domain.labels import API_VERSION

DIGEST = "sha256:" + "a" * 64
OTHER_DIGEST = "sha256:" + "b" * 64
TRANSITION = {"name": "fraud-detector-3-production-1", "uid": "9d0f7c1e-55a5"}
REVIEWED = {"subjectDigest": DIGEST, "policyDigest": DIGEST, "evidenceDigest": DIGEST}

_COMPLETE = Path(__file__).parent / "complete"


def complete(kind: str) -> list[dict[str, Any]]:
    """Manifests of a kind that have every field between them."""
    found = [one for path in sorted(_COMPLETE.glob("*.yaml")) for one in documents(path)]
    return [one for one in found if one["kind"] == kind]


def documents(path: Path) -> list[dict[str, Any]]:
    """The manifests in a file."""
    return [one for one in yaml.safe_load_all(path.read_text(encoding="utf-8")) if one]


def model(name: str = "fraud-detector", **spec: Any) -> dict[str, Any]:
    """A Model with an owner, and what the test says."""
    owners = [{"kind": "User", "name": "owner@example.com"}]
    return _object("Model", name, {"owners": owners, "affectsPeople": False}, spec)


def version(number: int = 3, model: str = "fraud-detector", **spec: Any) -> dict[str, Any]:
    """A ModelVersion with an artifact, and what the test says."""
    artifact = {"uri": "s3://models/risk/fraud/3/", "digest": DIGEST, "format": "ONNX"}
    least = {"model": model, "version": number, "artifact": artifact}
    return _object("ModelVersion", f"{model}-{number}", least, spec)


def transition(**spec: Any) -> dict[str, Any]:
    """A ModelTransition of version 3 into Production, and what the test says."""
    least = {
        "model": "fraud-detector",
        "version": 3,
        "kind": "Promote",
        "from": "Staging",
        "to": "Production",
        "attempt": 1,
        "request": {"id": "3f1c2a52", "entry": {"version": 3}},
        "subjectDigest": DIGEST,
        "owners": [{"kind": "User", "name": "owner@example.com"}],
        "affectsPeople": False,
    }
    return _object("ModelTransition", TRANSITION["name"], least, spec)


def decision(kind: str = "Reject", **spec: Any) -> dict[str, Any]:
    """A ModelDecision on that transition, and what the test says; None leaves a field out."""
    least = {
        "model": "fraud-detector",
        "version": 3,
        "stage": "Production",
        "transition": TRANSITION,
        "decision": kind,
        "rationale": "Because.",
    }
    return _object("ModelDecision", "decision", least, spec)


def policy(*gates: Mapping[str, Any], **spec: Any) -> dict[str, Any]:
    """A ModelPolicy with one step into Staging through the gates, and what the test says."""
    step = {"to": "Staging", "gates": list(gates) or [{"name": "quality", "metrics": {}}]}
    return _object("ModelPolicy", "standard", {"allowedFormats": ["ONNX"], "steps": [step]}, spec)


def _object(
    kind: str, name: str, least: Mapping[str, Any], more: Mapping[str, Any]
) -> dict[str, Any]:
    spec = {key: value for key, value in {**least, **more}.items() if value is not None}
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name},
        "spec": deepcopy(spec),
    }
