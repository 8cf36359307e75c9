"""What served at a moment, how sure that is, and what it was: read from the records alone.

    begun ------------- promoted ------------- withdrawn ------------- observed
          rollout window             exact              may still answer

A `started` record says that nobody watched between the record before it and itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from modelwarden.domain.fold import fold_all
from modelwarden.domain.records import Operation, Record
from modelwarden.domain.scribe import moment, timestamp
from modelwarden.domain.state import (
    AttemptState,
    Certainty,
    LedgerState,
    ModelKey,
    ModelState,
    ServingInterval,
)


@dataclass(frozen=True, kw_only=True)
class Approval:
    """One vote that counted when the version was let into Production."""

    by: str
    roles: tuple[str, ...]
    rationale: str
    time: str
    index: int

    def to_json(self) -> dict[str, Any]:
        """Write the approval as JSON."""
        return {
            "by": self.by,
            "as": list(self.roles),
            "rationale": self.rationale,
            "time": self.time,
            "index": self.index,
        }


@dataclass(frozen=True, kw_only=True)
class Served:
    """A version that served or may have served; `evidence` names what is kept by digest.

    `evidence` has the version's spec as `version`, the frozen attempt as `transition`, the policy
    as `policy`; `gates` has each gate's result. Empty `until` means still. The span is that in
    Production or, for a version that was only being rolled out, that of its rollout.
    """

    version: int
    label: str
    artifact_uri: str
    artifact_digest: str
    subject: str
    registered_by: str
    requested_by: str = ""
    reason: str = ""
    since: str = ""
    until: str = ""
    is_rolling_out: bool = False
    approvals: tuple[Approval, ...] = ()
    gates: Mapping[str, str] = field(default_factory=dict)
    evidence: Mapping[str, str] = field(default_factory=dict)
    indices: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Write the version as JSON."""
        return {
            "version": self.version,
            "label": self.label,
            "artifact": {"uri": self.artifact_uri, "digest": self.artifact_digest},
            "subjectDigest": self.subject,
            "registeredBy": self.registered_by,
            "requestedBy": self.requested_by,
            "reason": self.reason,
            "from": self.since,
            "to": self.until,
            "rollingOut": self.is_rolling_out,
            "approvals": [approval.to_json() for approval in self.approvals],
            "gates": dict(self.gates),
            "evidence": dict(self.evidence),
            "records": list(self.indices),
        }


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What served at a time: one version, two within a rollout, or none.

    Where it is unknown, `served` is what the records show on both sides of what they do not tell.
    """

    key: ModelKey
    at: str
    certainty: Certainty
    code: str
    sentence: str
    served: tuple[Served, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Write the answer as JSON."""
        return {
            "namespace": self.key.namespace,
            "model": self.key.name,
            "at": self.at,
            "certainty": self.certainty.value,
            "code": self.code,
            "sentence": self.sentence,
            "served": [served.to_json() for served in self.served],
        }


def serving_at(
    records: Sequence[Record], key: ModelKey, *, at: datetime, until: datetime
) -> Answer:
    """Say what served at a time; `until` is how far the records reach.

    That is now for a ledger that is being written, and its last record for a copy.
    """
    state = fold_all(LedgerState(), records)
    own = [record for record in records if ModelKey(record.namespace, record.model) == key]
    answer = _without_records(key, own, at=at, until=until)
    if answer is not None:
        return answer
    found = _from_model(_Teller(state.model(key), own), at)
    return _doubted(found, _gap_around(records, at))


@dataclass(frozen=True)
class _Teller:
    """One model's fold with its records."""

    model: ModelState
    records: Sequence[Record]

    def answer(
        self,
        at: datetime,
        certainty: Certainty,
        *,
        code: str,
        sentence: str,
        served: tuple[Served, ...] = (),
    ) -> Answer:
        return Answer(
            key=self.model.key,
            at=timestamp(at),
            certainty=certainty,
            code=code,
            sentence=sentence,
            served=served,
        )

    def in_production(self, interval: ServingInterval) -> Served:
        """Tell of a version that was in Production for an interval."""
        record = self.record(interval.index)
        attempt = self.model.attempts.get(record.transition)
        served = replace(
            self.served(interval.version, attempt), since=interval.start, until=interval.end
        )
        return replace(served, **self.grounds(record))

    def rolling_out(self, attempt: AttemptState) -> Served:
        """Tell of a version whose rollout had begun and not ended."""
        begun = next(
            record
            for record in self.records
            if record.operation is Operation.ROLLOUT_BEGUN and record.transition == attempt.name
        )
        served = replace(
            self.served(attempt.key.version, attempt),
            since=attempt.rollout_begun,
            until=attempt.may_have_served_until,
            is_rolling_out=True,
        )
        return replace(served, **self.grounds(begun))

    def served(self, number: int, attempt: AttemptState | None) -> Served:
        version = self.model.versions[number]
        served = Served(
            version=number,
            label=version.label,
            artifact_uri=version.artifact_uri,
            artifact_digest=version.artifact_digest,
            subject=version.subject,
            registered_by=version.registrant.username,
        )
        if attempt is None:
            return served
        return replace(
            served,
            requested_by=attempt.requester.username,
            reason=attempt.rationale,
            gates={name: gate.evidence for name, gate in attempt.gates.items()},
            evidence=self.asked(attempt).evidence,
            indices=attempt.indices,
        )

    def asked(self, attempt: AttemptState) -> Record:
        return self.record(attempt.indices[0])

    def record(self, index: int) -> Record:
        return next(record for record in self.records if record.index == index)

    def grounds(self, record: Record) -> dict[str, Any]:
        """Read from the record of a commitment who approved, and on which results."""
        found: dict[str, Any] = {
            "approvals": tuple(
                self.approval(approval) for approval in record.facts.get("approvals", ())
            )
        }
        return found | ({"gates": record.facts["gates"]} if "gates" in record.facts else {})

    def approval(self, fact: Mapping[str, Any]) -> Approval:
        vote = self.record(fact["index"])
        return Approval(
            by=fact["by"],
            roles=tuple(fact["as"]),
            rationale=vote.rationale,
            time=vote.time,
            index=fact["index"],
        )


