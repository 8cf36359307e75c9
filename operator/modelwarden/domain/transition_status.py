"""The status of a ModelTransition: every gate, every vote and everything unmet, at once."""

from collections.abc import Sequence
from typing import Any

from modelwarden.domain.conditions import (
    MACHINE_AT_WORK,
    Condition,
    is_false,
    is_true,
    is_unknown,
    obstacle,
    written,
)
from modelwarden.domain.discarded import Discarded
from modelwarden.domain.facts import ApprovalRule, GateSpec, RunState, Snapshot, TransitionFacts
from modelwarden.domain.gates import gates_of_attempt, runs_in_a_pod
from modelwarden.domain.installation import Installation
from modelwarden.domain.names import job_name
from modelwarden.domain.stages import Stage
from modelwarden.domain.standing import GateStanding, Standing
from modelwarden.domain.state import (
    AttemptOutcome,
    AttemptState,
    GateOutcome,
    GateState,
    ModelState,
    VoteState,
)
from modelwarden.domain.texts import LONGEST_SENTENCE, shortened
from modelwarden.domain.verdicts import Verdict, deny, unmet

RECORDS_SHOWN = 128
VOTES_SHOWN = 32
DISCARDED_SHOWN = 64
UNMET_SHOWN = 32


def transition_status(
    transition: TransitionFacts,
    snapshot: Snapshot,
    *,
    state: ModelState,
    look: Standing | None,
    early: Standing | None = None,
    lost: Sequence[Discarded] = (),
    installation: Installation,
) -> dict[str, Any]:
    """Draw the picture of one attempt; `look` is there while it is open, `lost` has no effect.

    `early` is there while a registration that has passed runs gates of later steps.
    """
    attempt = state.attempts.get(transition.name)
    if attempt is None:
        return {"observedGeneration": transition.generation}
    held = () if look is None else unmet(look.verdicts)
    status: dict[str, Any] = {
        "observedGeneration": transition.generation,
        "gates": _gates(
            attempt,
            transition,
            look=look or early,
            installation=installation,
            namespace=snapshot.key.namespace,
        ),
        "votes": _votes(attempt, look, lost=lost),
        "summary": _summary(attempt, transition, look=look),
        "ledger": list(attempt.indices[-RECORDS_SHOWN:]),
        "conditions": written(
            _conditions(attempt, transition, look=look, held=held),
            generation=transition.generation,
            now=snapshot.now,
            before=transition.status.get("conditions", ()),
        ),
    }
    evidence = attempt.evidence if look is None else look.evidence
    if evidence:
        status["evidenceDigest"] = evidence
    if held:
        status["unmet"] = [obstacle(verdict) for verdict in held[:UNMET_SHOWN]]
    return status


def _gates(
    attempt: AttemptState,
    transition: TransitionFacts,
    *,
    look: Standing | None,
    installation: Installation,
    namespace: str,
) -> list[dict[str, Any]]:
    standings = {} if look is None else {gate.gate.name: gate for gate in look.gates}
    shown: list[tuple[GateSpec, Stage | None]] = [
        (gate, None) for gate in gates_of_attempt(transition)
    ]
    if attempt.outcome is AttemptOutcome.SUCCEEDED:
        shown += [(each.gate, each.step) for each in transition.early]
    told = []
    for gate, step in shown:
        recorded, now = attempt.gates.get(gate.name), standings.get(gate.name)
        job = job_name(
            installation.origin,
            namespace,
            attempt=attempt.name,
            gate=gate.name,
            tries=_last_try(recorded, now),
        )
        home = f"{installation.gates_namespace}/{job}" if runs_in_a_pod(gate) else ""
        told.append(_gate(gate.name, recorded, step=step, now=now, job=home))
    return told


def _last_try(recorded: GateState | None, now: GateStanding | None) -> int:
    if recorded is not None and (recorded.final or now is None):
        return recorded.tries
    return 1 if now is None else now.tries


def _gate(
    name: str,
    recorded: GateState | None,
    *,
    step: Stage | None,
    now: GateStanding | None,
    job: str,
) -> dict[str, Any]:
    told: dict[str, Any] = {"name": name, "outcome": _gate_outcome(recorded, now)}
    if step is not None:
        told["step"] = step.value
    if recorded is not None:
        told |= {
            "code": recorded.code,
            "message": shortened(recorded.sentence, LONGEST_SENTENCE),
            "tries": recorded.tries,
            "finishedAt": recorded.finished,
            "ledgerIndex": recorded.index,
        }
        if recorded.evidence:
            told["evidence"] = recorded.evidence
        if recorded.checks:
            told["checks"] = [dict(check) for check in recorded.checks]
        if recorded.log_tail:
            told["logTail"] = recorded.log_tail
    elif now is not None:
        told |= {
            "code": now.verdict.code,
            "message": shortened(now.verdict.sentence, LONGEST_SENTENCE),
        }
    if job:
        told["job"] = job
    return told


def _gate_outcome(recorded: GateState | None, now: GateStanding | None) -> str:
    if recorded is not None and recorded.final:
        return recorded.outcome.value
    if now is not None and now.run is not None and now.run.state is RunState.RUNNING:
        return "Running"
    return "Pending" if recorded is None else recorded.outcome.value


def _votes(
    attempt: AttemptState, look: Standing | None, *, lost: Sequence[Discarded]
) -> dict[str, Any]:
    votes: dict[str, Any] = {}
    counted = _counting(attempt, look)
    if counted:
        votes["counted"] = [_counted(vote) for vote in counted[:VOTES_SHOWN]]
    if lost:
        votes["discarded"] = [_discarded(each) for each in lost[-DISCARDED_SHOWN:]]
    return votes


