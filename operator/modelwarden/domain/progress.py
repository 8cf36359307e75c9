"""What is recorded next of an open attempt: one step at a time, each from what is already known."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from modelwarden.domain.automation import is_standing
from modelwarden.domain.canonical import digest_of
from modelwarden.domain.champion_gate import champion_is_the_same
from modelwarden.domain.departures import when_rolled_back, when_superseded
from modelwarden.domain.descents import descended
from modelwarden.domain.evidence import evidence_key, result_evidence
from modelwarden.domain.facts import (
    FROZEN,
    ModelFacts,
    PolicyFacts,
    RunState,
    Snapshot,
    SubjectKind,
)
from modelwarden.domain.gate_results import GateResult
from modelwarden.domain.gates import judge, judge_measured, reads_champion, runs_in_a_pod
from modelwarden.domain.measured import metrics_to_json
from modelwarden.domain.movement import staging_request
from modelwarden.domain.records import Operation, Record, StageMove
from modelwarden.domain.reuse import Question, taken_over
from modelwarden.domain.rollouts import failure_of_rollout, production_targets
from modelwarden.domain.run_causes import advice_on
from modelwarden.domain.runs import TRIES, run_result
from modelwarden.domain.scribe import Scribe, actor_of, moment, timestamp
from modelwarden.domain.stages import DOWNWARDS, Move, Stage
from modelwarden.domain.standing import GateStanding, Standing, request_of
from modelwarden.domain.state import (
    AttemptOutcome,
    AttemptState,
    Certainty,
    GateOutcome,
    ModelState,
)
from modelwarden.domain.texts import LONGEST_SENTENCE, plain_lines, shortened, within_bytes
from modelwarden.domain.verdicts import Verdict, deny
from modelwarden.domain.votes import Vote
from modelwarden.domain.wishes import requests_now


@dataclass(frozen=True, kw_only=True)
class Step:
    """Records to append together, and the evidence that they name."""

    records: tuple[Record, ...] = ()
    evidence: tuple[dict[str, Any], ...] = ()

    def joined_with(self, other: "Step") -> "Step":
        """Take two independent steps at once."""
        return Step(
            records=(*self.records, *other.records), evidence=(*self.evidence, *other.evidence)
        )


NO_STEP = Step()


def next_step(
    attempt: AttemptState,
    look: Standing | None,
    *,
    snapshot: Snapshot,
    state: ModelState,
    scribe: Scribe,
) -> Step:
    """Say what is recorded next; nothing where the attempt waits."""
    end = _end(attempt, look, snapshot=snapshot, state=state)
    if end is not None:
        return Step(records=(_closing(attempt, end, scribe=scribe),))
    if look is None or snapshot.model is None:
        return NO_STEP
    if attempt.outcome is AttemptOutcome.ROLLING_OUT:
        return _roll_out(look, snapshot, model=snapshot.model, state=state, scribe=scribe)
    finished = finished_gates(look, scribe)
    if finished.records:
        return finished
    votes = _votes(look, scribe)
    if votes.records:
        return votes
    if look.may_commit:
        return _commit(look, snapshot, model=snapshot.model, state=state, scribe=scribe)
    return NO_STEP


def ended_by(attempt: AttemptState, verdict: Verdict, *, scribe: Scribe) -> Step:
    """End an attempt that a verdict about the whole Model denies; the request may try again."""
    if not verdict.denies:
        return NO_STEP
    return Step(records=(_closing(attempt, End(verdict, reopens=True), scribe=scribe),))


@dataclass(frozen=True)
class End:
    """Why an open attempt ends without its stage; `reopens` lets the same request try again."""

    verdict: Verdict
    reopens: bool


def _end(
    attempt: AttemptState, look: Standing | None, *, snapshot: Snapshot, state: ModelState
) -> End | None:
    model = snapshot.model
    if model is None:
        return End(deny("ModelGone", "The Model does not exist any more."), reopens=True)
    if look is None or not _is_the_recorded_one(look):
        return End(deny("AttemptVanished", "The ModelTransition or version is gone."), reopens=True)
    if attempt.outcome is AttemptOutcome.ROLLING_OUT:
        return _abortion(attempt, model, state=state)
    if look.version.subject != attempt.subject:
        return End(deny("ContentChanged", "The version has other content now."), reopens=True)
    changed = _what_changed(look, model, policy=snapshot.policy)
    if changed and attempt.kind not in DOWNWARDS:
        sentence = f"{', '.join(changed)} changed since the attempt opened."
        return End(deny("GovernedFieldsChanged", sentence), reopens=True)
    if attempt.kind is not Move.REGISTER and not _still_wanted(look, snapshot, state=state):
        return End(deny("TakenBack", _nothing_asks(look)), reopens=False)
    champion = champion_is_the_same(look.transition, state)
    if champion.denies and any(reads_champion(gate.gate) for gate in look.gates):
        return End(champion, reopens=True)
    return None


def _is_the_recorded_one(look: Standing) -> bool:
    """The ModelTransition is the very object that was recorded, and says what it said then."""
    return (look.transition.uid, look.transition.digest) == (look.attempt.uid, look.attempt.spec)


def _abortion(attempt: AttemptState, model: ModelFacts, *, state: ModelState) -> End | None:
    """End a begun rollout only where the entry is gone or names what is in Production."""
    entry = model.stages.production
    if entry is not None and entry.version != state.production:
        return None
    edit = "was taken out" if entry is None else f"names {entry.version} again"
    sentence = f"While version {attempt.key.version} was rolled out, stages.production {edit}."
    return End(deny("RolloutAborted", f"{_put_back(state)}{sentence}"), reopens=False)


def _put_back(state: ModelState) -> str:
    return "" if state.production is None else f"Version {state.production} is put back. "


def _still_wanted(look: Standing, snapshot: Snapshot, *, state: ModelState) -> bool:
    """Say whether it is asked for; what a person took back does not go on by a standing order."""
    by_order = is_standing(request_of(look.attempt, look.transition))
    asked = {
        (request.key, request.kind)
        for request in requests_now(snapshot, state)
        if by_order or not is_standing(request)
    }
    return (look.attempt.key, look.attempt.kind) in asked


def _nothing_asks(look: Standing) -> str:
    if is_standing(request_of(look.attempt, look.transition)):
        return "spec.automation does not ask for it any more."
    return "Nothing in spec.stages asks for it any more."


def _what_changed(
    look: Standing, model: ModelFacts, *, policy: PolicyFacts | Verdict
) -> tuple[str, ...]:
    frozen = look.transition.spec
    changed = [name for name in FROZEN if frozen.get(name) != model.governed.get(name)]
    if isinstance(policy, PolicyFacts) and policy.name != look.transition.policy:
        changed.append("policy")
    return tuple(sorted(changed))


def _closing(attempt: AttemptState, end: End, *, scribe: Scribe) -> Record:
    rolling = attempt.outcome is AttemptOutcome.ROLLING_OUT
    return scribe.of_attempt(
        Operation.ROLLOUT_ABORTED if rolling else Operation.SUPERSEDED,
        attempt,
        facts={
            "code": end.verdict.code,
            "sentence": end.verdict.sentence,
            "reopens": end.reopens,
            **({"putBack": True} if rolling else {}),
        },
    )


def finished_gates(look: Standing, scribe: Scribe) -> Step:
    """Record every gate that has an answer now, measured just now or taken over."""
    step = NO_STEP
    for gate in look.gates:
        if gate.earlier is not None:
            asked = Question(gate=gate.gate, attempt=look.attempt, transition=look.transition)
            taken = taken_over(asked, gate.earlier, scribe)
            step = step.joined_with(Step(records=(taken,)))
            continue
        result = _result(gate, look)
        if result is not None:
            step = step.joined_with(_gate_finished(gate, result, look=look, scribe=scribe))
    return step


def _result(gate: GateStanding, look: Standing) -> GateResult | None:
    """Say how a gate ended that has not been recorded yet; None while it runs or waits."""
    if gate.obstacle is not None or (gate.recorded is not None and gate.recorded.final):
        return None
    if not runs_in_a_pod(gate.gate):
        return judge(gate.gate, look.case)
    if isinstance(look.store, Verdict):
        return GateResult(
            outcome=GateOutcome.FAILED, code=look.store.code, sentence=look.store.message
        )
    if gate.run is None or gate.run.state is not RunState.FINISHED:
        return None
    result = run_result(gate.run, gate.gate, digest=look.version.artifact.digest)
    return judge_measured(gate.gate, look.case, result)


def _gate_finished(
    gate: GateStanding, result: GateResult, *, look: Standing, scribe: Scribe
) -> Step:
    final = result.outcome is not GateOutcome.INCONCLUSIVE or gate.tries >= TRIES
    content = {
        "outcome": result.outcome.value,
        "code": result.code,
        "sentence": result.sentence,
        "checks": [check.to_json() for check in result.checks],
        "facts": dict(result.facts),
        **({"metrics": metrics_to_json(result.metrics)} if result.metrics else {}),
        "omitted": dict(result.omitted),
        "startedAt": result.started_at,
        "endedAt": result.ended_at,
        "run": "" if gate.run is None else gate.run.uid,
        "logTail": plain_lines(_log_of(gate, result)),
    }
    evidence = result_evidence(gate.gate, look.transition, result=content)
    record = scribe.of_attempt(
        Operation.GATE_FINISHED,
        look.attempt,
        evidence={"result": digest_of(evidence)},
        uids={} if gate.run is None else {"job": gate.run.uid},
        policy=look.transition.policy_digest,
        facts={
            "gate": gate.gate.name,
            "kind": gate.gate.kind,
            "outcome": result.outcome.value,
            "code": result.code,
            "sentence": _sentence(result, final=final),
            "try": gate.tries,
            "final": final,
            "key": evidence_key(gate.gate, look.transition),
            **({"freeCode": True} if result.free_code else {}),
            **_for_the_status(result, gate),
        },
    )
    return Step(records=(record,), evidence=(evidence,))


def _sentence(result: GateResult, *, final: bool) -> str:
    """Give the result's sentence, and what to do about it once nothing is tried again."""
    advice = advice_on(result.code) if final else ""
    return shortened(f"{result.sentence} {advice}".strip(), LONGEST_SENTENCE)


