import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    precondition,
    rule,
)

from modelwarden.cluster.answers import ApiError
from modelwarden.errors import (
    LedgerConflictError,
    MisconfiguredError,
    UnavailableError,
)
from modelwarden.workflows.queue import Backoff, KeyedQueue, Observe, Reconcile, Work, Workers
from tests.waiting import eventually

KEYS = st.sampled_from("abc")
NAMES = st.frozensets(st.sampled_from("uvwxyz"), max_size=3)
SECONDS = st.floats(min_value=0, max_value=10)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class QueueMachine(RuleBasedStateMachine):
    """Whatever is added, taken and given back in whatever order, nothing is lost or done twice."""

    at_work = Bundle("at_work")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.queue = KeyedQueue[str](clock=self.clock, backoff=Backoff(jitter=lambda: 0.0))
        self.busy: set[str] = set()
        # What an ideal queue would know: the names owed to each key, and when it is due.
        self.owed: dict[str, frozenset[str]] = {}
        self.due: dict[str, float] = {}
        self.failures: dict[str, int] = {}

    def schedule(self, key: str, seconds: float) -> None:
        self.due[key] = min(self.due.get(key, float("inf")), self.clock.now + seconds)

    @rule(key=KEYS, names=NAMES)
    def add(self, key: str, names: frozenset[str]) -> None:
        self.queue.add(key, names)
        self.owed[key] = self.owed.get(key, frozenset()) | names
        self.schedule(key, 0)

    @rule(seconds=SECONDS)
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule(target=at_work)
    def take(self) -> object:
        ready = {key for key, due in self.due.items() if due <= self.clock.now} - self.busy
        work = self.queue.take()
        if work is None:
            assert not ready
            return multiple()
        assert work.key in ready
        assert self.due[work.key] == min(self.due[key] for key in ready)
        assert work.touched == self.owed.pop(work.key, frozenset())
        del self.due[work.key]
        self.busy.add(work.key)
        return work

    @rule(work=consumes(at_work))
    def finish(self, work: Work[str]) -> None:
        self.queue.finish(work)
        self.busy.remove(work.key)
        self.failures.pop(work.key, None)

    @rule(work=consumes(at_work), seconds=SECONDS)
    def finish_and_look_again(self, work: Work[str], seconds: float) -> None:
        self.queue.finish(work, again_in=seconds)
        self.busy.remove(work.key)
        self.failures.pop(work.key, None)
        self.schedule(work.key, seconds)

    @rule(work=consumes(at_work))
    def fail(self, work: Work[str]) -> None:
        seconds = self.queue.fail(work)
        self.busy.remove(work.key)
        self.failures[work.key] = self.failures.get(work.key, 0) + 1
        assert seconds == 0.25 * 2 ** (self.failures[work.key] - 1)
        self.owed[work.key] = self.owed.get(work.key, frozenset()) | work.touched
        self.schedule(work.key, seconds)

    @invariant()
    def it_says_when_there_is_something_to_take(self) -> None:
        dues = [due for key, due in self.due.items() if key not in self.busy]
        expected = max(0.0, min(dues) - self.clock.now) if dues else None
        assert self.queue.seconds_until_due() == expected

    @invariant()
    def it_knows_how_many_wait(self) -> None:
        ready = {key for key, due in self.due.items() if due <= self.clock.now} - self.busy
        assert self.queue.depth == len(ready)

    @precondition(lambda self: not self.due and not self.busy)
    @invariant()
    def what_is_done_is_forgotten(self) -> None:
        assert not self.queue._entries


TestQueue = QueueMachine.TestCase


@pytest.mark.parametrize(
    ("failures", "jitter", "seconds"),
    [(1, 0.0, 0.25), (1, 1.0, 0.5), (2, 1.0, 1.0), (5, 1.0, 8.0), (11, 1.0, 300.0), (9999, 0, 150)],
)
def test_the_wait_doubles_up_to_a_limit(failures: int, jitter: float, seconds: float) -> None:
    assert Backoff(jitter=lambda: jitter).seconds(failures) == seconds


