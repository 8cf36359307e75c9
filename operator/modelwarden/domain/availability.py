"""Whether the artifacts of what serves, or could be gone back to, are still there: asked daily.

A check is the artifact gate of the registration, run again beside every attempt. It moves nothing:
what it finds is a record, a condition, an event and a number.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from modelwarden.domain.departures import rollback_targets
from modelwarden.domain.evidence import inputs_digest
from modelwarden.domain.facts import (
    AuthorItem,
    GateSpec,
    PolicyFacts,
    PolicyStep,
    RunFacts,
    RunKey,
    RunState,
    Snapshot,
    TransitionFacts,
    VersionFacts,
)
from modelwarden.domain.gate_results import GateResult
from modelwarden.domain.identity import Caller
from modelwarden.domain.installation import ArtifactStore, GateLimits, Installation
from modelwarden.domain.records import Operation, Record
from modelwarden.domain.runs import given_up, gives_up_at, run_result
from modelwarden.domain.scribe import Scribe, moment
from modelwarden.domain.stages import Move, Stage
from modelwarden.domain.state import AttemptState, GateOutcome, ModelKey, ModelState, VersionState
from modelwarden.domain.texts import LONGEST_SENTENCE, shortened
from modelwarden.domain.verdicts import Verdict

# No policy can name a gate so: their names have no dots.
CHECK = GateSpec(name="artifact.again", kind="artifact", settings={"artifact": {}})

# After a check that could not tell the next one follows soon, so often in a row.
SOON_SECONDS = 300
SOON_TRIES = 3

# Whoever waits for a step goes first.
AFTER_ALL_OTHERS = "9999-12-31T23:59:59.999Z"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check of one version: when it is due, what it runs as, and its run if there is one."""

    version: VersionFacts
    known: VersionState
    transition: TransitionFacts
    key: RunKey
    due: datetime
    store: ArtifactStore | Verdict
    run: RunFacts | None


def versions_to_check(
    state: ModelState, policy: PolicyFacts | Verdict, *, now: datetime
) -> tuple[int, ...]:
    """List what serves, is a candidate, or may be gone back to."""
    back = (target.version for target in rollback_targets(state, policy, now=now))
    found = {*state.in_stage(Stage.PRODUCTION), *state.in_stage(Stage.STAGING), *back}
    return tuple(sorted(found))


def is_due(
    state: ModelState, policy: PolicyFacts | Verdict, *, now: datetime, every_seconds: int
) -> bool:
    """Say whether any check is due, whatever is there to be checked."""
    return any(
        due_at(state.versions[number], state, every_seconds=every_seconds) <= now
        for number in versions_to_check(state, policy, now=now)
    )


def due_at(version: VersionState, state: ModelState, *, every_seconds: int) -> datetime:
    """Say when a version is to be checked next: within the period, and not all at once."""
    last = version.check
    if last is None:
        registration = state.registration(version.number)
        since = version.since if registration is None else registration.ended or version.since
        return moment(since) + _spread(every_seconds, version, key=state.key, number=0)
    if 0 < last.in_vain < SOON_TRIES:
        return moment(last.time) + timedelta(seconds=min(SOON_SECONDS, every_seconds))
    return moment(last.time) + _spread(every_seconds, version, key=state.key, number=last.number)


def checks_of_now(
    snapshot: Snapshot, state: ModelState, *, installation: Installation
) -> tuple[Check, ...]:
    """List the checks that run, then those that are due, the longest due one first."""
    if snapshot.model is None:
        return ()
    checks = [
        check
        for number in versions_to_check(state, snapshot.policy, now=snapshot.now)
        if (check := _check(number, snapshot, state=state, installation=installation)) is not None
    ]
    due = [check for check in checks if check.run is not None or check.due <= snapshot.now]
    return tuple(sorted(due, key=lambda check: (check.run is None, check.due)))


def check_to_start(
    snapshot: Snapshot, state: ModelState, *, installation: Installation
) -> tuple[Check, ArtifactStore] | None:
    """Choose the check whose turn it is, and where its artifact is; one runs at a time."""
    for check in checks_of_now(snapshot, state, installation=installation):
        if isinstance(check.store, ArtifactStore):
            return (check, check.store) if check.run is None else None
    return None


def checked(
    snapshot: Snapshot, state: ModelState, *, scribe: Scribe, installation: Installation
) -> tuple[Record, ...]:
    """Record what checks have found, once their runs have ended."""
    checks = checks_of_now(snapshot, state, installation=installation)
    return tuple(
        _checked(check, result, scribe=scribe)
        for check in checks
        if (result := _result(check)) is not None
    )


