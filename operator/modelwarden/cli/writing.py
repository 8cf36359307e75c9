"""Writing objects with the caller's login, as a field manager of our own."""

import json
from collections.abc import Mapping
from typing import Any

from modelwarden.cli.session import Session
from modelwarden.cluster.client import JSON, MERGE_PATCH, JsonObject
from modelwarden.cluster.paths import Resource

MANAGER = "kubectl-model"


async def create(
    session: Session, resource: Resource, body: JsonObject, *, dry_run: bool = False
) -> JsonObject:
    """Create an object in the session's namespace; a dry run only asks whether that is allowed."""
    path = resource.path(await session.namespace())
    query = {"dryRun": "All"} if dry_run else {}
    return await _sent(session, "POST", path, body=body, query=query)


async def merge(
    session: Session,
    resource: Resource,
    name: str,
    *,
    patch: Mapping[str, Any],
    dry_run: bool = False,
) -> JsonObject:
    """Change an object by merge; a resourceVersion in it makes that a compare-and-swap."""
    path = resource.path(await session.namespace(), name)
    query = {"dryRun": "All"} if dry_run else {}
    return await _sent(session, "PATCH", path, body=patch, query=query)


async def _sent(
    session: Session,
    method: str,
    path: str,
    *,
    body: Mapping[str, Any],
    query: Mapping[str, str] | None = None,
) -> JsonObject:
    client = await session.client()
    session.may_have_written |= "dryRun" not in (query or {})
    answer = await client.request(
        method,
        path,
        query={"fieldManager": MANAGER, **(query or {})},
        body=body,
        content_type=MERGE_PATCH if method == "PATCH" else JSON,
    )
    written: JsonObject = json.loads(answer)
    return written
