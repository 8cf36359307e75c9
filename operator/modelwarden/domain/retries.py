"""Having an ended attempt tried again: a Retry opens the next attempt at the same request, once.

Whoever retries decides nothing: the requester stays who asked, the gates are asked again and every
vote is cast anew.
"""

from collections.abc import Collection, Iterable, Mapping

from modelwarden.domain.facts import Access, DecisionFacts, Snapshot
from modelwarden.domain.identity import is_service_account
from modelwarden.domain.rights import DECISION_PARTS, right_to_decide
from modelwarden.domain.state import AttemptKey, AttemptOutcome, AttemptState, ModelKey, ModelState
from modelwarden.domain.verdicts import Verdict, allow, deny, wait

RETRY = "Retry"


def retry_of(
    attempt: AttemptState | None, snapshot: Snapshot, *, state: ModelState
) -> DecisionFacts | None:
    """Find the Retry that has the latest attempt at a key tried again, the first one that may."""
    if attempt is None:
        return None
    named = _naming(attempt.name, snapshot.decisions)
    asked = frozenset({attempt.key})
    answers = [(retry, answer(retry, snapshot, state=state, asked=asked)) for retry in named]
    may = [retry for retry, verdict in answers if verdict.code == _MAY]
    unknown = [retry for retry, verdict in answers if verdict.code == _UNKNOWN]
    return next(iter((*may, *unknown)), None)


def answer(
    retry: DecisionFacts, snapshot: Snapshot, *, state: ModelState, asked: Collection[AttemptKey]
) -> Verdict:
    """Say what becomes of a Retry; `asked` are the keys at which something is still asked for."""
    attempt = state.attempts.get(retry.transition)
    if attempt is None:
        return deny("AttemptUnknown", f"No attempt {retry.transition} is on record.")
    for objection in (
        _is_by_a_person(retry),
        _is_about_this_attempt(retry, attempt),
        _attempt_can_be_tried_again(attempt),
        _is_the_latest(attempt, state, retry=retry),
    ):
        if objection is not None:
            return objection
    if attempt.key not in asked:
        return deny(
            "NothingAsksForIt",
            f"Nothing asks for {attempt.key.version} in {attempt.key.target} any more.",
            "Ask for it again in spec.stages, with a new reason.",
        )
    return _retrier_may(retry, attempt, snapshot=snapshot)


def retrier_may(retry: DecisionFacts, snapshot: Snapshot, *, state: ModelState) -> Verdict:
    """Whoever has an attempt tried again has the right to ask for its stage."""
    return _retrier_may(retry, state.attempts[retry.transition], snapshot=snapshot)


def retries_at(state: ModelState, decisions: Iterable[Mapping[str, object]]) -> frozenset[int]:
    """List the versions of which an ended attempt, the latest at its key, is to be tried again.

    It is read from decisions as they are stored: only where to look is taken from it.
    """
    found = set()
    for decision in decisions:
        attempt = state.attempts.get(_transition_of(decision))
        if decision.get("decision") == RETRY and attempt is not None:
            latest = state.latest_attempt(attempt.key)
            if latest is attempt and not attempt.is_open:
                found.add(attempt.key.version)
    return frozenset(found)


def access_of_retries(snapshot: Snapshot, state: ModelState) -> frozenset[Access]:
    """List the questions about the rights of whoever wants an ended attempt tried again."""
    return frozenset(
        question
        for retry in snapshot.decisions
        if retry.kind == RETRY
        and (attempt := state.attempts.get(retry.transition)) is not None
        and not attempt.is_open
        and state.latest_attempt(attempt.key) is attempt
        and (question := _question(retry, attempt, key=snapshot.key)) is not None
    )


def _naming(attempt: str, decisions: Iterable[DecisionFacts]) -> tuple[DecisionFacts, ...]:
    named = (d for d in decisions if d.kind == RETRY and d.transition == attempt)
    return tuple(sorted(named, key=lambda d: (d.created, d.name)))


def _transition_of(decision: Mapping[str, object]) -> str:
    transition = decision.get("transition")
    return str(transition.get("name", "")) if isinstance(transition, Mapping) else ""


def _is_by_a_person(retry: DecisionFacts) -> Verdict | None:
    if retry.by is None or not retry.by.username:
        return deny("RetrierUnknown", "The Retry does not say who made it.")
    if is_service_account(retry.by.username):
        return deny(
            "NotAPerson",
            f"{retry.by.username} is a service account, and decisions come from people.",
            "Decide with your own login.",
        )
    return None


def _is_about_this_attempt(retry: DecisionFacts, attempt: AttemptState) -> Verdict | None:
    if retry.transition_uid != attempt.uid:
        return deny("AnotherAttempt", "The Retry is about an earlier attempt of the same name.")
    if DECISION_PARTS[retry.stage] != DECISION_PARTS[attempt.key.target]:
        return deny("WrongStage", f"The Retry is for {retry.stage}, not for this attempt's stage.")
    return None


def _attempt_can_be_tried_again(attempt: AttemptState) -> Verdict | None:
    if attempt.is_open:
        return deny(
            "AttemptOpen",
            f"{attempt.name} has not ended, so there is nothing to try again.",
            "Wait until it has ended.",
        )
    if attempt.outcome is AttemptOutcome.SUCCEEDED:
        return deny("AttemptSucceeded", f"{attempt.name} has succeeded.")
    return None


def _is_the_latest(
    attempt: AttemptState, state: ModelState, *, retry: DecisionFacts
) -> Verdict | None:
    latest = state.latest_attempt(attempt.key)
    if latest is None or latest.name == attempt.name:
        return None
    following = next((a for a in state.attempts_of(attempt.key) if a.retry == retry.uid), None)
    if following is not None:
        return allow("Retried", f"It was tried again as {following.name}.")
    return deny(
        "NotTheLatestAttempt",
        f"{latest.name} has followed {attempt.name}.",
        f"Retry {latest.name}, once it has ended.",
    )


def _retrier_may(retry: DecisionFacts, attempt: AttemptState, *, snapshot: Snapshot) -> Verdict:
    question = _question(retry, attempt, key=snapshot.key)
    if question is None:
        raise ValueError("who is unnamed was refused before")
    allowed = snapshot.access.get(question)
    if allowed is None:
        return wait(_UNKNOWN, "Whether the attempt may be tried again is not known yet.")
    if allowed:
        return allow(_MAY, f"{question.caller.username} has it tried again.")
    lacked = question.right.lacked_by(
        question.caller.username, model=snapshot.key.name, namespace=snapshot.key.namespace
    )
    return deny("RightMissing", f"{lacked}.")


_MAY = "RetrierMay"
_UNKNOWN = "RightNotReviewed"


def _question(retry: DecisionFacts, attempt: AttemptState, *, key: ModelKey) -> Access | None:
    if retry.by is None or not retry.by.username:
        return None
    return Access(retry.by, right_to_decide(RETRY, attempt.key.target), key)
