"""One look at one Model: gather, decide, record, apply, report.

Records are appended one step at a time until nothing more is to be recorded; only then is the
cluster made to show it. Killed at any point, the next look goes on from the records.
"""

import logging
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from modelwarden import __version__
from modelwarden.audit.ledger import Ledger
from modelwarden.cluster.client import ApiClient
from modelwarden.domain.conditions import Condition, is_false, written
from modelwarden.domain.decide import Plan, decide
from modelwarden.domain.facts import Snapshot
from modelwarden.domain.projection import JobOrder, Projection, StatusOrder, project
from modelwarden.domain.records import Record
from modelwarden.domain.scribe import Scribe
from modelwarden.domain.state import LedgerState, ModelKey, ModelState
from modelwarden.errors import (
    LedgerUnavailableError,
    MalformedObjectError,
    ModelwardenError,
    UnavailableError,
    code_of,
)
from modelwarden.metrics import Metrics
from modelwarden.settings import Settings
from modelwarden.workflows.apply import Applier
from modelwarden.workflows.facts import installation_of
from modelwarden.workflows.gate_queue import GateQueue
from modelwarden.workflows.gather import Gatherer
from modelwarden.workflows.refusals import Refusals
from modelwarden.workflows.report import Reporter
from modelwarden.workflows.uses import UsesFinder

logger = logging.getLogger(__name__)

# From registration to Production in one look there are fewer steps than this; more is a loop.
MOST_STEPS = 32
# Somebody else took the last place in this very moment; soon the queue knows of it.
LATE_SECONDS = 1.0


# So many touched versions are read in one look: after a start it may be thousands of one Model.
VERSIONS_AT_ONCE = 64


def utc_now() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)


