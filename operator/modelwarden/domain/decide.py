"""From facts and fold to a plan: what is recorded, what is created, and when to look again."""

from dataclasses import dataclass
from typing import Any

from modelwarden.domain.automation import is_standing
from modelwarden.domain.availability import checked
from modelwarden.domain.canonical import digest_of
from modelwarden.domain.digests import transition_digest
from modelwarden.domain.early import early_look, measured_early
from modelwarden.domain.facts import (
    Access,
    DecisionFacts,
    PolicyFacts,
    Snapshot,
    TransitionFacts,
    VersionFacts,
)
from modelwarden.domain.gates import gates_of_attempt
from modelwarden.domain.governance import access_of_governance, governance_differs
from modelwarden.domain.governance_changes import deletions, governance_changes
from modelwarden.domain.identity import Caller
from modelwarden.domain.installation import Installation
from modelwarden.domain.leaving import nothing_serves, observed, still_leaving
from modelwarden.domain.notes import notes_changes, notes_of
from modelwarden.domain.opening import (
    Hold,
    NewAttempt,
    access_needed,
    never_asked,
    openings,
    wanted,
)
from modelwarden.domain.progress import NO_STEP, Step, ended_by, next_step
from modelwarden.domain.putting_back import put_back
from modelwarden.domain.records import Operation, Record
from modelwarden.domain.retiring import archived, held_from_the_archive
from modelwarden.domain.retries import access_of_retries
from modelwarden.domain.reviews import access_of_reviews, reviews
from modelwarden.domain.scribe import Scribe, actor_of, timestamp
from modelwarden.domain.stages import Move, Stage
from modelwarden.domain.standing import access_of_attempt, as_recorded, request_of, standing
from modelwarden.domain.state import AttemptKey, ModelState


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What one look at a Model leads to. An empty plan means that everything waits."""

    records: tuple[Record, ...] = ()
    evidence: tuple[dict[str, Any], ...] = ()
    create: tuple[NewAttempt, ...] = ()
    discard: tuple[TransitionFacts, ...] = ()
    holds: tuple[Hold, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Nothing is to be recorded or created."""
        return not (self.records or self.create or self.discard)


def decide(
    snapshot: Snapshot, state: ModelState, *, scribe: Scribe, installation: Installation
) -> Plan:
    """Decide what happens next to a Model.

    Everything in one plan is independent of everything else in it; what depends on a record is
    decided in the next look, with the record in the fold.
    """
    first = _changes(snapshot, state, scribe=scribe)
    if first.records:
        # Nothing is decided on what is not on record as it is now.
        records = first.records[:RECORDS_AT_ONCE]
        return Plan(records=records, evidence=_named_by(records, first.evidence))
    differs = governance_differs(snapshot, state)
    step = NO_STEP
    for attempt in state.open_attempts():
        if differs is not None:
            step = step.joined_with(ended_by(attempt, differs, scribe=scribe))
            continue
        look = standing(attempt, snapshot, state=state, installation=installation)
        step = step.joined_with(
            next_step(attempt, look, snapshot=snapshot, state=state, scribe=scribe)
        )
    for attempt in state.measuring_attempts():
        look = early_look(attempt, snapshot, state=state, installation=installation)
        step = step.joined_with(measured_early(look, snapshot, state=state, scribe=scribe))
    opened = openings(snapshot, state, identity=installation.identity)
    create, discard = [], list(never_asked(snapshot, state))
    for new in opened.attempts:
        there = snapshot.transitions.get(new.name)
        if there is None:
            create.append(new)
        elif there.digest == transition_digest(new.spec):
            step = step.joined_with(
                _requested(new, there, snapshot=snapshot, state=state, scribe=scribe)
            )
        else:
            # An attempt that was created and never recorded is frozen on what held then.
            discard.append(there)
    step = step.joined_with(_adoptions(snapshot, state, scribe=scribe))
    step = step.joined_with(
        Step(
            records=(
                *archived(snapshot, state, scribe=scribe),
                *observed(snapshot, state, scribe=scribe),
                *put_back(snapshot, state, scribe=scribe),
            )
        )
    )
    looked_at = checked(snapshot, state, scribe=scribe, installation=installation)
    step = step.joined_with(Step(records=looked_at))
    step = step.joined_with(deletions(snapshot, state, scribe=scribe))
    step = step.joined_with(reviews(snapshot, state, scribe=scribe, identity=installation.identity))
    records = _one_change_of_production(step.records)[:RECORDS_AT_ONCE]
    return Plan(
        records=records,
        evidence=_named_by(records, step.evidence),
        create=tuple(create),
        discard=tuple(discard),
        holds=(*opened.holds, *_held(snapshot, state)),
    )


def _held(snapshot: Snapshot, state: ModelState) -> tuple[Hold, ...]:
    """Say what else is not as the stages say: who may still answer, who cannot rest yet."""
    held = [
        Hold(key=AttemptKey(number, Stage.ARCHIVED), request=None, verdict=verdict)
        for number, verdict in held_from_the_archive(snapshot, state)
    ]
    interval = still_leaving(state)
    if interval is not None:
        where = AttemptKey(interval.version, state.versions[interval.version].stage)
        held += [
            Hold(key=where, request=None, verdict=verdict)
            for verdict in nothing_serves(interval, snapshot)
            if not verdict.allows
        ]
    return tuple(held)


