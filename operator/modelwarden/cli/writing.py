"""Writing objects with the caller's login, as a field manager of our own."""

import json
from collections.abc import Mapping
from typing import Any

from modelwarden.cli.session import Session
from modelwarden.cluster.client import MERGE_PATCH, JsonObject
from modelwarden.cluster.paths import Resource

MANAGER = "kubectl-model"


async def create(session: Session, resource: Resource, body: JsonObject) -> JsonObject:
    """Create an object in the session's namespace."""
    return await _sent(session, "POST", resource.path(await session.namespace()), body=body)


async def merge(
    session: Session, resource: Resource, name: str, *, patch: Mapping[str, Any]
) -> JsonObject:
    """Change an object by merge; a resourceVersion in it makes that a compare-and-swap."""
    path = resource.path(await session.namespace(), name)
    return await _sent(session, "PATCH", path, body=patch)


async def _sent(session: Session, method: str, path: str, *, body: Mapping[str, Any]) -> JsonObject:
    client = await session.client()
    answer = await client.request(
        method,
        path,
        query={"fieldManager": MANAGER},
        body=body,
        content_type=MERGE_PATCH if method == "PATCH" else "application/json",
    )
    written: JsonObject = json.loads(answer)
    return written
