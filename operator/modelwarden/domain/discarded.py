"""Decisions about an attempt that have no effect, each with the reason: open or ended alike."""

from collections.abc import Collection
from dataclasses import dataclass

from modelwarden.domain.evidence import evidence_digest, noted_since
from modelwarden.domain.facts import ApprovalRule, DecisionFacts, Snapshot, TransitionFacts
from modelwarden.domain.identity import Identity
from modelwarden.domain.retries import RETRY, answer
from modelwarden.domain.reviews import new_reviews, review_counts
from modelwarden.domain.scribe import moment
from modelwarden.domain.standing import Standing
from modelwarden.domain.state import AttemptKey, AttemptState, GateOutcome, ModelState
from modelwarden.domain.verdicts import Verdict, deny
from modelwarden.domain.votes import LATE, Ballot, Vote, judge

# A step that asks for no approvals takes votes all the same; they decide nothing.
_NO_RULE = ApprovalRule(owners=0, reviewers=0, expire_after_seconds=None, exclude=())


@dataclass(frozen=True)
class Discarded:
    """A decision without effect, and why."""

    decision: DecisionFacts
    verdict: Verdict


def discarded(
    attempt: AttemptState,
    transition: TransitionFacts,
    look: Standing | None,
    *,
    snapshot: Snapshot,
    state: ModelState,
    asked: Collection[AttemptKey],
    identity: Identity,
) -> tuple[Discarded, ...]:
    """List what was decided about an attempt and had no effect; `look` is there while it is open.

    An attempt that has ended is judged by what is on record of it, as of the time when it ended.
    """
    noted_by = noted_since(attempt, state)
    votes = (
        _of_ended(attempt, transition, snapshot, identity=identity, noted_by=noted_by)
        if look is None
        else look.votes
    )
    lost = [Discarded(vote.decision, vote.verdict) for vote in votes if not vote.counts]
    retries = (d for d in snapshot.decisions if d.kind == RETRY and d.transition == attempt.name)
    answers = (Discarded(d, answer(d, snapshot, state=state, asked=asked)) for d in retries)
    reviews = (
        Discarded(review, review_counts(review, snapshot, state=state, identity=identity))
        for review in new_reviews(snapshot, state)
        if review.transition == attempt.name
    )
    return (*lost, *(each for each in (*answers, *reviews) if each.verdict.denies))


def _of_ended(
    attempt: AttemptState,
    transition: TransitionFacts,
    snapshot: Snapshot,
    *,
    identity: Identity,
    noted_by: str | None,
) -> tuple[Vote, ...]:
    if attempt.is_open or not attempt.ended:
        return ()
    ballot = Ballot(
        attempt=transition,
        rule=transition.step.approvals or _NO_RULE,
        subject=attempt.subject,
        evidence=_evidence(attempt, snapshot),
        excluded=transition.excluded,
        identity=identity,
        # Who may vote now says nothing of who might vote then.
        may_approve={decision.uid: True for decision in snapshot.decisions},
        now=moment(attempt.ended),
        closed_with=frozenset(vote.uid for vote in attempt.decisive_votes),
        noted_by=noted_by,
    )
    return tuple(_as_of_the_end(vote, attempt) for vote in judge(snapshot.decisions, ballot))


def _evidence(attempt: AttemptState, snapshot: Snapshot) -> str:
    """Name what people voted on; where no vote says so, what they could look at."""
    version = snapshot.versions.get(attempt.key.version)
    passed = all(gate.outcome is GateOutcome.PASSED for gate in attempt.gates.values())
    if attempt.evidence or version is None or not (attempt.gates_finished and passed):
        return attempt.evidence
    return evidence_digest(attempt, version)


def _as_of_the_end(vote: Vote, attempt: AttemptState) -> Vote:
    """Say of a vote that nothing speaks against why it was not counted all the same."""
    if vote.verdict.code != LATE or attempt.rollout_begun:
        return vote
    who = vote.decision.by.username if vote.decision.by else "Somebody unknown"
    if vote.decision.created > moment(attempt.ended):
        verdict = deny("AttemptClosed", f"{who} voted after the attempt had ended.")
    else:
        verdict = deny("NotCounted", f"The vote of {who} did not count when the attempt ended.")
    return Vote(decision=vote.decision, person=vote.person, roles=vote.roles, verdict=verdict)