def _for_the_status(result: GateResult, gate: GateStanding) -> dict[str, Any]:
    """Give what those who cannot read evidence see: what failed, and the end of the log."""
    failed = [check for check in result.checks if check.outcome is not GateOutcome.PASSED]
    told: dict[str, Any] = {}
    if failed:
        told["checks"] = [
            {
                "name": within_bytes(check.name, _NAME),
                "outcome": check.outcome.value,
                "observed": within_bytes(check.observed, _VALUE),
                "expected": within_bytes(check.expected, _VALUE),
            }
            for check in failed[:_CHECKS]
        ]
    log = _log_of(gate, result)
    if log:
        told["logTail"] = within_bytes(plain_lines(log[-_LOG:]), _LOG)
    return told


def _log_of(gate: GateStanding, result: GateResult) -> str:
    """Give the end of a run's log; what passed has nothing more to say."""
    if gate.run is None or result.outcome is GateOutcome.PASSED:
        return ""
    return gate.run.log_tail


# In bytes: a record has 16 KiB for everything, and the whole result is in the evidence.
_CHECKS = 8
_NAME = 128
_VALUE = 200
_LOG = 2000


def _votes(look: Standing, scribe: Scribe) -> Step:
    """Record every vote that counts for the first time, and every one that was taken back."""
    recorded = {vote.uid for vote in look.attempt.votes}
    news = [
        _voted(vote, look, scribe=scribe)
        for vote in look.votes
        if vote.counts and vote.decision.uid not in recorded
    ]
    gone = [
        scribe.of_attempt(
            Operation.RETRACTED,
            look.attempt,
            actor=actor_of(vote.decision.by) if vote.decision.by else None,
            facts={"vote": vote.decision.uid, "code": vote.verdict.code},
        )
        for vote in look.votes
        if not vote.counts and vote.decision.uid in recorded and vote.verdict.code in _TAKEN_BACK
    ]
    return Step(records=(*gone, *news))


