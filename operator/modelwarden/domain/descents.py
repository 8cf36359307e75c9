"""Moves down: each is one record, for nothing has to be proved to take something away."""

from typing import Any

from modelwarden.domain.automation import is_standing
from modelwarden.domain.facts import Snapshot
from modelwarden.domain.records import Operation, Record, StageMove
from modelwarden.domain.rollouts import pods_carry, production_targets
from modelwarden.domain.scribe import Scribe
from modelwarden.domain.stages import Move
from modelwarden.domain.standing import Standing, request_of
from modelwarden.domain.state import ModelState

_OPERATIONS = {
    Move.DEMOTE: Operation.DEMOTED,
    Move.WITHDRAW: Operation.WITHDRAWN,
    Move.ARCHIVE: Operation.ARCHIVED,
}


def descended(look: Standing, snapshot: Snapshot, *, state: ModelState, scribe: Scribe) -> Record:
    """Record that a version left its stage for a lower one.

    What is withdrawn has not stopped to serve: the record says which Deployments still do.
    """
    attempt = look.attempt
    number = attempt.key.version
    move = StageMove(version=number, source=state.stage_of(number), target=attempt.key.target)
    return scribe.of_attempt(
        _OPERATIONS[attempt.kind],
        attempt,
        rationale=attempt.rationale,
        moves=(move,),
        facts=_facts(look, snapshot),
    )


def _facts(look: Standing, snapshot: Snapshot) -> dict[str, Any]:
    if look.attempt.kind is Move.WITHDRAW:
        return {"stillServedBy": _serving(look.attempt.key.version, snapshot)}
    request = request_of(look.attempt, look.transition)
    return {"byAutomation": True} if is_standing(request) else {}


def _serving(version: int, snapshot: Snapshot) -> list[str]:
    if snapshot.model is None:
        return []
    names = {target.deployment for target in production_targets(snapshot.model)}
    return [
        name
        for name, deployment in sorted(snapshot.deployments.items())
        if name in names and pods_carry(deployment, version, key=snapshot.key)
    ]