def test_a_server_that_names_a_time_is_given_it() -> None:
    clock = Clock()
    queue = KeyedQueue[str](clock=clock)
    queue.add("a")
    work = queue.take()
    assert work is not None

    assert queue.fail(work, at_least=7.0) == 7.0


@asynccontextmanager
async def working(
    reconcile: Reconcile[str], *, count: int = 4, observe: Observe = lambda _name, _seconds: None
) -> AsyncIterator[Workers[str]]:
    queue = KeyedQueue[str](backoff=Backoff(first=0.001))
    workers = Workers(queue, reconcile, count=count, observe=observe)
    running = asyncio.create_task(workers.run())
    try:
        yield workers
    finally:
        workers.stop()
        await asyncio.wait_for(running, timeout=5)


async def test_a_burst_on_one_key_is_little_work_one_at_a_time() -> None:
    calls: list[frozenset[str]] = []
    at_once = 0
    is_over = asyncio.Event()

    async def reconcile(_: str, touched: frozenset[str]) -> None:
        nonlocal at_once
        at_once += 1
        assert at_once == 1
        calls.append(touched)
        await is_over.wait()
        at_once -= 1

    async with working(reconcile) as workers:
        for number in range(100):
            workers.add("a", {str(number)})
            await asyncio.sleep(0)
        is_over.set()
        await eventually(lambda: len(frozenset().union(*calls)) == 100)

    assert len(calls) == 2


async def test_other_keys_go_on_while_one_is_slow() -> None:
    done: list[str] = []
    slow = asyncio.Event()

    async def reconcile(key: str, _: frozenset[str]) -> None:
        if key == "slow":
            await slow.wait()
        done.append(key)

    async with working(reconcile, count=2) as workers:
        for key in ("slow", "b", "c"):
            workers.add(key)
        await eventually(lambda: done == ["b", "c"])
        slow.set()

    assert done == ["b", "c", "slow"]


async def test_a_key_is_looked_at_again_when_it_said() -> None:
    calls: list[str] = []

    async def reconcile(key: str, _: frozenset[str]) -> float | None:
        calls.append(key)
        return 0.01 if len(calls) < 3 else None

    async with working(reconcile) as workers:
        workers.add("a")
        await eventually(lambda: len(calls) == 3)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (UnavailableError("store"), "Unavailable"),
        (LedgerConflictError("41"), "Conflict"),
        (ApiError(code=409, reason="Conflict", message="changed"), "Conflict"),
        (MisconfiguredError("store"), "Refused"),
        (RuntimeError("unforeseen"), "Failed"),
    ],
)
async def test_a_failure_is_tried_again_with_the_same_names(error: Exception, outcome: str) -> None:
    calls: list[frozenset[str]] = []
    observed: list[str] = []

    async def reconcile(_: str, touched: frozenset[str]) -> None:
        calls.append(touched)
        if len(calls) < 3:
            raise error

    async with working(reconcile, observe=lambda name, _: observed.append(name)) as workers:
        workers.add("a", {"a-1"})
        await eventually(lambda: len(observed) == 3)

    assert (calls, observed) == ([frozenset({"a-1"})] * 3, [outcome, outcome, "Done"])


async def test_stopping_finishes_what_is_at_work_and_takes_nothing_more() -> None:
    done: list[str] = []
    begun = asyncio.Event()
    go_on = asyncio.Event()

    async def reconcile(key: str, _: frozenset[str]) -> None:
        begun.set()
        await go_on.wait()
        done.append(key)

    async with working(reconcile, count=1) as workers:
        workers.add("a")
        workers.add("b")
        await begun.wait()
        assert workers.longest_seconds > 0
        workers.stop()
        go_on.set()

    assert (done, workers.longest_seconds) == (["a"], 0.0)
