"""Which votes count, as what, and whether they are enough."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from modelwarden.domain.exclusions import vote_refusal
from modelwarden.domain.facts import (
    ApprovalRule,
    DecisionFacts,
    Subject,
    SubjectKind,
    TransitionFacts,
)
from modelwarden.domain.identity import Caller, Identity, canonical, is_service_account
from modelwarden.domain.rights import DECISION_PARTS
from modelwarden.domain.verdicts import Verdict, allow, deny, wait

OWNER = "Owner"
REVIEWER = "Reviewer"
VOTES = ("Approve", "Reject")
BALLOTED = (*VOTES, "Retract", "Override")
# Nothing speaks against a vote but that the rollout had begun.
LATE = "RolloutBegun"


@dataclass(frozen=True, kw_only=True)
class Ballot:
    """What votes on one attempt are held against, all of it frozen or computed from records.

    `closed_with` names the decisions that counted when the rollout began; None before. `noted_by`
    is who changed the notes that votes rest on since the attempt opened; None if nobody did.
    """

    attempt: TransitionFacts
    rule: ApprovalRule
    subject: str
    evidence: str
    excluded: Mapping[str, str]
    identity: Identity
    may_approve: Mapping[str, bool | None]
    now: datetime
    closed_with: frozenset[str] | None = None
    noted_by: str | None = None


@dataclass(frozen=True, kw_only=True)
class Vote:
    """A decision together with what was made of it."""

    decision: DecisionFacts
    person: str
    roles: tuple[str, ...]
    verdict: Verdict

    @property
    def counts(self) -> bool:
        """The vote is part of the count."""
        return self.verdict.allows


def judge(decisions: tuple[DecisionFacts, ...], ballot: Ballot) -> tuple[Vote, ...]:
    """Say of every vote on the attempt whether it counts; of one person only the last one does."""
    # Creation is known to the second: within one, a rejection is taken for the later word.
    ordered = sorted(
        _about(decisions, ballot.attempt), key=lambda d: (d.created, d.kind == "Reject", d.name)
    )
    retracted = _retracted(ordered, ballot.identity)
    latest = {
        _person(decision, ballot.identity): decision.uid
        for decision in ordered
        if decision.kind in VOTES and decision.uid not in retracted
    }
    return tuple(
        _judged(decision, ballot, retracted=retracted, latest=latest)
        if decision.kind in VOTES
        else _without_effect(decision, ballot)
        for decision in ordered
        if decision.kind != "Retract" or not _taken_back(decision, ordered, ballot.identity)
    )


def quorum(votes: tuple[Vote, ...], rule: ApprovalRule) -> Verdict:
    """Enough owners and enough reviewers approved, and nobody was counted for two."""
    approvals = [vote for vote in votes if vote.counts and vote.decision.kind == "Approve"]
    owners = [vote for vote in approvals if OWNER in vote.roles]
    reviewers = [vote for vote in approvals if REVIEWER in vote.roles]
    both = len({vote.person for vote in approvals})
    if (
        len(owners) >= rule.owners
        and len(reviewers) >= rule.reviewers
        and both >= rule.owners + rule.reviewers
    ):
        names = ", ".join(vote.decision.by.username for vote in approvals if vote.decision.by)
        return allow("Approved", f"Approved by {names}." if names else "No approval is needed.")
    missing = _what_is_missing(owners, reviewers, rule=rule, people=both)
    return wait("ApprovalsMissing", f"{missing}{_first_to_expire(approvals, rule)}")


def quorum_is_possible(
    owners: tuple[Subject, ...],
    reviewers: tuple[Subject, ...],
    *,
    rule: ApprovalRule,
    excluded: Mapping[str, str],
    identity: Identity,
) -> Verdict:
    """Enough people are named who are not excluded; a group counts as many people."""
    free_owners = _free(owners, excluded, identity=identity)
    free_reviewers = _free(reviewers, excluded, identity=identity)
    if (
        _enough(free_owners, rule.owners)
        and _enough(free_reviewers, rule.reviewers)
        and _enough(_union(free_owners, free_reviewers), rule.owners + rule.reviewers)
    ):
        return allow("QuorumPossible", "Enough people may approve.")
    who = ", ".join(f"{person} ({why})" for person, why in sorted(excluded.items()))
    return wait(
        "QuorumImpossible",
        f"Needs {_counted(rule)}, and too few are left"
        + (f": {who} may not vote." if who else "."),
        "Name more owners or reviewers in the Model.",
    )


def roles_of(caller: Caller, attempt: TransitionFacts, *, identity: Identity) -> tuple[str, ...]:
    """Say as what a person may vote: as one of the owners, of the reviewers, or both."""
    named = ((OWNER, attempt.owners), (REVIEWER, attempt.reviewers))
    return tuple(
        role for role, subjects in named if _is_one_of(caller, subjects, identity=identity)
    )


def _about(decisions: tuple[DecisionFacts, ...], attempt: TransitionFacts) -> list[DecisionFacts]:
    return [
        decision
        for decision in decisions
        if decision.transition == attempt.name and decision.kind in BALLOTED
    ]


def _retracted(ordered: list[DecisionFacts], identity: Identity) -> frozenset[str]:
    """Find the votes that their own voter took back; nobody takes back another one's."""
    retracts = [decision for decision in ordered if decision.kind == "Retract"]
    return frozenset(uid for each in retracts for uid in _taken_back(each, ordered, identity))


