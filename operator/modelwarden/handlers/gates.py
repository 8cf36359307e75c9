"""Gate Jobs and their pods: each touches the version whose attempt it belongs to.

The pod has the result two seconds before the Job says that it is complete.
"""

import kopf

from modelwarden.cluster.paths import JOBS, PODS
from modelwarden.domain.keys import touched_by_gate
from modelwarden.handlers.inbox import Inbox


def watch(registry: kopf.OperatorRegistry, inbox: Inbox) -> None:
    """Look at the Model of a gate that changed."""

    @kopf.on.event(JOBS.group, JOBS.version, JOBS.plural, registry=registry, id="gate-job")
    @kopf.on.event(PODS.group, PODS.version, PODS.plural, registry=registry, id="gate-pod")
    async def changed(event: kopf.RawEvent, **_: object) -> None:
        inbox.leave(event, touched_by_gate)
