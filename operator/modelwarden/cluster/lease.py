"""One writer at a time: a Lease that is held, renewed, and given back.

Whoever holds it may write until `renew` seconds after its last renewal; others take it `duration`
seconds after they last saw a renewal, each measured on its own clock:

    holder   renewed ------------- renew (stops writing) --- duration
    others        seen -------------------------------------------- duration (may take it)
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

from modelwarden.cluster.answers import ApiError
from modelwarden.cluster.client import ApiClient, JsonObject
from modelwarden.cluster.paths import LEASES
from modelwarden.errors import LeadershipLostError, ModelwardenError, UnavailableError

logger = logging.getLogger(__name__)

# Announcements are written at once, but a burst of them as one.
SPACING_SECONDS = 0.5
# Whoever stops may not hang on a server that does not answer; the Lease runs out by itself.
RELEASE_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Timing:
    """The three times of a Lease in seconds: retry < renew < duration."""

    duration: float = 15.0
    renew: float = 10.0
    retry: float = 2.0


class Elector:
    """One contender for a Lease; its annotations travel with the renewals."""

    def __init__(
        self,
        client: ApiClient,
        *,
        namespace: str,
        name: str,
        identity: str,
        timing: Timing | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._timing = timing or Timing()
        self._clock = clock
        self._lease: JsonObject | None = None
        self._seen: tuple[str, str] | None = None
        self._seen_at = 0.0
        self._sees_a_leader = False
        self._renewed_at: float | None = None
        self._last_held = ""
        self._announced: dict[str, str] = {}
        self._written: Mapping[str, str] = {}
        self._wake = asyncio.Event()

    @property
    def is_leader(self) -> bool:
        """Say whether this process may write now."""
        return (
            self._renewed_at is not None and self._clock() - self._renewed_at < self._timing.renew
        )

    @property
    def sees_a_leader(self) -> bool:
        """Say whether somebody was seen to renew the Lease since this process began to wait."""
        return self._sees_a_leader

    @property
    def holder(self) -> str:
        """Whoever held the Lease when it was last read; empty for nobody."""
        return _holder(self._lease)

    @property
    def last_held(self) -> str:
        """When the Lease that was taken had last been renewed; empty for a new one."""
        return self._last_held

    @property
    def annotations(self) -> Mapping[str, str]:
        """The Lease's annotations as last read or written."""
        return dict((self._lease or {}).get("metadata", {}).get("annotations") or {})

    def ensure_leader(self) -> None:
        """Pass only while this process may write."""
        if not self.is_leader:
            raise LeadershipLostError(f"lease {self._namespace}/{self._name} is not held")

    def announce(self, annotations: Mapping[str, str]) -> None:
        """Have the annotations written with a renewal, now, and kept by every later one."""
        self._announced |= annotations
        self._wake.set()

    async def acquire(self) -> None:
        """Wait until the Lease is ours."""
        failure = ""
        while True:
            try:
                async with asyncio.timeout(self._timing.renew):
                    if await self._try_to_take():
                        return
            except (ModelwardenError, TimeoutError) as error:
                if str(error) != failure:
                    failure = str(error)
                    logger.warning("The lease cannot be read or taken: %s", failure)
            await asyncio.sleep(self._timing.retry)

    async def hold(self) -> NoReturn:
        """Renew until the Lease is lost, and raise LeadershipLostError then.

        An attempt that fails in any way is a renewal that did not happen.
        """
        while True:
            await self._until_due()
            try:
                async with asyncio.timeout(min(self._seconds_left(), self._timing.renew / 2)):
                    await self._renew()
            except LeadershipLostError:
                self._renewed_at = None
                raise
            except (ModelwardenError, TimeoutError) as error:
                logger.warning("The lease was not renewed: %s", str(error) or type(error).__name__)
            self.ensure_leader()

    async def release(self) -> None:
        """Give the Lease back, if it is ours, so that the next one need not wait."""
        if self._renewed_at is None:
            return
        free = {"holderIdentity": "", "renewTime": _now()}
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                # A renewal that was cut short may have been written all the same.
                if not await self._write_first(free) and await self._is_still_ours():
                    await self._write(free)
        except (ModelwardenError, TimeoutError) as error:
            logger.warning("The lease runs out by itself: %s", str(error) or type(error).__name__)
        finally:
            self._renewed_at = None

    async def _try_to_take(self) -> bool:
        lease = await self._client.find(LEASES, self._name, self._namespace)
        if lease is None:
            return await self._create()
        self._observe(lease)
        if not self._is_free(lease):
            return False
        self._last_held = str(lease["spec"].get("renewTime") or "")
        transitions = int(lease["spec"].get("leaseTransitions") or 0)
        another = _holder(lease) != self._identity
        return await self._write_first(
            self._claim() | {"acquireTime": _now(), "leaseTransitions": transitions + another}
        )

    async def _create(self) -> bool:
        began, announced = self._clock(), dict(self._announced)
        body = {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {
                "name": self._name,
                "namespace": self._namespace,
                "annotations": announced,
            },
            "spec": self._claim() | {"acquireTime": _now(), "leaseTransitions": 0},
        }
        try:
            self._lease = await self._client.create(LEASES, body)
        except ApiError as error:
            if error.is_already_exists:
                return False
            raise
        self._renewed_at = began
        self._written = announced
        return True

    async def _renew(self) -> None:
        if await self._write_first(self._claim()):
            return
        if not await self._is_still_ours():
            raise LeadershipLostError(f"the lease is held by {self.holder or 'nobody'}")
        if not await self._write_first(self._claim()):
            raise UnavailableError("somebody else keeps writing the lease")

    async def _is_still_ours(self) -> bool:
        lease = await self._client.find(LEASES, self._name, self._namespace)
        if lease is None:
            return await self._create()
        self._lease = lease
        return self.holder == self._identity

    async def _write_first(self, spec: Mapping[str, Any]) -> bool:
        # A Lease that was changed or deleted since it was read is an answer here, not an error.
        began = self._clock()
        try:
            await self._write(spec)
        except ApiError as error:
            if error.is_conflict or error.is_not_found:
                return False
            raise
        self._renewed_at = began
        return True

    async def _write(self, spec: Mapping[str, Any]) -> None:
        lease = self._lease or {}
        announced = dict(self._announced)
        patch = {
            "metadata": {
                "resourceVersion": lease["metadata"]["resourceVersion"],
                "annotations": announced,
            },
            "spec": spec,
        }
        self._lease = await self._client.patch(LEASES, self._name, patch, namespace=self._namespace)
        self._written = announced

    def _observe(self, lease: JsonObject) -> None:
        self._lease = lease
        seen = (_holder(lease), str(lease["spec"].get("renewTime")))
        if seen != self._seen:
            self._sees_a_leader = self._seen is not None and bool(seen[0])
            self._seen, self._seen_at = seen, self._clock()

    def _is_free(self, lease: JsonObject) -> bool:
        if _holder(lease) in {"", self._identity}:
            return True
        duration = float(lease["spec"].get("leaseDurationSeconds") or self._timing.duration)
        return self._clock() - self._seen_at >= duration

    def _claim(self) -> dict[str, Any]:
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": max(1, round(self._timing.duration)),
            "renewTime": _now(),
        }

    def _seconds_left(self) -> float:
        since = self._clock() - (self._renewed_at or 0.0)
        return max(0.0, self._timing.renew - since)

    async def _until_due(self) -> None:
        due = min(self._timing.retry, self._seconds_left())
        spacing = min(SPACING_SECONDS, due)
        await asyncio.sleep(spacing)
        if self._announced == self._written:
            self._wake.clear()
        try:
            async with asyncio.timeout(due - spacing):
                await self._wake.wait()
        except TimeoutError:
            return


def _holder(lease: Mapping[str, Any] | None) -> str:
    return str((lease or {}).get("spec", {}).get("holderIdentity") or "")


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