def _taken_back(
    retract: DecisionFacts, ordered: list[DecisionFacts], identity: Identity
) -> frozenset[str]:
    mine = _person(retract, identity)
    return frozenset(
        vote.uid
        for vote in ordered
        if vote.kind in VOTES
        and mine
        and _person(vote, identity) == mine
        and vote.created <= retract.created
        and retract.retracts in ("", vote.name)
    )


def is_acted_on(kind: str) -> Verdict:
    """This release acts on the kind of decision; the others are kept and answered in words."""
    if kind in {*VOTES, "Retract", "Retry", "Review"}:
        return _FINE
    return deny("NotYetSupported", f"This release does not act on a decision to {kind} yet.")


def _without_effect(decision: DecisionFacts, ballot: Ballot) -> Vote:
    verdict = is_acted_on(decision.kind)
    if verdict.allows:
        verdict = deny("NothingToRetract", f"{_who(decision)} had no vote to take back.")
    person = _person(decision, ballot.identity)
    return Vote(decision=decision, person=person, roles=(), verdict=verdict)


def _judged(
    decision: DecisionFacts,
    ballot: Ballot,
    *,
    retracted: frozenset[str],
    latest: Mapping[str, str],
) -> Vote:
    person = _person(decision, ballot.identity)
    roles = (
        ()
        if decision.by is None
        else roles_of(decision.by, ballot.attempt, identity=ballot.identity)
    )
    verdict = _first_objection(decision, ballot, roles=roles)
    closed_with = ballot.closed_with
    if closed_with is not None and decision.uid in closed_with:
        # What counted when the rollout began goes on counting, whatever is said later.
        verdict = allow("Counted", f"{_who(decision)} was counted when the rollout began.")
    elif decision.uid in retracted:
        verdict = deny("Retracted", f"{_who(decision)} took the vote back.")
    elif verdict.allows and latest.get(person) != decision.uid:
        verdict = deny("Replaced", f"{_who(decision)} voted again later; that vote stands.")
    elif verdict.allows and closed_with is not None:
        verdict = deny(LATE, f"{_who(decision)} voted after the rollout had begun.")
    return Vote(decision=decision, person=person, roles=roles, verdict=verdict)


def _first_objection(decision: DecisionFacts, ballot: Ballot, *, roles: tuple[str, ...]) -> Verdict:
    """Ask the claims in the order in which a voter would want to hear of them."""
    for objection in (
        _voter_may_ever_vote(decision, ballot),
        _attempt_is_this_one(decision, ballot),
        _content_is_what_was_reviewed(decision, ballot),
        _voter_has_a_role(decision, roles),
        _vote_is_fresh(decision, ballot),
        _voter_still_may(decision, ballot),
    ):
        if not objection.allows:
            return objection
    return allow("Counted", f"{_who(decision)} counts as {' and '.join(roles)}.")


def _voter_may_ever_vote(decision: DecisionFacts, ballot: Ballot) -> Verdict:
    if decision.by is None or not decision.by.username:
        return deny("VoterUnknown", "The decision does not say who made it.")
    refusal = vote_refusal(
        decision.by.username,
        ballot.excluded,
        decision=decision.kind,
        model=ballot.attempt.spec["model"],
        version=ballot.attempt.spec["version"],
        identity=ballot.identity,
    )
    return refusal or _FINE


def _attempt_is_this_one(decision: DecisionFacts, ballot: Ballot) -> Verdict:
    if decision.transition_uid != ballot.attempt.uid:
        return deny("AnotherAttempt", "The vote is about an earlier attempt of the same name.")
    if DECISION_PARTS[decision.stage] != DECISION_PARTS[ballot.attempt.spec["to"]]:
        return deny(
            "WrongStage", f"The vote is for {decision.stage}, not for this attempt's stage."
        )
    return _FINE


