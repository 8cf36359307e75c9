"""What must hold before an attempt opens, and the attempt that is then frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from modelwarden.domain.automation import automation_is_allowed, is_standing
from modelwarden.domain.champion_gate import champion_now
from modelwarden.domain.departures import leaves_production
from modelwarden.domain.edits import rights_of_move
from modelwarden.domain.exclusions import excluded_people
from modelwarden.domain.facts import (
    Access,
    AuthorItem,
    DecisionFacts,
    EarlyGate,
    ModelFacts,
    PolicyFacts,
    Snapshot,
    SubjectKind,
    TransitionFacts,
    VersionFacts,
)
from modelwarden.domain.floor import (
    gates_are_supported,
    gates_asked,
    policy_has_step,
    policy_meets_floor,
)
from modelwarden.domain.gates import early_gates, gates_have_names_of_their_own, reads_champion
from modelwarden.domain.governance import governance_differs
from modelwarden.domain.identity import Identity, is_service_account
from modelwarden.domain.movement import Request, opens_an_attempt
from modelwarden.domain.names import attempt_name
from modelwarden.domain.retries import retrier_may, retry_of
from modelwarden.domain.returning import returning_step
from modelwarden.domain.rights import Right
from modelwarden.domain.stages import DOWNWARDS, Move, Stage
from modelwarden.domain.state import UNREGISTERED, AttemptKey, ModelState
from modelwarden.domain.verdicts import Verdict, allow, deny, wait
from modelwarden.domain.wishes import requests_now

# What never passes was perhaps only not uploaded yet.
REGISTER_ANEW = (
    "Mend what it says and have it tried again (kubectl model retry), or register the next version."
)


@dataclass(frozen=True, kw_only=True)
class Hold:
    """Why a version is not on its way to a stage that somebody asked for."""

    key: AttemptKey
    request: Request | None
    verdict: Verdict


@dataclass(frozen=True, kw_only=True)
class NewAttempt:
    """An attempt to create: its name and everything that decides about it, frozen."""

    name: str
    key: AttemptKey
    request: Request
    spec: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Openings:
    """What is asked for: the attempts that may open now, and what holds the others."""

    attempts: tuple[NewAttempt, ...]
    holds: tuple[Hold, ...]


def openings(snapshot: Snapshot, state: ModelState, *, identity: Identity) -> Openings:
    """Go through everything that is asked for and not under way."""
    attempts, holds = [], []
    for request in wanted(snapshot, state):
        unmet = [v for v in _claims(request, snapshot, state=state) if not v.allows]
        if unmet:
            holds += [Hold(key=request.key, request=request, verdict=v) for v in unmet]
        else:
            attempts.append(_attempt(request, snapshot, state=state, identity=identity))
    return Openings(attempts=tuple(attempts), holds=tuple(holds))


def wanted(snapshot: Snapshot, state: ModelState) -> tuple[Request, ...]:
    """List the requests that call for a new attempt."""
    asked = (_retried(request, snapshot, state) for request in asked_for(snapshot, state))
    return tuple(r for r in asked if opens_an_attempt(r, state.attempts_of(r.key)))


def names_to_come(snapshot: Snapshot, state: ModelState) -> frozenset[str]:
    """Name the attempts that are called for and on no record yet."""
    return frozenset(
        _name_of_next(request, snapshot, state=state) for request in wanted(snapshot, state)
    )


def never_asked(snapshot: Snapshot, state: ModelState) -> tuple[TransitionFacts, ...]:
    """List the attempts that were created, never recorded, and that nobody asks for any more.

    One that names its records was on record once, whatever has become of that ledger.
    """
    to_come = names_to_come(snapshot, state)
    return tuple(
        transition
        for name, transition in sorted(snapshot.transitions.items())
        if not (name in state.attempts or name in to_come or transition.status.get("ledger"))
    )


def asked_for(snapshot: Snapshot, state: ModelState) -> tuple[Request, ...]:
    """List everything that is asked for and not so yet: registrations, then the surface."""
    return (*_registrations(snapshot, state), *requests_now(snapshot, state))


def _retried(request: Request, snapshot: Snapshot, state: ModelState) -> Request:
    """Add the decision that has the request's latest attempt tried again, where there is one."""
    if opens_an_attempt(request, state.attempts_of(request.key)):
        return request
    latest = state.latest_attempt(request.key)
    return replace(request, retry=retry_of(latest, snapshot, state=state))


