"""Results that answer the same question, measured before the attempt that needs them opened."""

from dataclasses import dataclass

from modelwarden.domain.evidence import evidence_key
from modelwarden.domain.facts import GateSpec, Snapshot, TransitionFacts
from modelwarden.domain.gates import runs_in_a_pod
from modelwarden.domain.records import Operation, Record
from modelwarden.domain.scribe import Scribe
from modelwarden.domain.stages import Move, Stage
from modelwarden.domain.state import (
    AttemptKey,
    AttemptOutcome,
    AttemptState,
    GateOutcome,
    GateState,
    ModelState,
    Origin,
)
from modelwarden.domain.texts import LONGEST_SENTENCE, shortened
from modelwarden.domain.verdicts import Verdict, wait


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a gate of an open attempt asks."""

    gate: GateSpec
    attempt: AttemptState
    transition: TransitionFacts

    @property
    def key(self) -> str:
        """Name the question."""
        return evidence_key(self.gate, self.transition)


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """A result that was measured before, and where."""

    result: GateState
    origin: Origin


def earlier_result(asked: Question, state: ModelState) -> Earlier | None:
    """Find the newest answer to the same question; nothing inconclusive is an answer.

    It comes from the gates that the registration ran early, or from the attempts of the same
    request that this one follows because they were superseded. Once an attempt at this step has
    failed, whatever a Job found wrong is looked at anew: what was wrong may have been mended.
    """
    if asked.attempt.kind not in _REUSING or not asked.attempt.is_open:
        return None
    found = [
        Earlier(result=gate, origin=gate.origin or Origin(attempt.name, gate.index))
        for attempt in (*_registrations(asked, state), *_followed(asked, state))
        if (gate := attempt.gates.get(asked.gate.name)) is not None and _answers(gate, asked)
    ]
    if runs_in_a_pod(asked.gate) and _has_failed_before(asked, state):
        found = [each for each in found if each.result.outcome is GateOutcome.PASSED]
    return max(found, key=lambda each: each.result.index, default=None)


def being_measured(asked: Question, snapshot: Snapshot, *, state: ModelState) -> Verdict | None:
    """Wait for an early gate that is about to answer the same question, rather than run it twice.

    It will come to an end, for all that it needs is there.
    """
    if asked.attempt.kind not in _REUSING or not asked.attempt.is_open:
        return None
    for attempt in _registrations(asked, state):
        if not attempt.measures or asked.gate.name not in attempt.gates_early:
            continue
        known = attempt.gates.get(asked.gate.name)
        transition = snapshot.transitions.get(attempt.name)
        if transition is None or (known is not None and known.final):
            continue
        recorded = (transition.uid, transition.digest) == (attempt.uid, attempt.spec)
        if recorded and evidence_key(asked.gate, transition) == asked.key:
            return wait(
                "GateRunning",
                f"Gate {asked.gate.name} runs since the registration, as {attempt.name} says.",
            )
    return None


# A way back asks anew whether the artifact is there.
_REUSING = frozenset({Move.REGISTER, Move.PROMOTE})


def _registrations(asked: Question, state: ModelState) -> tuple[AttemptState, ...]:
    """List the registrations that ran gates early, with those gates."""
    key = AttemptKey(asked.attempt.key.version, Stage.REGISTERED)
    return tuple(
        attempt
        for attempt in state.attempts_of(key)
        if asked.gate.name in attempt.gates_early and attempt.name != asked.attempt.name
    )


def _followed(asked: Question, state: ModelState) -> tuple[AttemptState, ...]:
    """List the attempts that the same request opened before, up to one that was decided."""
    found: list[AttemptState] = []
    for attempt in reversed(state.attempts_of(asked.attempt.key)):
        if attempt.number >= asked.attempt.number:
            continue
        superseded = attempt.outcome is AttemptOutcome.SUPERSEDED and attempt.reopens
        if not superseded or attempt.kind is not asked.attempt.kind:
            break
        found.append(attempt)
    return tuple(found)


def _answers(gate: GateState, asked: Question) -> bool:
    decided = gate.final and gate.outcome is not GateOutcome.INCONCLUSIVE
    return decided and gate.key == asked.key


def _has_failed_before(asked: Question, state: ModelState) -> bool:
    return any(
        attempt.outcome is AttemptOutcome.FAILED for attempt in state.attempts_of(asked.attempt.key)
    )


def taken_over(asked: Question, earlier: Earlier, scribe: Scribe) -> Record:
    """Record an earlier result as the gate's answer, with the record that tells of it."""
    result, origin = earlier.result, earlier.origin
    return scribe.of_attempt(
        Operation.GATE_FINISHED,
        asked.attempt,
        evidence={"result": result.evidence},
        policy=asked.transition.policy_digest,
        facts={
            "gate": asked.gate.name,
            "kind": asked.gate.kind,
            "outcome": result.outcome.value,
            "code": result.code,
            "sentence": _with_origin(result, origin),
            "try": 1,
            "final": True,
            "key": asked.key,
            "origin": {"attempt": origin.attempt, "record": origin.record},
            **({"checks": [dict(check) for check in result.checks]} if result.checks else {}),
            **({"logTail": result.log_tail} if result.log_tail else {}),
        },
    )


def _with_origin(result: GateState, origin: Origin) -> str:
    """Add to a sentence where it comes from, once."""
    at_registration = origin.attempt.rsplit("-", 2)[-2:-1] == ["registered"]
    where = "at registration" if at_registration else f"for {origin.attempt}"
    note = f" (Measured {where}, record {origin.record}.)"
    said = result.sentence.removesuffix(note)
    return shortened(said, LONGEST_SENTENCE - len(note)) + note
