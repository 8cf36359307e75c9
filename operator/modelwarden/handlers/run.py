"""The controller, from its settings to its exit code.

settings -> API server -> CRDs new enough? -> Lease -> ledger -> workers, sweeps, watches
                                               |
                          lost: exit 1         +-- SIGTERM: finish, release, exit 0
"""

import asyncio
import logging
import os
import signal
import socket
import uuid
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeAlias

from modelwarden.audit import endpoint
from modelwarden.audit.directory import DirectoryReader
from modelwarden.audit.ledger import Ledger
from modelwarden.cluster.client import ApiClient, connect
from modelwarden.cluster.definitions import require_definitions
from modelwarden.cluster.lease import Elector, Timing
from modelwarden.domain.state import LedgerState, ModelKey
from modelwarden.errors import (
    LedgerConflictError,
    LedgerUnavailableError,
    MisconfiguredError,
    ModelwardenError,
    code_of,
)
from modelwarden.handlers import health
from modelwarden.handlers.inbox import Inbox
from modelwarden.handlers.keeping import LedgerKeeper
from modelwarden.handlers.sweeper import Sweeper
from modelwarden.handlers.watching import Watchers
from modelwarden.metrics import Metrics
from modelwarden.settings import LeaseSettings, Settings, load
from modelwarden.workflows.queue import KeyedQueue, Reconcile, Workers
from modelwarden.workflows.reconcile import Reconciler

logger = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
# Whatever takes longer hangs: the API server and the store would have been given up long before.
STUCK_SECONDS = 600.0
# What is at work may finish, the Lease is given back, kopf ends: ten seconds in all.
FINISH_SECONDS = 4.0
UNWATCH_SECONDS = 2.0

FAILED = 1
MISCONFIGURED = 2

Wake: TypeAlias = Callable[[ModelKey], None]
# Makes the reconcile with a ledger, or with the reason why there is none.
MakeReconcile: TypeAlias = Callable[
    [Ledger[LedgerState] | None, ModelwardenError | None, Wake], Reconcile[ModelKey]
]


def run_controller(settings_path: Path) -> int:
    """Run the controller until SIGTERM (0), a failure (1) or a mistake of the installation (2)."""
    _set_up_logging()
    try:
        asyncio.run(_run(load(settings_path)))
    except ModelwardenError as error:
        return _told(error)
    return 0


async def _run(settings: Settings) -> None:
    metrics = Metrics.create()
    stop = asyncio.Event()
    _stop_on_signals(stop)
    async with await connect(observe=metrics.observe_call) as client:

        def make(
            ledger: Ledger[LedgerState] | None, problem: ModelwardenError | None, wake: Wake
        ) -> Reconcile[ModelKey]:
            return Reconciler(
                client=client,
                ledger=ledger,
                ledger_problem=problem,
                settings=settings,
                metrics=metrics,
                wake=wake,
            ).reconcile

        await Controller(client=client, settings=settings, metrics=metrics, make=make).run(stop)


