"""Who waits for a place among the running gates, as this process knows it.

It may be lost: every look at a Model tells anew what it waits for.
"""

from collections.abc import Callable, Iterable, Mapping

from modelwarden.domain.installation import GateLimits
from modelwarden.domain.slots import Claim, Slots, granted
from modelwarden.domain.state import ModelKey


class GateQueue:
    """The claims of every Model that waits, and whom to wake where a place becomes free."""

    def __init__(self, limits: GateLimits, wake: Callable[[ModelKey], None]) -> None:
        self._limits = limits
        self._wake = wake
        self._waiting: dict[ModelKey, tuple[Claim, ...]] = {}
        self._running: Mapping[str, str] = {}

    def slots(self, key: ModelKey, running: Mapping[str, str]) -> Slots:
        """Say what a Model competes with: what runs, and what others wait for."""
        self._running = running
        others = (claims for other, claims in self._waiting.items() if other != key)
        return Slots(running=running, waiting=tuple(claim for each in others for claim in each))

    def settle(
        self, key: ModelKey, *, waits: tuple[Claim, ...], started: Iterable[Claim], ended: set[str]
    ) -> None:
        """Take note of what a look at a Model led to, and wake who may start because of it."""
        self._remember(key, waits)
        after = Slots(running=self._running).without(ended).running
        self._running = {**after, **{claim.job: claim.namespace for claim in started}}
        self._wake_the_next(key)

    def forget(self, key: ModelKey) -> None:
        """Let a Model that cannot be looked at hold up nobody; it asks again when it can be."""
        if key in self._waiting:
            self._remember(key, ())
            self._wake_the_next(key)

    def _remember(self, key: ModelKey, waits: tuple[Claim, ...]) -> None:
        if waits:
            self._waiting[key] = waits
        else:
            self._waiting.pop(key, None)

    def _wake_the_next(self, key: ModelKey) -> None:
        if not self._waiting:
            return
        claims = {claim.job: other for other, each in self._waiting.items() for claim in each}
        everyone = tuple(claim for each in self._waiting.values() for claim in each)
        may_start = granted(everyone, Slots(running=self._running), limits=self._limits)
        for other in sorted({claims[job] for job in may_start} - {key}):
            self._wake(other)
