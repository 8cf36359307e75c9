"""Telling what was saved: events on the objects, and numbers for whoever is on call."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from modelwarden.cluster.answers import ApiError
from modelwarden.cluster.client import ApiClient
from modelwarden.cluster.events import Event, post_event
from modelwarden.domain.announcements import Announcement, announcement
from modelwarden.domain.facts import Snapshot
from modelwarden.domain.history import by_automation
from modelwarden.domain.labels import API_VERSION
from modelwarden.domain.projection import StatusOrder
from modelwarden.domain.reasons import FREE_CODE, REASONS
from modelwarden.domain.records import Operation, Record
from modelwarden.domain.reviews import REVIEW_OVERDUE
from modelwarden.domain.scribe import timestamp
from modelwarden.domain.stages import is_above
from modelwarden.domain.state import AttemptState, ModelKey, ModelState
from modelwarden.errors import UnavailableError
from modelwarden.metrics import Metrics

logger = logging.getLogger(__name__)

# A code of the table, whether it is refused, and who must act.
Held: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True, kw_only=True)
class Reporter:
    """Posts events and counts; what cannot be told is logged, for nothing depends on it."""

    client: ApiClient
    metrics: Metrics
    overdue: set[ModelKey] = field(default_factory=set)
    held: dict[ModelKey, Counter[Held]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Who reported before in this process knew of holds that nobody would take back.
        self.metrics.holds.clear()

    async def tell(
        self, snapshot: Snapshot, state: ModelState, *, records: Iterable[Record]
    ) -> None:
        """Tell of records that were appended, each once."""
        for record in records:
            self._count(record, state.attempts.get(record.transition))
            told = announcement(record)
            regarding = None if told is None else _object(told, record, snapshot=snapshot)
            if told is not None and regarding is not None:
                await self._post(told, record, regarding=regarding)

    def count_discarded(self, snapshot: Snapshot, statuses: Iterable[StatusOrder]) -> None:
        """Count the votes that a status shows as discarded for the first time."""
        for order in statuses:
            if order.kind != "ModelTransition":
                continue
            known = {vote["decision"] for vote in _discarded(snapshot, order.name)}
            for vote in order.status.get("votes", {}).get("discarded", ()):
                if vote["decision"] not in known:
                    self.metrics.votes_discarded.labels(vote["reason"]).inc()

    def count_holds(self, snapshot: Snapshot, statuses: Iterable[StatusOrder]) -> None:
        """Count what holds wishes back now, over all Models; a Model that is gone has none."""
        drawn = next((order.status for order in statuses if order.kind == "Model"), {})
        now = Counter(_held(item) for item in drawn.get("unmet", ()))
        before = self.held.pop(snapshot.key, Counter())
        if now:
            self.held[snapshot.key] = now
        for held in before.keys() | now.keys():
            self.metrics.holds.labels(*held).inc(now[held] - before[held])

    async def tell_overdue(self, snapshot: Snapshot, statuses: Iterable[StatusOrder]) -> None:
        """Count the Models of which a review is overdue, and warn of each once, when it becomes so.

        No record says so: time alone does.
        """
        now = _overdue(next((order.status for order in statuses if order.kind == "Model"), {}))
        if not now:
            self.overdue.discard(snapshot.key)
        else:
            self.overdue.add(snapshot.key)
        self.metrics.reviews_overdue.set(len(self.overdue))
        model = snapshot.model
        if now and model is not None and not _overdue(model.status):
            event = Event(
                regarding=_reference("Model", snapshot.key.name, uid=model.uid, snapshot=snapshot),
                kind="Warning",
                reason=REVIEW_OVERDUE,
                action=Operation.REVIEW.value,
                message=now,
                key=now,
            )
            await self._send(event, about=snapshot.key.name, time=timestamp(snapshot.now))

    async def _post(
        self, told: Announcement, record: Record, *, regarding: Mapping[str, Any]
    ) -> None:
        event = Event(
            regarding=regarding,
            kind="Warning" if told.warning else "Normal",
            reason=told.reason,
            action=record.operation.value,
            message=told.message,
            key=str(record.index),
        )
        await self._send(event, about=record.transition, time=record.time)

    async def _send(self, event: Event, *, about: str, time: str) -> None:
        try:
            await post_event(self.client, event, time=time)
        except (ApiError, UnavailableError) as error:
            logger.warning("event about %s was not posted: %s", about, error)

    def _count(self, record: Record, attempt: AttemptState | None) -> None:
        if record.operation is Operation.ARTIFACT_CHECKED:
            facts = record.facts
            self.metrics.artifact_checks.labels(facts["outcome"], facts["code"]).inc()
        if record.operation is Operation.GATE_FINISHED:
            facts = record.facts
            # Words that images make up would be labels without end.
            code = FREE_CODE if facts.get("freeCode") else facts["code"]
            self.metrics.gates.labels(facts["kind"], facts["outcome"], code).inc()
        moved_down = record.operation is not Operation.PROMOTED and not by_automation(record)
        if attempt is not None and moved_down:
            for move in record.moves:
                if move.source is not None and is_above(move.source, move.target):
                    self.metrics.demotions.labels(attempt.kind, move.source, move.target).inc()
        if attempt is not None and not attempt.is_open and attempt.indices[-1] == record.index:
            self.metrics.attempts.labels(attempt.kind, attempt.outcome, attempt.code).inc()


def _held(unmet: Mapping[str, Any]) -> Held:
    """Label what holds a wish back; words that images make up have one label for all of them."""
    code = unmet["code"] if unmet["code"] in REASONS else FREE_CODE
    return code, unmet["outcome"], REASONS[code].who.value


def _overdue(status: Mapping[str, Any]) -> str:
    """Read what a status says of an overdue review; empty while none is."""
    conditions = status.get("conditions", ())
    found = (c for c in conditions if c.get("type") == REVIEW_OVERDUE and c["status"] == "True")
    return next((str(condition["message"]) for condition in found), "")


def _discarded(snapshot: Snapshot, name: str) -> Iterable[Mapping[str, Any]]:
    shown: Iterable[Mapping[str, Any]] = (
        snapshot.transitions[name].status.get("votes", {}).get("discarded", ())
    )
    return shown


def _object(told: Announcement, record: Record, *, snapshot: Snapshot) -> Mapping[str, Any] | None:
    """Find the object that an event is about; None where it is gone."""
    if told.about == "Model" and snapshot.model is not None:
        return _reference("Model", snapshot.key.name, uid=snapshot.model.uid, snapshot=snapshot)
    version = snapshot.versions.get(record.version or 0)
    if told.about == "ModelVersion" and version is not None:
        return _reference("ModelVersion", version.name, uid=version.uid, snapshot=snapshot)
    transition = snapshot.transitions.get(record.transition)
    if told.about == "ModelTransition" and transition is not None:
        return _reference("ModelTransition", transition.name, uid=transition.uid, snapshot=snapshot)
    return None


def _reference(kind: str, name: str, *, uid: str, snapshot: Snapshot) -> Mapping[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name, "namespace": snapshot.key.namespace, "uid": uid},
    }
