"""The status of a Model: the fold in a picture, with everything that holds its wishes back."""

from typing import Any

from modelwarden.domain.aliases import aliases_now, unresolved
from modelwarden.domain.automation import is_standing
from modelwarden.domain.conditions import (
    MACHINE_AT_WORK,
    Condition,
    is_false,
    is_true,
    obstacle,
    written,
)
from modelwarden.domain.departures import RollbackTarget, rollback_targets
from modelwarden.domain.facts import ModelFacts, PolicyFacts, Snapshot
from modelwarden.domain.movement import Request
from modelwarden.domain.names import HIGHEST_VERSION
from modelwarden.domain.opening import Hold
from modelwarden.domain.retention import retention_told
from modelwarden.domain.scribe import timestamp
from modelwarden.domain.stages import Stage
from modelwarden.domain.standing import Standing
from modelwarden.domain.state import (
    AttemptKey,
    AttemptOutcome,
    AttemptState,
    ModelState,
    ServingInterval,
    VersionState,
)
from modelwarden.domain.texts import shortened
from modelwarden.domain.verdicts import Verdict, deny, unmet
from modelwarden.domain.wishes import requests_now

INTERVALS_SHOWN = 50
ARCHIVED_SHOWN = 512
LISTED = 64
SHORT = 256


def model_status(
    model: ModelFacts,
    snapshot: Snapshot,
    *,
    state: ModelState,
    holds: tuple[Hold, ...],
    looks: tuple[Standing, ...],
    review: Condition,
    differs: Verdict | None = None,
) -> dict[str, Any]:
    """Draw the picture, a function of the facts and the fold; `differs` holds back all of it."""
    obstacles = _obstacles(snapshot, state, holds=holds, looks=looks)
    back = rollback_targets(state, snapshot.policy, now=snapshot.now)
    status: dict[str, Any] = {
        "observedGeneration": model.generation,
        "stages": _stages(state, back=back),
        "summary": _summary(state, obstacles),
        "versions": len(state.versions),
        "conditions": written(
            (review, *_conditions(model, obstacles, policy=snapshot.policy, differs=differs)),
            generation=model.generation,
            now=snapshot.now,
            before=model.status.get("conditions", ()),
        ),
    }
    if state.intervals:
        status["serving"] = [_interval(i) for i in state.intervals[-INTERVALS_SHOWN:]]
    if isinstance(snapshot.policy, PolicyFacts):
        status["policy"] = _policy(snapshot.policy)
    if obstacles:
        status["unmet"] = [_unmet(key, verdict) for key, verdict in obstacles][:LISTED]
    if state.versions:
        status["latestVersion"] = state.versions.highest
    following = state.versions.highest + 1
    if following <= HIGHEST_VERSION:
        status["nextVersion"] = following
    status["retention"] = dict(retention_told(model, snapshot.policy))
    named = aliases_now(model.aliases, state)
    status["aliases"] = [{"name": name, "version": number} for name, number in named.items()]
    if state.last_index >= 0:
        status["ledgerIndex"] = state.last_index
    return status


def _obstacles(
    snapshot: Snapshot,
    state: ModelState,
    *,
    holds: tuple[Hold, ...],
    looks: tuple[Standing, ...],
) -> tuple[tuple[AttemptKey, Verdict], ...]:
    """Collect what holds back each wish: before its attempt, in it, or since it ended.

    That a new version did not pass is no fault of the Model: it was asked, as automation says.
    """
    found = [(hold.key, hold.verdict) for hold in holds]
    found += [(look.attempt.key, verdict) for look in looks for verdict in unmet(look.verdicts)]
    seen = {key for key, _ in found}
    found += [
        (attempt.key, _ended_badly(attempt))
        for request in requests_now(snapshot, state)
        if request.key not in seen
        and not is_standing(request)
        and (attempt := _answer(request, state)) is not None
    ]
    names = {} if snapshot.model is None else snapshot.model.aliases
    found += [
        (AttemptKey(number, Stage.REGISTERED), verdict)
        for number, verdict in unresolved(names, state)
    ]
    return tuple(found)


def _answer(request: Request, state: ModelState) -> AttemptState | None:
    """Find the attempt in which a request that still stands came to nothing."""
    ended = [
        attempt
        for attempt in state.attempts_of(request.key)
        if attempt.request_id == request.id
        and not attempt.is_open
        and attempt.outcome is not AttemptOutcome.SUCCEEDED
    ]
    return ended[-1] if ended else None