class Reconciler:
    """Brings Models to where their facts lead, one key at a time."""

    def __init__(
        self,
        *,
        client: ApiClient,
        ledger: Ledger[LedgerState] | None,
        settings: Settings,
        metrics: Metrics,
        clock: Callable[[], datetime] = utc_now,
        ledger_problem: ModelwardenError | None = None,
        wake: Callable[[ModelKey], None] = lambda _: None,
    ) -> None:
        self._ledger = ledger
        self._ledger_problem = ledger_problem
        self._settings = settings
        self._installation = installation_of(settings, "" if ledger is None else ledger.origin)
        self._refusals = Refusals(clock)
        self._queue = GateQueue(self._installation.gates, wake)
        self._gatherer = Gatherer(
            client=client,
            gates=settings.gates,
            clock=clock,
            malformed=_log_malformed,
            uses=UsesFinder(client, clock),
            refused=self._refusals.of,
            slots=self._queue.slots,
            artifact_check_seconds=self._installation.artifact_check_seconds,
        )
        self._applier = Applier(
            client=client,
            gates=settings.gates,
            limits=self._installation.gates,
            refused=self._refusals.remember,
        )
        self._reporter = Reporter(client=client, metrics=metrics)
        # What waits for a Model or a policy is in no record that would bring it up again.
        self._unrecorded: dict[ModelKey, frozenset[str]] = {}
        # A look that failed may have recorded what its next try would not look for.
        self._unshown: dict[ModelKey, frozenset[str]] = {}

    async def reconcile(self, key: ModelKey, touched: frozenset[str]) -> float | None:
        """Bring one Model forward; returns the seconds after which to look again unasked."""
        if self._ledger is None:
            problem = self._ledger_problem or LedgerUnavailableError("the ledger is not open")
            return await self._show_ledger_problem(key, problem)
        names = (
            touched | self._unrecorded.pop(key, frozenset()) | self._unshown.pop(key, frozenset())
        )
        try:
            waits = [
                await self._bring_forward(key, some, ledger=self._ledger) for some in _parts(names)
            ]
        except BaseException as error:
            self._unrecorded[key] = names
            # What cannot be looked at holds up nobody else's gates.
            self._queue.forget(key)
            if isinstance(error, LedgerUnavailableError):
                await self._show_ledger_problem(key, error)
            raise
        return min((wait for wait in waits if wait is not None), default=None)

    async def _bring_forward(
        self, key: ModelKey, touched: frozenset[str], *, ledger: Ledger[LedgerState]
    ) -> float | None:
        told: list[Record] = []
        for _ in range(MOST_STEPS):
            snapshot, state = await self._gather(key, touched, ledger=ledger)
            # What was looked at has news to show at the end, wherever it is by then.
            touched |= {version.name for version in snapshot.versions.values()}
            plan = self._decide(snapshot, state)
            # Until it is on record, nothing else leads to an attempt.
            touched |= {attempt.name for attempt in plan.create} | _unrecorded(snapshot, state)
            self._unshown[key] = touched
            if plan.is_empty:
                self._remember_unrecorded(snapshot, state)
                again = await self._show(snapshot, state, plan=plan, told=told)
                del self._unshown[key]
                return again
            told += await self._record(key, plan, state=state, ledger=ledger)
            for transition in plan.discard:
                await self._applier.discard_attempt(key, transition)
            for attempt in plan.create:
                await self._applier.create_attempt(key, attempt)
        raise ModelwardenError(f"{key} took {MOST_STEPS} steps in one look and did not settle")

    async def _gather(
        self, key: ModelKey, touched: frozenset[str], *, ledger: Ledger[LedgerState]
    ) -> tuple[Snapshot, ModelState]:
        """Read the cluster first and the ledger's head last; again where it moved meanwhile."""
        await ledger.refresh()
        while True:
            state = ledger.state.model(key)
            snapshot = await self._gatherer.snapshot(key, state, touched=touched)
            await ledger.refresh()
            if ledger.state.model(key).last_index == state.last_index:
                return snapshot, state

    def _decide(self, snapshot: Snapshot, state: ModelState) -> Plan:
        scribe = Scribe(
            key=snapshot.key,
            now=snapshot.now,
            transaction=str(uuid.uuid4()),
            operator=self._settings.operator.account,
            build=__version__,
        )
        return decide(snapshot, state, scribe=scribe, installation=self._installation)

    async def _record(
        self, key: ModelKey, plan: Plan, *, state: ModelState, ledger: Ledger[LedgerState]
    ) -> tuple[Record, ...]:
        """Append what was decided; evidence first, so that no record names what is not there."""
        if not plan.records:
            return ()
        for evidence in plan.evidence:
            await ledger.put_evidence(evidence)
        return await ledger.append(key, plan.records, expected_last_index=state.last_index)

    async def _show(
        self,
        snapshot: Snapshot,
        state: ModelState,
        *,
        plan: Plan,
        told: list[Record],
    ) -> float | None:
        projection = project(
            snapshot,
            state,
            holds=plan.holds,
            installation=self._installation,
        )
        refused_before = self._refusals.told
        try:
            late = await self._applier.project(snapshot, projection)
            self._settle_places(snapshot.key, projection, late=late)
            self._reporter.count_discarded(snapshot, projection.statuses)
            self._reporter.count_holds(snapshot, projection.statuses)
            await self._reporter.tell_overdue(snapshot, projection.statuses)
        finally:
            # What is on record has happened, whoever else wrote to these objects meanwhile.
            await self._reporter.tell(snapshot, state, records=told)
        if late or self._refusals.told != refused_before:
            # What happened just now is on no status yet.
            return LATE_SECONDS if late else 0.0
        return projection.look_again

    def _settle_places(
        self, key: ModelKey, projection: Projection, *, late: tuple[JobOrder, ...]
    ) -> None:
        """Tell the queue who runs and who waits now, and let it wake whoever comes next."""
        self._queue.settle(
            key,
            waits=(*projection.waits, *(order.claim for order in late)),
            started=(order.claim for order in projection.jobs if order not in late),
            ended={run.job for run in projection.finished},
        )

    def _remember_unrecorded(self, snapshot: Snapshot, state: ModelState) -> None:
        names = _unrecorded(snapshot, state) | frozenset(
            version.name
            for number, version in snapshot.versions.items()
            if number not in state.versions
        )
        if names:
            self._unrecorded[snapshot.key] = names | self._unrecorded.get(snapshot.key, frozenset())

    async def _show_ledger_problem(self, key: ModelKey, problem: ModelwardenError) -> float | None:
        """Say on the Model that the ledger is not there; touch nothing else of the cluster."""
        state = ModelState(key=key)
        snapshot = await self._gatherer.snapshot(key, state, touched=frozenset())
        if snapshot.model is None:
            return None
        await self._applier.write_status(snapshot, _ledger_order(snapshot, problem))
        return None


def _parts(names: frozenset[str]) -> Iterator[frozenset[str]]:
    """Part the names, so that no look reads more than it should; none at all is one part."""
    ordered = sorted(names)
    for first in range(0, max(1, len(ordered)), VERSIONS_AT_ONCE):
        yield frozenset(ordered[first : first + VERSIONS_AT_ONCE])


def _unrecorded(snapshot: Snapshot, state: ModelState) -> frozenset[str]:
    return frozenset(name for name in snapshot.transitions if name not in state.attempts)


def _ledger_order(snapshot: Snapshot, problem: ModelwardenError) -> StatusOrder:
    model = snapshot.model
    if model is None:
        raise ValueError("only a Model that exists has a status")
    reason = code_of(problem)
    text = f"{problem} What serves goes on; nothing is promoted until the ledger is back."
    passes = isinstance(problem, UnavailableError)
    conditions = written(
        (
            is_false("Ready", reason, text),
            is_false("Settled", reason, text),
            Condition("Stalled", not passes, reason, text),
            Condition("Reconciling", passes, reason, text),
        ),
        generation=model.generation,
        now=snapshot.now,
        before=model.status.get("conditions", ()),
    )
    return StatusOrder(
        kind="Model",
        name=snapshot.key.name,
        resource_version=model.resource_version,
        uid=model.uid,
        status={**model.status, "observedGeneration": model.generation, "conditions": conditions},
    )


def _log_malformed(what: str, error: MalformedObjectError) -> None:
    logger.warning("%s cannot be read and is left out: %s", what, error)
