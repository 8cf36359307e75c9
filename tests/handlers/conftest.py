import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from modelwarden.audit.ledger import Ledger
from modelwarden.cluster.paths import CUSTOM_RESOURCE_DEFINITIONS, SECRETS
from modelwarden.domain.state import LedgerState, ModelKey
from modelwarden.errors import ModelwardenError
from modelwarden.handlers import run
from modelwarden.handlers.run import Controller, Wake
from modelwarden.metrics import Metrics
from modelwarden.resources.crds import crd
from modelwarden.resources.kinds import KINDS
from modelwarden.settings import Settings, parse
from modelwarden.workflows.queue import Reconcile
from tests.fakes.api_server import FakeApiServer

ESTABLISHED = {"conditions": [{"type": "Established", "status": "True"}]}


@dataclass
class Running:
    """A controller that runs in this loop, and what its reconcile was asked."""

    controller: Controller
    settings: Settings
    stop: asyncio.Event
    task: "asyncio.Task[None]"
    metrics: Metrics
    seen: list[tuple[ModelKey, frozenset[str]]] = field(default_factory=list)
    problems: list[ModelwardenError | None] = field(default_factory=list)

    async def ask(self, path: str) -> tuple[int, str]:
        url = f"http://127.0.0.1:{self.settings.http.port}{path}"
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return response.status, await response.text()


Look = Callable[[Ledger[LedgerState], ModelKey], Awaitable[None]]
Start = Callable[..., Any]


@pytest.fixture
async def server() -> AsyncIterator[FakeApiServer]:
    async with FakeApiServer() as server:
        for kind in KINDS.values():
            server.put(CUSTOM_RESOURCE_DEFINITIONS, crd(kind) | {"status": ESTABLISHED})
        key = {"name": "modelwarden-ledger-key", "namespace": "modelwarden-system"}
        server.put(SECRETS, {"metadata": key})
        yield server


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return parse(f"""
    gates: {{image: validator}}
    ledger: {{directory: {tmp_path / "ledger"}, port: {_free_port()}}}
    lease: {{durationSeconds: 3, renewSeconds: 2, retrySeconds: 1}}
    http: {{address: 127.0.0.1, port: {_free_port()}}}
    """)


@pytest.fixture
def start(server: FakeApiServer, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Start:
    # kopf waits for all tasks of the loop, and here the server's are among them.
    monkeypatch.setattr(run, "UNWATCH_SECONDS", 0.2)

    @asynccontextmanager
    async def started(look: Look | None = None) -> AsyncIterator[Running]:
        seen: list[tuple[ModelKey, frozenset[str]]] = []
        problems: list[ModelwardenError | None] = []

        def make(
            ledger: Ledger[LedgerState] | None, problem: ModelwardenError | None, _wake: Wake
        ) -> Reconcile[ModelKey]:
            problems.append(problem)

            async def reconcile(key: ModelKey, touched: frozenset[str]) -> None:
                seen.append((key, touched))
                if look is not None and ledger is not None:
                    await look(ledger, key)

            return reconcile

        metrics = Metrics.create()
        stop = asyncio.Event()
        async with server.client() as client:
            controller = Controller(client=client, settings=settings, metrics=metrics, make=make)
            task = asyncio.create_task(controller.run(stop))
            running = Running(
                controller=controller,
                settings=settings,
                stop=stop,
                task=task,
                metrics=metrics,
                seen=seen,
                problems=problems,
            )
            try:
                yield running
            finally:
                stop.set()
                await asyncio.wait({task}, timeout=10)
                task.cancel()

    return started


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
