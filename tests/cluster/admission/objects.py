"""Objects as people write them, small but whole."""

from collections.abc import Mapping
from typing import Any

from modelwarden.domain.labels import API_VERSION
from modelwarden.domain.rights import Right

DIGEST = "sha256:" + "0" * 64
SINCE = "2026-01-01T00:00:00Z"


def model(name: str, spec: Mapping[str, Any], **metadata: Any) -> dict[str, Any]:
    """A Model."""
    return _object("Model", {"name": name, **metadata}, spec)


def version(model: str, number: int, **spec: Any) -> dict[str, Any]:
    """A ModelVersion."""
    artifact = {"uri": f"s3://models/risk/{model}/{number}/", "digest": DIGEST, "format": "ONNX"}
    content = {"model": model, "version": number, "artifact": artifact, **spec}
    return _object("ModelVersion", {"name": f"{model}-{number}"}, content)


def decision(kind: str = "Approve", **spec: Any) -> dict[str, Any]:
    """A ModelDecision about fraud-detector 1 in Production."""
    content: dict[str, Any] = {
        "model": "fraud-detector",
        "version": 1,
        "stage": "Production",
        "transition": {"name": "fraud-detector-1-production-1", "uid": "u-1"},
        "decision": kind,
        "rationale": "Reviewed the segment report.",
    }
    if kind in {"Approve", "Reject"}:
        content["reviewed"] = {
            "subjectDigest": DIGEST,
            "policyDigest": DIGEST,
            "evidenceDigest": DIGEST,
        }
    if kind == "Override":
        content["override"] = {
            "gates": ["Soak"],
            "ticket": "RISK-1",
            "expiresAt": "2030-01-01T00:00:00Z",
        }
    return _object("ModelDecision", {"generateName": "vote-"}, {**content, **spec})


def transition(model: str, number: int, *, to: str = "Production", **spec: Any) -> dict[str, Any]:
    """A ModelTransition out of Staging."""
    content = {
        "model": model,
        "version": number,
        "kind": "Promote",
        "from": "Staging" if to == "Production" else "Registered",
        "to": to,
        "attempt": 1,
        "request": {"id": "r-1", "entry": {"version": number}},
        "subjectDigest": DIGEST,
        "policy": {"name": "standard", "digest": DIGEST},
        "owners": [{"kind": "User", "name": "owner@example.com"}],
        "affectsPeople": False,
        **spec,
    }
    name = f"{model}-{number}-{to.lower()}-1"
    return _object("ModelTransition", {"name": name}, content)


def deployment(name: str, **metadata: Any) -> dict[str, Any]:
    """A Deployment with no replicas."""
    labels = {"app": name}
    pod = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "api", "image": "registry.example.com/api:1"}]},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, **metadata},
        "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": pod},
    }


def status_of(stages: Mapping[str, Any]) -> dict[str, Any]:
    """The status of a Model whose stages are these, with all that the schema wants."""
    shown = dict(stages)
    if "production" in shown:
        artifact = {"uri": "s3://models/a", "digest": DIGEST}
        whole = {"artifact": artifact, "since": SINCE, "ledgerIndex": 1}
        shown["production"] = {**whole, **shown["production"]}
    return {"stages": shown}


def holder_of(verb: str, right: Right) -> str:
    """The name of the group that holds one verb of a right, and of the Role that says so."""
    return f"{verb}-{right.target.replace('/', '-')}" + (f"-{right.name}" if right.name else "")


def role_for(verb: str, right: Right) -> tuple[dict[str, Any], dict[str, Any]]:
    """A Role with that one verb, and its binding to the group of the same name."""
    name = holder_of(verb, right)
    rule: dict[str, Any] = {
        "apiGroups": [right.group],
        "resources": [right.target],
        "verbs": [verb],
    }
    if right.name:
        rule["resourceNames"] = [right.name]
    return role(name, rule), binding(name)


def role(name: str, *rules: Mapping[str, Any]) -> dict[str, Any]:
    """A Role."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": name},
        "rules": list(rules),
    }


def binding(name: str) -> dict[str, Any]:
    """The binding of a Role to the group of the same name."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": name}],
    }


def _object(kind: str, metadata: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": dict(metadata),
        "spec": dict(spec),
    }
