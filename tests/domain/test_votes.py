"""Which votes count, as what, and whether they are enough."""

from dataclasses import replace
from typing import Any

import pytest

from modelwarden.domain.facts import DecisionFacts, Subject
from modelwarden.domain.identity import Caller, Identity, Person
from modelwarden.domain.stages import Stage
from modelwarden.domain.verdicts import Verdict, allow, wait
from modelwarden.domain.votes import (
    Ballot,
    judge,
    quorum,
    quorum_is_possible,
    roles_of,
)
from tests.domain.builders import (
    EVIDENCE,
    IDENTITY,
    OWNER,
    PIPELINE,
    REVIEWER,
    SCIENTIST,
    approvals,
    at,
    decision,
    group,
    transition,
    user,
    version,
)

OTHER_DIGEST = "sha256:" + "0" * 64
OWNER_AND_REVIEWER = Caller(username="owner@example.com", groups=("risk-reviewers",))
STRANGER = Caller(username="stranger@example.com", groups=("staff",))
REGISTRANT = Caller(username="engineer@example.com")
TRAINERS_OTHER_LOGIN = Caller(username="Platform@example.com", groups=("risk-reviewers",))


class Everybody(dict[str, bool | None]):
    """Whoever was not said to lack the right has it."""

    def get(self, key: str, default: Any = None) -> Any:
        return super().get(key, True)


def ballot(**changes: Any) -> Ballot:
    built = Ballot(
        attempt=transition(),
        rule=approvals(),
        subject=version().subject,
        evidence=EVIDENCE,
        excluded={"scientist@example.com": "Trainer", "engineer@example.com": "Registrant"},
        identity=IDENTITY,
        may_approve=Everybody(),
        now=at(minutes=5),
    )
    return replace(built, **changes)


def codes(*decisions: DecisionFacts, **changes: Any) -> dict[str, str]:
    """Judge decisions, and give what became of each by name."""
    return {v.decision.name: v.verdict.code for v in judge(decisions, ballot(**changes))}


APPROVED = decision(OWNER, name="vote")
LATER = at(minutes=1)

# Every reason for which a vote does not count, one vote each.
DISCARDED: dict[str, tuple[str, DecisionFacts, dict[str, Any]]] = {
    "nobody is known to have made it": ("VoterUnknown", decision(None), {}),
    "its voter has no name": ("VoterUnknown", decision(Caller(username="")), {}),
    "a machine made it": ("NotAPerson", decision(PIPELINE), {}),
    "its voter trained the version": ("TrainerExcluded", decision(SCIENTIST), {}),
    "it is another login of who trained it": (
        "TrainerExcluded",
        decision(TRAINERS_OTHER_LOGIN),
        {},
    ),
    "its voter registered the version": ("RegistrantExcluded", decision(REGISTRANT), {}),
    "it is about an earlier attempt of the same name": (
        "AnotherAttempt",
        decision(transition_uid="gone"),
        {},
    ),
    "it is for another stage": ("WrongStage", decision(stage=Stage.STAGING), {}),
    "another content was reviewed": ("SubjectChanged", decision(subject_digest=OTHER_DIGEST), {}),
    "another policy was reviewed": ("PolicyChanged", decision(policy_digest=OTHER_DIGEST), {}),
    "the gates had not ended": ("EvidenceNotReady", decision(), {"evidence": ""}),
    "other evidence was reviewed": (
        "EvidenceChanged",
        decision(evidence_digest=OTHER_DIGEST),
        {},
    ),
    "its voter has no role": ("NeitherOwnerNorReviewer", decision(STRANGER), {}),
    "it is too old": (
        "Expired",
        decision(),
        {"rule": approvals(expire_after_seconds=60), "now": at(seconds=60)},
    ),
    "whether its voter may is not known": (
        "RightNotReviewed",
        APPROVED,
        {"may_approve": {APPROVED.uid: None}},
    ),
    "its voter may not": ("RightMissing", APPROVED, {"may_approve": {APPROVED.uid: False}}),
    "this release does not act on it": ("NotYetSupported", decision(kind="Override"), {}),
    "the rollout had begun": ("RolloutBegun", APPROVED, {"closed_with": frozenset()}),
}


@pytest.mark.parametrize(("code", "vote", "changes"), DISCARDED.values(), ids=DISCARDED)
def test_a_vote_does_not_count_when(
    code: str, vote: DecisionFacts, changes: dict[str, Any]
) -> None:
    (judged,) = judge((vote,), ballot(**changes))

    assert (judged.verdict.code, judged.counts) == (code, False)