def _content_is_what_was_reviewed(decision: DecisionFacts, ballot: Ballot) -> Verdict:
    if decision.subject_digest != ballot.subject:
        return deny("SubjectChanged", f"{_who(decision)} reviewed another content.", _AGAIN)
    if decision.policy_digest != ballot.attempt.policy_digest:
        return deny("PolicyChanged", f"{_who(decision)} reviewed another policy.", _AGAIN)
    # Results name runs and times, so nobody knows the digest of evidence that is not there yet.
    if not ballot.evidence:
        return deny("EvidenceNotReady", f"{_who(decision)} voted before the gates ended.", _AGAIN)
    if decision.evidence_digest != ballot.evidence:
        # Results are final once people may vote, so nothing but the notes can have changed.
        if ballot.noted_by is not None:
            text = f"{ballot.noted_by} changed the notes that {_who(decision)} had reviewed."
            return deny("NotesChanged", text, _AGAIN)
        return deny("EvidenceChanged", f"{_who(decision)} reviewed other evidence.", _AGAIN)
    return _FINE


def _voter_has_a_role(decision: DecisionFacts, roles: tuple[str, ...]) -> Verdict:
    if roles:
        return _FINE
    return deny(
        "NeitherOwnerNorReviewer",
        f"{_who(decision)} is neither one of the owners nor one of the reviewers.",
    )


def _vote_is_fresh(decision: DecisionFacts, ballot: Ballot) -> Verdict:
    limit = ballot.rule.expire_after_seconds
    if limit is None:
        return _FINE
    until = _expires(decision, limit)
    if ballot.now < until:
        return _FINE
    return deny("Expired", f"The vote of {_who(decision)} counted until {_spoken(until)}.", _AGAIN)


def _expires(decision: DecisionFacts, limit: int) -> datetime:
    return decision.created + timedelta(seconds=limit)


def _spoken(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M}Z"


def _voter_still_may(decision: DecisionFacts, ballot: Ballot) -> Verdict:
    allowed = ballot.may_approve.get(decision.uid)
    if allowed:
        return _FINE
    if allowed is None:
        return wait("RightNotReviewed", f"Whether {_who(decision)} may vote is not known yet.")
    part = DECISION_PARTS[ballot.attempt.spec["to"]]
    return deny("RightMissing", f"{_who(decision)} lacks the verb approve on models/{part}.")


_AGAIN = "Look at the attempt again and vote anew."
_FINE = allow("", "")


def _who(decision: DecisionFacts) -> str:
    return decision.by.username if decision.by else "Somebody unknown"


def _person(decision: DecisionFacts, identity: Identity) -> str:
    return canonical(decision.by.username, identity) if decision.by else ""


def _is_one_of(caller: Caller, subjects: tuple[Subject, ...], *, identity: Identity) -> bool:
    person = canonical(caller.username, identity)
    return any(
        (subject.kind is SubjectKind.GROUP and subject.name in caller.groups)
        or (subject.kind is SubjectKind.USER and canonical(subject.name, identity) == person)
        for subject in subjects
    )


def _free(
    subjects: tuple[Subject, ...], excluded: Mapping[str, str], *, identity: Identity
) -> set[str] | None:
    """List the people who may vote; None where a group is named, whose members nobody can list."""
    if any(subject.kind is SubjectKind.GROUP for subject in subjects):
        return None
    people = {
        canonical(subject.name, identity)
        for subject in subjects
        if not is_service_account(subject.name)
    }
    # Names that were frozen before an alias was configured are resolved again.
    return people - {canonical(name, identity) for name in excluded}


def _union(people: set[str] | None, others: set[str] | None) -> set[str] | None:
    return None if people is None or others is None else people | others


def _enough(people: set[str] | None, needed: int) -> bool:
    return people is None or len(people) >= needed


def _what_is_missing(
    owners: list[Vote], reviewers: list[Vote], *, rule: ApprovalRule, people: int
) -> str:
    missing = []
    if len(owners) < rule.owners:
        missing.append(f"{rule.owners - len(owners)} of {rule.owners} owners")
    if len(reviewers) < rule.reviewers:
        missing.append(f"{rule.reviewers - len(reviewers)} of {rule.reviewers} reviewers")
    if not missing:
        more = rule.owners + rule.reviewers - people
        return f"Waiting for {more} more people: owner and reviewer must be different persons."
    return f"Waiting for {' and '.join(missing)}."


def _first_to_expire(approvals: list[Vote], rule: ApprovalRule) -> str:
    """Say until when the vote that was cast first will count."""
    limit = rule.expire_after_seconds
    if limit is None or not approvals:
        return ""
    first = min(approvals, key=lambda vote: vote.decision.created).decision
    return f" The vote of {_who(first)} counts until {_spoken(_expires(first, limit))}."


def _counted(rule: ApprovalRule) -> str:
    return f"{rule.owners} of the owners and {rule.reviewers} of the reviewers, different people"
