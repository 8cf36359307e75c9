"""Gate Jobs that the API server would not take: said on the attempt, never only in a log.

Nothing of it is stored: whoever starts anew is refused anew.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from modelwarden.cluster.answers import ApiError
from modelwarden.domain.facts import RunFacts, RunKey, RunState
from modelwarden.domain.projection import JobOrder
from modelwarden.domain.run_causes import JOB_INVALID, JOB_REFUSED
from modelwarden.domain.state import ModelKey

# So long a refusal is shown before the Job is tried again: a quota may have been raised.
SHOWN_SECONDS = 30

_INVALID = frozenset({"BadRequest", "Invalid"})
# Admission, a quota, a right that was taken away, a gates namespace that is gone.
_NOT_NOW = frozenset({"Forbidden", "NotFound"})


def is_refusal(error: ApiError) -> bool:
    """Whether the API server understood the Job and will not have it, rather than failed."""
    return error.reason in _INVALID | _NOT_NOW


class Refusals:
    """What was refused of each Model lately, as the runs that never came to be."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._refused: dict[ModelKey, dict[RunKey, RunFacts]] = {}
        self.told = 0

    def remember(self, key: ModelKey, order: JobOrder, error: ApiError) -> None:
        """Take note of a refusal; an invalid Job stays one, for its policy is frozen."""
        self.told += 1
        invalid = error.reason in _INVALID
        self._refused.setdefault(key, {})[order.run] = RunFacts(
            job=order.name,
            uid="",
            inputs_digest=order.inputs_digest,
            state=RunState.FINISHED if invalid else RunState.RUNNING,
            idle_since=self._clock(),
            reason=JOB_INVALID if invalid else JOB_REFUSED,
            detail=error.message,
        )

    def of(self, key: ModelKey) -> Mapping[RunKey, RunFacts]:
        """List what was refused of a Model within the last half minute."""
        since = self._clock() - timedelta(seconds=SHOWN_SECONDS)
        kept = {
            name: run
            for name, run in self._refused.pop(key, {}).items()
            if run.idle_since is not None and run.idle_since > since
        }
        if kept:
            self._refused[key] = kept
        return kept
