"""ModelDecisions: each touches its Model and the version that it judges."""

import kopf

from modelwarden.cluster.paths import MODEL_DECISIONS
from modelwarden.domain.keys import touched_by_spec
from modelwarden.handlers.inbox import Inbox


def watch(registry: kopf.OperatorRegistry, inbox: Inbox) -> None:
    """Look at the Model of a decision that was made."""

    @kopf.on.event(
        MODEL_DECISIONS.group,
        MODEL_DECISIONS.version,
        MODEL_DECISIONS.plural,
        registry=registry,
        id="model-decision",
    )
    async def changed(event: kopf.RawEvent, **_: object) -> None:
        inbox.leave(event, touched_by_spec)
