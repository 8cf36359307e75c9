"""The ledger, read-only over HTTP: for auditors who reach the pod's loopback by port-forward."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from aiohttp import web

from modelwarden.audit.anchor import Anchor
from modelwarden.audit.store import EVIDENCE, LEDGER, NotStoredError, Reader
from modelwarden.errors import LedgerUnavailableError

# Keys per answer; whoever wants more asks again after the last one.
PAGE = 10_000

# A name that points to loopback only in somebody's browser is refused: its page could read along.
_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(reader: Reader, *, anchor: Callable[[], Anchor | None]) -> web.Application:
    """Make the application; `anchor` gives what the ledger is now, None while it is not open."""

    async def describe(_: web.Request) -> web.Response:
        current = anchor()
        if current is None:
            raise web.HTTPServiceUnavailable(text="The ledger is not open.\n")
        return web.json_response(current.to_json())

    async def keys(request: web.Request) -> web.Response:
        after = _key_after(request.query.get("after", ""))
        found = await asyncio.to_thread(reader.list, LEDGER, after)
        return web.json_response({"keys": list(found[:PAGE])})

    async def ledger_object(request: web.Request) -> web.Response:
        return await content(LEDGER + request.match_info["name"], "application/json")

    async def evidence(request: web.Request) -> web.Response:
        return await content(EVIDENCE + request.match_info["name"], "application/octet-stream")

    async def content(key: str, kind: str) -> web.Response:
        body = await asyncio.to_thread(reader.read, key)
        return web.Response(body=body, content_type=kind)

    app = web.Application(middlewares=[_answered])
    app.router.add_get("/", describe)
    app.router.add_get("/ledger", keys)
    app.router.add_get("/ledger/{name:[0-9]{20}}", ledger_object)
    app.router.add_get("/evidence/{name:[0-9a-f]{64}}", evidence)
    return app


def _key_after(after: str) -> str:
    # An index, or for a client that goes through all there is the key itself, however spelled.
    return LEDGER + after.zfill(20) if after.isascii() and after.isdecimal() else after


@web.middleware
async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.url.host not in _HOSTS:
        raise web.HTTPForbidden(text="The ledger is served on loopback only.\n")
    try:
        return await handler(request)
    except NotStoredError:
        raise web.HTTPNotFound(text="Not in the ledger.\n") from None
    except LedgerUnavailableError as error:
        raise web.HTTPServiceUnavailable(text=f"{error}\n") from error
