"""Where an attempt stands: every claim that its step makes, asked at once.

The records that move it on and the status that tells of it are both written from this one value.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from modelwarden.domain.champion_gate import champion_of
from modelwarden.domain.departures import leaves_production
from modelwarden.domain.evidence import evidence_digest, inputs_digest, noted_since
from modelwarden.domain.facts import (
    Access,
    Artifact,
    GateSpec,
    ModelFacts,
    RunFacts,
    RunKey,
    RunState,
    Snapshot,
    TransitionFacts,
    VersionFacts,
)
from modelwarden.domain.gates import Case, gates_of_attempt, obstacle
from modelwarden.domain.identity import Identity
from modelwarden.domain.installation import ArtifactStore, GateLimits, Installation
from modelwarden.domain.movement import Request
from modelwarden.domain.opening import requester_may, trainer_is_known
from modelwarden.domain.reuse import Earlier, Question, being_measured, earlier_result
from modelwarden.domain.rights import right_to_decide
from modelwarden.domain.rollouts import (
    carried,
    deployment_is_free,
    production_targets,
    rollout_is_done,
)
from modelwarden.domain.run_causes import cause_of
from modelwarden.domain.runs import given_up, gives_up_at, rests_until, what_is_in_its_way
from modelwarden.domain.scribe import moment
from modelwarden.domain.stages import DOWNWARDS, Move, Stage
from modelwarden.domain.state import (
    AttemptState,
    GateOutcome,
    GateState,
    ModelState,
    VersionState,
    VoteState,
)
from modelwarden.domain.verdicts import Outcome, Verdict, allow, deny, wait
from modelwarden.domain.votes import Ballot, Vote, judge, quorum, quorum_is_possible


@dataclass(frozen=True, kw_only=True)
class GateStanding:
    """One gate: what it is, its last recorded result, and the run that is under way.

    `obstacle` is what it must wait for before it can be run or judged. `earlier` is a result of an
    earlier attempt that answers the same question. A gate that rests was inconclusive and is tried
    again later. `changes_at` is when time alone changes something: the rest is over, or a run that
    does not start is given up.
    """

    gate: GateSpec
    verdict: Verdict
    recorded: GateState | None
    run: RunFacts | None
    tries: int
    obstacle: Verdict | None = None
    rests: bool = False
    changes_at: datetime | None = None
    earlier: Earlier | None = None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """All that is known about an open attempt now."""

    attempt: AttemptState
    transition: TransitionFacts
    version: VersionFacts
    case: Case
    store: ArtifactStore | Verdict
    gates: tuple[GateStanding, ...]
    votes: tuple[Vote, ...]
    evidence: str
    approvals: tuple[Verdict, ...]
    commit: tuple[Verdict, ...]
    rollout: tuple[Verdict, ...]

    @property
    def counted(self) -> tuple[VoteState, ...]:
        """The votes on record that count now; once the rollout has begun, those that did then."""
        if self.attempt.rollout_begun:
            return self.attempt.decisive_votes
        uids = {vote.decision.uid for vote in self.votes if vote.counts}
        return tuple(vote for vote in self.attempt.votes if vote.uid in uids)

    @property
    def gates_passed(self) -> bool:
        """Every gate has passed, on record."""
        return all(gate.verdict.allows for gate in self.gates)

    @property
    def approved(self) -> bool:
        """Every claim about people holds."""
        return self.gates_passed and all(verdict.allows for verdict in self.approvals)

    @property
    def may_commit(self) -> bool:
        """Nothing stands between the attempt and its stage but the rollout."""
        return self.approved and all(verdict.allows for verdict in self.commit)

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Every answer, in the order in which a person reads them."""
        return (
            *(gate.verdict for gate in self.gates),
            *self.approvals,
            *self.commit,
            *self.rollout,
        )


def standing(
    attempt: AttemptState, snapshot: Snapshot, *, state: ModelState, installation: Installation
) -> Standing | None:
    """Look at an open attempt; None where its object or its version is not there to look at."""
    transition = snapshot.transitions.get(attempt.name)
    version = version_of(attempt, snapshot, state=state)
    if transition is None or version is None or snapshot.model is None:
        return None
    identity = installation.identity
    store = installation.store_of(version.artifact.uri, snapshot.key.namespace)
    champion = champion_of(transition, snapshot.versions)
    case = Case(attempt=transition, version=version, champion=champion)
    gates = tuple(
        _with_what_is_known(gate, attempt, case=case, snapshot=snapshot, state=state)
        for gate in _gates(attempt, case, snapshot=snapshot, limits=installation.gates)
    )
    passed = all(gate.verdict.allows for gate in gates)
    # Once the rollout has begun, what was approved is what is committed.
    evidence = attempt.evidence if attempt.rollout_begun else ""
    if passed and not attempt.rollout_begun:
        evidence = evidence_digest(attempt, version)
    ballot = _ballot(
        attempt,
        transition,
        snapshot=snapshot,
        identity=identity,
        evidence=evidence,
        noted_by=noted_since(attempt, state),
    )
    votes = () if ballot is None else judge(snapshot.decisions, ballot)
    # Once the rollout has begun, nobody is asked again.
    asked_again = not attempt.rollout_begun
    return Standing(
        attempt=attempt,
        transition=transition,
        version=version,
        case=case,
        store=store,
        gates=gates,
        votes=votes,
        evidence=evidence,
        approvals=_approvals(transition, version, votes=votes, identity=identity, ready=passed)
        if asked_again
        else (),
        commit=_commit(attempt, transition, snapshot=snapshot, state=state) if asked_again else (),
        rollout=_rollout(attempt, snapshot, state=state, model=snapshot.model),
    )