def _ended_badly(attempt: AttemptState) -> Verdict:
    return deny(
        attempt.code,
        attempt.sentence or f"Attempt {attempt.name} ended.",
        "Mend what it says and have it tried again (kubectl model retry), or correct the Model, "
        "then ask again with a new reason.",
    )


def _conditions(
    model: ModelFacts,
    obstacles: tuple[tuple[AttemptKey, Verdict], ...],
    *,
    policy: PolicyFacts | Verdict,
    differs: Verdict | None,
) -> tuple[Condition, ...]:
    found = [*([] if differs is None else [differs]), *(verdict for _, verdict in obstacles)]
    denied = [verdict for verdict in found if verdict.denies]
    busy = [verdict for verdict in found if verdict.code in MACHINE_AT_WORK]
    first = [*denied, *busy, *found][:1]
    texts = [f"{key.version} to {key.target}: {v.message}" for key, v in obstacles if v != differs]
    text = " ".join([*([] if differs is None else [differs.message]), *texts])
    conditions = [
        Condition("Ready", not denied, denied[0].code, text)
        if denied
        else is_true("Ready", "Governed", "The stages are what the ledger says."),
        Condition("Reconciling", bool(busy), busy[0].code, text)
        if busy
        else is_false("Reconciling", "NothingUnderWay", "Nothing is under way."),
        Condition("Stalled", bool(denied), denied[0].code, text)
        if denied
        else is_false("Stalled", "NotStalled", "Nothing was refused."),
        is_false("Settled", first[0].code, text) if first else _settled(policy),
    ]
    return tuple(conditions)


def _settled(policy: PolicyFacts | Verdict) -> Condition:
    """Say whether nothing is left to wish for; without a policy the next wish would wait."""
    if isinstance(policy, Verdict):
        return is_false("Settled", policy.code, policy.message)
    return is_true("Settled", "AsWritten", "Every version is where spec.stages says.")


def _stages(state: ModelState, *, back: tuple[RollbackTarget, ...]) -> dict[str, Any]:
    stages: dict[str, Any] = {}
    if state.production is not None:
        stages["production"] = _production(state.versions[state.production])
    listed = {
        "staging": state.in_stage(Stage.STAGING)[-LISTED:],
        "retiring": state.in_stage(Stage.RETIRING)[-LISTED:],
        "archived": state.in_stage(Stage.ARCHIVED)[-ARCHIVED_SHOWN:],
    }
    stages |= {name: list(versions) for name, versions in listed.items() if versions}
    if back:
        stages["rollbackTo"] = [_rollback_target(target) for target in back[-LISTED:]]
    return stages


def _rollback_target(target: RollbackTarget) -> dict[str, Any]:
    until = {} if target.until is None else {"until": timestamp(target.until)}
    return {"version": target.version, **until}


def _production(version: VersionState) -> dict[str, Any]:
    return {
        "version": version.number,
        "artifact": {"uri": version.artifact_uri, "digest": version.artifact_digest},
        "since": version.since,
        "ledgerIndex": version.index,
    }


def _interval(interval: ServingInterval) -> dict[str, Any]:
    written_out: dict[str, Any] = {
        "version": interval.version,
        "from": interval.start,
        "certainty": interval.certainty.value,
        "ledgerIndex": interval.index,
    }
    if interval.end:
        written_out["to"] = interval.end
    return written_out


def _policy(policy: PolicyFacts) -> dict[str, Any]:
    written_out = {"name": policy.name, "digest": policy.digest}
    if policy.below_floor_reason:
        written_out["belowFloor"] = policy.below_floor_reason
    return written_out


def _unmet(key: AttemptKey, verdict: Verdict) -> dict[str, Any]:
    return {"version": key.version, "to": key.target.value, **obstacle(verdict)}


def _summary(
    state: ModelState, obstacles: tuple[tuple[AttemptKey, Verdict], ...]
) -> dict[str, Any]:
    summary: dict[str, Any] = {}
    if state.production is not None:
        summary["production"] = shortened(_labelled(state.versions[state.production]), SHORT)
    staging = state.in_stage(Stage.STAGING)
    if staging:
        summary["staging"] = shortened(", ".join(map(str, staging)), SHORT)
    waiting = [f"{key.version} to {key.target}: {verdict.code}" for key, verdict in obstacles]
    if waiting:
        summary["waiting"] = shortened("; ".join(dict.fromkeys(waiting)), SHORT)
    return summary


def _labelled(version: VersionState) -> str:
    return f"{version.number} ({version.label})" if version.label else str(version.number)
