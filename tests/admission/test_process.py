"""The process from its command line to its exit code."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from modelwarden.admission.trust import CONFIGURATIONS
from modelwarden.cluster.paths import SECRETS
from tests.fakes.api_server import FakeApiServer

from .test_server import HOST, free_port
from .test_trust import NAMESPACE, SECRET, configuration


@pytest.fixture
async def api() -> AsyncIterator[FakeApiServer]:
    async with FakeApiServer() as api:
        metadata = {"name": SECRET, "namespace": NAMESPACE}
        api.put(SECRETS, {"apiVersion": "v1", "kind": "Secret", "metadata": metadata})
        for resource in CONFIGURATIONS:
            api.put(resource, configuration(resource.kind))
        yield api


def kubeconfig(folder: Path, server: str) -> Path:
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "fake", "cluster": {"server": server}}],
        "users": [{"name": "webhook", "user": {"token": "webhook"}}],
        "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "webhook"}}],
        "current-context": "fake",
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(content))
    return path


def settings(folder: Path, http: int) -> Path:
    content = {
        "gates": {"image": "gate:1"},
        "webhook": {"port": free_port(), "address": HOST},
        "http": {"port": http, "address": HOST},
    }
    path = folder / "settings.yaml"
    path.write_text(json.dumps(content))
    return path


async def start(path: Path, login: Path) -> asyncio.subprocess.Process:
    words = ("-m", "modelwarden.main", "webhook", "--settings", str(path))
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *words,
        env={**os.environ, "KUBECONFIG": str(login)},
        stderr=asyncio.subprocess.PIPE,
    )


async def test_it_becomes_ready_and_ends_when_told(api: FakeApiServer, tmp_path: Path) -> None:
    port = free_port()
    process = await start(settings(tmp_path, port), kubeconfig(tmp_path, api.url))
    try:
        assert await ready(port)
    finally:
        process.send_signal(signal.SIGTERM)

    assert await asyncio.wait_for(process.wait(), 20) == 0


async def ready(port: int) -> bool:
    async with asyncio.timeout(30), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(f"http://{HOST}:{port}/readyz") as response:
                    if response.status == 200:
                        return True
            except aiohttp.ClientConnectorError:
                pass
            await asyncio.sleep(0.05)


async def test_settings_that_are_wrong_are_named(api: FakeApiServer, tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("gates: {image: 7}")

    process = await start(path, kubeconfig(tmp_path, api.url))
    _, said = await process.communicate()

    assert process.returncode == 2
    assert "gates.image" in said.decode()
