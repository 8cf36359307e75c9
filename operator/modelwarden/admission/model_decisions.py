"""ModelDecision: the voter is stamped; who may never decide this hears it at once, in a sentence.

The controller judges every vote again when it counts, by the same rules.
"""

import asyncio
from dataclasses import replace

from modelwarden.admission import model_reviews, retries
from modelwarden.admission.reading import Reader
from modelwarden.admission.reviews import UNAVAILABLE, Answer, Json, Review
from modelwarden.admission.stamps import unstampable
from modelwarden.cluster.paths import MODEL_TRANSITIONS
from modelwarden.domain.attempts_told import condition, is_open
from modelwarden.domain.exclusions import vote_refusal
from modelwarden.domain.facts import ApprovalRule, DecisionFacts, TransitionFacts
from modelwarden.domain.identity import Identity
from modelwarden.domain.retries import RETRY
from modelwarden.domain.reviews import REVIEW
from modelwarden.domain.rights import DECISION_PARTS
from modelwarden.domain.verdicts import Verdict, allow, deny
from modelwarden.domain.votes import VOTES, Ballot, is_acted_on, judge
from modelwarden.errors import MalformedObjectError, ModelwardenError
from modelwarden.workflows.facts import decision_facts, transition_facts

READ_SECONDS = 1.0

_ADMITTED = allow("Admitted", "It will be counted by the rules of the attempt.")
# A step that asks for no approvals takes votes all the same; they decide nothing.
_NO_RULE = ApprovalRule(owners=0, reviewers=0, expire_after_seconds=None, exclude=())


def stamped(review: Review) -> Answer:
    """Stamp `spec.by`."""
    if not review.is_creation:
        return Answer(verdict=allow("Admitted", "A decision is never edited."))
    refusal = unstampable(review.caller)
    if refusal is not None:
        return Answer(verdict=refusal)
    stamps = {"by": review.caller.to_json()}
    return Answer(verdict=allow("Stamped", "It is known who decides."), stamps=stamps)


async def judged(review: Review, reader: Reader, *, identity: Identity) -> Answer:
    """Refuse a decision that can never count; warn of one that this release does not act on."""
    answer = await _judged(review, reader, identity=identity)
    supported = is_acted_on(review.spec["decision"])
    if answer.verdict.denies or supported.allows:
        return answer
    return replace(answer, warnings=(f"{supported.code}: {supported.message}",))


async def _judged(review: Review, reader: Reader, *, identity: Identity) -> Answer:
    refusal = _from_a_person(review, identity)
    if refusal is not None or not review.is_creation or "model" not in review.spec:
        return Answer(verdict=refusal or _ADMITTED)
    try:
        async with asyncio.timeout(READ_SECONDS):
            return Answer(verdict=await _read_and_judged(review, reader, identity=identity))
    except MalformedObjectError:
        raise
    except (ModelwardenError, TimeoutError):
        unread = deny(
            "AttemptNotRead", "What it is about could not be read just now.", "Try again."
        )
        return Answer(verdict=unread, code=UNAVAILABLE)


async def _read_and_judged(review: Review, reader: Reader, *, identity: Identity) -> Verdict:
    spec = review.spec
    if spec["decision"] == REVIEW:
        return await model_reviews.refusal(review, reader, identity=identity) or _ADMITTED
    return await _about(spec["transition"]["name"], review, reader, identity=identity)


def _from_a_person(review: Review, identity: Identity) -> Verdict | None:
    spec = review.spec
    return vote_refusal(
        review.caller.username,
        {},
        decision=spec["decision"],
        model=spec.get("model", ""),
        version=spec.get("version", 0),
        identity=identity,
    )


async def _about(name: str, review: Review, reader: Reader, *, identity: Identity) -> Verdict:
    stored = await reader.find(MODEL_TRANSITIONS, name, review.namespace)
    if stored is None:
        return _unknown(name, review.namespace)
    refusal = _refusal(stored, review, identity)
    if refusal is None and review.spec["decision"] == RETRY:
        refusal = await retries.refusal(stored, reader)
    return refusal or _ADMITTED


def _refusal(stored: Json, review: Review, identity: Identity) -> Verdict | None:
    attempt = transition_facts(stored)
    spec = review.spec
    refusal = vote_refusal(
        review.caller.username,
        attempt.excluded,
        decision=spec["decision"],
        model=attempt.spec["model"],
        version=attempt.spec["version"],
        identity=identity,
    )
    return (
        refusal
        or _another_attempt(spec, attempt)
        or _closed(stored, spec["decision"])
        or _never_counted(stored, review, attempt=attempt, identity=identity)
    )


def _unknown(name: str, namespace: str) -> Verdict:
    return deny(
        "AttemptUnknown",
        f"There is no attempt {name} in {namespace}.",
        f"See `kubectl get modeltransitions -n {namespace}`.",
    )


def _another_attempt(spec: Json, attempt: TransitionFacts) -> Verdict | None:
    if spec["transition"]["uid"] != attempt.uid:
        return deny(
            "AnotherAttempt",
            f"The decision is about another attempt that was also called {attempt.name}.",
            "Look at the attempt again and decide anew.",
        )
    asked, meant = (f"{of['model']} {of['version']}" for of in (spec, attempt.spec))
    if asked != meant:
        return deny(
            "WrongVersion",
            f"{attempt.name} is an attempt of {meant}, not of {asked}.",
            f"Write spec.model and spec.version of {meant}.",
        )
    part = DECISION_PARTS.get(attempt.spec["to"], "")
    if DECISION_PARTS.get(spec["stage"]) != part:
        return deny(
            "WrongStage",
            f"{attempt.name} leads to {attempt.spec['to']}, not to {spec['stage']}.",
            f"Write spec.stage: {part.capitalize()}.",
        )
    return None


def _closed(stored: Json, decision: str) -> Verdict | None:
    # Only a Retry is about an attempt that has ended.
    if is_open(stored) or decision == RETRY:
        return None
    reason = condition(stored, "Succeeded").get("reason", "")
    return deny(
        "AttemptClosed",
        f"The attempt {stored['metadata']['name']} has ended ({reason}).",
        "Ask for the version again, with a new reason.",
    )


def _never_counted(
    stored: Json, review: Review, *, attempt: TransitionFacts, identity: Identity
) -> Verdict | None:
    """Ask of a vote what counting would ask, but for the voter's right: the policies did that."""
    vote = _facts(review)
    if vote is None or vote.kind not in VOTES:
        return None
    ballot = Ballot(
        attempt=attempt,
        rule=attempt.step.approvals or _NO_RULE,
        subject=attempt.spec["subjectDigest"],
        evidence=(stored.get("status") or {}).get("evidenceDigest", ""),
        excluded=attempt.excluded,
        identity=identity,
        may_approve={vote.uid: True},
        now=vote.created,
    )
    (judgement,) = judge((vote,), ballot)
    return judgement.verdict if judgement.verdict.denies else None


def _facts(review: Review) -> DecisionFacts | None:
    # The API server gives these before or after it asks, depending on its release.
    given = {"name": "", "uid": review.uid, "creationTimestamp": "1970-01-01T00:00:00Z"}
    metadata = {**given, **review.new.get("metadata", {})}
    spec = {**review.spec, "by": review.caller.to_json()}
    return decision_facts({**review.new, "metadata": metadata, "spec": spec})
