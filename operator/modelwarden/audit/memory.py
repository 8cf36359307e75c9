"""A store in memory, for tests, that fails on demand in the ways a real one does."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum, auto

from modelwarden.audit.store import NotStoredError
from modelwarden.errors import LedgerUnavailableError


class Fault(Enum):
    """What can happen to one call of `put_if_absent`."""

    NOT_CREATED = auto()
    """No answer, and nothing was created."""
    LOST_ANSWER = auto()
    """The object was created, but no answer came."""
    ANSWERED_TAKEN = auto()
    """The object was created, and a retry on the way answered that the name is taken."""


class MemoryStore:
    """A dictionary as a store; `objects` is open to whoever wants to tamper."""

    def __init__(self, objects: dict[str, bytes] | None = None) -> None:
        self.objects = {} if objects is None else objects
        self.is_down = False
        self._lock = threading.Lock()
        self._plan: deque[Fault | Callable[[], object] | None] = deque()

    def plan(self, *steps: Fault | Callable[[], object] | None) -> None:
        """Say what befalls the next puts, one step each.

        A fault, a function that acts just before the put (another writer), or None for nothing.
        """
        self._plan.extend(steps)

    def forget_plan(self) -> None:
        """Let nothing more befall."""
        self._plan.clear()

    def list(self, prefix: str, after: str = "") -> Sequence[str]:
        """Name all keys of a family after one key, in order."""
        self._answer()
        with self._lock:
            return sorted(key for key in self.objects if key.startswith(prefix) and key > after)

    def read(self, key: str) -> bytes:
        """Read one object."""
        self._answer()
        try:
            return self.objects[key]
        except KeyError:
            raise NotStoredError(key) from None

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Create an object unless the name is taken, or fail as planned."""
        self._answer()
        step = self._plan.popleft() if self._plan else None
        if callable(step):
            step()
        if step is Fault.NOT_CREATED:
            raise LedgerUnavailableError("The store did not answer.")
        with self._lock:
            created = key not in self.objects
            self.objects.setdefault(key, data)
        if step is Fault.LOST_ANSWER:
            raise LedgerUnavailableError("The store's answer was lost.")
        return created and step is not Fault.ANSWERED_TAKEN

    def _answer(self) -> None:
        if self.is_down:
            raise LedgerUnavailableError("The store is down.")
