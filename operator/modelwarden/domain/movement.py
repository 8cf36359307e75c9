"""What the stages surface asks for, and when that opens an attempt."""

from collections.abc import Collection
from dataclasses import dataclass

from modelwarden.domain.departures import names
from modelwarden.domain.facts import (
    AuthorItem,
    DecisionFacts,
    DesiredStages,
    ModelFacts,
    StageEntry,
)
from modelwarden.domain.identity import Caller
from modelwarden.domain.stages import Move, Stage, is_above, next_step
from modelwarden.domain.state import AttemptKey, AttemptState, ModelState


@dataclass(frozen=True, kw_only=True)
class Request:
    """One step that somebody asked for. `author` is None where stamping was off.

    `retry` is the decision that has its latest attempt tried again.
    """

    key: AttemptKey
    kind: Move
    source: Stage | None
    part: str
    reason: str
    author: AuthorItem | None
    retry: DecisionFacts | None = None

    @property
    def id(self) -> str:
        """Name the request; an attempt answers one request."""
        return "" if self.author is None else self.author.id

    @property
    def requester(self) -> Caller:
        """Name who asked."""
        return Caller(username="") if self.author is None else self.author.by


def wanted_stage(stages: DesiredStages, version: int) -> Stage | None:
    """Say where the surface wants a version; None means stay.

    A version may stand in `staging` and `production` at once: production is what it is to become.
    """
    if stages.production is not None and stages.production.version == version:
        return Stage.PRODUCTION
    if names(stages.archived, version):
        return Stage.ARCHIVED
    if names(stages.registered, version):
        return Stage.REGISTERED
    if names(stages.staging, version):
        return Stage.STAGING
    return None


def named_versions(stages: DesiredStages) -> tuple[int, ...]:
    """List the versions that the surface names, lowest first."""
    entries = (*stages.staging, *stages.archived, *stages.registered)
    found = {entry.version for entry in entries}
    if stages.production is not None:
        found.add(stages.production.version)
    return tuple(sorted(found))


def requests(
    model: ModelFacts, state: ModelState, *, back: Collection[int] = ()
) -> tuple[Request, ...]:
    """List the steps that the surface asks for and the ledger does not show yet.

    `back` holds the versions that may come back to Production without the whole step.
    """
    found = (
        _request(model, state, version=version, back=back)
        for version in named_versions(model.stages)
    )
    return tuple(request for request in found if request is not None)


def opens_an_attempt(request: Request, attempts: tuple[AttemptState, ...]) -> bool:
    """Say whether a request calls for another attempt than these, all that were at its key.

    One request opens one attempt: a failed or rejected one does not loop, whatever was asked
    between. Where an attempt was superseded by a change of what it was frozen on, the same request
    opens the next one; and so it does where somebody has the latest attempt tried again.
    """
    if any(attempt.is_open for attempt in attempts):
        return False
    return request.retry is not None or all(
        attempt.reopens for attempt in attempts if attempt.request_id == request.id
    )


def _request(
    model: ModelFacts, state: ModelState, *, version: int, back: Collection[int]
) -> Request | None:
    at = state.stage_of(version) or Stage.REGISTERED
    step = _step(model, state, version=version, back=back)
    if step is None:
        return None
    kind, target = step
    parts = _parts_about(model.stages, version, kind=kind, target=target)
    author = newest_author(model.authors, parts)
    key = AttemptKey(version, target)
    if kind is Move.WITHDRAW and target is Stage.STAGING and not _names_staging(author, version):
        reason = f"taken back: {_promoted_because(state, version)}"
        return Request(
            key=key, kind=kind, source=at, part=_left(version), reason=reason, author=author
        )
    part = _part_that_asks(model.stages, version, target=target)
    reason = _entry(model.stages, part, version=version).reason
    return Request(key=key, kind=kind, source=at, part=part, reason=reason, author=author)


