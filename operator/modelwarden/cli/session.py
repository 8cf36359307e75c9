"""One run of the program: whose login it has, where it looks, and how it ends."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import typer

from modelwarden.cli.answers import Answer, CannotError, Exit, Format
from modelwarden.cli.failures import failure_of
from modelwarden.cli.render import Screen
from modelwarden.cluster.answers import ApiError
from modelwarden.cluster.client import ApiClient, connect
from modelwarden.errors import ModelwardenError, UnavailableError

INTERRUPTED = 130


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the caller wants to look; what is None comes from the kubeconfig."""

    namespace: str | None = None
    context: str | None = None
    kubeconfig: Path | None = None


class Session:
    """The caller's connection, opened when it is first needed."""

    def __init__(self, place: Place, screen: Screen) -> None:
        self.place = place
        self.screen = screen
        # After a call that may have changed something nobody can say that nothing was done.
        self.may_have_written = False
        self._client: ApiClient | None = None

    async def client(self) -> ApiClient:
        """Give the connection to the cluster; MisconfiguredError if the kubeconfig gives none."""
        if self._client is None:
            self._client = await connect(self.place.kubeconfig, self.place.context)
        return self._client

    async def namespace(self) -> str:
        """Give the namespace: as asked, else that of the kubeconfig's context."""
        return self.place.namespace or (await self.client()).credentials.namespace

    def whom_it_asks(self) -> str:
        """Say which server is asked, and by which context of the kubeconfig."""
        context = f"context {self.place.context}" if self.place.context else "the current context"
        if self._client is None:
            return f"Asked was the cluster of {context}."
        return f"Asked was {self._client.credentials.server}, the cluster of {context}."

    async def close(self) -> None:
        """Drop the connection."""
        if self._client is not None:
            await self._client.close()


Verb = Callable[[Session], Awaitable[Answer]]


def run(place: Place, output: Format | None, verb: Verb) -> NoReturn:
    """Do one verb, print what it came to, and end the program with its code."""
    screen = Screen(sys.stdout, sys.stderr)
    try:
        answer = asyncio.run(_in_session(place, screen, verb=verb))
        screen.show(answer, output)
        sys.stdout.flush()
    except ModelwardenError as error:
        failure = failure_of(error)
        screen.fail(failure.sentences)
        raise typer.Exit(failure.ending) from error
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        # Whoever read the output has seen enough; nothing may be written when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(Exit.DONE) from None
    raise typer.Exit(answer.ending)


async def _in_session(place: Place, screen: Screen, *, verb: Verb) -> Answer:
    session = Session(place, screen)
    try:
        return await verb(session)
    except UnavailableError as error:
        if session.may_have_written or isinstance(error, ApiError):
            raise
        raise CannotError(str(error), session.whom_it_asks()) from error
    finally:
        await session.close()
