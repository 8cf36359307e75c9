"""Reviews after the fact: which of them count, what they settle, and when the next one is due.

A Model is reviewed every so many days while a version of it is in Production; a rollback is
reviewed once, by somebody else than who asked for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from modelwarden.domain.conditions import Condition, is_false, is_true
from modelwarden.domain.exclusions import excluded_people, vote_refusal
from modelwarden.domain.facts import (
    Access,
    DecisionFacts,
    ModelFacts,
    PolicyFacts,
    Snapshot,
    SubjectKind,
    VersionFacts,
)
from modelwarden.domain.identity import Identity, same_person
from modelwarden.domain.opening import trainer_is_known
from modelwarden.domain.progress import Step
from modelwarden.domain.records import Operation, Record
from modelwarden.domain.rights import right_to_decide
from modelwarden.domain.scribe import Scribe, actor_of, moment, timestamp
from modelwarden.domain.stages import Stage
from modelwarden.domain.state import ModelState, OwedReview
from modelwarden.domain.verdicts import Verdict, allow, deny, wait

REVIEW = "Review"
REVIEW_OVERDUE = "ReviewOverdue"
_RIGHT = right_to_decide(REVIEW, Stage.PRODUCTION)
# A policy that cannot be read is no reason to let somebody review their own work.
EXCLUDED_AT_LEAST = ("Trainer",)


@dataclass(frozen=True)
class Due:
    """A review that is or will be due: when, and what is to be looked at."""

    when: datetime
    what: str


def new_reviews(snapshot: Snapshot, state: ModelState) -> tuple[DecisionFacts, ...]:
    """List the Reviews that are in no record yet, oldest first."""
    found = (d for d in snapshot.decisions if d.kind == REVIEW and d.uid not in state.reviews.seen)
    return tuple(sorted(found, key=lambda d: (d.created, d.name)))


def reviews(snapshot: Snapshot, state: ModelState, *, scribe: Scribe, identity: Identity) -> Step:
    """Record every Review that counts."""
    return Step(
        records=tuple(
            _reviewed(review, snapshot, state=state, scribe=scribe, identity=identity)
            for review in new_reviews(snapshot, state)
            if review_counts(review, snapshot, state=state, identity=identity).allows
        )
    )


def access_of_reviews(snapshot: Snapshot, state: ModelState) -> frozenset[Access]:
    """List the questions about the rights of whoever reviewed."""
    return frozenset(
        Access(review.by, _RIGHT, snapshot.key)
        for review in new_reviews(snapshot, state)
        if review.by is not None and review.by.username
    )


def review_counts(
    review: DecisionFacts, snapshot: Snapshot, *, state: ModelState, identity: Identity
) -> Verdict:
    """Say whether a Review counts: by a person who may, and who looks at no work of their own."""
    if review.by is None or not review.by.username:
        return deny("ReviewerUnknown", "A Review does not say who made it.")
    return (
        _there_is_something_to_review(review, state)
        or _is_nobody_s_own_work(review, snapshot, state=state, identity=identity)
        or _is_not_the_requester(review, state, identity=identity)
        or _reviewer_may(review, snapshot)
    )


def dues(model: ModelFacts, state: ModelState) -> tuple[Due, ...]:
    """List the reviews that are owed, the next one first."""
    found = [
        Due(moment(owed.due), f"the rollback to {owed.version}") for owed in state.reviews.owed
    ]
    start = _cadence_start(state)
    if model.review_every_days is not None and start is not None:
        when = moment(start) + timedelta(days=model.review_every_days)
        found.append(Due(when, f"the Model, every {model.review_every_days} days"))
    return tuple(sorted(found, key=lambda due: due.when))


def review_overdue(
    model: ModelFacts, snapshot: Snapshot, *, state: ModelState, identity: Identity
) -> Condition:
    """Observe whether a review is overdue, and say of each Review that does not count why."""
    owed = dues(model, state)
    late = [due for due in owed if due.when <= snapshot.now]
    told = " ".join(_discarded(snapshot, state, identity))
    if late:
        text = f"{_sentence('Due since', late)} {_HOW} {told}".strip()
        return is_true(REVIEW_OVERDUE, REVIEW_OVERDUE, text)
    if owed:
        return is_false(REVIEW_OVERDUE, "ReviewDue", f"{_sentence('Due', owed)} {told}".strip())
    text = f"No review is due. {told}".strip()
    return is_false(REVIEW_OVERDUE, "NoReviewDue", text)


_HOW = "Whoever may approve on models/production reviews it: kubectl model review."


def _sentence(begun: str, owed: list[Due] | tuple[Due, ...]) -> str:
    return f"{begun} " + "; ".join(f"{d.when:%Y-%m-%d %H:%M}Z: {d.what}" for d in owed) + "."


def _discarded(snapshot: Snapshot, state: ModelState, identity: Identity) -> list[str]:
    answers = (
        review_counts(review, snapshot, state=state, identity=identity)
        for review in new_reviews(snapshot, state)
    )
    return [answer.message for answer in answers if not answer.allows][-_DISCARDED_TOLD:]


_DISCARDED_TOLD = 3


def _cadence_start(state: ModelState) -> str | None:
    """Say since when the days count: since the last Review, else since the version came.

    A Review of what was in Production before nothing was there says nothing of what came later.
    """
    if state.production is None:
        return None
    since = state.versions[state.production].since
    last = state.reviews.last
    begun = _in_production_since(state)
    is_of_now = last and (not begun or moment(last) >= moment(begun))
    return last if is_of_now else since


def _in_production_since(state: ModelState) -> str:
    """Say since when, without a gap, some version has been in Production."""
    start = ""
    for interval in reversed(state.intervals):
        if start and interval.end != start:
            break
        start = interval.start
    return start


def _there_is_something_to_review(review: DecisionFacts, state: ModelState) -> Verdict | None:
    if review.transition:
        if any(owed.attempt == review.transition for owed in state.reviews.owed):
            return None
        return deny("NothingToReview", f"No review of {review.transition} is owed.")
    if state.production is None and not state.reviews.owed:
        return deny("NothingToReview", "Nothing is in Production.")
    return None


def _is_nobody_s_own_work(
    review: DecisionFacts, snapshot: Snapshot, *, state: ModelState, identity: Identity
) -> Verdict | None:
    number = _version_reviewed(review, state)
    version = None if number is None else snapshot.versions.get(number)
    if review.by is None or number is None:
        return None
    excludes = _excludes(snapshot.policy)
    if version is None:
        return wait("VersionNotFound", f"The record of version {number} is not there to look at.")
    known = trainer_is_known(version, excludes)
    if not known.allows:
        return known
    return vote_refusal(
        review.by.username,
        _excluded(version, excludes, identity),
        decision=REVIEW,
        model=snapshot.key.name,
        version=number,
        identity=identity,
    )


def _is_not_the_requester(
    review: DecisionFacts, state: ModelState, *, identity: Identity
) -> Verdict | None:
    own = [o for o in state.reviews.owed if o.attempt == review.transition]
    if review.by is None or not own or not _asked_by(own[0], review, identity):
        return None
    return deny(
        "RequesterExcluded",
        f"{review.by.username} asked for the rollback to {own[0].version} and may not review it.",
        "Ask somebody else who may approve.",
    )


def _reviewer_may(review: DecisionFacts, snapshot: Snapshot) -> Verdict:
    if review.by is None:
        raise ValueError("who is unnamed was refused before")
    who = review.by.username
    allowed = snapshot.access.get(Access(review.by, _RIGHT, snapshot.key))
    if allowed is None:
        return wait("RightNotReviewed", f"Whether {who} may review is not known yet.")
    if allowed:
        return allow("Reviewed", f"Reviewed by {who}.")
    lacked = _RIGHT.lacked_by(who, model=snapshot.key.name, namespace=snapshot.key.namespace)
    return deny("RightMissing", f"{lacked}.")


def _version_reviewed(review: DecisionFacts, state: ModelState) -> int | None:
    owed = (o.version for o in state.reviews.owed if o.attempt == review.transition)
    return next(owed, state.production)


def _excludes(policy: PolicyFacts | Verdict) -> tuple[str, ...]:
    step = policy.steps.get(Stage.PRODUCTION) if isinstance(policy, PolicyFacts) else None
    if step is None or step.approvals is None:
        return EXCLUDED_AT_LEAST
    return step.approvals.exclude


def _excluded(
    version: VersionFacts, excludes: tuple[str, ...], identity: Identity
) -> Mapping[str, str]:
    return excluded_people(
        (subject.name for subject in version.trained_by if subject.kind is SubjectKind.USER),
        version.registered_by.username if version.registered_by else "",
        excludes=excludes,
        identity=identity,
    )


def _asked_by(owed: OwedReview, review: DecisionFacts, identity: Identity) -> bool:
    by = "" if review.by is None else review.by.username
    return same_person(owed.requester, by, identity=identity)


def _reviewed(
    review: DecisionFacts,
    snapshot: Snapshot,
    *,
    state: ModelState,
    scribe: Scribe,
    identity: Identity,
) -> Record:
    """Write a Review down: of a rollback alone, or of the Model with every rollback that it may."""
    if review.by is None:
        raise ValueError("a Review that counts has a reviewer")
    settled = [
        owed.attempt
        for owed in state.reviews.owed
        if review.transition in ("", owed.attempt) and not _asked_by(owed, review, identity)
    ]
    number = _version_reviewed(review, state)
    version = None if number is None else snapshot.versions.get(number)
    return Record(
        operation=Operation.REVIEW,
        time=timestamp(scribe.now),
        transaction=scribe.transaction,
        actor=actor_of(review.by),
        namespace=scribe.key.namespace,
        model=scribe.key.name,
        version=number,
        rationale=review.rationale,
        subject="" if version is None else version.subject,
        uids={"decision": review.uid},
        facts={
            "decision": review.name,
            "ofModel": not review.transition,
            # Not the record's transition: an attempt that has ended is not told of again.
            "rollbacks": settled,
        },
        build=scribe.build,
    )
