"""The net under the watches: all Models are looked at again from time to time."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Set
from datetime import UTC, datetime
from typing import Any

from modelwarden.cluster.client import ApiClient
from modelwarden.cluster.paths import JOBS, MODEL_TRANSITIONS, MODEL_VERSIONS, MODELS
from modelwarden.domain.attempts_told import condition, is_open
from modelwarden.domain.keys import (
    touched_by_gate,
    touched_by_model,
    touched_by_transition,
    touched_by_version,
)
from modelwarden.domain.names import version_name
from modelwarden.domain.scribe import moment
from modelwarden.domain.stages import Stage
from modelwarden.domain.state import ModelKey, ModelState
from modelwarden.errors import ModelwardenError
from modelwarden.handlers.inbox import Add
from modelwarden.workflows.leftovers import close_forgotten_ways
from modelwarden.workflows.run_facts import OF_GATES

logger = logging.getLogger(__name__)

# A list of thousands asks for a sweep with every object of it: wait until it is over.
SETTLE_SECONDS = 0.5
RETRY_SECONDS = 5.0


class Sweeper:
    """Adds the keys of all Models: at the start, on demand, and every so many seconds.

    `known` gives the Models of the ledger, for what is gone from the cluster. Gate Jobs that
    nobody knows of lead to the Model that they say they are of, which lets go of them.
    """

    def __init__(
        self,
        client: ApiClient,
        *,
        add: Add,
        known: Callable[[], Mapping[ModelKey, ModelState]],
        gates_namespace: str,
        every_seconds: float,
    ) -> None:
        self._client = client
        self._add = add
        self._gates_namespace = gates_namespace
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
        known, now = self._known(), datetime.now(UTC)
        found: dict[ModelKey, set[str]] = {key: set() for key in known}
        there: set[tuple[str, str]] = set()
        async for page in self._client.pages(MODELS):
            for model in page:
                found.setdefault(touched_by_model(model).key, set())
        async for page in self._client.pages(MODEL_VERSIONS):
            for version in page:
                touch = touched_by_version(version)
                there.add((version["metadata"]["namespace"], version["metadata"]["name"]))
                if touch is not None:
                    names = found.setdefault(touch.key, set())
                    names.update(() if _is_settled(version, now=now) else touch.names)
        async for page in self._client.pages(MODEL_TRANSITIONS):
            for transition in page:
                touch = touched_by_transition(transition)
                if touch is not None:
                    names = found.setdefault(touch.key, set())
                    names.update(touch.names if is_open(transition) else ())
        async for page in self._client.pages(JOBS, self._gates_namespace, labels=OF_GATES):
            for job in page:
                touch = touched_by_gate(job)
                if touch is not None:
                    found.setdefault(touch.key, set()).update(touch.names)
        for key, state in known.items():
            found[key].update(_gone(state, there))
        for key, names in found.items():
            self._add(key, frozenset(names))
        await close_forgotten_ways(self._client, self._gates_namespace, now=now)

    async def _until_requested(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._requested.wait()
        except TimeoutError:
            return
        while self._requested.is_set():
            self._requested.clear()
            await asyncio.sleep(SETTLE_SECONDS)


def _gone(state: ModelState, there: Set[tuple[str, str]]) -> set[str]:
    """Name the versions whose record was there when last looked at, and is not there now."""
    recorded = (version_name(state.key.name, n) for n, v in state.versions.items() if v.uid)
    return {name for name in recorded if (state.key.namespace, name) not in there}


def _is_settled(version: Mapping[str, Any], *, now: datetime) -> bool:
    """It rests: registered or archived, its newest notes were seen, and nothing used it.

    One that was archived is looked at again when it need not be kept any more.
    """
    # Only where to look is taken from status; what is found there is decided from facts.
    status = version.get("status", {})
    return (
        status.get("observedGeneration") == version["metadata"].get("generation")
        and status.get("stage") in (Stage.REGISTERED, Stage.ARCHIVED)
        and "consumers" not in status
        and ("retainedUntil" not in status or now < moment(status["retainedUntil"]))
        and condition(version, "Ready").get("status") in ("True", "False")
    )
