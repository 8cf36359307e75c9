"""What each gate of a step says: which ones there are, and how those without a Job are judged."""

from modelwarden.domain.facts import GateSpec, PolicyStep, TransitionFacts, VersionFacts
from modelwarden.domain.floor import format_is_allowed, gates_asked, metadata_is_complete
from modelwarden.domain.gate_results import GateResult
from modelwarden.domain.metrics_gate import metric_checks, metrics_meet_the_rules
from modelwarden.domain.stages import Stage
from modelwarden.domain.state import GateOutcome
from modelwarden.domain.verdicts import Verdict, allow, wait

METADATA = GateSpec(name="metadata", kind="metadata", settings={})
FORMAT = GateSpec(name="format", kind="format", settings={})

# An infrastructure fault is tried again so often, and then the gate is lost.
TRIES = 3
# These kinds are judged by an image of ours, in a pod of their own.
JOB_KINDS = frozenset({"artifact"})


def runs_in_a_pod(gate: GateSpec) -> bool:
    """Whether a gate needs a Job: of ours, or one that the policy brings."""
    return gate.kind in JOB_KINDS or gate.job is not None


def gates_of(step: PolicyStep, *, affects_people: bool) -> tuple[GateSpec, ...]:
    """List the gates of a step; registration always asks for metadata and format first."""
    floor = (METADATA, FORMAT) if step.to is Stage.REGISTERED else ()
    return (*floor, *gates_asked(step, affects_people=affects_people))


def gates_have_names_of_their_own(step: PolicyStep, *, affects_people: bool) -> Verdict:
    """No two gates share a name, or the result of one would be taken for the other's."""
    names = [gate.name for gate in gates_of(step, affects_people=affects_people)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if not twice:
        return allow("GatesNamed", "Every gate has a name of its own.")
    return wait(
        "GateNameTaken",
        f"Two gates of the step to {step.to} are named {', '.join(twice)}.",
        f"Rename the policy's; {METADATA.name} and {FORMAT.name} are asked of every registration.",
    )


def judge(gate: GateSpec, attempt: TransitionFacts, version: VersionFacts) -> GateResult:
    """Judge a gate that needs nothing but what is recorded; an unknown kind is a failure."""
    if gate.kind == "metadata":
        return _result(metadata_is_complete(version, attempt.required_metadata))
    if gate.kind == "format":
        return _result(format_is_allowed(version, attempt.allowed_formats))
    if gate.kind == "metrics":
        checks = metric_checks(attempt.metrics, version.metrics)
        verdict = metrics_meet_the_rules(checks)
        return GateResult(
            outcome=_outcome(verdict), code=verdict.code, sentence=verdict.message, checks=checks
        )
    # A gate that nobody can run is a mistake in the policy, never a free pass.
    return GateResult(
        outcome=GateOutcome.FAILED,
        code="NotYetSupported",
        sentence=f"This release cannot run a gate of kind {gate.kind}.",
    )


def _result(verdict: Verdict) -> GateResult:
    return GateResult(outcome=_outcome(verdict), code=verdict.code, sentence=verdict.message)


def _outcome(verdict: Verdict) -> GateOutcome:
    return GateOutcome.PASSED if verdict.allows else GateOutcome.FAILED
