"""Everything that a Model asks for now: by its stages, and by its standing orders."""

from modelwarden.domain.automation import standing_requests
from modelwarden.domain.departures import returnable
from modelwarden.domain.facts import Snapshot
from modelwarden.domain.movement import Request, requests
from modelwarden.domain.state import ModelState


def requests_now(snapshot: Snapshot, state: ModelState) -> tuple[Request, ...]:
    """List the steps that a Model asks for, with what may come back now."""
    if snapshot.model is None:
        return ()
    back = returnable(state, snapshot.policy, now=snapshot.now)
    return (
        *requests(snapshot.model, state, back=back),
        *standing_requests(snapshot.model, state),
    )
