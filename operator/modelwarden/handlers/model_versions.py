"""ModelVersions: each touches its Model and itself."""

import kopf

from modelwarden.cluster.paths import MODEL_VERSIONS
from modelwarden.domain.keys import touched_by_version
from modelwarden.handlers.inbox import Inbox


def watch(registry: kopf.OperatorRegistry, inbox: Inbox) -> None:
    """Look at the Model of a version that changed."""

    @kopf.on.event(
        MODEL_VERSIONS.group,
        MODEL_VERSIONS.version,
        MODEL_VERSIONS.plural,
        registry=registry,
        id="model-version",
    )
    async def changed(event: kopf.RawEvent, **_: object) -> None:
        inbox.leave(event, touched_by_version)
