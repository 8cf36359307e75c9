"""What people vote on, as one digest: the gates' results and what is known to go wrong."""

from collections.abc import Mapping
from typing import Any

from modelwarden.domain.canonical import digest_of
from modelwarden.domain.facts import GateSpec, TransitionFacts, VersionFacts
from modelwarden.domain.gates import reads_champion
from modelwarden.domain.state import AttemptState, ModelState


def evidence_digest(attempt: AttemptState, version: VersionFacts) -> str:
    """Name the evidence; a vote dies with any change of it. Tags are never part of it."""
    return digest_of(
        {
            "gates": {name: gate.evidence for name, gate in attempt.gates_of_the_step.items()},
            "limitations": list(version.limitations),
            "knownFailureModes": list(version.known_failure_modes),
        }
    )


def noted_since(attempt: AttemptState, state: ModelState) -> str | None:
    """Name who changed the notes that votes rest on while an attempt was open; None if nobody."""
    version = state.versions.get(attempt.key.version)
    notes = None if version is None else version.notes
    if notes is None or not attempt.indices or notes.index < attempt.indices[0]:
        return None
    if not attempt.is_open and notes.index > attempt.indices[-1]:
        return None
    return notes.by or "Somebody unknown"


def inputs_digest(gate: GateSpec, attempt: TransitionFacts) -> str:
    """Name what a gate is about to judge: the subject, the gate's own settings and the attempt.

    Never the rendered pod, which changes with the release of the operator.
    """
    return digest_of(
        {
            "subject": attempt.spec["subjectDigest"],
            "gate": {"name": gate.name, "kind": gate.kind, "settings": dict(gate.settings)},
            "attempt": attempt.uid,
        }
    )


def evidence_key(gate: GateSpec, attempt: TransitionFacts) -> str:
    """Name the question that a gate answers: while it is the same, so is the answer.

    Whoever asks is no part of it, nor is the rest of the policy.
    """
    frozen = ["subjectDigest", "metrics", "contract", "allowedFormats", "requiredMetadata"]
    if reads_champion(gate):
        frozen.append("champion")
    return digest_of(
        {
            "gate": {"name": gate.name, "kind": gate.kind, "settings": dict(gate.settings)},
            **{name: attempt.spec[name] for name in frozen if name in attempt.spec},
        }
    )


def result_evidence(
    gate: GateSpec, attempt: TransitionFacts, *, result: Mapping[str, Any]
) -> dict[str, Any]:
    """Write a gate's result as evidence, bound to what it judged."""
    return {
        "format": 1,
        "gate": gate.name,
        "kind": gate.kind,
        "attempt": {"name": attempt.name, "uid": attempt.uid},
        "subject": attempt.spec["subjectDigest"],
        "inputs": inputs_digest(gate, attempt),
        **result,
    }
