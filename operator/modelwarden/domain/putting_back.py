"""From a rollout that came to nothing until its pods are gone: the record came first.

begun ------------- failed ------------- observed
          both may have answered
"""

from modelwarden.domain.facts import Snapshot
from modelwarden.domain.leaving import is_empty
from modelwarden.domain.records import Operation, Record
from modelwarden.domain.scribe import Scribe
from modelwarden.domain.state import AttemptState, ModelState


def put_back(snapshot: Snapshot, state: ModelState, *, scribe: Scribe) -> tuple[Record, ...]:
    """Record of every rollout that came to nothing that its last pod is gone."""
    return tuple(
        scribe.of_version(
            Operation.ROLLOUT_OBSERVED,
            state.versions[attempt.key.version],
            facts={"attempt": attempt.name, "deployments": list(attempt.deployments)},
        )
        for attempt in state.being_put_back()
        if _is_gone(attempt, snapshot)
    )


def _is_gone(attempt: AttemptState, snapshot: Snapshot) -> bool:
    return all(is_empty(name, attempt.key.version, snapshot).allows for name in attempt.deployments)
