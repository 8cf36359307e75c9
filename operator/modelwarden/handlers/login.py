"""How kopf proves who it is: with connections of its own, for it closes what it is given."""

import asyncio
from itertools import count

import kopf

from modelwarden.cluster.credentials import Credentials

# Without a pause, a token that is refused is shown again hundreds of times a second.
PAUSE_SECONDS = 1.0


def log_in(registry: kopf.OperatorRegistry, credentials: Credentials) -> None:
    """Give kopf a session whose token is read again by itself."""
    logins = count()

    @kopf.on.login(registry=registry, id="login")
    async def login(**_: object) -> kopf.AiohttpSession:
        if next(logins):
            await asyncio.sleep(PAUSE_SECONDS)
        return kopf.AiohttpSession(
            server=credentials.server, aiohttp_session=credentials.open_session()
        )