def version_of(
    attempt: AttemptState, snapshot: Snapshot, *, state: ModelState
) -> VersionFacts | None:
    """Find the version of an attempt; to go down it is enough that it was recorded once."""
    version = snapshot.versions.get(attempt.key.version)
    if attempt.kind not in DOWNWARDS:
        return version
    if version is not None and version.subject == attempt.subject:
        return version
    return as_recorded(state.versions[attempt.key.version])


def as_recorded(known: VersionState) -> VersionFacts:
    """Write what the ledger knows of a version whose object is gone."""
    return VersionFacts(
        name="",
        uid=known.uid,
        resource_version="",
        generation=0,
        number=known.number,
        subject=known.subject,
        artifact=Artifact(uri=known.artifact_uri, digest=known.artifact_digest, format=""),
        metrics=(),
        trained_by=(),
        registered_by=None,
        spec={},
        label=known.label,
    )


def access_of_attempt(attempt: AttemptState, snapshot: Snapshot) -> tuple[Access, ...]:
    """List the questions about the rights of whoever votes on an attempt."""
    transition = snapshot.transitions.get(attempt.name)
    if transition is None:
        return ()
    right = right_to_decide("Approve", attempt.key.target)
    return tuple(
        Access(decision.by, right, snapshot.key)
        for decision in snapshot.decisions
        if decision.by is not None and decision.by.username and decision.transition == attempt.name
    )


def _gates(
    attempt: AttemptState, case: Case, *, snapshot: Snapshot, limits: GateLimits
) -> tuple[GateStanding, ...]:
    return tuple(
        _gate(gate, attempt, case=case, snapshot=snapshot, limits=limits)
        for gate in gates_of_attempt(case.attempt)
    )


def _gate(
    gate: GateSpec, attempt: AttemptState, *, case: Case, snapshot: Snapshot, limits: GateLimits
) -> GateStanding:
    recorded = attempt.gates.get(gate.name)
    tries = 1 if recorded is None else recorded.tries + (0 if recorded.final else 1)
    found = snapshot.runs.get(RunKey(attempt.name, gate.name, tries))
    # What judges something else is not this gate's run, whatever it is called.
    ours = found is not None and found.inputs_digest == inputs_digest(gate, case.attempt)
    run = given_up(found, now=snapshot.now, limits=limits) if found is not None and ours else None
    rest = rests_until(recorded) if run is None else None
    rests = rest is not None and snapshot.now < rest
    verdict = _gate_verdict(gate, recorded, run=run, rest=rest if rests else None)
    if found is not None and not ours and verdict.outcome is Outcome.WAIT:
        verdict = _taken_name(gate, found)
    held = obstacle(gate, case) if verdict.outcome is Outcome.WAIT else None
    return GateStanding(
        gate=gate,
        verdict=held or verdict,
        recorded=recorded,
        run=run,
        tries=tries,
        obstacle=held,
        rests=rests,
        changes_at=rest if run is None else gives_up_at(run, limits=limits),
    )


def _with_what_is_known(
    gate: GateStanding,
    attempt: AttemptState,
    *,
    case: Case,
    snapshot: Snapshot,
    state: ModelState,
) -> GateStanding:
    """Take over what an earlier attempt has found, or wait for what one is about to find."""
    if gate.verdict.outcome is not Outcome.WAIT:
        return gate
    asked = Question(gate=gate.gate, attempt=attempt, transition=case.attempt)
    earlier = earlier_result(asked, state)
    if earlier is not None:
        taken = wait("GateFinished", f"Gate {gate.gate.name} has an answer; it is being recorded.")
        return replace(gate, verdict=taken, obstacle=None, earlier=earlier)
    measured = being_measured(asked, snapshot, state=state)
    return gate if measured is None else replace(gate, verdict=measured, obstacle=measured)


def _taken_name(gate: GateSpec, run: RunFacts) -> Verdict:
    return wait(
        "GateJobTaken",
        f"Gate {gate.name} cannot start: Job {run.job} has its name and judges something else.",
        "Delete that Job.",
    )


