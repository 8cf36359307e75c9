"""The ledger's meaning: one record applied to what was known before it.

The records are the commit point. A status, a label or an answer about the past is this fold and
nothing else, so it is total over what this release knows and raises for anything it does not.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from modelwarden.domain.fold_governance import (
    deletion_observed,
    governed_by,
    governed_changed,
    made_again,
    notes_at_first,
    notes_changed,
    policy_changed,
    review_owed,
    reviewed,
)
from modelwarden.domain.records import Operation, Record, StageMove
from modelwarden.domain.stages import Move, Stage
from modelwarden.domain.state import (
    AttemptKey,
    AttemptOutcome,
    AttemptState,
    Certainty,
    CheckState,
    GateOutcome,
    GateState,
    LedgerState,
    ModelKey,
    ModelState,
    Moved,
    Origin,
    ServingInterval,
    VersionState,
    VoteState,
)


def fold(state: LedgerState, record: Record) -> LedgerState:
    """Apply one record; records are applied in the order of their index, each once."""
    after = replace(state, size=record.index + 1, last_time=record.time)
    if record.operation is Operation.GENESIS:
        return replace(after, origin=record.facts["origin"])
    if record.operation is Operation.STARTED:
        gap = (record.facts.get("watchedUntil", state.last_time), record.time)
        return replace(after, starts=(*after.starts, gap)[-STARTS_KEPT:])
    if not record.model:
        return after
    key = ModelKey(record.namespace, record.model)
    return replace(after, models=after.models.put(key, fold_model(after.model(key), record)))


def fold_model(model: ModelState, record: Record) -> ModelState:
    """Apply one record of one model."""
    known = replace(model, last_index=record.index, last_time=record.time)
    step = _STEPS.get(record.operation)
    after = known if step is None else step(known, record)
    return _note(after, record)


def fold_all(state: LedgerState, records: Iterable[Record]) -> LedgerState:
    """Apply records in order."""
    for record in records:
        state = fold(state, record)
    return state


# Enough to say for every time since the last weeks whether somebody was watching.
STARTS_KEPT = 512


def _requested(model: ModelState, record: Record) -> ModelState:
    facts = record.facts
    key = AttemptKey(_version(record), Stage(facts["to"]))
    attempt = AttemptState(
        name=record.transition,
        uid=record.uids.get("transition", ""),
        key=key,
        number=facts["number"],
        kind=Move(facts["kind"]),
        source=Stage(facts["from"]) if facts["from"] else None,
        request_id=facts["requestId"],
        requester=record.actor,
        rationale=record.rationale,
        subject=record.subject,
        spec=record.evidence["transition"],
        gates_expected=tuple(facts["gates"]),
        gates_early=tuple(facts.get("gatesEarly", ())),
        opened=record.time,
        retry=facts.get("retry", {}).get("uid", ""),
    )
    model = replace(
        model,
        attempts=model.attempts.put(attempt.name, attempt),
        latest=model.latest.put(key, attempt.name),
    )
    model = governed_by(model, record.policy)
    return _first_seen(model, record) if attempt.kind is Move.REGISTER else model


def _first_seen(model: ModelState, record: Record) -> ModelState:
    number = _version(record)
    if number in model.versions:
        return model
    version = VersionState(
        number=number,
        subject=record.subject,
        stage=Stage.REGISTERED,
        since=record.time,
        index=record.index,
        artifact_uri=record.facts["artifact"]["uri"],
        artifact_digest=record.facts["artifact"]["digest"],
        label=record.facts.get("label", ""),
        registrant=record.actor,
        uid=record.uids.get("version", ""),
        history=(Moved(Stage.REGISTERED, record.time, record.index, record.transition),),
        notes=notes_at_first(record),
    )
    return replace(model, versions=model.versions.put(number, version))


def _registered(model: ModelState, record: Record) -> ModelState:
    number = _version(record)
    version = replace(model.versions[number], valid=True, since=record.time, index=record.index)
    return _succeeded(replace(model, versions=model.versions.put(number, version)), record)


def _adopted(model: ModelState, record: Record) -> ModelState:
    if record.version is None:
        return made_again(model, record)
    number = _version(record)
    version = replace(model.versions[number], uid=record.uids["version"])
    return replace(model, versions=model.versions.put(number, version))


def _artifact_checked(model: ModelState, record: Record) -> ModelState:
    """Keep the last check, and beside one that could not tell what the one before it found."""
    version = model.versions[_version(record)]
    facts, before = record.facts, version.check or CheckState(number=0, time="")
    check = replace(before, number=facts["number"], time=record.time)
    if GateOutcome(facts["outcome"]) is GateOutcome.INCONCLUSIVE:
        check = replace(check, in_vain=before.in_vain + 1, problem=facts["sentence"])
    else:
        check = replace(
            check,
            available=GateOutcome(facts["outcome"]) is GateOutcome.PASSED,
            code=facts["code"],
            sentence=facts["sentence"],
            in_vain=0,
            problem="",
        )
    version = replace(version, check=check)
    return replace(model, versions=model.versions.put(version.number, version))


def _gate_finished(model: ModelState, record: Record) -> ModelState:
    facts = record.facts
    gate = GateState(
        name=facts["gate"],
        outcome=GateOutcome(facts["outcome"]),
        code=facts["code"],
        sentence=facts["sentence"],
        tries=facts["try"],
        finished=record.time,
        index=record.index,
        evidence=record.evidence.get("result", ""),
        final=facts["final"],
        checks=tuple(facts.get("checks", ())),
        log_tail=facts.get("logTail", ""),
        key=facts.get("key", ""),
        origin=Origin(**facts["origin"]) if "origin" in facts else None,
    )
    attempt = model.attempts[record.transition]
    attempt = replace(attempt, gates={**attempt.gates, gate.name: gate})
    return _with_attempt(model, _failed_if_a_gate_failed(attempt, record))


def _failed_if_a_gate_failed(attempt: AttemptState, record: Record) -> AttemptState:
    """End the attempt when every gate has its last answer and one of them is not a pass."""
    if not (attempt.is_open and attempt.gates_finished):
        return attempt
    own = attempt.gates_of_the_step.values()
    lost = [gate for gate in own if gate.outcome is not GateOutcome.PASSED]
    if not lost:
        return attempt
    return replace(
        attempt,
        outcome=AttemptOutcome.FAILED,
        code="GateFailed",
        sentence=" ".join(f"{gate.name}: {gate.sentence}" for gate in lost),
        ended=record.time,
    )


def _voted(model: ModelState, record: Record) -> ModelState:
    attempt = model.attempts[record.transition]
    vote = VoteState(
        decision=record.facts["decision"],
        uid=record.uids["decision"],
        kind=record.facts["vote"],
        actor=record.actor,
        person=record.facts["person"],
        roles=tuple(record.facts["roles"]),
        rationale=record.rationale,
        time=record.time,
        index=record.index,
    )
    attempt = replace(
        attempt,
        votes=(*attempt.votes, vote),
        evidence=record.facts.get("evidenceDigest", attempt.evidence),
    )
    if vote.kind == "Reject":
        attempt = replace(
            attempt,
            outcome=AttemptOutcome.REJECTED,
            code="Rejected",
            sentence=f'{record.actor.username} rejected it: "{record.rationale}"',
            ended=record.time,
        )
    return _with_attempt(model, attempt)


def _retracted(model: ModelState, record: Record) -> ModelState:
    attempt = model.attempts[record.transition]
    kept = tuple(vote for vote in attempt.votes if vote.uid != record.facts["vote"])
    return _with_attempt(model, replace(attempt, votes=kept))


def _superseded(model: ModelState, record: Record) -> ModelState:
    return _ended(model, record, AttemptOutcome.SUPERSEDED)


def _rollout_begun(model: ModelState, record: Record) -> ModelState:
    attempt = replace(
        _on_its_grounds(model.attempts[record.transition], record),
        outcome=AttemptOutcome.ROLLING_OUT,
        rollout_begun=record.time,
        deployments=tuple(record.facts.get("deployments", ())),
    )
    return _with_attempt(model, attempt)


def _rollout_aborted(model: ModelState, record: Record) -> ModelState:
    return _ended(model, record, AttemptOutcome.SUPERSEDED)


def _rollout_failed(model: ModelState, record: Record) -> ModelState:
    return _ended(model, record, AttemptOutcome.FAILED)


def _moved(model: ModelState, record: Record) -> ModelState:
    """Move every version the record names, and end the attempt that asked for it."""
    versions = model.versions
    for move in record.moves:
        versions = versions.put(move.version, _moved_version(versions[move.version], record, move))
    in_production = sorted(versions.group(Stage.PRODUCTION))
    if len(in_production) > 1:
        raise ValueError(f"record {record.index} leaves {in_production} in Production at once")
    model = replace(
        model, versions=versions, production=in_production[0] if in_production else None
    )
    return _serving(_succeeded(model, record), record)


def _moved_version(version: VersionState, record: Record, move: StageMove) -> VersionState:
    moved = Moved(move.target, record.time, record.index, record.transition)
    return replace(
        version,
        stage=move.target,
        since=record.time,
        index=record.index,
        was_superseded=_left_by_being_superseded(version, record, move.target),
        spent_request=_spent_request(version, record, move.target),
        history=(*version.history, moved),
    )


def _rolled_back(model: ModelState, record: Record) -> ModelState:
    return review_owed(_moved(model, record), record)


def _left_by_being_superseded(version: VersionState, record: Record, target: Stage) -> bool:
    """Only a version that another one replaced may return without the Production step."""
    if version.stage is Stage.PRODUCTION and target is not Stage.PRODUCTION:
        return record.operation is Operation.PROMOTED
    return version.was_superseded and target in (Stage.RETIRING, Stage.ARCHIVED)


def _spent_request(version: VersionState, record: Record, target: Stage) -> str:
    if version.stage is Stage.PRODUCTION and target is not Stage.PRODUCTION:
        return str(record.facts.get("spentRequest", ""))
    return version.spent_request


def _serving(model: ModelState, record: Record) -> ModelState:
    """Open and close serving intervals where the version in Production changed.

    A withdrawn version serves on until its last pod was seen to be gone, or another one came.
    """
    current = model.intervals[-1] if model.intervals and not model.intervals[-1].end else None
    before = current.version if current is not None and not current.left else None
    if model.production == before:
        return model
    still = tuple(record.facts.get("stillServedBy", ()))
    if current is not None and model.production is None and still:
        leaving = replace(current, left=record.time, served_by=still)
        return replace(model, intervals=(*model.intervals[:-1], leaving))
    intervals = model.intervals
    if current is not None:
        intervals = (*intervals[:-1], replace(current, end=record.time))
    if model.production is not None:
        opened = ServingInterval(
            version=model.production,
            start=record.time,
            end="",
            certainty=Certainty(record.facts.get("certainty", Certainty.DECLARED)),
            index=record.index,
            window_start=record.facts.get("rolloutBegun", ""),
        )
        intervals = (*intervals, opened)
    model = replace(model, intervals=intervals)
    return model if model.production is None else _put_back(model, record)


def _put_back(model: ModelState, record: Record) -> ModelState:
    """Close what was being put back: what is in Production now was seen to be alone."""
    for attempt in model.being_put_back():
        model = _with_attempt(model, replace(attempt, observed=record.time))
    return model


def _rollout_observed(model: ModelState, record: Record) -> ModelState:
    """End the interval of a withdrawn version, or what was put back: its last pod is gone."""
    if "attempt" in record.facts:
        attempt = model.attempts[record.facts["attempt"]]
        return _with_attempt(model, replace(attempt, observed=record.time))
    last = model.intervals[-1] if model.intervals else None
    if last is None or last.end or not last.left or last.version != record.version:
        return model
    ended = replace(last, end=record.time)
    return replace(model, intervals=(*model.intervals[:-1], ended))


def _succeeded(model: ModelState, record: Record) -> ModelState:
    if record.transition not in model.attempts:
        return model
    return _ended(model, record, AttemptOutcome.SUCCEEDED)


def _ended(model: ModelState, record: Record, outcome: AttemptOutcome) -> ModelState:
    attempt = replace(
        _on_its_grounds(model.attempts[record.transition], record),
        outcome=outcome,
        code=record.facts.get("code", outcome.value),
        sentence=record.facts.get("sentence", ""),
        reopens=record.facts.get("reopens", False),
        ended=record.time,
        put_back=record.facts.get("putBack", False),
    )
    return _with_attempt(model, attempt)


def _on_its_grounds(attempt: AttemptState, record: Record) -> AttemptState:
    """Keep what a commitment rests on, where the record says it."""
    if "approvals" not in record.facts:
        return attempt
    return replace(
        attempt,
        approvals=tuple(approval["index"] for approval in record.facts["approvals"]),
        evidence=record.facts["evidenceDigest"],
    )


def _with_attempt(model: ModelState, attempt: AttemptState) -> ModelState:
    return replace(model, attempts=model.attempts.put(attempt.name, attempt))


def _note(model: ModelState, record: Record) -> ModelState:
    """Remember at the attempt which records tell of it."""
    attempt = model.attempts.get(record.transition)
    if attempt is None:
        return model
    return _with_attempt(model, replace(attempt, indices=(*attempt.indices, record.index)))


def _version(record: Record) -> int:
    if record.version is None:
        raise ValueError(f"record {record.index} ({record.operation}) names no version")
    return record.version


_STEPS: dict[Operation, Callable[[ModelState, Record], ModelState]] = {
    Operation.REQUESTED: _requested,
    Operation.REGISTERED: _registered,
    Operation.ADOPTED: _adopted,
    Operation.GATE_FINISHED: _gate_finished,
    Operation.ARTIFACT_CHECKED: _artifact_checked,
    Operation.VOTED: _voted,
    Operation.RETRACTED: _retracted,
    Operation.SUPERSEDED: _superseded,
    Operation.ROLLOUT_BEGUN: _rollout_begun,
    Operation.ROLLOUT_ABORTED: _rollout_aborted,
    Operation.ROLLOUT_FAILED: _rollout_failed,
    Operation.PROMOTED: _moved,
    Operation.DEMOTED: _moved,
    Operation.ROLLED_BACK: _rolled_back,
    Operation.WITHDRAWN: _moved,
    Operation.RETIRED: _moved,
    Operation.ARCHIVED: _moved,
    Operation.ROLLOUT_OBSERVED: _rollout_observed,
    Operation.NOTES_CHANGED: notes_changed,
    Operation.REVIEW: reviewed,
    Operation.GOVERNED_CHANGED: governed_changed,
    Operation.POLICY_CHANGED: policy_changed,
    Operation.DELETION_OBSERVED: deletion_observed,
}