@pytest.mark.parametrize(
    ("voter", "roles"),
    [
        (OWNER, ("Owner",)),
        (Caller(username="OWNER@Example.com"), ("Owner",)),
        (REVIEWER, ("Reviewer",)),
        (OWNER_AND_REVIEWER, ("Owner", "Reviewer")),
        (STRANGER, ()),
        # The name of a group is no login.
        (Caller(username="risk-reviewers"), ()),
    ],
    ids=["owner", "the same owner", "a member of the group", "both", "neither", "a group's name"],
)
def test_a_person_votes_as_what_the_model_names_them(voter: Caller, roles: tuple[str, ...]) -> None:
    assert roles_of(voter, transition(), identity=IDENTITY) == roles


def test_another_login_of_an_owner_is_the_owner() -> None:
    identity = Identity(people=(Person(name="owner@example.com", logins=("admin-7",)),))

    assert roles_of(Caller(username="admin-7"), transition(), identity=identity) == ("Owner",)


def test_a_vote_counts_until_the_moment_it_expires() -> None:
    rule = approvals(expire_after_seconds=60)

    assert codes(APPROVED, rule=rule, now=at(seconds=59)) == {"vote": "Counted"}


def test_a_vote_that_expired_says_when() -> None:
    rule = approvals(expire_after_seconds=60)

    (vote,) = judge((APPROVED,), ballot(rule=rule, now=at(seconds=60)))

    assert vote.verdict.sentence == (
        "The vote of owner@example.com counted until 2026-11-24 12:01Z."
    )


def test_who_waits_for_votes_is_told_until_when_the_first_one_counts() -> None:
    rule = approvals(expire_after_seconds=3600)
    votes = judge((decision(OWNER),), ballot(rule=rule))

    assert quorum(votes, rule).sentence == (
        "Waiting for 1 of 1 reviewers. "
        "The vote of owner@example.com counts until 2026-11-24 13:00Z."
    )


def test_a_decision_about_another_attempt_is_no_vote_on_this_one() -> None:
    assert codes(decision(transition="fraud-detector-1-staging-1")) == {}


def test_of_one_person_only_the_last_vote_counts() -> None:
    first = decision(name="first")
    last = decision(name="last", kind="Reject", created=LATER)

    assert codes(last, first) == {"first": "Replaced", "last": "Counted"}


def test_of_two_logins_of_one_person_only_the_last_vote_counts() -> None:
    identity = Identity(people=(Person(name="owner@example.com", logins=("admin-7",)),))
    first = decision(name="first")
    last = decision(Caller(username="admin-7"), name="last", created=LATER)

    assert codes(first, last, identity=identity) == {"first": "Replaced", "last": "Counted"}


def test_within_one_second_a_rejection_is_the_later_word() -> None:
    approve, reject = decision(name="z-approve"), decision(name="a-reject", kind="Reject")

    assert codes(approve, reject) == {"z-approve": "Replaced", "a-reject": "Counted"}


RETRACT = decision(OWNER, kind="Retract", name="retract", created=LATER)


@pytest.mark.parametrize(
    ("retract", "code"),
    [
        (RETRACT, "Retracted"),
        (replace(RETRACT, retracts="vote"), "Retracted"),
        (replace(RETRACT, retracts="another"), "Counted"),
        (replace(RETRACT, by=REVIEWER), "Counted"),
        (replace(RETRACT, by=None), "Counted"),
        (replace(RETRACT, created=at(minutes=-1)), "Counted"),
    ],
    ids=["all of one's own", "by name", "another vote", "another's", "nobody's", "before the vote"],
)
def test_a_voter_takes_back_what_they_voted_and_nothing_else(
    retract: DecisionFacts, code: str
) -> None:
    idle = {} if code == "Retracted" else {"retract": "NothingToRetract"}
    assert codes(APPROVED, retract) == {"vote": code, **idle}


def test_who_took_a_vote_back_may_vote_again() -> None:
    again = decision(name="again", created=at(minutes=2))

    assert codes(APPROVED, RETRACT, again) == {"vote": "Retracted", "again": "Counted"}


def test_another_login_takes_back_the_vote_of_its_person() -> None:
    identity = Identity(people=(Person(name="owner@example.com", logins=("admin-7",)),))
    retract = replace(RETRACT, by=Caller(username="admin-7"))

    assert codes(APPROVED, retract, identity=identity) == {"vote": "Retracted"}


@pytest.mark.parametrize(
    "changes",
    [
        {"now": at(days=1), "rule": approvals(expire_after_seconds=60)},
        {"may_approve": {APPROVED.uid: False}},
        {"evidence": OTHER_DIGEST},
    ],
    ids=["it is old by now", "the right is gone", "notes were edited"],
)
def test_what_counted_when_the_rollout_began_goes_on_counting(changes: dict[str, Any]) -> None:
    closed_with = frozenset({APPROVED.uid})

    assert codes(APPROVED, RETRACT, closed_with=closed_with, **changes) == {"vote": "Counted"}


def test_what_was_taken_back_before_the_rollout_began_keeps_its_reason() -> None:
    assert codes(APPROVED, RETRACT, closed_with=frozenset()) == {"vote": "Retracted"}


