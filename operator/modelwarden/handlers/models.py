"""Models: each is looked at when it changes."""

import kopf

from modelwarden.cluster.paths import MODELS
from modelwarden.domain.keys import touched_by_model
from modelwarden.handlers.inbox import Inbox


def watch(registry: kopf.OperatorRegistry, inbox: Inbox) -> None:
    """Look at a Model that changed."""

    @kopf.on.event(MODELS.group, MODELS.version, MODELS.plural, registry=registry, id="model")
    async def changed(event: kopf.RawEvent, **_: object) -> None:
        inbox.leave(event, touched_by_model)
