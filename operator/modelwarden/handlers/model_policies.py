"""ModelPolicies: a change of one may concern every Model."""

import kopf

from modelwarden.cluster.paths import MODEL_POLICIES
from modelwarden.handlers.inbox import Inbox


def watch(registry: kopf.OperatorRegistry, inbox: Inbox) -> None:
    """Look at every Model when a policy changed."""

    @kopf.on.event(
        MODEL_POLICIES.group,
        MODEL_POLICIES.version,
        MODEL_POLICIES.plural,
        registry=registry,
        id="model-policy",
    )
    async def changed(**_: object) -> None:
        inbox.sweep()
