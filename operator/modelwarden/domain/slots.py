"""How many gates may run at once, and who is next: who asked first, as far as there is room."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from modelwarden.domain.installation import GateLimits


@dataclass(frozen=True, order=True)
class Claim:
    """A gate's Job that is to start. `asked` is when its attempt opened; the order is theirs."""

    asked: str
    namespace: str
    job: str


@dataclass(frozen=True, kw_only=True)
class Slots:
    """The Jobs that run, each with the namespace it runs for, and the claims of other Models."""

    running: Mapping[str, str] = field(default_factory=dict)
    waiting: tuple[Claim, ...] = ()

    def without(self, jobs: Iterable[str]) -> "Slots":
        """Take it that these Jobs are gone."""
        gone = frozenset(jobs)
        kept = {job: owner for job, owner in self.running.items() if job not in gone}
        return Slots(running=kept, waiting=self.waiting)


def granted(claims: Iterable[Claim], slots: Slots, *, limits: GateLimits) -> frozenset[str]:
    """Name the Jobs that may start now: in the order in which they were asked for.

    Where the limit of a namespace holds one back, those of other namespaces pass it by.
    """
    taken = Counter(slots.running.values())
    room = limits.in_all - len(slots.running)
    may_start = set()
    for claim in sorted({*claims, *slots.waiting}):
        if room <= 0:
            break
        if claim.job in slots.running or taken[claim.namespace] >= limits.per_namespace:
            continue
        taken[claim.namespace] += 1
        room -= 1
        may_start.add(claim.job)
    return frozenset(may_start)


def why_not(claim: Claim, slots: Slots, *, limits: GateLimits) -> str:
    """Say what a claim that was not granted waits for."""
    for_it = Counter(slots.running.values())[claim.namespace]
    if for_it >= limits.per_namespace:
        return f"for namespace {claim.namespace} as many run as may at once ({for_it})"
    if len(slots.running) >= limits.in_all:
        return f"as many run as may at once ({len(slots.running)})"
    return "others were asked for before it"