def _counting(attempt: AttemptState, look: Standing | None) -> tuple[VoteState, ...]:
    return attempt.decisive_votes if look is None else look.counted


def _counted(vote: VoteState) -> dict[str, Any]:
    told: dict[str, Any] = {"decision": vote.decision, "kind": vote.kind}
    told |= {"by": vote.actor.username, "at": vote.time, "ledgerIndex": vote.index}
    return told | ({"as": vote.roles[0]} if vote.roles else {})


def _discarded(lost: Discarded) -> dict[str, Any]:
    return {
        "decision": lost.decision.name,
        "by": lost.decision.by.username if lost.decision.by else "",
        "reason": lost.verdict.code,
        "message": shortened(lost.verdict.message, LONGEST_SENTENCE),
    }


def _summary(
    attempt: AttemptState, transition: TransitionFacts, *, look: Standing | None
) -> dict[str, Any]:
    own = attempt.gates_of_the_step.values()
    passed = sum(gate.outcome is GateOutcome.PASSED for gate in own)
    summary = {
        "gates": f"{passed}/{len(attempt.gates_expected)}",
        "outcome": attempt.outcome.value,
    }
    rule = transition.step.approvals
    if rule is not None and _asks_people(rule):
        given = sum(vote.kind == "Approve" for vote in _counting(attempt, look))
        summary["approvals"] = f"{given}/{rule.owners + rule.reviewers}"
    return summary


def _asks_people(rule: ApprovalRule) -> bool:
    return rule.owners + rule.reviewers > 0


def _conditions(
    attempt: AttemptState,
    transition: TransitionFacts,
    *,
    look: Standing | None,
    held: tuple[Verdict, ...],
) -> tuple[Condition, ...]:
    end = _end(attempt, held)
    busy = [verdict for verdict in held if verdict.code in MACHINE_AT_WORK]
    lost = attempt.outcome in (AttemptOutcome.FAILED, AttemptOutcome.REJECTED)
    denied = [verdict for verdict in held if verdict.denies]
    stuck = denied[0] if denied else deny(end.reason, end.message)
    return (
        _validated(attempt),
        *_approved(attempt, transition, look=look),
        *_rolled_out(attempt),
        end,
        Condition("Ready", not lost and not denied, stuck.code, stuck.message)
        if lost or denied
        else is_true("Ready", end.reason, end.message),
        is_true("Reconciling", busy[0].code, busy[0].message)
        if busy and not denied
        else is_false("Reconciling", "NothingUnderWay", "No machine is at work."),
        Condition("Stalled", bool(lost or denied), stuck.code, stuck.message)
        if lost or denied
        else is_false("Stalled", "NotStalled", "Nothing was refused."),
    )


def _end(attempt: AttemptState, held: tuple[Verdict, ...]) -> Condition:
    """Say whether the attempt succeeded; while it is open, what it waits for."""
    if attempt.outcome is AttemptOutcome.SUCCEEDED:
        return is_true("Succeeded", "Succeeded", f"In {attempt.key.target}.")
    if attempt.is_open:
        text = " ".join(verdict.message for verdict in held) or "The next step is being taken."
        return is_unknown("Succeeded", held[0].code if held else "UnderWay", text)
    return is_false("Succeeded", attempt.code, attempt.sentence)


def _validated(attempt: AttemptState) -> Condition:
    own = attempt.gates_of_the_step.values()
    lost = [gate for gate in own if gate.final and gate.outcome is not GateOutcome.PASSED]
    if lost:
        text = " ".join(f"{gate.name}: {gate.sentence}" for gate in lost)
        return is_false("Validated", lost[0].code, text)
    if not attempt.gates_expected:
        return is_true("Validated", "NoGateAsked", "A move down asks no gate.")
    if attempt.gates_finished:
        return is_true("Validated", "GatesPassed", "Every gate has passed.")
    missing = [name for name in attempt.gates_expected if name not in attempt.gates]
    return is_unknown("Validated", "GatesRunning", f"Waiting for {', '.join(missing)}.")


def _approved(
    attempt: AttemptState, transition: TransitionFacts, *, look: Standing | None
) -> tuple[Condition, ...]:
    rule = transition.step.approvals
    if rule is None or not _asks_people(rule):
        return ()
    if attempt.outcome is AttemptOutcome.REJECTED:
        return (
            is_false("Approved", attempt.code, attempt.sentence),
            is_true("Rejected", attempt.code, attempt.sentence),
        )
    begun = attempt.rollout_begun or attempt.outcome is AttemptOutcome.SUCCEEDED
    if begun:
        names = ", ".join(vote.actor.username for vote in attempt.decisive_votes)
        return (is_true("Approved", "Approved", f"Approved by {names}."),)
    if look is None:
        return (is_false("Approved", attempt.code or "Ended", attempt.sentence),)
    held = unmet(look.approvals)
    if held:
        text = " ".join(verdict.message for verdict in held)
        return (is_unknown("Approved", held[0].code, text),)
    return (is_true("Approved", "Approved", look.approvals[-1].sentence),)


def _rolled_out(attempt: AttemptState) -> tuple[Condition, ...]:
    if not attempt.rollout_begun:
        return ()
    if attempt.outcome is AttemptOutcome.SUCCEEDED and attempt.code == "NotServing":
        return (is_true("RolledOut", attempt.code, attempt.sentence),)
    if attempt.outcome is AttemptOutcome.SUCCEEDED:
        return (is_true("RolledOut", "RolledOut", "Every Deployment serves it."),)
    if attempt.is_open:
        return (is_unknown("RolledOut", "RollingOut", "The Deployments are rolling out."),)
    return (is_false("RolledOut", attempt.code, attempt.sentence),)
