from collections.abc import AsyncIterator

import pytest

from modelwarden.cluster.client import ApiClient
from tests.fakes.api_server import FakeApiServer


@pytest.fixture
async def server() -> AsyncIterator[FakeApiServer]:
    async with FakeApiServer() as server:
        yield server


@pytest.fixture
async def client(server: FakeApiServer) -> AsyncIterator[ApiClient]:
    async with server.client() as client:
        yield client
