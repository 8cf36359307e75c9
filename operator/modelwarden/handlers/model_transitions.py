"""ModelTransitions: each touches its Model and the version that it moves."""

import kopf

from modelwarden.cluster.paths import MODEL_TRANSITIONS
from modelwarden.domain.keys import touched_by_transition
from modelwarden.handlers.inbox import Inbox


def watch(registry: kopf.OperatorRegistry, inbox: Inbox) -> None:
    """Look at the Model of an attempt that changed."""

    @kopf.on.event(
        MODEL_TRANSITIONS.group,
        MODEL_TRANSITIONS.version,
        MODEL_TRANSITIONS.plural,
        registry=registry,
        id="model-transition",
    )
    async def changed(event: kopf.RawEvent, **_: object) -> None:
        inbox.leave(event, touched_by_transition)
