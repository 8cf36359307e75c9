"""The step by which a version comes back to Production: the file is still there, and who asks."""

from collections.abc import Mapping
from typing import Any

from modelwarden.domain.facts import GateSpec, PolicyFacts
from modelwarden.domain.stages import Stage

_ARTIFACT = "artifact"
# A gate of the policy is asked as it stands there, whatever else it was limited to.
_LIMITS = frozenset({"when", "runAt"})


def returning_step(policy: PolicyFacts) -> dict[str, Any]:
    """Write the step: the artifact is checked again, nothing soaks, and votes as the policy says.

    How the file is read is what the policy says of an artifact gate, if it has one.
    """
    step: dict[str, Any] = {
        "to": Stage.PRODUCTION.value,
        "gates": [_artifact_gate(policy)],
    }
    if policy.rollback.approvals:
        step["approvals"] = dict(policy.rollback.approvals)
    production = policy.steps.get(Stage.PRODUCTION)
    if production is not None and "rolloutTimeoutSeconds" in production.stored:
        step["rolloutTimeoutSeconds"] = production.stored["rolloutTimeoutSeconds"]
    return step


def _artifact_gate(policy: PolicyFacts) -> Mapping[str, Any]:
    own = (gate for step in policy.steps.values() for gate in step.gates if _reads(gate))
    found = next(own, None)
    if found is None:
        return {"name": _ARTIFACT, _ARTIFACT: {}}
    settings = {key: value for key, value in found.settings.items() if key not in _LIMITS}
    return {"name": found.name, **settings}


def _reads(gate: GateSpec) -> bool:
    return gate.kind == _ARTIFACT and gate.job is None
