"""Gates of later steps that run right after a registration, so that their answer is there in time.

Whatever they find, the version is registered: it is evidence for the step that asks for it.
"""

from dataclasses import replace

from modelwarden.domain.canonical import digest_of
from modelwarden.domain.champion_gate import champion_is_the_same
from modelwarden.domain.evidence import evidence_key, result_evidence
from modelwarden.domain.facts import GateSpec, ModelFacts, PolicyStep, Snapshot, TransitionFacts
from modelwarden.domain.gates import reads_champion
from modelwarden.domain.installation import Installation
from modelwarden.domain.progress import NO_STEP, Step, finished_gates
from modelwarden.domain.records import Operation
from modelwarden.domain.scribe import Scribe
from modelwarden.domain.stages import Stage
from modelwarden.domain.standing import GateStanding, Standing, standing
from modelwarden.domain.state import AttemptState, GateOutcome, ModelState


def early_look(
    attempt: AttemptState, snapshot: Snapshot, *, state: ModelState, installation: Installation
) -> Standing | None:
    """Look at a registration as at an attempt whose only gates are the early ones.

    None where its object or its version is not there to look at, or is not what was recorded.
    """
    transition = snapshot.transitions.get(attempt.name)
    if transition is None or (transition.uid, transition.digest) != (attempt.uid, attempt.spec):
        return None
    measuring = replace(transition, step=_early_step(transition))
    seen = replace(snapshot, transitions={attempt.name: measuring})
    return standing(attempt, seen, state=state, installation=installation)


def measured_early(
    look: Standing | None, snapshot: Snapshot, *, state: ModelState, scribe: Scribe
) -> Step:
    """Say what is recorded next of early gates: what they found, or that nobody asks any more."""
    if look is None or snapshot.model is None:
        return NO_STEP
    step = finished_gates(look, scribe)
    recorded = {record.facts["gate"] for record in step.records}
    for gate in look.gates:
        if gate.gate.name in recorded or (gate.recorded is not None and gate.recorded.final):
            continue
        why = _why_not_any_more(gate.gate, look, model=snapshot.model, state=state)
        if why:
            step = step.joined_with(_given_up(gate, why, look=look, scribe=scribe))
    return step


def _early_step(transition: TransitionFacts) -> PolicyStep:
    return PolicyStep(
        to=transition.early[0].step if transition.early else Stage.STAGING,
        gates=tuple(each.gate for each in transition.early),
        approvals=None,
        soak_seconds=0,
        rollout_timeout_seconds=0,
        stored={},
    )


def _why_not_any_more(
    gate: GateSpec, look: Standing, *, model: ModelFacts, state: ModelState
) -> str:
    """Say why an answer would be of no use; empty while its step would take it."""
    if state.stage_of(look.attempt.key.version) is Stage.ARCHIVED:
        return "The version is archived."
    if look.version.subject != look.attempt.subject:
        return "The version has other content now."
    frozen = look.transition.spec
    changed = [n for n in ("contract", "metrics") if frozen.get(n) != model.governed.get(n)]
    if changed:
        return f"{' and '.join(changed)} of the Model changed since."
    champion = champion_is_the_same(look.transition, state)
    return champion.sentence if reads_champion(gate) and champion.denies else ""


def _given_up(gate: GateStanding, why: str, *, look: Standing, scribe: Scribe) -> Step:
    sentence = f"{why} It is measured once its step is asked for."
    answer = {"outcome": GateOutcome.INCONCLUSIVE.value, "code": "NoLongerAsked"}
    evidence = result_evidence(gate.gate, look.transition, result={**answer, "sentence": sentence})
    record = scribe.of_attempt(
        Operation.GATE_FINISHED,
        look.attempt,
        evidence={"result": digest_of(evidence)},
        policy=look.transition.policy_digest,
        facts={
            **answer,
            "gate": gate.gate.name,
            "kind": gate.gate.kind,
            "sentence": sentence,
            "try": gate.tries,
            "final": True,
            "key": evidence_key(gate.gate, look.transition),
        },
    )
    return Step(records=(record,), evidence=(evidence,))
