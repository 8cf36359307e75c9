"""Secrets that the chart installs empty and one process fills: the first writer wins."""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from modelwarden.cluster.answers import ApiError
from modelwarden.cluster.client import ApiClient
from modelwarden.cluster.paths import SECRETS
from modelwarden.errors import MisconfiguredError


@dataclass(frozen=True)
class SecretContent:
    """What a Secret holds, and the version that it was read at."""

    data: Mapping[str, bytes]
    resource_version: str


async def read_secret(client: ApiClient, namespace: str, name: str) -> SecretContent:
    """Read a Secret; MisconfiguredError when the chart's Secret is not there."""
    secret = await client.find(SECRETS, name, namespace)
    if secret is None:
        raise MisconfiguredError(f"Secret {namespace}/{name}: is not there; the chart installs it")
    try:
        data = {
            key: base64.b64decode(value, validate=True)
            for key, value in (secret.get("data") or {}).items()
        }
    except binascii.Error as error:
        raise MisconfiguredError(f"Secret {namespace}/{name}: {error}") from error
    return SecretContent(data, secret["metadata"]["resourceVersion"])


async def replace_secret(
    client: ApiClient, namespace: str, name: str, content: SecretContent
) -> bool:
    """Write the keys of the content, unless somebody wrote since its version: then say no."""
    patch = {
        "metadata": {"resourceVersion": content.resource_version},
        "data": {key: base64.b64encode(value).decode() for key, value in content.data.items()},
    }
    try:
        await client.patch(SECRETS, name, patch, namespace=namespace)
    except ApiError as error:
        if error.is_conflict:
            return False
        raise
    return True


async def fill_secret(
    client: ApiClient,
    namespace: str,
    name: str,
    keys: tuple[str, ...],
    *,
    make: Callable[[], Mapping[str, bytes]],
) -> Mapping[str, bytes]:
    """Fill an empty Secret and give what it holds, which is the winner's when two fill at once.

    A Secret with only some of the keys is somebody's mistake, and is not overwritten.
    """
    while True:
        found = await read_secret(client, namespace, name)
        filled = {key: found.data[key] for key in keys if found.data.get(key)}
        if len(filled) == len(keys):
            return filled
        if filled:
            missing = ", ".join(key for key in keys if key not in filled)
            raise MisconfiguredError(f"Secret {namespace}/{name}: has no {missing}")
        made = make()
        if await replace_secret(
            client, namespace, name, SecretContent(made, found.resource_version)
        ):
            return {key: made[key] for key in keys}
