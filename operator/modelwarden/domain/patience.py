"""When to look again without being told: what no watch announces."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from modelwarden.domain.leaving import still_leaving
from modelwarden.domain.opening import Hold
from modelwarden.domain.scribe import moment
from modelwarden.domain.stages import Stage
from modelwarden.domain.standing import Standing
from modelwarden.domain.state import AttemptOutcome, ModelState

# A Deployment has no label of ours before its first promotion, so no watch tells of it.
DEPLOYMENT_SECONDS = 5.0
# What keeps a pod from starting may be said in events only, which nobody watches.
STUCK_RUN_SECONDS = 15.0
UNASKED_SECONDS = 5.0
# Whose turn it is, is told by whoever makes room; a Job of another ledger tells nobody.
QUEUED_SECONDS = 60.0
# No watch tells of a pod that ends, nor of a Deployment that has lost our label.
RETIRING_SECONDS = 30.0

_UNANNOUNCED = frozenset(
    {"DeploymentMissing", "DeploymentTaken", "GateJobTaken", "RightNotReviewed"}
)


def look_again_in(
    looks: tuple[Standing, ...],
    *,
    state: ModelState,
    holds: tuple[Hold, ...],
    ends: Iterable[datetime] = (),
    has_model: bool = True,
    now: datetime,
    unanswered: bool = False,
) -> float | None:
    """Say in how many seconds to look again; None where every change will be announced.

    `ends` are the moments at which time alone takes something from the picture. Without a Model
    nothing is put back.
    """
    waits = [seconds for look in looks for seconds in _of_attempt(look, state=state, now=now)]
    waits += [UNASKED_SECONDS for hold in holds if hold.verdict.code in _UNANNOUNCED]
    waits += [max(1.0, (end - now).total_seconds()) for end in ends if end > now]
    if still_leaving(state) is not None or (has_model and state.being_put_back()):
        waits.append(DEPLOYMENT_SECONDS)
    if state.in_stage(Stage.RETIRING):
        waits.append(RETIRING_SECONDS)
    waits += [UNASKED_SECONDS] if unanswered else []
    return min(waits, default=None)


def _of_attempt(look: Standing, *, state: ModelState, now: datetime) -> list[float]:
    waits = []
    if look.attempt.outcome is AttemptOutcome.ROLLING_OUT:
        waits.append(DEPLOYMENT_SECONDS)
    if any(gate.run is not None and gate.run.idle_since is not None for gate in look.gates):
        waits.append(STUCK_RUN_SECONDS)
    if any(verdict.code in _UNANNOUNCED for verdict in look.verdicts if not verdict.allows):
        waits.append(UNASKED_SECONDS)
    if any(gate.verdict.code == "GateQueued" for gate in look.gates):
        waits.append(QUEUED_SECONDS)
    waits += [max(1.0, (end - now).total_seconds()) for end in _ends(look, state) if end > now]
    return waits


def _ends(look: Standing, state: ModelState) -> list[datetime]:
    """List when time alone changes something: a rest or soaking ends, a vote expires."""
    step = look.transition.step
    ends = [gate.changes_at for gate in look.gates if gate.changes_at is not None]
    if step.soak_seconds:
        since = moment(state.versions[look.attempt.key.version].since)
        ends.append(since + timedelta(seconds=step.soak_seconds))
    limit = step.approvals.expire_after_seconds if step.approvals else None
    if limit is not None:
        ends += [v.decision.created + timedelta(seconds=limit) for v in look.votes if v.counts]
    return ends