def _step(
    model: ModelFacts, state: ModelState, *, version: int, back: Collection[int]
) -> tuple[Move, Stage] | None:
    """Say which step is asked of a version, and what it is called; None where it stays."""
    at = state.stage_of(version) or Stage.REGISTERED
    wanted = wanted_stage(model.stages, version)
    if wanted is None or wanted is at:
        return None
    if wanted is Stage.PRODUCTION and version in back:
        return Move.ROLLBACK, wanted
    if at is Stage.PRODUCTION:
        return _withdrawal(model, version, wanted=wanted)
    if wanted is Stage.ARCHIVED:
        # From Retiring the way to the archive is the operator's own, when no consumer is left.
        return None if at is Stage.RETIRING else (Move.ARCHIVE, wanted)
    if wanted is Stage.STAGING and _is_spent(model, state, version=version):
        return None
    target = next_step(at, wanted)
    if target is at:
        return None
    return (Move.PROMOTE if is_above(target, at) else Move.DEMOTE), target


def _withdrawal(model: ModelFacts, version: int, *, wanted: Stage) -> tuple[Move, Stage] | None:
    """Say where the version in Production goes that is named elsewhere.

    A staging entry stands beside the production entry and asks for nothing by itself: the version
    leaves where the line that named it was removed, never where a request for another one was.
    """
    if wanted is Stage.ARCHIVED:
        return Move.WITHDRAW, Stage.RETIRING
    removed = newest_author(model.authors, (_left(version),)) is not None
    if wanted is Stage.STAGING and (model.stages.production is not None or not removed):
        return None
    return Move.WITHDRAW, wanted


def _is_spent(model: ModelFacts, state: ModelState, *, version: int) -> bool:
    """A staging entry brought its version into Production; it asks again once it is changed."""
    known = state.versions.get(version)
    return (
        known is not None
        and known.stage in (Stage.RETIRING, Stage.ARCHIVED)
        and any(moved.stage is Stage.PRODUCTION for moved in known.history)
        and known.spent_request == staging_request(model, version)
    )


def _promoted_because(state: ModelState, version: int) -> str:
    """Give the reason for which the version in Production was asked there."""
    into = [m for m in state.versions[version].history if m.stage is Stage.PRODUCTION]
    attempt = state.attempts.get(into[-1].transition) if into else None
    return "" if attempt is None else attempt.rationale


def staging_request(model: ModelFacts, version: int) -> str:
    """Name the request that last changed the staging entry of a version; empty if none is known."""
    author = newest_author(model.authors, (f"stages.staging/{version}",))
    return "" if author is None else author.id


def newest_author(authors: tuple[AuthorItem, ...], parts: tuple[str, ...]) -> AuthorItem | None:
    """Find the latest request that changed one of the parts; items are in order of time."""
    for item in reversed(authors):
        if any(part in item.of for part in parts):
            return item
    return None


def _names_staging(author: AuthorItem | None, version: int) -> bool:
    return author is not None and f"stages.staging/{version}" in author.of


def _part_that_asks(stages: DesiredStages, version: int, *, target: Stage) -> str:
    """Name the part of the surface that gives the reason for this step."""
    if target is Stage.PRODUCTION:
        return _PRODUCTION
    naming = (
        f"stages.{place}/{version}" for place in _LISTS if names(getattr(stages, place), version)
    )
    return next(naming, _PRODUCTION)


def _parts_about(
    stages: DesiredStages, version: int, *, kind: Move, target: Stage
) -> tuple[str, ...]:
    """Name the parts that name the version or have just stopped naming it.

    The last step to Production answers to the production entry alone.
    """
    if target is Stage.PRODUCTION:
        return (_PRODUCTION,)
    listed = tuple(f"stages.{place}/{version}" for place in _LISTS)
    if kind is Move.WITHDRAW:
        return (*listed, _left(version))
    return (*listed, _PRODUCTION) if _is_production(stages, version) else listed


_PRODUCTION = "stages.production"
_LISTS = ("staging", "archived", "registered")


def _left(version: int) -> str:
    """Name the production line that named a version and was removed, as `authors` does."""
    return f"{_PRODUCTION}/{version}"


def _entry(stages: DesiredStages, part: str, *, version: int) -> StageEntry:
    if part == _PRODUCTION and stages.production is not None:
        return stages.production
    stage = part.removeprefix("stages.").split("/")[0]
    entries: tuple[StageEntry, ...] = getattr(stages, stage)
    return next(entry for entry in entries if entry.version == version)


def _is_production(stages: DesiredStages, version: int) -> bool:
    return stages.production is not None and stages.production.version == version
