"""What the cluster must show of the ledger: Jobs, labels and status, all repaired from here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from modelwarden.domain import labels
from modelwarden.domain.authors import SERVING
from modelwarden.domain.availability import (
    AFTER_ALL_OTHERS,
    CHECK,
    check_ends,
    check_to_start,
    is_awaited,
    versions_to_check,
)
from modelwarden.domain.departures import rollback_targets
from modelwarden.domain.discarded import Discarded, discarded
from modelwarden.domain.early import early_look
from modelwarden.domain.evidence import inputs_digest
from modelwarden.domain.facts import (
    DeploymentFacts,
    GateSpec,
    ModelFacts,
    RunFacts,
    RunKey,
    ServingTarget,
    Snapshot,
    TransitionFacts,
    VersionFacts,
)
from modelwarden.domain.gates import runs_in_a_pod
from modelwarden.domain.governance import governance_differs
from modelwarden.domain.identity import Identity
from modelwarden.domain.installation import ArtifactStore, Installation
from modelwarden.domain.model_status import model_status
from modelwarden.domain.names import job_name
from modelwarden.domain.opening import Hold, asked_for
from modelwarden.domain.patience import look_again_in
from modelwarden.domain.reviews import dues, new_reviews, review_counts, review_overdue
from modelwarden.domain.rollouts import (
    NOTHING_CARRIED,
    Carried,
    carried,
    carries,
    deployment_is_free,
    has_ever_carried,
    version_for,
)
from modelwarden.domain.slots import Claim, granted, why_not
from modelwarden.domain.stages import Stage
from modelwarden.domain.standing import GateStanding, Standing, standing
from modelwarden.domain.state import AttemptOutcome, ModelState, VersionState
from modelwarden.domain.transition_status import transition_status
from modelwarden.domain.verdicts import wait
from modelwarden.domain.version_status import version_status


@dataclass(frozen=True, kw_only=True)
class JobOrder:
    """A gate Job to create. `champion` is the version that the judged one would replace.

    `asked` is when the attempt opened: who asked first is first served.
    """

    name: str
    namespace: str
    run: RunKey
    gate: GateSpec
    transition: TransitionFacts
    version: VersionFacts
    store: ArtifactStore
    inputs_digest: str
    asked: str = ""
    champion: VersionState | None = None

    @property
    def claim(self) -> Claim:
        """What it competes with for a place."""
        return Claim(asked=self.asked, namespace=self.namespace, job=self.name)


@dataclass(frozen=True, kw_only=True)
class LabelOrder:
    """What a Deployment must carry of ours from now on."""

    deployment: DeploymentFacts
    wanted: Carried


@dataclass(frozen=True, kw_only=True)
class StatusOrder:
    """The status of one object; it is written only where it differs from what is there."""

    kind: str
    name: str
    resource_version: str
    uid: str
    status: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Projection:
    """Everything to be true in the cluster; each part may be applied any number of times.

    `waits` are the Jobs for which there is no place yet.
    """

    jobs: tuple[JobOrder, ...]
    waits: tuple[Claim, ...]
    finished: tuple[RunFacts, ...]
    labels: tuple[LabelOrder, ...]
    statuses: tuple[StatusOrder, ...]
    look_again: float | None


def project(
    snapshot: Snapshot,
    state: ModelState,
    *,
    holds: tuple[Hold, ...],
    installation: Installation,
) -> Projection:
    """Draw the whole picture of a Model from the facts and the fold."""
    looks = tuple(
        look
        for attempt in state.open_attempts()
        if (look := standing(attempt, snapshot, state=state, installation=installation)) is not None
    )
    early = tuple(
        look
        for attempt in state.measuring_attempts()
        if (look := early_look(attempt, snapshot, state=state, installation=installation))
        is not None
    )
    orders = (
        *_jobs((*looks, *early), snapshot, state=state, origin=installation.origin),
        *_check_order(snapshot, state, installation=installation),
    )
    limits = installation.gates
    finished = _finished(snapshot, state, origin=installation.origin)
    slots = snapshot.slots.without(run.job for run in finished)
    may_start = granted((order.claim for order in orders), slots, limits=limits)
    waits = [order for order in orders if order.name not in may_start]
    held = {order.run: why_not(order.claim, slots, limits=limits) for order in waits}
    looks = tuple(_without_a_place(look, held) for look in looks)
    early = tuple(_without_a_place(look, held) for look in early)
    return Projection(
        jobs=tuple(order for order in orders if order.name in may_start),
        waits=tuple(order.claim for order in waits),
        finished=finished,
        labels=_labels(snapshot, state),
        statuses=_statuses(
            snapshot, state, holds=holds, looks=looks, early=early, installation=installation
        ),
        look_again=look_again_in(
            (*looks, *early),
            state=state,
            holds=holds,
            ends=(
                *_ends(snapshot, state),
                *check_ends(snapshot, state, installation=installation),
            ),
            has_model=snapshot.model is not None,
            now=snapshot.now,
            unanswered=_is_unanswered(snapshot, state, installation.identity),
        ),
    )


def _without_a_place(look: Standing, held: Mapping[RunKey, str]) -> Standing:
    """Say of the gates that wait for a place for what they wait."""
    if not held:
        return look
    return replace(look, gates=tuple(_queued(gate, look, held) for gate in look.gates))


def _queued(gate: GateStanding, look: Standing, held: Mapping[RunKey, str]) -> GateStanding:
    why = held.get(RunKey(look.attempt.name, gate.gate.name, gate.tries))
    if why is None:
        return gate
    text = f"Gate {gate.gate.name} waits for its turn: {why}."
    return replace(gate, verdict=wait("GateQueued", text))


def _ends(snapshot: Snapshot, state: ModelState) -> list[datetime]:
    """List when time alone changes the picture: nobody may go back any more, a review is due."""
    targets = rollback_targets(state, snapshot.policy, now=snapshot.now)
    owed = () if snapshot.model is None else dues(snapshot.model, state)
    return [
        *(target.until for target in targets if target.until is not None),
        *(due.when for due in owed),
    ]


def _is_unanswered(snapshot: Snapshot, state: ModelState, identity: Identity) -> bool:
    """Nobody said yet whether the Model may be as it was made again, or a Review counts."""
    differs = governance_differs(snapshot, state)
    waiting = (
        review_counts(review, snapshot, state=state, identity=identity)
        for review in new_reviews(snapshot, state)
    )
    answers = (*(() if differs is None else (differs,)), *waiting)
    return any(answer.code == "RightNotReviewed" for answer in answers)


def _jobs(
    looks: tuple[Standing, ...], snapshot: Snapshot, *, state: ModelState, origin: str
) -> tuple[JobOrder, ...]:
    return tuple(
        _job(gate, look, store=look.store, snapshot=snapshot, state=state, origin=origin)
        for look in looks
        if look.attempt.outcome is not AttemptOutcome.ROLLING_OUT
        and isinstance(look.store, ArtifactStore)
        for gate in look.gates
        if _needs_a_job(gate)
    )


def _check_order(
    snapshot: Snapshot, state: ModelState, *, installation: Installation
) -> tuple[JobOrder, ...]:
    """Run the artifact gate again for the version whose turn it is."""
    turn = check_to_start(snapshot, state, installation=installation)
    if turn is None:
        return ()
    check, store = turn
    order = JobOrder(
        name=_name(check.key, snapshot, origin=installation.origin),
        namespace=snapshot.key.namespace,
        run=check.key,
        gate=CHECK,
        transition=check.transition,
        version=check.version,
        store=store,
        inputs_digest=inputs_digest(CHECK, check.transition),
        asked=AFTER_ALL_OTHERS,
    )
    return (order,)


def _needs_a_job(gate: GateStanding) -> bool:
    done = gate.recorded is not None and gate.recorded.final
    held = done or gate.obstacle is not None or gate.rests or gate.earlier is not None
    return runs_in_a_pod(gate.gate) and not held and gate.run is None


def _job(
    gate: GateStanding,
    look: Standing,
    *,
    store: ArtifactStore,
    snapshot: Snapshot,
    state: ModelState,
    origin: str,
) -> JobOrder:
    run = RunKey(look.attempt.name, gate.gate.name, gate.tries)
    return JobOrder(
        name=_name(run, snapshot, origin=origin),
        namespace=snapshot.key.namespace,
        run=run,
        gate=gate.gate,
        transition=look.transition,
        version=look.version,
        store=store,
        inputs_digest=inputs_digest(gate.gate, look.transition),
        asked=look.attempt.opened,
        champion=_champion(look, state),
    )


def _name(run: RunKey, snapshot: Snapshot, *, origin: str) -> str:
    return job_name(
        origin, snapshot.key.namespace, attempt=run.attempt, gate=run.gate, tries=run.tries
    )


def _champion(look: Standing, state: ModelState) -> VersionState | None:
    frozen = look.transition.spec.get("champion")
    return None if frozen is None else state.versions.get(frozen["version"])


def _finished(snapshot: Snapshot, state: ModelState, *, origin: str) -> tuple[RunFacts, ...]:
    """List the runs that nobody waits for any more, or that no record ever asked for."""
    done = []
    to_check = versions_to_check(state, snapshot.policy, now=snapshot.now)
    for key, run in snapshot.runs.items():
        attempt = state.attempts.get(key.attempt)
        if attempt is None:
            # Jobs of another ledger, which may share the namespace, have other names.
            done += [run] if run.job == _name(key, snapshot, origin=origin) else []
            continue
        if key.gate == CHECK.name:
            known = state.versions[attempt.key.version]
            done += [] if is_awaited(key, known, checked_versions=to_check) else [run]
            continue
        recorded = attempt.gates.get(key.gate)
        awaited = attempt.is_open or (attempt.measures and key.gate in attempt.gates_early)
        if not awaited or (recorded is not None and recorded.tries >= key.tries):
            done.append(run)
    return tuple(done)


def _labels(snapshot: Snapshot, state: ModelState) -> tuple[LabelOrder, ...]:
    """Say which Deployments must change; a label goes because of a record or its owner's edit."""
    if snapshot.model is None or governance_differs(snapshot, state) is not None:
        return ()
    orders = []
    for target in snapshot.model.serving:
        deployment = snapshot.deployments.get(target.deployment)
        free = deployment_is_free(deployment, target.deployment, key=snapshot.key)
        if deployment is None or not free.allows:
            continue
        wanted = carried(snapshot.key, version_for(target, state), stage=target.stage)
        if wanted is NOTHING_CARRIED and not has_ever_carried(target, state):
            continue
        if not carries(deployment, wanted):
            orders.append(LabelOrder(deployment=deployment, wanted=wanted))
    return (*orders, *_taken_out(snapshot, snapshot.model, state=state))