def questions(snapshot: Snapshot, state: ModelState) -> frozenset[Access]:
    """List what to ask the API server before a decision: who may ask, and who may vote."""
    asked: set[Access] = set(access_of_retries(snapshot, state))
    asked |= access_of_governance(snapshot, state) | access_of_reviews(snapshot, state)
    for request in wanted(snapshot, state):
        asked.update(access_needed(request, snapshot))
    for attempt in state.open_attempts():
        transition = snapshot.transitions.get(attempt.name)
        if transition is not None and attempt.kind is not Move.REGISTER:
            asked.update(access_needed(request_of(attempt, transition), snapshot))
        asked.update(access_of_attempt(attempt, snapshot))
    return frozenset(asked)


def _changes(snapshot: Snapshot, state: ModelState, *, scribe: Scribe) -> Step:
    """Record what was changed by anybody else since the last look."""
    noted = notes_changes(snapshot, state, scribe=scribe)
    if governance_differs(snapshot, state) is not None:
        return noted
    return noted.joined_with(governance_changes(snapshot, state, scribe=scribe))


# So many fit into one object of the ledger; what is left over is decided in the next look.
RECORDS_AT_ONCE = 256


def _named_by(
    records: tuple[Record, ...], evidence: tuple[dict[str, Any], ...]
) -> tuple[dict[str, Any], ...]:
    """Keep the evidence that the records name, each piece once."""
    named = {digest for record in records for digest in record.evidence.values()}
    by_digest = {digest_of(content): content for content in evidence}
    return tuple(content for digest, content in by_digest.items() if digest in named)


def _one_change_of_production(records: tuple[Record, ...]) -> tuple[Record, ...]:
    """Keep one change of Production in a plan: the next one must be decided on its outcome."""
    kept, seen = [], False
    for record in records:
        changes = _changes_production(record)
        if changes and seen:
            continue
        seen = seen or changes
        kept.append(record)
    return tuple(kept)


def _changes_production(record: Record) -> bool:
    return record.operation is Operation.ROLLOUT_BEGUN or any(
        Stage.PRODUCTION in (move.source, move.target) for move in record.moves
    )


def _requested(
    new: NewAttempt,
    there: TransitionFacts,
    *,
    snapshot: Snapshot,
    state: ModelState,
    scribe: Scribe,
) -> Step:
    spec = dict(there.spec)
    version = _version(new, snapshot, state=state)
    evidence, names = [spec], {"transition": digest_of(spec)}
    if version.spec:
        evidence.append(dict(version.spec))
        names["version"] = digest_of(dict(version.spec))
    if isinstance(snapshot.policy, PolicyFacts) and there.policy:
        policy = dict(snapshot.policy.stored)
        evidence.append(policy)
        names["policy"] = digest_of(policy)
    author = spec["request"]["author"]
    record = Record(
        operation=Operation.REQUESTED,
        time=timestamp(scribe.now),
        transaction=scribe.transaction,
        actor=actor_of(Caller.from_json(author)),
        namespace=scribe.key.namespace,
        model=scribe.key.name,
        version=new.key.version,
        transition=new.name,
        rationale=new.request.reason,
        subject=version.subject,
        policy=there.policy_digest,
        evidence=names,
        uids={"transition": there.uid, "version": version.uid, **_uid_of(new.request.retry)},
        facts={
            "kind": new.request.kind.value,
            "from": spec.get("from", ""),
            "to": new.key.target.value,
            "number": spec["attempt"],
            "requestId": new.request.id,
            "gates": [gate.name for gate in gates_of_attempt(there)],
            **({"gatesEarly": [each.gate.name for each in there.early]} if there.early else {}),
            "artifact": {"uri": version.artifact.uri, "digest": version.artifact.digest},
            "label": version.label,
            **({"notes": notes_of(version)} if new.request.kind is Move.REGISTER else {}),
            **_retried(new.request.retry),
            **({"byAutomation": True} if is_standing(new.request) else {}),
        },
        build=scribe.build,
    )
    return Step(records=(record,), evidence=tuple(evidence))


def _uid_of(retry: DecisionFacts | None) -> dict[str, str]:
    return {} if retry is None else {"decision": retry.uid}


def _retried(retry: DecisionFacts | None) -> dict[str, Any]:
    """Say who had it tried again; the actor of the record stays who asked."""
    if retry is None or retry.by is None:
        return {}
    return {
        "retry": {
            "uid": retry.uid,
            "decision": retry.name,
            "of": retry.transition,
            "actor": actor_of(retry.by).to_json(),
            "rationale": retry.rationale,
        }
    }


def _version(new: NewAttempt, snapshot: Snapshot, *, state: ModelState) -> VersionFacts:
    """Find what the attempt is about; to go down it is enough that it was recorded once."""
    found = snapshot.versions.get(new.key.version)
    if found is not None and found.subject == new.spec["subjectDigest"]:
        return found
    return as_recorded(state.versions[new.key.version])


def _adoptions(snapshot: Snapshot, state: ModelState, *, scribe: Scribe) -> Step:
    """Record that a version came back under a new UID with the content that its number means."""
    records = [
        Record(
            operation=Operation.ADOPTED,
            time=timestamp(scribe.now),
            transaction=scribe.transaction,
            actor=actor_of(version.registered_by or Caller(username="")),
            namespace=scribe.key.namespace,
            model=scribe.key.name,
            version=number,
            subject=version.subject,
            uids={"version": version.uid},
            build=scribe.build,
        )
        for number, version in sorted(snapshot.versions.items())
        if (known := state.versions.get(number)) is not None
        and known.subject == version.subject
        and known.uid != version.uid
    ]
    return Step(records=tuple(records))
