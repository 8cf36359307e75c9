"""The net under the watches: all Models are looked at again from time to time."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from modelwarden.cluster.client import ApiClient
from modelwarden.cluster.paths import MODEL_TRANSITIONS, MODEL_VERSIONS, MODELS
from modelwarden.domain.attempts_told import condition, is_open
from modelwarden.domain.keys import touched_by_model, touched_by_spec, touched_by_version
from modelwarden.domain.stages import Stage
from modelwarden.domain.state import ModelKey
from modelwarden.errors import ModelwardenError
from modelwarden.handlers.inbox import Add

logger = logging.getLogger(__name__)

# A list of thousands asks for a sweep with every object of it: wait until it is over.
SETTLE_SECONDS = 0.5
RETRY_SECONDS = 5.0


class Sweeper:
    """Adds the keys of all Models: at the start, on demand, and every so many seconds.

    `known` names the Models of the ledger, for those that are gone from the cluster.
    """

    def __init__(
        self,
        client: ApiClient,
        *,
        add: Add,
        known: Callable[[], Iterable[ModelKey]],
        every_seconds: float,
    ) -> None:
        self._client = client
        self._add = add
        self._known = known
        self._every_seconds = every_seconds
        self._requested = asyncio.Event()
        self.swept = asyncio.Event()

    def request(self) -> None:
        """Ask for a sweep soon."""
        self._requested.set()

    async def run(self) -> None:
        """Sweep for ever."""
        while True:
            try:
                await self.sweep()
                self.swept.set()
                wait = self._every_seconds
            except ModelwardenError as error:
                logger.warning("The sweep is tried again: %s", error)
                wait = RETRY_SECONDS
            await self._until_requested(wait)

    async def sweep(self) -> None:
        """Add every Model with those of its versions whose status may not be the last word."""
        found: dict[ModelKey, set[str]] = {key: set() for key in self._known()}
        async for page in self._client.pages(MODELS):
            for model in page:
                found.setdefault(touched_by_model(model).key, set())
        async for page in self._client.pages(MODEL_VERSIONS):
            for version in page:
                touch = touched_by_version(version)
                if touch is not None:
                    names = found.setdefault(touch.key, set())
                    names.update(() if _is_settled(version) else touch.versions)
        async for page in self._client.pages(MODEL_TRANSITIONS):
            for transition in page:
                touch = touched_by_spec(transition)
                if touch is not None:
                    names = found.setdefault(touch.key, set())
                    names.update(touch.versions if is_open(transition) else ())
        for key, names in found.items():
            self._add(key, frozenset(names))

    async def _until_requested(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._requested.wait()
        except TimeoutError:
            return
        while self._requested.is_set():
            self._requested.clear()
            await asyncio.sleep(SETTLE_SECONDS)


def _is_settled(version: Mapping[str, Any]) -> bool:
    """It rests: registered or archived, its newest notes were seen, and nothing used it."""
    # Only where to look is taken from status; what is found there is decided from facts.
    status = version.get("status", {})
    return (
        status.get("observedGeneration") == version["metadata"].get("generation")
        and status.get("stage") in (Stage.REGISTERED, Stage.ARCHIVED)
        and "consumers" not in status
        and condition(version, "Ready").get("status") in ("True", "False")
    )
