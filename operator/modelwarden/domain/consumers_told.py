"""Who uses a version, as its status tells: Deployments as the ledger has them, and all others."""

from typing import Any

from modelwarden.domain.conditions import Condition, is_false, is_true
from modelwarden.domain.consumers import Consumer, How, consumers_of, named, seen_to_use
from modelwarden.domain.facts import Snapshot
from modelwarden.domain.rollouts import version_for
from modelwarden.domain.stages import Stage
from modelwarden.domain.state import ModelState
from modelwarden.domain.texts import shortened

SHOWN = 50
_SHORT = 256


def users_of(number: int, snapshot: Snapshot, *, state: ModelState) -> tuple[Consumer, ...]:
    """List what uses a version; of the Model's own Deployments the ledger says what they carry."""
    own = _targets(snapshot)
    others = (
        each
        for each in consumers_of(snapshot.consumers, number)
        if not (each.kind == "Deployment" and each.namespace == snapshot.key.namespace)
        or each.name not in own
    )
    return (*_served_by(number, snapshot, state=state), *others)


def in_use(number: int, snapshot: Snapshot, *, state: ModelState) -> Condition:
    """Say whether anything uses a version."""
    served = _served_by(number, snapshot, state=state)
    others = tuple(c for c in users_of(number, snapshot, state=state) if c not in served)
    seen = tuple(c for c in others if c.how is not How.DECLARED)
    declared = tuple(c for c in others if c.how is How.DECLARED)
    told = []
    if served:
        told.append(f"Served by {', '.join(f'deploy/{each.name}' for each in served)}.")
    if seen:
        told.append(f"Used by {named(seen)}.")
    if declared:
        told.append(f"Declared to be used by {', '.join(_outside(each) for each in declared)}.")
    if not told:
        return is_false("InUse", "NotUsed", "Nothing was found to use it.")
    reason = "Served" if served else "Used" if seen else "Declared"
    return is_true("InUse", reason, " ".join(told))


def consumed_after_archive(
    number: int, snapshot: Snapshot, *, state: ModelState
) -> tuple[Condition, ...]:
    """Warn of an archived version that something still asks for, or asks for again."""
    seen = seen_to_use(snapshot.consumers, number)
    rollout = state.rollout()
    comes_back = rollout is not None and rollout.key.version == number
    if state.stage_of(number) is not Stage.ARCHIVED or comes_back or not seen:
        return ()
    text = f"The version is archived, and {named(seen)} would use it. Let them use another one."
    return (is_true("ConsumedAfterArchive", "ConsumedAfterArchive", text),)


def consumers_told(number: int, snapshot: Snapshot, *, state: ModelState) -> dict[str, Any]:
    """Write the first of what uses a version, and how many there are in all."""
    found = users_of(number, snapshot, state=state)
    if not found:
        return {}
    shown = [_written(each, snapshot.key.namespace) for each in found[:SHOWN]]
    return {"consumers": shown, "consumersFound": len(found)}


def _served_by(number: int, snapshot: Snapshot, *, state: ModelState) -> tuple[Consumer, ...]:
    """List the Deployments of the Model that carry the version because the ledger says so."""
    return tuple(
        Consumer(
            "Deployment",
            snapshot.key.namespace,
            target.deployment,
            How.LABEL,
            ready=snapshot.deployments[target.deployment].ready,
        )
        for target in (snapshot.model.serving if snapshot.model else ())
        if (carried := version_for(target, state)) is not None
        and carried.number == number
        and target.deployment in snapshot.deployments
    )


def _targets(snapshot: Snapshot) -> frozenset[str]:
    return frozenset(t.deployment for t in (snapshot.model.serving if snapshot.model else ()))


def _written(consumer: Consumer, namespace: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "kind": consumer.kind,
        "name": shortened(consumer.name, _SHORT),
        "how": consumer.how.value,
    }
    if consumer.namespace != namespace:
        told["namespace"] = consumer.namespace
    if consumer.detail:
        told["detail"] = shortened(consumer.detail, _SHORT)
    if consumer.ready is not None:
        told["ready"] = consumer.ready
    return told


def _outside(consumer: Consumer) -> str:
    return f"{consumer.kind} {consumer.name}"
