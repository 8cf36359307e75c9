import asyncio
from typing import Any

import pytest

from modelwarden.cluster.client import ApiClient
from modelwarden.cluster.paths import SECRETS
from modelwarden.cluster.secrets import SecretContent, fill_secret, read_secret, replace_secret
from modelwarden.errors import MisconfiguredError
from tests.fakes.api_server import FakeApiServer


def secret(**data: str) -> dict[str, Any]:
    return {"metadata": {"name": "key", "namespace": "system"}, "data": data}


async def test_an_empty_secret_is_filled_once(client: ApiClient, server: FakeApiServer) -> None:
    server.put(SECRETS, secret())
    made = iter([b"first", b"second"])

    async def fill() -> object:
        return await fill_secret(
            client, "system", "key", ("pem",), make=lambda: {"pem": next(made)}
        )

    assert [await fill(), await fill()] == [{"pem": b"first"}, {"pem": b"first"}]


async def test_two_who_fill_at_once_end_with_the_same(
    client: ApiClient, server: FakeApiServer
) -> None:
    server.put(SECRETS, secret())

    def fill(value: bytes) -> Any:
        return fill_secret(client, "system", "key", ("pem",), make=lambda: {"pem": value})

    one, other = await asyncio.gather(fill(b"one"), fill(b"other"))

    assert one == other


async def test_a_half_filled_secret_is_not_overwritten(
    client: ApiClient, server: FakeApiServer
) -> None:
    server.put(SECRETS, secret(crt="YQ=="))

    with pytest.raises(MisconfiguredError, match="Secret system/key: has no key"):
        await fill_secret(client, "system", "key", ("crt", "key"), make=dict)


async def test_a_missing_secret_is_the_platform_teams_to_correct(client: ApiClient) -> None:
    with pytest.raises(MisconfiguredError, match="the chart installs it"):
        await read_secret(client, "system", "key")


async def test_a_secret_that_was_written_since_is_not_replaced(
    client: ApiClient, server: FakeApiServer
) -> None:
    server.put(SECRETS, secret())
    read = await read_secret(client, "system", "key")
    server.put(SECRETS, secret(pem="YQ=="))

    replaced = await replace_secret(
        client, "system", "key", SecretContent({"pem": b"b"}, read.resource_version)
    )

    assert (replaced, (await read_secret(client, "system", "key")).data) == (False, {"pem": b"a"})
