"""Recording what changed of a Model, of its policy, and of what is there at all."""

from collections.abc import Iterable, Mapping
from typing import Any

from modelwarden.domain.authors import GOVERNED
from modelwarden.domain.canonical import digest_of
from modelwarden.domain.facts import AuthorItem, ModelFacts, PolicyFacts, Snapshot
from modelwarden.domain.governance import author_of, changed_parts, digests_of
from modelwarden.domain.identity import Caller
from modelwarden.domain.progress import NO_STEP, Step
from modelwarden.domain.records import Actor, Operation, Record
from modelwarden.domain.scribe import Scribe, actor_of, timestamp
from modelwarden.domain.state import ModelState

# Whoever deletes an object is in no object; the API server's audit log knows.
UNKNOWN = Actor(username="")


def governance_changes(snapshot: Snapshot, state: ModelState, *, scribe: Scribe) -> Step:
    """Record what changed of the Model and of its policy."""
    if snapshot.model is None:
        return NO_STEP
    declared = _declared(snapshot.model, state, scribe=scribe)
    return declared.joined_with(_policy(snapshot, state, scribe=scribe))


def deletions(snapshot: Snapshot, state: ModelState, *, scribe: Scribe) -> Step:
    """Record that an object is gone which was there; what serves is not touched by it."""
    gone = [
        Record(
            operation=Operation.DELETION_OBSERVED,
            time=timestamp(scribe.now),
            transaction=scribe.transaction,
            actor=UNKNOWN,
            namespace=scribe.key.namespace,
            model=scribe.key.name,
            version=number,
            subject=known.subject,
            uids={"version": known.uid},
            build=scribe.build,
        )
        for number in sorted(snapshot.absent)
        if (known := state.versions.get(number)) is not None and known.uid
    ]
    uid = state.governance.uid
    if snapshot.model is None and uid:
        of_model = _of_model(
            Operation.DELETION_OBSERVED, UNKNOWN, uids={"model": uid}, scribe=scribe
        )
        gone.insert(0, of_model)
    return Step(records=tuple(gone))


def _declared(model: ModelFacts, state: ModelState, *, scribe: Scribe) -> Step:
    changed = changed_parts(model, state)
    if not changed:
        same = model.uid == state.governance.uid
        return NO_STEP if same else Step(records=(_made_again(model, scribe=scribe),))
    step = NO_STEP
    for author, fields in _by_author(model, changed):
        content = {name: model.declared[name] for name in fields if name in model.declared}
        step = step.joined_with(
            Step(
                records=(_changed(author, fields, model=model, state=state, scribe=scribe),),
                evidence=(content,),
            )
        )
    return step


def _by_author(
    model: ModelFacts, changed: Mapping[str, tuple[str, ...]]
) -> Iterable[tuple[AuthorItem | None, tuple[str, ...]]]:
    """Give the fields that changed, once for each request that changed some of them."""
    found: dict[str, tuple[AuthorItem | None, tuple[str, ...]]] = {}
    for part, fields in changed.items():
        author = author_of(part, model)
        name = "" if author is None else author.id
        found[name] = (author, (*found.get(name, (author, ()))[1], *fields))
    return found.values()


def _changed(
    author: AuthorItem | None,
    fields: tuple[str, ...],
    *,
    model: ModelFacts,
    state: ModelState,
    scribe: Scribe,
) -> Record:
    now, known = digests_of(model.declared), state.governance.fields
    content = {name: model.declared[name] for name in fields if name in model.declared}
    return _of_model(
        Operation.GOVERNED_CHANGED,
        actor_of(Caller(username="") if author is None else author.by),
        evidence={"governed": digest_of(content)},
        uids={"model": model.uid},
        facts={
            "fields": {n: {"from": known.get(n, ""), "to": now.get(n, "")} for n in sorted(fields)},
            "first": not known,
            "requestId": "" if author is None else author.id,
        },
        scribe=scribe,
    )


def _made_again(model: ModelFacts, *, scribe: Scribe) -> Record:
    author = author_of(GOVERNED, model)
    return _of_model(
        Operation.ADOPTED,
        actor_of(Caller(username="") if author is None else author.by),
        uids={"model": model.uid},
        scribe=scribe,
    )


def _policy(snapshot: Snapshot, state: ModelState, *, scribe: Scribe) -> Step:
    """Record another content of the policy, where something is governed by it."""
    policy, known = snapshot.policy, state.governance.policy
    governs = state.production is not None or bool(state.open_attempts())
    if not isinstance(policy, PolicyFacts) or not governs or known in ("", policy.digest):
        return NO_STEP
    record = _of_model(
        Operation.POLICY_CHANGED,
        UNKNOWN,
        policy=policy.digest,
        evidence={"policy": digest_of(dict(policy.stored))},
        facts={"name": policy.name, "from": known, "to": policy.digest},
        scribe=scribe,
    )
    return Step(records=(record,), evidence=(dict(policy.stored),))


def _of_model(
    operation: Operation,
    actor: Actor,
    *,
    scribe: Scribe,
    policy: str = "",
    evidence: Mapping[str, str] | None = None,
    uids: Mapping[str, str] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Record:
    return Record(
        operation=operation,
        time=timestamp(scribe.now),
        transaction=scribe.transaction,
        actor=actor,
        namespace=scribe.key.namespace,
        model=scribe.key.name,
        policy=policy,
        evidence=evidence or {},
        uids=uids or {},
        facts=facts or {},
        build=scribe.build,
    )