def is_available(version: VersionState) -> bool:
    """Say what is known of an artifact: what the last check that could tell found.

    Before any, it was there when the version was registered.
    """
    check = version.check
    return True if check is None or check.available is None else check.available


def is_awaited(key: RunKey, version: VersionState, *, checked_versions: Iterable[int]) -> bool:
    """Say whether the run of a check is still waited for."""
    done = 0 if version.check is None else version.check.number
    return version.number in checked_versions and key.tries > done


def check_ends(
    snapshot: Snapshot, state: ModelState, *, installation: Installation
) -> list[datetime]:
    """List when time alone makes a check due, or a run of one that does not start given up."""
    if snapshot.model is None:
        return []
    period = installation.artifact_check_seconds
    numbers = versions_to_check(state, snapshot.policy, now=snapshot.now)
    dues = (due_at(state.versions[number], state, every_seconds=period) for number in numbers)
    runs = (check.run for check in checks_of_now(snapshot, state, installation=installation))
    ends = (gives_up_at(run, limits=installation.gates) for run in runs if run is not None)
    return [*dues, *(end for end in ends if end is not None)]


def _check(
    number: int, snapshot: Snapshot, *, state: ModelState, installation: Installation
) -> Check | None:
    """Look at one version; None where it is not there, is another one, or no one registered it."""
    version, known = snapshot.versions.get(number), state.versions[number]
    registration = state.registration(number)
    if version is None or version.subject != known.subject or registration is None:
        return None
    transition = _as_registered(version, registration, key=snapshot.key)
    done = 0 if known.check is None else known.check.number
    key = RunKey(registration.name, CHECK.name, done + 1)
    return Check(
        version=version,
        known=known,
        transition=transition,
        key=key,
        due=due_at(known, state, every_seconds=installation.artifact_check_seconds),
        store=installation.store_of(version.artifact.uri, snapshot.key.namespace),
        run=_own_run(key, transition, snapshot=snapshot, limits=installation.gates),
    )


def _own_run(
    key: RunKey, transition: TransitionFacts, *, snapshot: Snapshot, limits: GateLimits
) -> RunFacts | None:
    found = snapshot.runs.get(key)
    if found is None or found.inputs_digest != inputs_digest(CHECK, transition):
        return None
    return given_up(found, now=snapshot.now, limits=limits)


def _checked(check: Check, result: GateResult, *, scribe: Scribe) -> Record:
    before = is_available(check.known)
    now = {GateOutcome.PASSED: True, GateOutcome.FAILED: False}.get(result.outcome, before)
    return scribe.of_version(
        Operation.ARTIFACT_CHECKED,
        check.known,
        uids={} if check.run is None else {"job": check.run.uid},
        facts={
            "number": check.key.tries,
            "outcome": result.outcome.value,
            "code": result.code,
            "sentence": shortened(result.sentence, LONGEST_SENTENCE),
            "turned": now is not before,
        },
    )


def _result(check: Check) -> GateResult | None:
    if isinstance(check.store, Verdict):
        store = check.store
        return GateResult(outcome=GateOutcome.FAILED, code=store.code, sentence=store.message)
    if check.run is None or check.run.state is not RunState.FINISHED:
        return None
    return run_result(check.run, CHECK, digest=check.version.artifact.digest)


def _as_registered(
    version: VersionFacts, registration: AttemptState, *, key: ModelKey
) -> TransitionFacts:
    """Write what a run needs of the registration, whatever has become of its object.

    The format was allowed when the version was registered, and is no question any more.
    """
    return TransitionFacts(
        name=registration.name,
        uid=registration.uid,
        resource_version="",
        generation=0,
        digest=registration.spec,
        spec={
            "model": key.name,
            "version": version.number,
            "kind": Move.REGISTER.value,
            "to": Stage.REGISTERED.value,
            "subjectDigest": version.subject,
        },
        requester=AuthorItem(id="", by=Caller(username=""), of=()),
        owners=(),
        reviewers=(),
        metrics=(),
        excluded={},
        policy="",
        policy_digest="",
        allowed_formats=(version.artifact.format,),
        required_metadata=(),
        step=PolicyStep(
            to=Stage.REGISTERED,
            gates=(CHECK,),
            approvals=None,
            soak_seconds=0,
            rollout_timeout_seconds=0,
            stored={},
        ),
    )


def _spread(every_seconds: int, version: VersionState, *, key: ModelKey, number: int) -> timedelta:
    """Give the last quarter of a period up to chance, another one each time."""
    name = "\n".join((*key, str(version.number), str(number)))
    share = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) / 2**32
    return timedelta(seconds=every_seconds * (0.75 + share / 4))
