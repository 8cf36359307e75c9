"""The admission server: it answers, it counts, it writes nothing but its own certificates."""

import asyncio
import json
import logging
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TypeAlias

from aiohttp import web

from modelwarden.admission.kinds import Judge, Kinds
from modelwarden.admission.reviews import Review
from modelwarden.admission.trust import Trust
from modelwarden.cluster.client import ApiClient, connect
from modelwarden.errors import MalformedObjectError, MisconfiguredError, ModelwardenError
from modelwarden.metrics import CONTENT_TYPE, Metrics
from modelwarden.settings import Settings, load
from modelwarden.workflows.facts import installation_of

logger = logging.getLogger(__name__)

# An AdmissionReview holds the object twice; etcd takes 1.5 MiB, and JSON in JSON takes more.
LARGEST_REQUEST = 16 * 1024 * 1024
SHUTDOWN_SECONDS = 10.0

FAILED = 1
MISCONFIGURED = 2

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


def run_webhook(settings_path: Path) -> int:
    """Answer until SIGTERM (0), a failure (1) or a mistake of the installation (2)."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        asyncio.run(_run(load(settings_path)))
    except ModelwardenError as error:
        return _told(error)
    return 0


def _told(error: ModelwardenError) -> int:
    logger.error("%s", error)
    return MISCONFIGURED if isinstance(error, MisconfiguredError) else FAILED


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    metrics = Metrics.create()
    async with await connect(observe=metrics.observe_call) as client:
        await serve(client, settings, metrics=metrics, stop=stop)


async def serve(
    client: ApiClient, settings: Settings, *, metrics: Metrics, stop: asyncio.Event
) -> None:
    """Serve both ports until stopped; requests that are under way are answered first."""
    trust = Trust(client, settings)
    kinds = Kinds(
        installation=installation_of(settings, origin=""),
        operator=settings.operator.account,
        reader=client,
    )
    async with AsyncExitStack() as running:
        keeping = asyncio.create_task(trust.keep())
        running.callback(keeping.cancel)
        http, webhook = settings.http, settings.webhook
        await _listen(running, _state(metrics, trust), http.address, http.port)
        # A handshake before the first certificate fails, and the API server asks again.
        doors = admission(kinds, metrics)
        await _listen(running, doors, webhook.address, webhook.port, trust=trust)
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({stopping, keeping}, return_when=asyncio.FIRST_COMPLETED)
        if keeping.done():
            keeping.result()


def admission(kinds: Kinds, metrics: Metrics) -> web.Application:
    """Answer `/mutate` and `/validate`."""
    app = web.Application(client_max_size=LARGEST_REQUEST)
    app.router.add_post("/mutate", _answering(kinds.stamped, metrics))
    app.router.add_post("/validate", _answering(kinds.judged, metrics))
    return app


def _answering(judge: Judge, metrics: Metrics) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            review = Review.from_json(json.loads(await request.read()))
        except (ValueError, RecursionError, MalformedObjectError) as error:
            raise web.HTTPBadRequest(text=f"{error}\n") from error
        answer = await judge(review)
        verdict = answer.verdict
        metrics.admission_requests.labels(
            review.kind, review.operation, verdict.outcome.value, verdict.code
        ).inc()
        if verdict.denies:
            logger.info(
                "%s: %s of a %s in %s by %s refused: %s",
                verdict.code,
                review.operation,
                review.kind,
                review.namespace or "the cluster",
                review.caller.username,
                verdict.sentence,
            )
        return web.json_response(answer.to_json(review))

    return handle


def _state(metrics: Metrics, trust: Trust) -> web.Application:
    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        problems = "".join(f"{problem}\n" for problem in trust.problems())
        return web.Response(text=problems or "ok\n", status=503 if problems else 200)

    async def numbers(_: web.Request) -> web.Response:
        return web.Response(body=metrics.render(), headers={"Content-Type": CONTENT_TYPE})

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", numbers)
    return app


async def _listen(
    running: AsyncExitStack,
    app: web.Application,
    address: str,
    port: int,
    *,
    trust: Trust | None = None,
) -> None:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    running.push_async_callback(runner.cleanup)
    context = None if trust is None else trust.context
    await web.TCPSite(runner, address or None, port, ssl_context=context).start()