def test_the_trainers_late_vote_is_discarded_for_the_stronger_reason() -> None:
    late = decision(SCIENTIST, name="late")

    assert codes(late, closed_with=frozenset()) == {"late": "TrainerExcluded"}


def test_a_registration_is_voted_on_by_the_right_for_staging() -> None:
    about = transition(to=Stage.REGISTERED)
    vote = decision(
        name="vote", stage=Stage.STAGING, transition=about.name, transition_uid=about.uid
    )

    assert codes(vote, attempt=about) == {"vote": "Counted"}


TWO_OWNERS = Caller(username="second@example.com")
BOTH = "Approved by owner@example.com, reviewer@example.com."


@pytest.mark.parametrize(
    ("voters", "rule", "verdict"),
    [
        ((OWNER, REVIEWER), approvals(), allow("Approved", BOTH)),
        (
            (OWNER,),
            approvals(),
            wait("ApprovalsMissing", "Waiting for 1 of 1 reviewers."),
        ),
        (
            (),
            approvals(),
            wait("ApprovalsMissing", "Waiting for 1 of 1 owners and 1 of 1 reviewers."),
        ),
        (
            (OWNER_AND_REVIEWER,),
            approvals(),
            wait(
                "ApprovalsMissing",
                "Waiting for 1 more people: owner and reviewer must be different persons.",
            ),
        ),
        ((OWNER_AND_REVIEWER, REVIEWER), approvals(), allow("Approved", BOTH)),
        ((REVIEWER,), approvals(owners=0), allow("Approved", "Approved by reviewer@example.com.")),
        (
            (OWNER,),
            approvals(owners=2, reviewers=0),
            wait("ApprovalsMissing", "Waiting for 1 of 2 owners."),
        ),
        ((), approvals(0, 0), allow("Approved", "No approval is needed.")),
    ],
    ids=[
        "one of each",
        "the reviewer is missing",
        "nobody yet",
        "one person with both roles is one person",
        "and with a second person it is enough",
        "no owner asked",
        "two owners asked",
        "nobody asked",
    ],
)
def test_a_quorum_is_of_different_people(
    voters: tuple[Caller, ...], rule: Any, verdict: Verdict
) -> None:
    votes = judge(tuple(decision(voter) for voter in voters), ballot(rule=rule))

    assert quorum(votes, rule) == verdict


def test_a_rejection_is_no_approval() -> None:
    votes = judge((decision(OWNER, kind="Reject"), decision(REVIEWER)), ballot())

    assert quorum(votes, approvals()) == wait("ApprovalsMissing", "Waiting for 1 of 1 owners.")


X, Y, TRAINER = user("x@example.com"), user("y@example.com"), user("scientist@example.com")
ALIAS, CROWD = user("platform@example.com"), group("risk-reviewers")
MACHINE = user("system:serviceaccount:risk:pipeline")


@pytest.mark.parametrize(
    ("owners", "reviewers", "possible"),
    [
        ((X,), (Y,), True),
        ((X,), (CROWD,), True),
        ((X, Y), (X, Y), True),
        ((X,), (X,), False),
        ((TRAINER,), (Y,), False),
        ((ALIAS,), (CROWD,), False),
        ((X,), (), False),
        ((MACHINE,), (Y,), False),
        ((TRAINER, X), (CROWD,), True),
        ((CROWD,), (CROWD,), True),
    ],
    ids=[
        "two people",
        "a person and a group",
        "two people with both roles",
        "one person with both roles",
        "the only owner trained it",
        "the only owner is another login of who trained it",
        "no reviewer",
        "the only owner is a machine",
        "another owner is left",
        "nobody can list a group",
    ],
)
def test_a_quorum_is_possible_if_enough_people_are_left(
    *, owners: tuple[Subject, ...], reviewers: tuple[Subject, ...], possible: bool
) -> None:
    verdict = quorum_is_possible(
        owners,
        reviewers,
        rule=approvals(),
        excluded={"scientist@example.com": "Trainer"},
        identity=IDENTITY,
    )

    assert (verdict.code, verdict.allows) == (
        ("QuorumPossible", True) if possible else ("QuorumImpossible", False)
    )


def test_an_impossible_quorum_names_who_may_not_vote_and_what_to_do() -> None:
    verdict = quorum_is_possible(
        (TRAINER,),
        (CROWD,),
        rule=approvals(),
        excluded={"scientist@example.com": "Trainer"},
        identity=IDENTITY,
    )

    assert verdict.message == (
        "Needs 1 of the owners and 1 of the reviewers, different people, and too few are left: "
        "scientist@example.com (Trainer) may not vote. Name more owners or reviewers in the Model."
    )


def test_the_digest_of_the_policy_is_what_the_attempt_froze() -> None:
    about = transition(policy_digest=OTHER_DIGEST)

    assert codes(APPROVED, attempt=about) == {"vote": "PolicyChanged"}
