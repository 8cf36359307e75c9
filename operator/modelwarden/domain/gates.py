"""What each gate of a step says: which ones there are, and how each claim is judged."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from modelwarden.domain.champion_gate import comparisons, is_no_worse, no_champion
from modelwarden.domain.contract_gate import Predecessor, contract_is_kept, signature_of
from modelwarden.domain.facts import (
    EarlyGate,
    GateSpec,
    Metric,
    PolicyFacts,
    PolicyStep,
    TransitionFacts,
    VersionFacts,
)
from modelwarden.domain.fairness_gate import group_findings, groups_are_treated_alike
from modelwarden.domain.floor import (
    format_is_allowed,
    gate_is_supported,
    gates_asked,
    metadata_is_complete,
)
from modelwarden.domain.gate_results import Check, GateResult
from modelwarden.domain.metrics_gate import metric_checks, metrics_meet_the_rules
from modelwarden.domain.reproduction_gate import is_reproduced, repetitions
from modelwarden.domain.stages import DOWNWARDS, Stage
from modelwarden.domain.state import GateOutcome
from modelwarden.domain.verdicts import Verdict, allow, wait

METADATA = GateSpec(name="metadata", kind="metadata", settings={})
FORMAT = GateSpec(name="format", kind="format", settings={})

# These kinds are judged by an image of ours, in a pod of their own.
JOB_KINDS = frozenset({"artifact", "contract"})


def runs_in_a_pod(gate: GateSpec) -> bool:
    """Whether a gate needs a Job: of ours, or one that the policy brings."""
    return gate.kind in JOB_KINDS or gate.job is not None


def gates_of(step: PolicyStep, *, affects_people: bool) -> tuple[GateSpec, ...]:
    """List the gates of a step; registration always asks for metadata and format first."""
    floor = (METADATA, FORMAT) if step.to is Stage.REGISTERED else ()
    return (*floor, *gates_asked(step, affects_people=affects_people))


def gates_of_attempt(attempt: TransitionFacts) -> tuple[GateSpec, ...]:
    """List the gates of an attempt; a move down asks none."""
    if attempt.kind in DOWNWARDS:
        return ()
    return gates_of(attempt.step, affects_people=bool(attempt.spec.get("affectsPeople")))


def early_gates(policy: PolicyFacts, *, affects_people: bool) -> tuple[EarlyGate, ...]:
    """List the gates of later steps that run right after the registration, each once."""
    found: list[EarlyGate] = []
    for target in (Stage.STAGING, Stage.PRODUCTION):
        step = policy.steps.get(target)
        asked = () if step is None else gates_asked(step, affects_people=affects_people)
        found += [
            EarlyGate(step=target, gate=gate)
            for gate in asked
            if gate.runs_early
            and gate_is_supported(gate)
            and gate not in [other.gate for other in found]
        ]
    return tuple(found)


def gates_have_names_of_their_own(
    step: PolicyStep, *, affects_people: bool, early: tuple[EarlyGate, ...] = ()
) -> Verdict:
    """No two gates share a name, or the result of one would be taken for the other's.

    `early` are those that a registration runs for later steps beside its own.
    """
    names = [gate.name for gate in gates_of(step, affects_people=affects_people)]
    names += [other.gate.name for other in early]
    twice = sorted({name for name in names if names.count(name) > 1})
    if not twice:
        return allow("GatesNamed", "Every gate has a name of its own.")
    return wait(
        "GateNameTaken",
        f"Two gates of the step to {step.to} are named {', '.join(twice)}.",
        f"Rename the policy's; {METADATA.name} and {FORMAT.name} are asked of every registration.",
    )


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a gate is judged on: the frozen attempt, the version, and the one it would replace.

    `champion` is None where none was in Production, and a verdict where it cannot be read.
    """

    attempt: TransitionFacts
    version: VersionFacts
    champion: VersionFacts | Verdict | None


# These claims compare a version with the one in Production.
CHAMPION_KINDS = frozenset({"champion", "contract"})


def reads_champion(gate: GateSpec) -> bool:
    """Whether a gate's answer depends on which version is in Production."""
    return gate.kind in CHAMPION_KINDS


def obstacle(gate: GateSpec, case: Case) -> Verdict | None:
    """Say what a gate needs and nobody can read; None where it can be run or judged."""
    if reads_champion(gate) and isinstance(case.champion, Verdict):
        return case.champion
    return None


def judge(gate: GateSpec, case: Case) -> GateResult:
    """Judge a gate that needs nothing but what is recorded; an unknown kind is a failure."""
    if gate.kind == "metadata":
        return _result(metadata_is_complete(case.version, case.attempt.required_metadata))
    if gate.kind == "format":
        return _result(format_is_allowed(case.version, case.attempt.allowed_formats))
    claim = _CLAIMS_ABOUT_METRICS.get(gate.kind)
    if claim is not None:
        return claim(_Question(gate=gate, case=case, metrics=case.version.metrics))
    # A gate that nobody can run is a mistake in the policy, never a free pass.
    return GateResult(
        outcome=GateOutcome.FAILED,
        code="NotYetSupported",
        sentence=f"This release cannot run a gate of kind {gate.kind}.",
    )