def registrations_to_reopen(state: ModelState) -> tuple[int, ...]:
    """List the versions whose registration was superseded and begins again by itself."""
    return tuple(
        number
        for number in state.versions.group(UNREGISTERED)
        if (latest := state.registration(number)) is not None and latest.reopens
    )


def access_needed(request: Request, snapshot: Snapshot) -> tuple[Access, ...]:
    """List the questions about the requester's rights; nobody unnamed can be asked about."""
    if not request.requester.username:
        return ()
    rights = rights_of_move(request.kind, source=request.source, target=request.key.target)
    return tuple(Access(request.requester, right, snapshot.key) for right in sorted(rights))


def requester_may(request: Request, snapshot: Snapshot) -> Verdict:
    """Whoever asked still holds the rights to ask."""
    if not request.requester.username:
        return deny("RequesterUnknown", "It is not known who asked.", "Ask again.")
    for question in access_needed(request, snapshot):
        answer = snapshot.access.get(question)
        if answer is None:
            return wait("RightNotReviewed", "Whether the requester may ask is not known yet.")
        if not answer:
            return deny("RequesterLacksRight", _lacked(question.right, request, snapshot))
    return allow("RequesterMay", f"{request.requester.username} may ask for this.")


def _registrations(snapshot: Snapshot, state: ModelState) -> tuple[Request, ...]:
    return tuple(
        Request(
            key=AttemptKey(number, Stage.REGISTERED),
            kind=Move.REGISTER,
            source=None,
            part="",
            reason=version.label,
            author=_registrant(version),
        )
        for number, version in sorted(snapshot.versions.items())
        if number not in state.versions or not state.versions[number].valid
    )


def _registrant(version: VersionFacts) -> AuthorItem | None:
    """Creating a version is the request to register it; its uid names the request."""
    if version.registered_by is None or not version.registered_by.username:
        return None
    return AuthorItem(id=version.uid, by=version.registered_by, of=())


def _claims(request: Request, snapshot: Snapshot, *, state: ModelState) -> tuple[Verdict, ...]:
    """Ask everything at once, so that a person sees all that is missing."""
    model, version = snapshot.model, snapshot.versions.get(request.key.version)
    if model is None:
        text = f"Model {snapshot.key.name} does not exist in {snapshot.key.namespace}."
        return (wait("ModelNotFound", text, "Apply the Model; the version waits for it."),)
    differs = governance_differs(snapshot, state)
    return (
        *(() if differs is None else (differs,)),
        *_claims_of_version(request, version, state=state),
        _author_is_known(request),
        *((requester_may(request, snapshot),) if request.requester.username else ()),
        *((retrier_may(request.retry, snapshot, state=state),) if request.retry else ()),
        *_claims_of_policy(request, snapshot, model=model),
        may_change_production(request.kind, request.key.target, model, state=state),
    )


def _claims_of_version(
    request: Request, version: VersionFacts | None, *, state: ModelState
) -> tuple[Verdict, ...]:
    """Ask for a whole version of whatever goes up; what was there once can always go down."""
    if request.kind in DOWNWARDS and request.key.version in state.versions:
        return (_version_is_registered(request, version, state=state),)
    return (
        _version_exists(request, version),
        _version_is_the_recorded_one(request, version, state=state),
        _version_is_registered(request, version, state=state),
    )


def _claims_of_policy(
    request: Request, snapshot: Snapshot, *, model: ModelFacts
) -> tuple[Verdict, ...]:
    """Ask what the policy asks of the step; a move down needs none, or a bad one would hold it.

    What moves without anybody writing it needs its leave either way.
    """
    if is_standing(request):
        allowed = automation_is_allowed(model.automation, snapshot.policy)
        if not allowed.allows:
            return (allowed,)
    if request.kind in DOWNWARDS:
        return ()
    if request.kind is Move.ROLLBACK:
        return (snapshot.policy,) if isinstance(snapshot.policy, Verdict) else ()
    return _policy_claims(request, snapshot.policy, model=model)


def _policy_claims(
    request: Request, policy: PolicyFacts | Verdict, *, model: ModelFacts
) -> tuple[Verdict, ...]:
    if isinstance(policy, Verdict):
        return (policy,)
    target = request.key.target
    step = policy.steps.get(target)
    known = policy_has_step(policy, model, target=target)
    if step is None or not known.allows:
        return (known,)
    return (
        policy_meets_floor(policy, model, target=target),
        gates_are_supported(step, model),
        gates_have_names_of_their_own(
            step,
            affects_people=model.affects_people,
            early=_early_gates(request, policy, model=model),
        ),
    )