def _taken_out(
    snapshot: Snapshot, model: ModelFacts, *, state: ModelState
) -> tuple[LabelOrder, ...]:
    """Take our labels from the Deployments that somebody took out of the serving list.

    That it was somebody's edit is stamped; where no stamp says so, every label stays.
    """
    stamped = any(SERVING in item.of for item in model.authors)
    ever = any(has_ever_carried(ServingTarget(stage=s, deployment=""), state) for s in _SERVED)
    if not (stamped and ever):
        return ()
    named = {target.deployment for target in model.serving}
    return tuple(
        LabelOrder(deployment=deployment, wanted=NOTHING_CARRIED)
        for name, deployment in sorted(snapshot.deployments.items())
        if name not in named and deployment.labels.get(labels.MODEL) == snapshot.key.name
    )


_SERVED = (Stage.PRODUCTION, Stage.STAGING)


def _statuses(
    snapshot: Snapshot,
    state: ModelState,
    *,
    holds: tuple[Hold, ...],
    looks: tuple[Standing, ...],
    early: tuple[Standing, ...],
    installation: Installation,
) -> tuple[StatusOrder, ...]:
    """Draw statuses, versions first: who sees a Model in its new state sees its versions there."""
    by_attempt = {look.attempt.name: look for look in looks}
    early_by_attempt = {look.attempt.name: look for look in early}
    lost = _lost(snapshot, state, looks=by_attempt, identity=installation.identity)
    orders = [
        StatusOrder(
            kind="ModelVersion",
            name=version.name,
            resource_version=version.resource_version,
            uid=version.uid,
            status=version_status(version, snapshot, state=state, holds=holds),
        )
        for version in _demotions_first(snapshot, state)
    ]
    orders += [
        StatusOrder(
            kind="ModelTransition",
            name=transition.name,
            resource_version=transition.resource_version,
            uid=transition.uid,
            status=transition_status(
                transition,
                snapshot,
                state=state,
                look=by_attempt.get(transition.name),
                early=early_by_attempt.get(transition.name),
                lost=lost[transition.name],
                installation=installation,
            ),
        )
        for transition in snapshot.transitions.values()
    ]
    if snapshot.model is not None:
        status = model_status(
            snapshot.model,
            snapshot,
            state=state,
            holds=holds,
            looks=looks,
            differs=governance_differs(snapshot, state),
            review=review_overdue(
                snapshot.model, snapshot, state=state, identity=installation.identity
            ),
        )
        orders.append(
            StatusOrder(
                kind="Model",
                name=snapshot.key.name,
                resource_version=snapshot.model.resource_version,
                uid=snapshot.model.uid,
                status=status,
            )
        )
    return tuple(replace(order, status=_without_empties(order.status)) for order in orders)


def _lost(
    snapshot: Snapshot, state: ModelState, *, looks: Mapping[str, Standing], identity: Identity
) -> dict[str, tuple[Discarded, ...]]:
    """List, for every attempt that is looked at, the decisions that have no effect."""
    asked = frozenset(request.key for request in asked_for(snapshot, state))
    return {
        transition.name: discarded(
            attempt,
            transition,
            looks.get(transition.name),
            snapshot=snapshot,
            state=state,
            asked=asked,
            identity=identity,
        )
        if (attempt := state.attempts.get(transition.name)) is not None
        else ()
        for transition in snapshot.transitions.values()
    }


def _without_empties(value: Any) -> Any:
    """Leave empty objects and lists out: applied, a field that lost its content is null."""
    if isinstance(value, dict):
        kept = {key: _without_empties(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in ({}, [])}
    if isinstance(value, list):
        return [_without_empties(item) for item in value]
    return value


def _demotions_first(snapshot: Snapshot, state: ModelState) -> list[VersionFacts]:
    """Order versions so that no reader ever sees two of them in Production."""
    return sorted(
        snapshot.versions.values(),
        key=lambda version: (version.number == state.production, version.number),
    )