class Controller:
    """All parts of the controller, and the order in which they begin and end."""

    def __init__(
        self, *, client: ApiClient, settings: Settings, metrics: Metrics, make: MakeReconcile
    ) -> None:
        self._client = client
        self._settings = settings
        self._metrics = metrics
        self._make = make
        self.elector = _elector(client, settings)
        self.keeper = LedgerKeeper(
            client=client, settings=settings, elector=self.elector, metrics=metrics
        )
        queue = KeyedQueue[ModelKey]()
        self._workers = Workers(
            queue,
            self._reconcile,
            count=settings.controller.workers,
            observe=metrics.observe_reconcile,
        )
        self._sweeper = Sweeper(
            client,
            add=self._workers.add,
            known=lambda: self.keeper.models,
            gates_namespace=settings.gates.namespace,
            every_seconds=settings.controller.sweep_seconds,
        )
        self._watchers = Watchers(
            credentials=client.credentials,
            inbox=Inbox(add=self._workers.add, sweep=self._sweeper.request),
            gates_namespace=settings.gates.namespace,
        )
        self._current = make(None, self.keeper.problem, self._workers.add)
        metrics.leader.set_function(lambda: self.elector.is_leader)
        metrics.ledger_size.set_function(lambda: self.keeper.size)
        metrics.queue_depth.set_function(lambda: queue.depth)
        metrics.queue_busy.set_function(lambda: self._workers.busy)

    async def run(self, stop: asyncio.Event) -> None:
        """Lead when it is our turn; returns when stopped, raises what ends the process."""
        async with AsyncExitStack() as servers:
            await self._serve(servers)
            await require_definitions(self._client)
            if await _happens_before(stop, self.elector.acquire()):
                logger.info("The lease is ours.")
                await self._lead(stop, servers)

    def not_alive(self) -> Iterator[str]:
        """Say what only a restart can cure."""
        if self._workers.longest_seconds > STUCK_SECONDS:
            yield f"A reconcile has taken {self._workers.longest_seconds:.0f} s."

    def not_ready(self) -> Iterator[str]:
        """Say what keeps this process from its work; one that stands by for a leader is ready."""
        if not self.elector.is_leader:
            if not self.elector.sees_a_leader:
                yield "No leader was seen yet."
            return
        if self.keeper.problem is not None:
            yield f"{code_of(self.keeper.problem)}: {self.keeper.problem}"
        if not self._sweeper.swept.is_set():
            yield "The Models were not listed yet."

    async def _serve(self, servers: AsyncExitStack) -> None:
        http, ledger = self._settings.http, self._settings.ledger
        state = health.application(
            self._metrics, not_alive=self.not_alive, not_ready=self.not_ready
        )
        records = endpoint.application(
            DirectoryReader(ledger.directory), anchor=lambda: self.keeper.anchor
        )
        for app, address, port in (
            (state, http.address, http.port),
            (records, LOOPBACK, ledger.port),
        ):
            runner = await health.serve(app, address, port)
            servers.push_async_callback(runner.cleanup)

    async def _lead(self, stop: asyncio.Event, servers: AsyncExitStack) -> None:
        working = asyncio.create_task(self._work())
        others = [
            asyncio.create_task(self.elector.hold()),
            asyncio.create_task(self._keep()),
            asyncio.create_task(self._sweep()),
            asyncio.create_task(self._keep_signals(stop)),
        ]
        # Last, for kopf ends by ending whatever task began after it.
        watching = [
            asyncio.create_task(self._watchers.watch_cluster()),
            asyncio.create_task(self._watchers.watch_gates()),
        ]
        stopping = asyncio.create_task(stop.wait())
        parts = [working, *others, *watching]
        await asyncio.wait([stopping, *parts], return_when=asyncio.FIRST_COMPLETED)
        errors = _errors_of(parts)
        # kopf took the signal, or it was us.
        told_to_stop = stop.is_set() or (not errors and any(task.done() for task in watching))
        self._workers.stop()
        await asyncio.wait({working}, timeout=FINISH_SECONDS if told_to_stop else 0)
        await _end([stopping, working, *others])
        await self.elector.release()
        await servers.aclose()
        self._watchers.stop.set()
        await asyncio.wait(watching, timeout=UNWATCH_SECONDS)
        if not told_to_stop:
            raise next(iter([*errors, *_errors_of(watching)]), ModelwardenError("A part ended."))

    async def _work(self) -> None:
        await self.keeper.tried.wait()
        await self._workers.run()

    async def _sweep(self) -> None:
        await self.keeper.tried.wait()
        await self._sweeper.run()

    async def _keep(self) -> None:
        await self.keeper.keep(self._ledger_changed)
        await asyncio.Event().wait()

    async def _keep_signals(self, stop: asyncio.Event) -> None:
        # kopf takes them for itself when it begins; until then its end is taken for a stop.
        await self._watchers.ready()
        _stop_on_signals(stop)
        await asyncio.Event().wait()

    def _ledger_changed(self) -> None:
        self._current = self._make(self.keeper.ledger, self.keeper.problem, self._workers.add)
        self._sweeper.request()

    async def _reconcile(self, key: ModelKey, touched: frozenset[str]) -> float | None:
        self.elector.ensure_leader()
        size = self.keeper.size
        try:
            return await self._current(key, touched)
        except LedgerConflictError:
            self._metrics.ledger_conflicts.inc()
            raise
        except LedgerUnavailableError:
            self._metrics.ledger_unavailable.inc()
            raise
        finally:
            self.keeper.tell_of(key, since=size)


def _elector(client: ApiClient, settings: Settings) -> Elector:
    # In a pod a restarted container takes its own Lease back; elsewhere every process is another.
    pod = os.environ.get("POD_NAME") or socket.gethostname()
    uid = os.environ.get("POD_UID") or str(uuid.uuid4())
    return Elector(
        client,
        namespace=settings.operator.namespace,
        name=settings.lease.name,
        identity=f"{pod}_{uid}",
        timing=_timing(settings.lease),
    )


def _timing(lease: LeaseSettings) -> Timing:
    return Timing(
        duration=lease.duration_seconds, renew=lease.renew_seconds, retry=lease.retry_seconds
    )


async def _happens_before(stop: asyncio.Event, event: Awaitable[None]) -> bool:
    tasks = [asyncio.ensure_future(event), asyncio.ensure_future(stop.wait())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if not tasks[0].done():
            return False
        tasks[0].result()
        return True
    finally:
        await _end(tasks)


def _errors_of(tasks: Iterable[asyncio.Task[Any]]) -> list[BaseException]:
    ended = (task for task in tasks if task.done() and not task.cancelled())
    return [error for task in ended if (error := task.exception()) is not None]


async def _end(tasks: Iterable[asyncio.Future[Any]]) -> None:
    pending = list(tasks)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)


def _set_up_logging() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # kopf tells of every event that a handler took it.
    logging.getLogger("kopf.objects").setLevel(logging.WARNING)


def _told(error: ModelwardenError) -> int:
    logger.error("%s", error)
    return MISCONFIGURED if isinstance(error, MisconfiguredError) else FAILED
