"""What a benchmark says: a ratio of two numbers of one run, or a number, beside its bound."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

REPEATS = 5


@dataclass(frozen=True)
class Measured:
    """A time, and the yardstick that it is told in; both in seconds."""

    what: str
    seconds: float
    yardstick: float
    at_most: float = 0

    def line(self) -> str:
        """Write it as a line."""
        times = f"({self.seconds * 1000:,.1f} ms to {self.yardstick * 1000:,.1f} ms)"
        ratio = self.seconds / self.yardstick
        return f"{self.what:<72} {ratio:8.2f}x {_bound(ratio, self.at_most, 'x'):<14} {times}"


@dataclass(frozen=True)
class Number:
    """A number that is no ratio: it is of this machine, and says so by its unit."""

    what: str
    value: float
    unit: str
    at_most: float = 0

    def line(self) -> str:
        """Write it as a line."""
        bound = _bound(self.value, self.at_most, f" {self.unit}")
        return f"{self.what:<72} {self.value:8,.1f} {self.unit} {bound}"


def _bound(value: float, at_most: float, unit: str) -> str:
    if not at_most:
        return ""
    return f"{'within' if value <= at_most else 'OVER'} {at_most:g}{unit}"


def fastest(work: Callable[[], object]) -> float:
    """Take the fastest of several runs: what else the machine does only ever adds."""
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def median(times: Sequence[float]) -> float:
    """Take the middle one."""
    return statistics.median(times)
