"""Standing orders: each new version is asked into Staging, and so many of them stay there."""

from dataclasses import replace

from modelwarden.domain.authors import AUTOMATION
from modelwarden.domain.facts import AuthorItem, Automation, ModelFacts, PolicyFacts
from modelwarden.domain.movement import Request, named_versions, newest_author
from modelwarden.domain.stages import Move, Stage, is_above
from modelwarden.domain.state import (
    EVER_STAGED,
    AttemptKey,
    AttemptOutcome,
    AttemptState,
    ModelState,
    VersionState,
)
from modelwarden.domain.verdicts import Verdict, allow, deny

# So many of the newest versions are tried; what is older is no new version any more.
NEWEST_TRIED = 16
# Numbers may have gaps, but nobody looks for new versions through all the numbers there can be.
NUMBERS_LOOKED_AT = 1024

EACH_NEW_VERSION = "each new version, by spec.automation"


def standing_requests(model: ModelFacts, state: ModelState) -> tuple[Request, ...]:
    """List what a Model's automation asks for now; without it, nothing moves.

    Whoever wrote it is the requester of all of it.
    """
    if model.automation is None:
        return ()
    author = newest_author(model.authors, (AUTOMATION,))
    named = frozenset(named_versions(model.stages))
    counted = _counted(state, named)
    return (
        *_promotions(model.automation, state, named=named, counted=counted, author=author),
        *_returns(model.automation, state, counted=counted, author=author),
    )


def is_standing(request: Request) -> bool:
    """Say whether nobody wrote this very request: it follows from the automation."""
    return request.part == AUTOMATION


def automation_is_allowed(order: Automation | None, policy: PolicyFacts | Verdict) -> Verdict:
    """The policy lets versions be moved so far without anybody writing it."""
    if isinstance(policy, Verdict):
        return policy
    highest = policy.automation_up_to
    if order is None or (highest is not None and not is_above(order.to, highest)):
        return allow("AutomationAllowed", "The policy allows it.")
    return deny(
        "AutomationNotAllowed",
        f"Policy {policy.name} does not let versions be moved to {order.to} by spec.automation.",
        "Take spec.automation out, or have the platform team set automation.maxStage in the "
        "policy.",
    )


def _promotions(
    order: Automation,
    state: ModelState,
    *,
    named: frozenset[int],
    counted: tuple[int, ...],
    author: AuthorItem | None,
) -> tuple[Request, ...]:
    """Ask for the newest versions, as many as may stay.

    One that failed is not tried again, and the next older one has its turn. What is under way
    goes on, until as many newer ones as may stay have come into Staging before it.
    """
    identifier = "" if author is None else author.id
    asked, alive = [], 0
    for number in _new_versions(state, named, asked_by=identifier):
        attempts = state.attempts_of(AttemptKey(number, order.to))
        if any(attempt.is_open for attempt in attempts):
            wanted = sum(other > number for other in counted) < order.keep
            alive += wanted
        elif any(_has_failed(attempt, identifier) for attempt in attempts):
            wanted = True
        else:
            wanted = alive < order.keep
            alive += wanted
        if wanted:
            asked.append(_promotion(number, order.to, author=author))
    return tuple(asked)


def _new_versions(state: ModelState, named: frozenset[int], *, asked_by: str) -> tuple[int, ...]:
    """List the versions that are higher than every one that has been in Staging, newest first.

    What was asked for while it was new is still under way when a newer one was faster.
    """
    versions = state.versions
    highest = versions.highest
    tried_out = max(versions.group(EVER_STAGED), default=0)
    numbers = range(highest, max(tried_out, highest - NUMBERS_LOOKED_AT), -1)
    new = [n for n in numbers if n not in named and _is_new(versions.get(n))][:NEWEST_TRIED]
    under_way = {
        attempt.key.version
        for attempt in state.open_attempts()
        if attempt.key.target is Stage.STAGING and attempt.request_id == asked_by
    }
    return tuple(sorted({*new, *(under_way - named)}, reverse=True))


def _is_new(version: VersionState | None) -> bool:
    return version is not None and version.valid and version.stage is Stage.REGISTERED


def _has_failed(attempt: AttemptState, asked_by: str) -> bool:
    ended = not attempt.is_open and attempt.outcome is not AttemptOutcome.SUCCEEDED
    return ended and not attempt.reopens and attempt.request_id == asked_by


def _promotion(number: int, target: Stage, *, author: AuthorItem | None) -> Request:
    return Request(
        key=AttemptKey(number, target),
        kind=Move.PROMOTE,
        source=Stage.REGISTERED,
        part=AUTOMATION,
        reason=EACH_NEW_VERSION,
        author=author,
    )


def _returns(
    order: Automation,
    state: ModelState,
    *,
    counted: tuple[int, ...],
    author: AuthorItem | None,
) -> tuple[Request, ...]:
    """Send back what newer versions have replaced."""
    return tuple(
        Request(
            key=AttemptKey(number, Stage.REGISTERED),
            kind=Move.DEMOTE,
            source=Stage.STAGING,
            part=AUTOMATION,
            reason=f"replaced by {counted[0]}",
            author=_for_this_stay(author, state.versions[number]),
        )
        for number in counted[order.keep :]
    )


def _for_this_stay(author: AuthorItem | None, version: VersionState) -> AuthorItem | None:
    """Name the request by when the version came: it may come and be sent back another time."""
    return None if author is None else replace(author, id=f"{author.id}/{version.index}")


def _counted(state: ModelState, named: frozenset[int]) -> tuple[int, ...]:
    """List the versions in Staging that nobody named and that are on no way up, newest first."""
    on_their_way = {
        attempt.key.version
        for attempt in state.open_attempts()
        if attempt.key.target is Stage.PRODUCTION
    }
    in_staging = set(state.in_stage(Stage.STAGING))
    return tuple(sorted(in_staging - named - on_their_way, reverse=True))