def _gate_verdict(
    gate: GateSpec, recorded: GateState | None, *, run: RunFacts | None, rest: datetime | None
) -> Verdict:
    if recorded is not None and recorded.final:
        if recorded.outcome is GateOutcome.PASSED:
            return allow(recorded.code, recorded.sentence)
        return deny(recorded.code, recorded.sentence)
    again = "" if recorded is None else f" The last try was inconclusive: {recorded.sentence}"
    if rest is not None:
        return wait("GateRetrying", f"Gate {gate.name} is tried again at {rest:%H:%M:%S}Z.{again}")
    if run is None:
        return wait("GatePending", f"Gate {gate.name} has not run yet.{again}")
    if run.state is RunState.FINISHED:
        return wait("GateFinished", f"Gate {gate.name} has ended; its result is being recorded.")
    if run.reason:
        text = f"Gate {gate.name} cannot start: {what_is_in_its_way(run)}{again}"
        return wait("GateWaiting", text, cause_of(run.reason).mend)
    return wait("GateRunning", f"Gate {gate.name} is running.{again}")


def _ballot(
    attempt: AttemptState,
    transition: TransitionFacts,
    *,
    snapshot: Snapshot,
    identity: Identity,
    evidence: str,
    noted_by: str | None,
) -> Ballot | None:
    rule = transition.step.approvals
    if rule is None:
        return None
    right = right_to_decide("Approve", attempt.key.target)
    return Ballot(
        attempt=transition,
        rule=rule,
        subject=attempt.subject,
        evidence=evidence,
        excluded=transition.excluded,
        identity=identity,
        may_approve={
            decision.uid: snapshot.access.get(Access(decision.by, right, snapshot.key))
            for decision in snapshot.decisions
            if decision.by is not None
        },
        now=snapshot.now,
        closed_with=_closed_with(attempt),
        noted_by=noted_by,
    )


def _closed_with(attempt: AttemptState) -> frozenset[str] | None:
    if not attempt.rollout_begun:
        return None
    return frozenset(vote.uid for vote in attempt.decisive_votes)


def _approvals(
    transition: TransitionFacts,
    version: VersionFacts,
    *,
    votes: tuple[Vote, ...],
    identity: Identity,
    ready: bool,
) -> tuple[Verdict, ...]:
    rule = transition.step.approvals
    if rule is None or (rule.owners == 0 and rule.reviewers == 0):
        return ()
    possible = quorum_is_possible(
        transition.owners,
        transition.reviewers,
        rule=rule,
        excluded=transition.excluded,
        identity=identity,
    )
    people = (trainer_is_known(version, rule.exclude), possible)
    if not ready:
        text = f"Approvals open once the gates have passed: {rule.owners} of the owners, "
        return (*people, wait("EvidenceNotReady", f"{text}{rule.reviewers} of the reviewers."))
    return (*people, quorum(votes, rule))


def _commit(
    attempt: AttemptState, transition: TransitionFacts, *, snapshot: Snapshot, state: ModelState
) -> tuple[Verdict, ...]:
    """Ask again, at the moment of commitment, what was asked when the attempt opened."""
    if attempt.kind is Move.REGISTER:
        return ()
    return (
        requester_may(request_of(attempt, transition), snapshot),
        *_leaving(attempt, snapshot, state=state),
        *_soak(attempt, transition, snapshot=snapshot, state=state),
    )


def _leaving(
    attempt: AttemptState, snapshot: Snapshot, *, state: ModelState
) -> tuple[Verdict, ...]:
    if attempt.kind is not Move.WITHDRAW or snapshot.model is None:
        return ()
    return (leaves_production(snapshot.model.stages, state),)


def request_of(attempt: AttemptState, transition: TransitionFacts) -> Request:
    """Read back from a frozen attempt what was asked, and by whom."""
    return Request(
        key=attempt.key,
        kind=attempt.kind,
        source=attempt.source,
        part=transition.spec["request"]["entry"].get("part", ""),
        reason=attempt.rationale,
        author=transition.requester,
    )


def _soak(
    attempt: AttemptState, transition: TransitionFacts, *, snapshot: Snapshot, state: ModelState
) -> tuple[Verdict, ...]:
    seconds = transition.step.soak_seconds
    if not seconds:
        return ()
    until = moment(state.versions[attempt.key.version].since) + timedelta(seconds=seconds)
    if snapshot.now >= until:
        return (allow("Soaked", "The version has been in its stage long enough."),)
    return (wait("Soaking", f"The version must stay in its stage until {until:%Y-%m-%d %H:%M}Z."),)


def _rollout(
    attempt: AttemptState, snapshot: Snapshot, *, state: ModelState, model: ModelFacts
) -> tuple[Verdict, ...]:
    """Ask of every Deployment whether it can take the version, and then whether it has."""
    if attempt.key.target is not Stage.PRODUCTION:
        return ()
    begun = bool(attempt.rollout_begun)
    wanted = carried(snapshot.key, state.versions.get(attempt.key.version), stage=Stage.PRODUCTION)
    verdicts = []
    for target in production_targets(model):
        deployment = snapshot.deployments.get(target.deployment)
        free = deployment_is_free(deployment, target.deployment, key=snapshot.key)
        if begun and free.allows and deployment is not None:
            verdicts.append(rollout_is_done(deployment, wanted))
        else:
            verdicts.append(free)
    return tuple(verdicts)
