"""The floor: what must be known and asked of every version, whatever a policy says."""

from collections.abc import Callable, Mapping
from typing import Any

from modelwarden.domain.facts import GateSpec, ModelFacts, PolicyFacts, PolicyStep, VersionFacts
from modelwarden.domain.stages import Stage
from modelwarden.domain.verdicts import Verdict, allow, deny, wait

# What this release can run. The other kinds of note in a policy are read and refused in words.
SUPPORTED_GATES = frozenset(
    {
        "artifact",
        "champion",
        "contract",
        "dataQuality",
        "fairness",
        "job",
        "metrics",
        "reproduction",
    }
)


def metadata_is_complete(version: VersionFacts, required: tuple[str, ...]) -> Verdict:
    """Everything that the floor and the policy ask for is recorded, or stated as not applicable."""
    excused = {item["field"] for item in version.spec.get("notApplicable", ())}
    missing = [
        f"{path} ({what})"
        for path, what, holds in _FLOOR
        if path not in excused and not holds(version.spec)
    ]
    missing += [
        path for path in required if path not in excused and not _present(version.spec, path)
    ]
    if not missing:
        return allow("MetadataComplete", "All required metadata is recorded.")
    return deny(
        "MetadataMissing",
        f"The record lacks {', '.join(missing)}.",
        "Register the next version with them, or with the reason under spec.notApplicable.",
    )


def format_is_allowed(version: VersionFacts, formats: tuple[str, ...]) -> Verdict:
    """The policy allows the artifact's format."""
    if version.artifact.format in formats:
        return allow("FormatAllowed", f"The policy allows {version.artifact.format}.")
    return deny(
        "FormatNotAllowed",
        f"The policy allows {', '.join(formats) or 'no format'}, not {version.artifact.format}.",
        "Register the next version in an allowed format.",
    )


def gates_asked(step: PolicyStep, *, affects_people: bool) -> tuple[GateSpec, ...]:
    """List the gates of a step that are for this model."""
    return tuple(gate for gate in step.gates if affects_people or not gate.applies_to_people_only)


def policy_has_step(policy: PolicyFacts, model: ModelFacts, *, target: Stage) -> Verdict:
    """The policy says what guards the step; a step without gates is a mistake, not a free pass."""
    step = policy.steps.get(target)
    if step is None or not gates_asked(step, affects_people=model.affects_people):
        return wait(
            "NoGates",
            f"Policy {policy.name} names no gate for the step to {target}.",
            f"Add a step with `to: {target}` and its gates to the policy.",
        )
    return allow("StepKnown", f"Policy {policy.name} guards the step to {target}.")


def policy_meets_floor(policy: PolicyFacts, model: ModelFacts, *, target: Stage) -> Verdict:
    """The step asks at least for what the floor asks, unless the policy says why it does not."""
    step = policy.steps.get(target)
    gap = "" if step is None else _gap(step, model)
    if not gap:
        return allow("FloorMet", f"Policy {policy.name} meets the floor for {target}.")
    if policy.below_floor_reason:
        return allow("BelowFloor", f"Below the floor on purpose: {policy.below_floor_reason}")
    return wait(
        "NoFairnessGate" if gap == _NO_FAIRNESS else "PolicyBelowFloor",
        f"Policy {policy.name} is below the floor for {target}: {gap}.",
        "Add it to the policy, or state the reason under spec.belowFloor.",
    )


def gates_are_supported(step: PolicyStep, model: ModelFacts) -> Verdict:
    """This release can run every gate that the step asks for."""
    asked = gates_asked(step, affects_people=model.affects_people)
    beyond = sorted(f"{gate.name} ({gate.kind})" for gate in asked if not gate_is_supported(gate))
    if not beyond:
        return allow("GatesSupported", "Every gate of the step can be run.")
    return wait(
        "NotYetSupported",
        f"This release cannot run {', '.join(beyond)} yet.",
        "Name another policy, or wait for a release that can.",
    )


def gate_is_supported(gate: GateSpec) -> bool:
    """Whether this release can run a gate."""
    return gate.kind in SUPPORTED_GATES


_NO_FAIRNESS = "the model affects people and the step has no fairness gate"


def _gap(step: PolicyStep, model: ModelFacts) -> str:
    kinds = {gate.kind for gate in gates_asked(step, affects_people=model.affects_people)}
    if step.to is Stage.STAGING and "metrics" not in kinds:
        return "the step needs a metrics gate"
    if step.to is not Stage.PRODUCTION:
        return ""
    if model.affects_people and "fairness" not in kinds:
        return _NO_FAIRNESS
    rule = step.approvals
    if rule is None or rule.owners < 1 or rule.reviewers < 1:
        return "Production needs one owner and one reviewer, two different people"
    if "Trainer" not in rule.exclude:
        return "approvals must exclude the Trainer"
    return ""


def _has_training_data(spec: Mapping[str, Any]) -> bool:
    datasets = spec.get("lineage", {}).get("datasets", ())
    training = [item for item in datasets if item.get("role") == "Training"]
    return bool(training) and all(item.get("version") or item.get("query") for item in training)


def _has_code(spec: Mapping[str, Any]) -> bool:
    code = spec.get("lineage", {}).get("code", {})
    return bool(code.get("repository") and code.get("commit"))


def _has_total(spec: Mapping[str, Any]) -> bool:
    return any(not metric.get("segment") for metric in spec.get("metrics", ()))


def _has_segments(spec: Mapping[str, Any]) -> bool:
    return any(metric.get("segment") for metric in spec.get("metrics", ()))


def _present(spec: Mapping[str, Any], path: str) -> bool:
    value: Any = spec
    for part in path.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return False
        value = value[part]
    return bool(value)


_FLOOR: tuple[tuple[str, str, Callable[[Mapping[str, Any]], bool]], ...] = (
    ("lineage.datasets", "training data with a version or a query", _has_training_data),
    ("lineage.code", "repository and commit", _has_code),
    ("lineage.run", "the training run", lambda spec: _present(spec, "lineage.run")),
    ("hyperparameters", "at least one", lambda spec: _present(spec, "hyperparameters")),
    ("metrics", "a value for the whole data set", _has_total),
    ("metrics.segment", "values per segment", _has_segments),
    ("training", "how long and on what it was trained", lambda spec: _present(spec, "training")),
)