_TAKEN_BACK = frozenset({"Retracted", "Replaced"})


def _voted(vote: Vote, look: Standing, *, scribe: Scribe) -> Record:
    groups = tuple(
        subject.name
        for subject in (*look.transition.owners, *look.transition.reviewers)
        if subject.kind is SubjectKind.GROUP
    )
    if vote.decision.by is None:
        raise ValueError("a vote that counts has a voter")
    return scribe.of_attempt(
        Operation.VOTED,
        look.attempt,
        actor=actor_of(vote.decision.by, groups),
        rationale=vote.decision.rationale,
        uids={"decision": vote.decision.uid},
        policy=look.transition.policy_digest,
        facts={
            "decision": vote.decision.name,
            "vote": vote.decision.kind,
            "person": vote.person,
            "roles": list(vote.roles),
            "evidenceDigest": vote.decision.evidence_digest,
        },
    )


def _commit(
    look: Standing,
    snapshot: Snapshot,
    *,
    model: ModelFacts,
    state: ModelState,
    scribe: Scribe,
) -> Step:
    attempt = look.attempt
    if attempt.kind in DOWNWARDS:
        return Step(records=(descended(look, snapshot, state=state, scribe=scribe),))
    if attempt.kind is Move.REGISTER:
        return Step(records=(_registered(look, scribe),))
    if attempt.key.target is not Stage.PRODUCTION:
        return Step(records=(_promoted(look, model, state=state, scribe=scribe),))
    if not production_targets(model):
        return Step(
            records=(
                _promoted(look, model, state=state, scribe=scribe, certainty=Certainty.DECLARED),
            )
        )
    if all(verdict.allows for verdict in look.rollout):
        return Step(records=(_rollout_begun(look, model, scribe=scribe),))
    return NO_STEP


def _registered(look: Standing, scribe: Scribe) -> Record:
    return scribe.of_attempt(
        Operation.REGISTERED,
        look.attempt,
        policy=look.transition.policy_digest,
        facts=_grounds(look),
    )


