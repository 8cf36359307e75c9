"""Which key is worked on next: each once, one at a time, and again when it is due.

add ---> due now -----------+
finish ---> due later ------+--> take --> at work --> finish, fail
fail ---> due after backoff-+        (what is added meanwhile is due when the work is over)
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Hashable, Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Generic, TypeAlias, TypeVar

from modelwarden.cluster.answers import ApiError
from modelwarden.errors import LedgerConflictError, ModelwardenError, UnavailableError

logger = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)

# The seconds after which to look again; None when only a change brings news.
Reconcile: TypeAlias = Callable[[K, frozenset[str]], Awaitable[float | None]]
Observe: TypeAlias = Callable[[str, float], None]


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """How long a key waits after its n-th failure in a row: doubling, up to a limit."""

    first: float = 0.5
    limit: float = 300.0
    jitter: Callable[[], float] = random.random

    def seconds(self, failures: int) -> float:
        """Give between half and all of the doubled time, so that those who failed together part."""
        # More doublings than this would overflow long after the limit.
        doubled = min(self.limit, self.first * 2.0 ** min(failures - 1, 60))
        return doubled * (0.5 + self.jitter() / 2)


@dataclass(frozen=True)
class Work(Generic[K]):
    """One key taken out of the queue, with the names that were touched since the last time."""

    key: K
    touched: frozenset[str]


@dataclass
class _Entry:
    due: float | None = None
    touched: set[str] = field(default_factory=set)
    at_work: bool = False
    failures: int = 0


class KeyedQueue(Generic[K]):
    """Keys and when they are due. It knows no tasks; whoever takes work gives it back."""

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, backoff: Backoff | None = None
    ) -> None:
        self._clock = clock
        self._backoff = backoff or Backoff()
        self._entries: dict[K, _Entry] = {}
        # Places in the heap that an entry has left are skipped when they come up.
        self._heap: list[tuple[float, int, K]] = []
        self._pushed = 0

    @property
    def depth(self) -> int:
        """Say how many keys are due and not at work."""
        now = self._clock()
        return sum(
            entry.due is not None and entry.due <= now and not entry.at_work
            for entry in self._entries.values()
        )

    def add(self, key: K, touched: Iterable[str] = ()) -> None:
        """Have the key worked on as soon as may be; names touched are gathered until then."""
        entry = self._entries.setdefault(key, _Entry())
        entry.touched.update(touched)
        self._schedule(key, entry, 0.0)

    def take(self) -> Work[K] | None:
        """Take the key that has been due for longest and is not at work; None if there is none."""
        while self._heap and self._heap[0][0] <= self._clock():
            due, _, key = heappop(self._heap)
            entry = self._entries.get(key)
            if entry is not None and entry.due == due and not entry.at_work:
                work = Work(key, frozenset(entry.touched))
                entry.due, entry.at_work = None, True
                entry.touched.clear()
                return work
        return None

    def finish(self, work: Work[K], *, again_in: float | None = None) -> None:
        """Give back a key that was worked on; what was planned for it before is forgotten."""
        entry = self._given_back(work)
        entry.failures = 0
        if again_in is not None:
            self._schedule(work.key, entry, max(0.0, again_in))
        if entry.due is None:
            del self._entries[work.key]

    def fail(self, work: Work[K], *, at_least: float = 0.0) -> float:
        """Give back a key to be tried again with all it had; give the seconds until then.

        What was added meanwhile makes it due at once: it may be what the failure waited for.
        """
        entry = self._given_back(work)
        entry.failures += 1
        entry.touched |= work.touched
        seconds = max(at_least, self._backoff.seconds(entry.failures))
        self._schedule(work.key, entry, seconds)
        return seconds

    def seconds_until_due(self) -> float | None:
        """Say how long there is nothing to take, if nothing is added or given back."""
        while self._heap:
            due, _, key = self._heap[0]
            entry = self._entries.get(key)
            if entry is not None and entry.due == due and not entry.at_work:
                return max(0.0, due - self._clock())
            heappop(self._heap)
        return None

    def _schedule(self, key: K, entry: _Entry, seconds: float) -> None:
        due = self._clock() + seconds
        if entry.due is not None and entry.due <= due:
            return
        entry.due = due
        if not entry.at_work:
            self._push(key, due)

    def _given_back(self, work: Work[K]) -> _Entry:
        entry = self._entries[work.key]
        entry.at_work = False
        if entry.due is not None:
            self._push(work.key, entry.due)
        return entry

    def _push(self, key: K, due: float) -> None:
        self._pushed += 1
        heappush(self._heap, (due, self._pushed, key))


class Workers(Generic[K]):
    """Tasks that work through a queue; an error is a failure of its key and of nothing else."""

    def __init__(
        self,
        queue: KeyedQueue[K],
        reconcile: Reconcile[K],
        *,
        count: int,
        observe: Observe = lambda _outcome, _seconds: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = queue
        self._reconcile = reconcile
        self._count = count
        self._observe = observe
        self._clock = clock
        self._wake = asyncio.Event()
        self._stopping = False
        self._began: dict[K, float] = {}

    @property
    def busy(self) -> int:
        """Count the keys that are at work now."""
        return len(self._began)

    @property
    def longest_seconds(self) -> float:
        """Say how long the oldest work that is going on has taken."""
        return max((self._clock() - began for began in self._began.values()), default=0.0)

    def add(self, key: K, touched: Iterable[str] = ()) -> None:
        """Have the key worked on, and wake whoever is idle."""
        self._queue.add(key, touched)
        self._wake.set()

    async def run(self) -> None:
        """Work until told to stop, and finish what is at work then."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._count):
                tasks.create_task(self._work())

    def stop(self) -> None:
        """Take nothing more out of the queue."""
        self._stopping = True
        self._wake.set()

    async def _work(self) -> None:
        while not self._stopping:
            self._wake.clear()
            work = self._queue.take()
            if work is None:
                await self._idle()
            else:
                await self._do(work)

    async def _idle(self) -> None:
        try:
            async with asyncio.timeout(self._queue.seconds_until_due()):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _do(self, work: Work[K]) -> None:
        began = self._began[work.key] = self._clock()
        try:
            again_in = await self._reconcile(work.key, work.touched)
        except Exception as error:
            outcome = _outcome_of(error)
            seconds = self._queue.fail(work, at_least=_asked_to_wait(error))
            _log(work.key, error, outcome=outcome, seconds=seconds)
        else:
            outcome = "Done"
            self._queue.finish(work, again_in=again_in)
        finally:
            del self._began[work.key]
        self._observe(outcome, self._clock() - began)
        # Somebody idle may have gone to sleep before this key was due.
        self._wake.set()


def _outcome_of(error: Exception) -> str:
    match error:
        case UnavailableError():
            return "Unavailable"
        case LedgerConflictError():
            return "Conflict"
        case ApiError() if error.is_conflict:
            return "Conflict"
        case ModelwardenError():
            return "Refused"
        case _:
            return "Failed"


def _asked_to_wait(error: Exception) -> float:
    return error.retry_after or 0.0 if isinstance(error, ApiError) else 0.0


def _log(key: object, error: Exception, *, outcome: str, seconds: float) -> None:
    # Coming second is the daily work of optimistic writers; only what nobody foresaw has a trace.
    level = logging.INFO if outcome == "Conflict" else logging.WARNING
    trace = error if outcome == "Failed" else None
    logger.log(level, "%s: %s; again in %.1f s", key, error, seconds, exc_info=trace)