def _version_exists(request: Request, version: VersionFacts | None) -> Verdict:
    if version is not None:
        return allow("VersionFound", "The version exists.")
    return wait(
        "VersionNotFound",
        f"Version {request.key.version} does not exist.",
        "Register it, or correct the number in spec.stages.",
    )


def _version_is_the_recorded_one(
    request: Request, version: VersionFacts | None, *, state: ModelState
) -> Verdict:
    """A number means one content for ever; another content under it is refused."""
    known = state.versions.get(request.key.version)
    if version is None or known is None or known.subject == version.subject:
        return allow("SameContent", "The version is what was registered.")
    return deny(
        "NumberTaken",
        f"Number {request.key.version} was registered with other content on {known.since}.",
        "Register this content under the next number.",
    )


def _version_is_registered(
    request: Request, version: VersionFacts | None, *, state: ModelState
) -> Verdict:
    known = state.versions.get(request.key.version)
    if request.kind is Move.REGISTER or version is None or (known is not None and known.valid):
        return allow("IsRegistered", "The version is registered, or is not there to be.")
    attempt = state.registration(request.key.version)
    if attempt is not None and attempt.is_open:
        return wait("Registering", f"Version {request.key.version} is being registered.")
    if attempt is None or attempt.reopens:
        return wait(
            "NotRegistered",
            f"Version {request.key.version} is not registered yet.",
            f"See kubectl describe modelversion {version.name}.",
        )
    return deny(
        "RegistrationFailed",
        f"The registration of version {request.key.version} failed: {attempt.sentence}",
        REGISTER_ANEW,
    )


def _author_is_known(request: Request) -> Verdict:
    if request.author is not None and request.author.by.username:
        return allow("AuthorKnown", "It is known who asked.")
    return wait(
        "AuthorUnknown",
        "Who asked for this is not stamped on the object.",
        "Check that the webhook runs, then write it again.",
    )


def may_change_production(
    kind: Move, target: Stage, model: ModelFacts, *, state: ModelState
) -> Verdict:
    """Nothing else changes Production just now, and what leaves it does not leave it empty."""
    if kind is Move.WITHDRAW:
        return leaves_production(model.stages, state)
    rollout = state.rollout()
    if rollout is None or target is not Stage.PRODUCTION:
        return allow("NoOtherRollout", "No other version is being rolled out.")
    return wait("RolloutInProgress", f"Version {rollout.key.version} is being rolled out just now.")


def _attempt(
    request: Request, snapshot: Snapshot, *, state: ModelState, identity: Identity
) -> NewAttempt:
    model = snapshot.model
    if model is None:
        raise ValueError("an attempt opens only where its claims were asked")
    version = snapshot.versions.get(request.key.version)
    number = state.attempts_at(request.key) + 1
    spec = {
        "model": snapshot.key.name,
        "version": request.key.version,
        "kind": request.kind.value,
        **({} if request.source is None else {"from": request.source.value}),
        "to": request.key.target.value,
        "attempt": number,
        "request": _request_json(request),
        "subjectDigest": _subject(request, version, state=state),
        **model.governed,
        **_guarded(request, version, snapshot=snapshot, state=state, identity=identity),
    }
    name = _name_of_next(request, snapshot, state=state)
    return NewAttempt(name=name, key=request.key, request=request, spec=spec)


def _name_of_next(request: Request, snapshot: Snapshot, *, state: ModelState) -> str:
    key, number = request.key, state.attempts_at(request.key) + 1
    return attempt_name(snapshot.key.name, key.version, target=key.target, number=number)


def _subject(request: Request, version: VersionFacts | None, *, state: ModelState) -> str:
    """Name what moves: going down, what was recorded, whatever has become of the object."""
    if version is None or request.kind in DOWNWARDS:
        return state.versions[request.key.version].subject
    return version.subject