def judge_measured(gate: GateSpec, case: Case, measured: GateResult) -> GateResult:
    """Hold what a gate's Job measured against the gate's claim, in place of what was recorded.

    A Job that says itself that it failed, or could not tell, has the last word; and so has one
    whose gate makes no claim about what it measures.
    """
    if gate.kind == "contract":
        return _contract_is_kept(case, measured)
    claim = _CLAIMS_ABOUT_MEASUREMENTS.get(gate.kind)
    if measured.outcome is not GateOutcome.PASSED or claim is None:
        return measured
    judged = _unjudged(gate, measured) or claim(
        _Question(gate=gate, case=case, metrics=measured.metrics, measured=True)
    )
    return replace(
        measured,
        outcome=judged.outcome,
        code=judged.code,
        sentence=judged.sentence,
        checks=(*judged.checks, *measured.checks),
        free_code=False,
    )


def _contract_is_kept(case: Case, measured: GateResult) -> GateResult:
    champion = case.champion
    if isinstance(champion, Verdict):
        # Never asked: an unreadable champion is an obstacle, and this gate waits for it.
        return _result(champion)
    return contract_is_kept(
        measured,
        recorded=signature_of(case.version.spec),
        contract=signature_of(case.attempt.spec, "contract"),
        champion=None
        if champion is None
        else Predecessor(version=champion.number, signature=signature_of(champion.spec)),
    )


def _unjudged(gate: GateSpec, measured: GateResult) -> GateResult | None:
    """Refuse a measurement that is not whole: what is left out might be what fails."""
    left_out = measured.omitted.get("metrics", 0)
    if left_out:
        text = f"The Job of gate {gate.name} left out {left_out} of the metrics it measured."
        return GateResult(outcome=GateOutcome.FAILED, code="MeasuredTooMuch", sentence=text)
    if measured.metrics:
        return None
    text = f"The Job of gate {gate.name} passed without a metric in its result."
    return GateResult(outcome=GateOutcome.FAILED, code="NothingMeasured", sentence=text)


@dataclass(frozen=True, kw_only=True)
class _Question:
    """A claim about metrics, recorded or measured."""

    gate: GateSpec
    case: Case
    metrics: tuple[Metric, ...]
    measured: bool = False


def _rules_are_met(asked: _Question) -> GateResult:
    missing = "not measured" if asked.measured else "not recorded"
    checks = metric_checks(asked.case.attempt.metrics, asked.metrics, missing=missing)
    return _result(metrics_meet_the_rules(checks), checks)


def _is_no_worse(asked: _Question) -> GateResult:
    champion = asked.case.champion
    if champion is None:
        return _result(no_champion())
    if isinstance(champion, Verdict):
        # Never asked: an unreadable champion is an obstacle, and this gate waits for it.
        return _result(champion)
    found = comparisons(
        asked.case.attempt.metrics,
        asked.metrics,
        champion=champion,
        settings=asked.gate.settings["champion"],
        measured=asked.measured,
    )
    return _result(is_no_worse(found), tuple(each.check for each in found))


def _groups_are_alike(asked: _Question) -> GateResult:
    found = group_findings(
        asked.case.attempt.metrics,
        asked.metrics,
        settings=asked.gate.settings["fairness"],
        measured=asked.measured,
    )
    return _result(groups_are_treated_alike(found), tuple(each.check for each in found))


def _is_repeated(asked: _Question) -> GateResult:
    checks = repetitions(
        asked.case.version.metrics, asked.metrics, settings=asked.gate.settings["reproduction"]
    )
    return _result(is_reproduced(checks), checks)


_CLAIMS_ABOUT_METRICS: Mapping[str, Callable[[_Question], GateResult]] = {
    "metrics": _rules_are_met,
    "champion": _is_no_worse,
    "fairness": _groups_are_alike,
}
# What was recorded repeats itself: only a new measurement says anything about that claim.
_CLAIMS_ABOUT_MEASUREMENTS = {**_CLAIMS_ABOUT_METRICS, "reproduction": _is_repeated}


def measures(gate: GateSpec) -> bool:
    """Whether a gate makes a claim about the metrics that its Job measures."""
    return gate.kind in _CLAIMS_ABOUT_MEASUREMENTS


def _result(verdict: Verdict, checks: tuple[Check, ...] = ()) -> GateResult:
    return GateResult(
        outcome=GateOutcome.PASSED if verdict.allows else GateOutcome.FAILED,
        code=verdict.code,
        sentence=verdict.message,
        checks=checks,
    )
