"""Reading objects with the caller's login; what is not there is said with what is."""

import difflib
from collections.abc import Sequence
from typing import Any

from modelwarden.cli.answers import CannotError
from modelwarden.cli.session import Session
from modelwarden.cluster.client import JsonObject
from modelwarden.cluster.paths import MODEL_TRANSITIONS, MODEL_VERSIONS, MODELS
from modelwarden.domain.explain import Subject
from modelwarden.domain.names import version_name


async def read_model(session: Session, name: str) -> JsonObject:
    """Read a Model; CannotError names similar ones."""
    client, namespace = await session.client(), await session.namespace()
    found = await client.find(MODELS, name, namespace)
    if found is not None:
        return found
    names = [item["metadata"]["name"] for item in await client.list(MODELS, namespace)]
    raise CannotError(f"There is no model {name} in {namespace}. {_instead(name, names)}".strip())


async def read_versions(session: Session, model: str) -> Sequence[JsonObject]:
    """Read all versions of a model, lowest number first."""
    client, namespace = await session.client(), await session.namespace()
    found = await client.list(MODEL_VERSIONS, namespace, fields=f"spec.model={model}")
    return sorted(found, key=lambda item: int(item["spec"]["version"]))


async def find_version(session: Session, model: str, version: int) -> JsonObject | None:
    """Read one version; None if it is not there."""
    client, namespace = await session.client(), await session.namespace()
    return await client.find(MODEL_VERSIONS, version_name(model, version), namespace)


async def read_version(session: Session, model: str, version: int) -> JsonObject:
    """Read one version; CannotError names those that there are."""
    found = await find_version(session, model, version)
    if found is not None:
        return found
    await read_model(session, model)
    numbers = [str(item["spec"]["version"]) for item in await read_versions(session, model)]
    known = f"It has {', '.join(numbers[-10:])}." if numbers else "It has no versions yet."
    raise CannotError(f"{model} has no version {version}. {known}")


async def read_attempts(
    session: Session, model: str, version: int | None = None
) -> Sequence[JsonObject]:
    """Read the attempts of a model, or of one version of it."""
    client, namespace = await session.client(), await session.namespace()
    fields = f"spec.model={model}" + ("" if version is None else f",spec.version={version}")
    return await client.list(MODEL_TRANSITIONS, namespace, fields=fields)


async def read_subject(session: Session, model: dict[str, Any], version: int) -> Subject:
    """Read what explains one version."""
    name = model["metadata"]["name"]
    return Subject(
        model=model,
        version=version,
        record=await find_version(session, name, version),
        attempts=await read_attempts(session, name, version),
    )


def _instead(name: str, names: Sequence[str]) -> str:
    similar = difflib.get_close_matches(name, names, n=3)
    if similar:
        return f"Did you mean {' or '.join(similar)}?"
    return f"There is {', '.join(names[:10])}." if names else "There are none."
