"""Objects with a status as the controller draws it, for tests of what people are told."""

from typing import Any

OPENED = "2026-11-24T10:00:00Z"


def a_model(*unmet: dict[str, Any], **parts: Any) -> dict[str, Any]:
    spec = {"owners": [{"kind": "User", "name": "owner@example.com"}], "affectsPeople": False}
    status = {"observedGeneration": 1, "stages": parts.pop("in_stages", {}), "conditions": []}
    if unmet:
        status["unmet"] = list(unmet)
    return {
        "metadata": {"name": "fraud-detector", "namespace": "risk", "generation": 1},
        "spec": spec | parts,
        "status": status,
    }


def a_version(number: int = 3, *, stage: str = "Staging", ready: str = "True") -> dict[str, Any]:
    condition = {"type": "Ready", "status": ready, "reason": "Registered", "message": "It is."}
    return {
        "metadata": {"name": f"fraud-detector-{number}", "generation": 1},
        "spec": {"model": "fraud-detector", "version": number},
        "status": {"observedGeneration": 1, "stage": stage, "conditions": [condition]},
    }


def an_attempt(
    *gates: dict[str, Any],
    to: str = "Production",
    part: str = "stages.production",
    request: str = "r1",
    number: int = 1,
    succeeded: tuple[str, str, str] = ("Unknown", "UnderWay", ""),
    approvals: dict[str, Any] | None = None,
    kind: str = "",
    **status: Any,
) -> dict[str, Any]:
    outcome, reason, message = succeeded
    conditions = [
        {"type": "Succeeded", "status": outcome, "reason": reason, "message": message},
        *status.pop("conditions", ()),
    ]
    return {
        "metadata": {
            "name": f"fraud-detector-3-{to.lower()}-{number}",
            "creationTimestamp": OPENED,
        },
        "spec": {
            "model": "fraud-detector",
            "version": 3,
            "kind": kind or ("Register" if to == "Registered" else "Promote"),
            "to": to,
            "attempt": number,
            "request": {
                "id": request,
                "entry": {"version": 3, "part": part, "reason": "Device features"},
                "author": {"username": "manager@example.com"},
            },
            "owners": [{"kind": "User", "name": "owner@example.com"}],
            "reviewers": [{"kind": "Group", "name": "risk-reviewers"}],
            "step": {"to": to, **({"approvals": approvals} if approvals else {})},
        },
        "status": {"gates": list(gates), "conditions": conditions, **status},
    }


def a_gate(name: str, outcome: str, message: str) -> dict[str, Any]:
    return {"name": name, "outcome": outcome, "message": message}


def held(code: str, message: str, *, outcome: str = "Wait", **more: Any) -> dict[str, Any]:
    return {"outcome": outcome, "code": code, "message": message, **more}


def asked_for(
    *, production: int | None = None, staging: int | None = None, request: str = "r1"
) -> dict[str, Any]:
    """Build the parts of a Model that ask for a version, with their author."""
    stages: dict[str, Any] = {}
    if production is not None:
        stages["production"] = {"version": production, "reason": "Device features"}
    if staging is not None:
        stages["staging"] = [{"version": staging, "reason": "Device features"}]
    author = {
        "id": request,
        "by": {"username": "manager@example.com"},
        "of": ["stages.production", f"stages.staging/{staging or production}"],
    }
    return {"stages": stages, "authors": [author]}
