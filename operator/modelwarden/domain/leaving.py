"""From a withdrawal until nothing serves any more: the record came first, the pods go later.

    withdrawn --------------------------- observed
              the old pods may still answer

New pods have no model to serve and stay unready, so a rollout alone does not end the old ones.
"""

from modelwarden.domain.consumers import consumers_of
from modelwarden.domain.facts import Snapshot
from modelwarden.domain.records import Operation, Record
from modelwarden.domain.rollouts import pods_carry
from modelwarden.domain.scribe import Scribe
from modelwarden.domain.state import ModelState, ServingInterval
from modelwarden.domain.verdicts import Verdict, allow, wait


def still_leaving(state: ModelState) -> ServingInterval | None:
    """Find the version that left Production and may still answer."""
    last = state.intervals[-1] if state.intervals else None
    return last if last is not None and last.left and not last.end else None


def nothing_serves(interval: ServingInterval, snapshot: Snapshot) -> tuple[Verdict, ...]:
    """Ask of every Deployment that served the version whether its last pod is gone."""
    return tuple(is_empty(name, interval.version, snapshot) for name in interval.served_by)


def observed(snapshot: Snapshot, state: ModelState, *, scribe: Scribe) -> tuple[Record, ...]:
    """Record that the last pod of a withdrawn version is gone."""
    interval = still_leaving(state)
    if interval is None or snapshot.model is None:
        return ()
    if not all(verdict.allows for verdict in nothing_serves(interval, snapshot)):
        return ()
    return (
        scribe.of_version(
            Operation.ROLLOUT_OBSERVED,
            state.versions[interval.version],
            facts={"deployments": list(interval.served_by)},
        ),
    )


def is_empty(name: str, version: int, snapshot: Snapshot) -> Verdict:
    """No pod of a Deployment runs a version any more."""
    deployment = snapshot.deployments.get(name)
    if deployment is None:
        return _is_gone(name, version, snapshot)
    if pods_carry(deployment, version, key=snapshot.key):
        return wait("StillServing", f"Deployment {name} still carries version {version}.")
    # Right after a change every count still speaks of the template before it.
    seen = deployment.generation == deployment.observed_generation
    if seen and deployment.current == deployment.updated and deployment.terminating == 0:
        return allow("NothingServes", f"No pod of deploy/{name} runs version {version} any more.")
    return wait(
        "StillServing",
        f"Version {version} is withdrawn, and pods of Deployment {name} still run it: new ones "
        "have no model to serve.",
        f"Stop them: kubectl scale deploy/{name} --replicas=0 -n {snapshot.key.namespace}",
    )


def _is_gone(name: str, version: int, snapshot: Snapshot) -> Verdict:
    """A Deployment was deleted; its pods follow it a little later."""
    if snapshot.consumers is None:
        return wait("StillServing", f"Whether pods of deploy/{name} are left was not looked at.")
    left = [
        consumer.name
        for consumer in consumers_of(snapshot.consumers, version)
        if consumer.kind == "Pod" and consumer.name.startswith(f"{name}-")
    ]
    if left:
        return wait("StillServing", f"Pods of the deleted deploy/{name} are left: {left[0]}.")
    return allow("NothingServes", f"Deployment {name} is gone, and its pods with it.")