def _guarded(
    request: Request,
    version: VersionFacts | None,
    *,
    snapshot: Snapshot,
    state: ModelState,
    identity: Identity,
) -> dict[str, Any]:
    """Freeze what guards the step; nothing guards a move down."""
    policy, model = snapshot.policy, snapshot.model
    if request.kind in DOWNWARDS:
        return {}
    if version is None or model is None or isinstance(policy, Verdict):
        raise ValueError("an attempt opens only where its claims were asked")
    step, excludes = _step_asked(request, policy)
    return {
        "policy": {"name": policy.name, "digest": policy.digest},
        **_champion(request, policy, model=model, state=state),
        "excluded": _excluded(version, excludes, identity),
        "allowedFormats": list(policy.allowed_formats),
        "requiredMetadata": list(policy.required_metadata),
        "step": step,
        **_early(request, policy, model=model),
        **_review_after(request, policy),
    }


def _step_asked(request: Request, policy: PolicyFacts) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """Find the step as it is stored, and whose votes it excludes."""
    if request.kind is Move.ROLLBACK:
        return returning_step(policy), policy.rollback.exclude
    step = policy.steps[request.key.target]
    return step.stored, step.approvals.exclude if step.approvals else ()


def _review_after(request: Request, policy: PolicyFacts) -> dict[str, Any]:
    days = policy.rollback.review_within_days
    if request.kind is not Move.ROLLBACK or days is None:
        return {}
    return {"reviewWithinDays": days}


def _request_json(request: Request) -> dict[str, Any]:
    entry: dict[str, Any] = {"version": request.key.version}
    if request.part:
        entry |= {"part": request.part}
    if request.reason:
        entry |= {"reason": request.reason}
    asked = {"id": request.id, "entry": entry, "author": request.requester.to_json()}
    return asked | _retry_json(request.retry)


def _retry_json(retry: DecisionFacts | None) -> dict[str, Any]:
    if retry is None or retry.by is None:
        return {}
    return {"retry": {"decision": retry.name, "uid": retry.uid, "by": retry.by.to_json()}}


def _early(request: Request, policy: PolicyFacts, *, model: ModelFacts) -> dict[str, Any]:
    """Freeze the gates of later steps that a registration runs once it has passed."""
    gates: dict[Stage, list[dict[str, Any]]] = {}
    for each in _early_gates(request, policy, model=model):
        written = {"name": each.gate.name, **each.gate.settings}
        gates.setdefault(each.step, []).append(written)
    early = [{"to": to.value, "gates": asked} for to, asked in gates.items()]
    return {"early": early} if early else {}


def _early_gates(
    request: Request, policy: PolicyFacts, *, model: ModelFacts
) -> tuple[EarlyGate, ...]:
    if request.kind is not Move.REGISTER:
        return ()
    return early_gates(policy, affects_people=model.affects_people)


def _champion(
    request: Request, policy: PolicyFacts, *, model: ModelFacts, state: ModelState
) -> dict[str, Any]:
    """Freeze which version this one would replace, or is compared with."""
    asked = [each.gate for each in _early_gates(request, policy, model=model)]
    if request.key.target is not Stage.PRODUCTION:
        step = policy.steps[request.key.target]
        asked += gates_asked(step, affects_people=model.affects_people)
        if not any(map(reads_champion, asked)):
            return {}
    champion = champion_now(state, request.key.version)
    return {} if champion is None else {"champion": champion}


def _excluded(
    version: VersionFacts, excludes: tuple[str, ...], identity: Identity
) -> list[dict[str, str]]:
    people = excluded_people(
        (subject.name for subject in version.trained_by if subject.kind is SubjectKind.USER),
        version.registered_by.username if version.registered_by else "",
        excludes=excludes,
        identity=identity,
    )
    return [{"name": person, "as": reason.value} for person, reason in sorted(people.items())]


def trainer_is_known(version: VersionFacts, excludes: tuple[str, ...]) -> Verdict:
    """Somebody is named who trained it; a machine or nobody cannot be kept from voting."""
    people = [
        subject
        for subject in version.trained_by
        if subject.kind is SubjectKind.USER and not is_service_account(subject.name)
    ]
    if people or "Trainer" not in excludes:
        return allow("TrainerKnown", "It is known who trained it.")
    return deny(
        "TrainerUnknown",
        "No person is named who trained it, so no approval can be told from a self-approval.",
        "Register the next version with the people answerable for its training in spec.trainedBy.",
    )


def _lacked(right: Right, request: Request, snapshot: Snapshot) -> str:
    return (
        right.lacked_by(
            request.requester.username,
            model=snapshot.key.name,
            namespace=snapshot.key.namespace,
        )
        + "."
    )
