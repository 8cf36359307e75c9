"""The status of a ModelVersion: where it is, how it got there, and whether it is sound."""

from dataclasses import replace
from typing import Any

from modelwarden.domain.conditions import (
    Condition,
    from_verdict,
    is_unknown,
    written,
)
from modelwarden.domain.consumers_told import consumed_after_archive, consumers_told, in_use
from modelwarden.domain.facts import Snapshot, VersionFacts
from modelwarden.domain.opening import REGISTER_ANEW, Hold
from modelwarden.domain.retention import kept
from modelwarden.domain.stages import Stage
from modelwarden.domain.state import (
    AttemptKey,
    AttemptOutcome,
    AttemptState,
    GateOutcome,
    ModelState,
    VersionState,
)
from modelwarden.domain.verdicts import Verdict, allow, deny, wait

MOVES_SHOWN = 10


def version_status(
    version: VersionFacts, snapshot: Snapshot, *, state: ModelState, holds: tuple[Hold, ...]
) -> dict[str, Any]:
    """Draw the picture of one version."""
    known = state.versions.get(version.number)
    status: dict[str, Any] = {
        "observedGeneration": version.generation,
        "conditions": written(
            _conditions(version, snapshot, state=state, holds=holds),
            generation=version.generation,
            now=snapshot.now,
            before=version.status.get("conditions", ()),
        ),
    }
    if known is None or known.subject != version.subject:
        return status
    return status | {
        "stage": known.stage.value,
        "since": known.since,
        "history": _history(known, state),
        "ledgerIndex": known.index,
        **consumers_told(version.number, snapshot, state=state),
        **kept(version, snapshot, state=state),
    }


def _conditions(
    version: VersionFacts, snapshot: Snapshot, *, state: ModelState, holds: tuple[Hold, ...]
) -> tuple[Condition, ...]:
    registration = _registration(version, state, holds=holds)
    attempt = state.registration(version.number)
    return (
        from_verdict("Ready", registration),
        Condition(
            "Reconciling", _is_under_way(registration), registration.code, registration.sentence
        ),
        Condition("Stalled", registration.denies, registration.code, registration.sentence),
        _gate("MetadataComplete", attempt, gate="metadata"),
        from_verdict("Validated", registration),
        _artifact_available(state.versions.get(version.number), attempt),
        in_use(version.number, snapshot, state=state),
        *consumed_after_archive(version.number, snapshot, state=state),
    )


def _is_under_way(registration: Verdict) -> bool:
    return not registration.allows and not registration.denies


def _registration(version: VersionFacts, state: ModelState, *, holds: tuple[Hold, ...]) -> Verdict:
    known = state.versions.get(version.number)
    if known is not None and known.subject != version.subject:
        return deny(
            "NumberTaken",
            f"Number {version.number} was registered with other content on {known.since}.",
            "Register this content under the next number.",
        )
    if known is not None and known.valid:
        return allow("Registered", "The version is registered; its record and its file were read.")
    key = AttemptKey(version.number, Stage.REGISTERED)
    held = [hold.verdict for hold in holds if hold.key == key]
    if held:
        return next((verdict for verdict in held if verdict.denies), held[0])
    attempt = state.registration(version.number)
    if attempt is None or attempt.is_open:
        return wait("Registering", "Its record and its file are being read.")
    if attempt.outcome is AttemptOutcome.SUPERSEDED:
        return wait("Registering", "Its registration begins again.")
    return deny("RegistrationFailed", attempt.sentence, REGISTER_ANEW)


def _gate(kind: str, attempt: AttemptState | None, *, gate: str) -> Condition:
    result = None if attempt is None else attempt.gates.get(gate)
    if result is None:
        return is_unknown(kind, "NotChecked", "It has not been checked yet.")
    holds = {GateOutcome.PASSED: True, GateOutcome.FAILED: False}.get(result.outcome)
    return Condition(kind, holds, result.code, result.sentence)


def _artifact_available(known: VersionState | None, attempt: AttemptState | None) -> Condition:
    """Say what the last check found that could tell; before any, what the registration did."""
    check = None if known is None else known.check
    if check is None or check.available is None:
        found = _gate(_ARTIFACT_AVAILABLE, attempt, gate="artifact")
    else:
        found = Condition(_ARTIFACT_AVAILABLE, check.available, check.code, check.sentence)
    if check is None:
        return found
    told = f"Looked at on {check.time[:16]}Z."
    if check.problem:
        told = f"On {check.time[:16]}Z it could not be told: {check.problem}"
    return replace(found, message=f"{found.message} {told}")


_ARTIFACT_AVAILABLE = "ArtifactAvailable"


def _history(known: VersionState, state: ModelState) -> list[dict[str, Any]]:
    """Tell the last moves, each with who asked and why where an attempt says so."""
    told: list[dict[str, Any]] = []
    source: Stage | None = None
    for stage, time, index, transition in known.history:
        move: dict[str, Any] = {"time": time, "to": stage.value, "ledgerIndex": index}
        if source is not None:
            move["from"] = source.value
        told.append(move | _asked(transition, state))
        source = stage
    return told[-MOVES_SHOWN:]


def _asked(transition: str, state: ModelState) -> dict[str, Any]:
    attempt = state.attempts.get(transition)
    if attempt is None:
        return {}
    asked: dict[str, Any] = {"by": attempt.requester.username[:256]}
    return asked | ({"reason": attempt.rationale} if attempt.rationale else {})