def _rollout_begun(look: Standing, model: ModelFacts, *, scribe: Scribe) -> Record:
    deployments = [target.deployment for target in production_targets(model)]
    return scribe.of_attempt(
        Operation.ROLLOUT_BEGUN,
        look.attempt,
        policy=look.transition.policy_digest,
        facts={"deployments": deployments, **_grounds(look)},
    )


def _roll_out(
    look: Standing,
    snapshot: Snapshot,
    *,
    model: ModelFacts,
    state: ModelState,
    scribe: Scribe,
) -> Step:
    seconds = look.transition.step.rollout_timeout_seconds
    failure = failure_of_rollout(
        look.rollout, late_after=seconds if _timed_out(look, snapshot) else None
    )
    if failure is not None:
        return Step(records=(_rollout_failed(look, failure, state=state, scribe=scribe),))
    if not all(verdict.allows for verdict in look.rollout):
        return NO_STEP
    serving = any(verdict.code != "NotServing" for verdict in look.rollout)
    certainty = Certainty.EXACT if serving else Certainty.DECLARED
    return Step(records=(_promoted(look, model, state=state, scribe=scribe, certainty=certainty),))


def _timed_out(look: Standing, snapshot: Snapshot) -> bool:
    limit = timedelta(seconds=look.transition.step.rollout_timeout_seconds)
    return snapshot.now > moment(look.attempt.rollout_begun) + limit


def _rollout_failed(
    look: Standing, verdict: Verdict, *, state: ModelState, scribe: Scribe
) -> Record:
    # What the pods said is kept; what to look at is gone with them.
    sentence = f"{_put_back(state)}{verdict.sentence}"
    return scribe.of_attempt(
        Operation.ROLLOUT_FAILED,
        look.attempt,
        facts={
            "code": verdict.code,
            "sentence": shortened(sentence, LONGEST_SENTENCE),
            "putBack": True,
        },
    )


def _promoted(
    look: Standing,
    model: ModelFacts,
    *,
    state: ModelState,
    scribe: Scribe,
    certainty: Certainty | None = None,
) -> Record:
    attempt = look.attempt
    facts = _grounds(look)
    if certainty is not None:
        facts |= {"certainty": certainty.value, "rolloutBegun": attempt.rollout_begun}
    if attempt.rollout_begun and certainty is Certainty.DECLARED:
        facts |= {"code": "NotServing", "sentence": "No Deployment has replicas: nothing serves."}
    replaced = _replaced(attempt, state)
    if replaced is not None:
        facts["spentRequest"] = staging_request(model, replaced)
    returned = attempt.kind is Move.ROLLBACK
    if returned:
        facts |= _review_due(look, scribe)
    return scribe.of_attempt(
        Operation.ROLLED_BACK if returned else Operation.PROMOTED,
        attempt,
        rationale=attempt.rationale,
        moves=_moves(attempt, model, state=state),
        policy=look.transition.policy_digest,
        facts=facts,
    )


def _moves(attempt: AttemptState, model: ModelFacts, *, state: ModelState) -> tuple[StageMove, ...]:
    """Move the version up and, in the same record, the one that it replaces out of its way."""
    number = attempt.key.version
    up = StageMove(version=number, source=state.stage_of(number), target=attempt.key.target)
    replaced = _replaced(attempt, state)
    if replaced is None:
        return (up,)
    goes = when_rolled_back if attempt.kind is Move.ROLLBACK else when_superseded
    out = StageMove(version=replaced, source=Stage.PRODUCTION, target=goes(model.stages, replaced))
    return (up, out)


def _review_due(look: Standing, scribe: Scribe) -> dict[str, str]:
    """Say until when another person must have looked at a rollback."""
    days = look.transition.spec.get("reviewWithinDays")
    return {} if days is None else {"reviewDue": timestamp(scribe.now + timedelta(days=days))}


def _replaced(attempt: AttemptState, state: ModelState) -> int | None:
    return state.production if attempt.key.target is Stage.PRODUCTION else None


def _grounds(look: Standing) -> dict[str, Any]:
    """Say what a commitment rests on: who approved, on which results."""
    counted = [vote for vote in look.counted if vote.kind == "Approve"]
    return {
        "approvals": [
            {
                "decision": vote.decision,
                "by": vote.actor.username,
                "as": list(vote.roles),
                "index": vote.index,
            }
            for vote in counted[:APPROVALS_NAMED]
        ],
        "gates": {n: gate.evidence for n, gate in look.attempt.gates_of_the_step.items()},
        "evidenceDigest": look.evidence,
    }


# More voters than any step asks for; all of them are in records of their own.
APPROVALS_NAMED = 24