def _without_records(
    key: ModelKey, own: Sequence[Record], *, at: datetime, until: datetime
) -> Answer | None:
    name = f"{key.namespace}/{key.name}"
    if not own:
        return _unknown(key, at, "NoRecord", f"The ledger has no record of {name}.")
    if at < moment(own[0].time):
        return _unknown(
            key,
            at,
            "BeforeTheFirstRecord",
            f"The ledger's first record of {name} is number {own[0].index} of {own[0].time}.",
        )
    if at > until:
        sentence = f"The records reach until {timestamp(until)} and say nothing of later."
        return _unknown(key, at, "AfterTheLastRecord", sentence)
    return None


def _unknown(key: ModelKey, at: datetime, code: str, sentence: str) -> Answer:
    return Answer(
        key=key, at=timestamp(at), certainty=Certainty.UNKNOWN, code=code, sentence=sentence
    )


def _from_model(teller: _Teller, at: datetime) -> Answer:
    interval = next((i for i in teller.model.intervals if _covers(i.start, i.end, at)), None)
    rollouts = [
        attempt
        for attempt in teller.model.attempts.values()
        if attempt.rollout_begun
        and _covers(attempt.rollout_begun, attempt.may_have_served_until, at)
    ]
    if rollouts:
        return _in_a_window(teller, at, interval=interval, rollouts=rollouts)
    if interval is None:
        return teller.answer(
            at,
            Certainty.EXACT,
            code="NothingInProduction",
            sentence="No version was in Production.",
        )
    served = (teller.in_production(interval),)
    if interval.left and moment(interval.left) <= at:
        return _after_withdrawal(teller, at, interval)
    if interval.certainty is Certainty.EXACT:
        sentence = f"Version {interval.version} served: its rollout had ended, and no other ran."
        return teller.answer(at, Certainty.EXACT, code="Served", sentence=sentence, served=served)
    return teller.answer(
        at,
        interval.certainty,
        code="Declared",
        sentence=f"Version {interval.version} was in Production; no Deployment of it was watched.",
        served=served,
    )


def _after_withdrawal(teller: _Teller, at: datetime, interval: ServingInterval) -> Answer:
    """Tell of a version that had left Production while its pods were still there."""
    names = " and ".join(f"deploy/{name}" for name in interval.served_by)
    until = f"until {interval.end}" if interval.end else "and still are"
    return teller.answer(
        at,
        Certainty.ROLLOUT_WINDOW,
        code="StillServing",
        sentence=(
            f"Version {interval.version} was withdrawn at {interval.left}, but pods of {names} "
            f"were left {until}: it may have answered."
        ),
        served=(teller.in_production(interval),),
    )


def _in_a_window(
    teller: _Teller,
    at: datetime,
    *,
    interval: ServingInterval | None,
    rollouts: Sequence[AttemptState],
) -> Answer:
    """Name every version that may have answered; of one that was tried twice, the last try."""
    tried = {rollout.key.version: rollout for rollout in rollouts}
    over = "" if interval is None else f" over version {interval.version}"
    told = [f"Version {number} was rolled out{over} {_span(tried[number])}" for number in tried]
    served = tuple(teller.rolling_out(rollout) for rollout in tried.values())
    if interval is not None:
        served = (teller.in_production(interval), *served)
    may = {1: "it may have answered already", 2: "both may have answered"}
    end = may.get(len(served), "each of them may have answered")
    return teller.answer(
        at,
        Certainty.ROLLOUT_WINDOW,
        code="RolloutWindow",
        sentence=f"{'; '.join(told)}: {end}.",
        served=served,
    )


def _span(rollout: AttemptState) -> str:
    until = rollout.may_have_served_until
    return f"from {rollout.rollout_begun}" + (f" to {until}" if until else " on")


def _gap_around(records: Iterable[Record], at: datetime) -> tuple[str, str] | None:
    """Find the time around a moment in which no process watched."""
    before = ""
    for record in records:
        if record.operation is Operation.STARTED and before:
            until = record.facts.get("watchedUntil", before)
            if moment(until) < at < moment(record.time):
                return until, record.time
        before = record.time
    return None


def _doubted(answer: Answer, gap: tuple[str, str] | None) -> Answer:
    if gap is None:
        return answer
    shown = " and ".join(str(served.version) for served in answer.served) or "none"
    return replace(
        answer,
        certainty=Certainty.UNKNOWN,
        code="NobodyWatched",
        sentence=(
            f"The operator was last heard of at {gap[0]} and started again at {gap[1]}: between, "
            f"nobody watched. In Production by the records: {shown}."
        ),
    )


def _covers(start: str, end: str, at: datetime) -> bool:
    return moment(start) <= at and (not end or at < moment(end))
