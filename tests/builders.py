"""Manifests as people write them, for tests to bend."""

from typing import Any

from modelwarden.domain.labels import API_VERSION

NAMESPACE = "risk"
MODEL = "fraud-detector"
DIGEST = "sha256:" + "a" * 64

SCIENTIST = {"username": "scientist@example.com", "uid": "u-scientist", "groups": ["staff"]}
MANAGER = {"username": "manager@example.com", "uid": "u-manager", "groups": ["staff"]}
OWNER = {"username": "owner@example.com", "uid": "u-owner", "groups": ["staff"]}
REVIEWER = {
    "username": "reviewer@example.com",
    "uid": "u-reviewer",
    "groups": ["staff", "risk-reviewers"],
}


def policy(name: str = "standard", **spec: Any) -> dict[str, Any]:
    """Build a policy that meets the floor."""
    steps = [
        {"to": "Registered", "gates": [{"name": "artifact", "artifact": {}}]},
        {"to": "Staging", "gates": [{"name": "quality", "metrics": {}}]},
        {
            "to": "Production",
            "gates": [{"name": "quality", "metrics": {}}],
            "approvals": {"owners": 1, "reviewers": 1, "exclude": ["Trainer", "Registrant"]},
            "rolloutTimeoutSeconds": 900,
        },
    ]
    return {
        "apiVersion": API_VERSION,
        "kind": "ModelPolicy",
        "metadata": {"name": name},
        "spec": {"default": True, "allowedFormats": ["ONNX"], "steps": steps, **spec},
    }


def model(**spec: Any) -> dict[str, Any]:
    """Build a Model that serves with one Deployment and names no version yet."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Model",
        "metadata": {"name": MODEL, "namespace": NAMESPACE},
        "spec": {
            "owners": [{"kind": "User", "name": "owner@example.com"}],
            "reviewers": [{"kind": "Group", "name": "risk-reviewers"}],
            "affectsPeople": False,
            "metrics": [
                {
                    "name": "auc",
                    "direction": "HigherIsBetter",
                    "min": "0.90",
                    "critical": True,
                    "segments": [{"by": "age_band", "min": "0.85", "minSamples": 200}],
                }
            ],
            "serving": [{"stage": "Production", "deployment": {"name": "fraud-api"}}],
            **spec,
        },
    }


def version(number: int = 1, **spec: Any) -> dict[str, Any]:
    """Build a version with everything that the floor asks for, registered by a pipeline."""
    return {
        "apiVersion": API_VERSION,
        "kind": "ModelVersion",
        "metadata": {"name": f"{MODEL}-{number}", "namespace": NAMESPACE},
        "spec": {
            "model": MODEL,
            "version": number,
            "label": f"gbm-{number}",
            "artifact": {
                "uri": f"s3://models/risk/fraud/{number}/model.onnx",
                "digest": DIGEST,
                "format": "ONNX",
                "sizeBytes": 1000,
            },
            "lineage": {
                "datasets": [{"name": "payments", "role": "Training", "version": "2026-10-31"}],
                "code": {
                    "repository": "https://git.example.com/fraud",
                    "commit": "0" * 40,
                    "path": "train.py",
                },
                "run": {"system": "MLflow", "id": f"run-{number}"},
            },
            "hyperparameters": {"max_depth": "6"},
            "metrics": [
                {"name": "auc", "value": "0.943", "dataset": "holdout", "samples": 48211},
                {
                    "name": "auc",
                    "value": "0.921",
                    "dataset": "holdout",
                    "segment": {"age_band": "18-25"},
                    "samples": 5120,
                },
            ],
            "training": {"hardware": "2 cores", "durationSeconds": 12},
            "trainedBy": [{"kind": "User", "name": "scientist@example.com"}],
            "registeredBy": SCIENTIST,
            **spec,
        },
    }


def stages(*, production: int | None = None, staging: tuple[int, ...] = ()) -> dict[str, Any]:
    """Build the stages surface."""
    surface: dict[str, Any] = {
        "staging": [{"version": number, "reason": f"candidate {number}"} for number in staging]
    }
    if production is not None:
        surface["production"] = {"version": production, "reason": f"release {production}"}
    return surface


def author(identifier: str, *parts: str, by: dict[str, Any] = MANAGER) -> dict[str, Any]:
    """Build the stamp of one request."""
    return {"id": identifier, "by": by, "of": list(parts)}


def deployment(name: str = "fraud-api", *, replicas: int = 2) -> dict[str, Any]:
    """Build a Deployment that is fully rolled out and carries nothing of ours."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"app": name}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "server", "image": "example.com/server"}]},
            },
        },
    }
