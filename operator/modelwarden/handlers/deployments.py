"""Deployments with our label: each touches the Model that it serves."""

import kopf

from modelwarden.cluster.paths import DEPLOYMENTS
from modelwarden.domain.keys import touched_by_deployment
from modelwarden.handlers.inbox import Inbox


def watch(registry: kopf.OperatorRegistry, inbox: Inbox) -> None:
    """Look at the Model of a Deployment that changed."""

    @kopf.on.event(
        DEPLOYMENTS.group,
        DEPLOYMENTS.version,
        DEPLOYMENTS.plural,
        registry=registry,
        id="deployment",
    )
    async def changed(event: kopf.RawEvent, **_: object) -> None:
        inbox.leave(event, touched_by_deployment)
