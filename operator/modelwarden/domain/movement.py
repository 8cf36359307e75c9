"""What the stages surface asks for, and when that opens an attempt."""

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


def requests(model: ModelFacts, state: ModelState) -> tuple[Request, ...]:
    """List the steps that the surface asks for and the ledger does not show yet."""
    found = (_request(model, state, version=version) for version in named_versions(model.stages))
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


def _request(model: ModelFacts, state: ModelState, *, version: int) -> Request | None:
    at = state.stage_of(version) or Stage.REGISTERED
    wanted = wanted_stage(model.stages, version)
    if wanted is None or wanted is at or (wanted is Stage.ARCHIVED and at is Stage.RETIRING):
        return None
    if wanted is Stage.STAGING and _is_spent(model, state, version=version):
        return None
    target = next_step(at, wanted)
    if target is at:
        return None
    part = _part_that_asks(model.stages, version, target=target)
    return Request(
        key=AttemptKey(version, target),
        kind=Move.PROMOTE if is_above(target, at) else _downwards(at, target),
        source=at,
        part=part,
        reason=_entry(model.stages, part, version=version).reason,
        author=newest_author(
            model.authors, _parts_about(model.stages, version, at=at, target=target)
        ),
    )


def _is_spent(model: ModelFacts, state: ModelState, *, version: int) -> bool:
    """A staging entry brought its version into Production; it asks again once it is changed."""
    at = state.stage_of(version)
    if at is Stage.PRODUCTION:
        return model.stages.production is not None
    known = state.versions.get(version)
    return (
        at is Stage.RETIRING
        and known is not None
        and known.spent_request == staging_request(model, version)
    )


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


def _part_that_asks(stages: DesiredStages, version: int, *, target: Stage) -> str:
    """Name the part of the surface that gives the reason for this step."""
    if target is Stage.PRODUCTION:
        return _PRODUCTION
    naming = (
        f"stages.{place}/{version}" for place in _LISTS if names(getattr(stages, place), version)
    )
    return next(naming, _PRODUCTION)


def _parts_about(
    stages: DesiredStages, version: int, *, at: Stage, target: Stage
) -> tuple[str, ...]:
    """Name the parts that name the version or have just stopped naming it.

    The last step to Production answers to the production entry alone.
    """
    if target is Stage.PRODUCTION:
        return (_PRODUCTION,)
    listed = tuple(f"stages.{place}/{version}" for place in _LISTS)
    named = _is_production(stages, version) or at is Stage.PRODUCTION
    return (*listed, _PRODUCTION) if named else listed


_PRODUCTION = "stages.production"
_LISTS = ("staging", "archived", "registered")


def _entry(stages: DesiredStages, part: str, *, version: int) -> StageEntry:
    if part == _PRODUCTION and stages.production is not None:
        return stages.production
    stage = part.removeprefix("stages.").split("/")[0]
    entries: tuple[StageEntry, ...] = getattr(stages, stage)
    return next(entry for entry in entries if entry.version == version)


def _is_production(stages: DesiredStages, version: int) -> bool:
    return stages.production is not None and stages.production.version == version


def _downwards(at: Stage, target: Stage) -> Move:
    if target is Stage.ARCHIVED:
        return Move.ARCHIVE
    return Move.WITHDRAW if at is Stage.PRODUCTION else Move.DEMOTE
