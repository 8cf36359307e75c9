"""Whether the process lives, whether it does its work, and its numbers, over HTTP."""

from collections.abc import Callable, Iterable

from aiohttp import web

from modelwarden.metrics import CONTENT_TYPE, Metrics


def application(
    metrics: Metrics,
    *,
    not_alive: Callable[[], Iterable[str]],
    not_ready: Callable[[], Iterable[str]],
) -> web.Application:
    """Serve `/healthz`, `/readyz` and `/metrics`; what speaks against either is the answer."""

    async def healthz(_: web.Request) -> web.Response:
        return _answer(not_alive())

    async def readyz(_: web.Request) -> web.Response:
        return _answer(not_ready())

    async def numbers(_: web.Request) -> web.Response:
        return web.Response(body=metrics.render(), headers={"Content-Type": CONTENT_TYPE})

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", numbers)
    return app


async def serve(app: web.Application, address: str, port: int) -> web.AppRunner:
    """Listen until the runner is cleaned up; an empty address is everywhere."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, address or None, port).start()
    return runner


def _answer(problems: Iterable[str]) -> web.Response:
    found = [f"{problem}\n" for problem in problems]
    return web.Response(text="".join(found) or "ok\n", status=503 if found else 200)
