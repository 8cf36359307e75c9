"""When an attempt opens, and what the stages surface asks for."""

from dataclasses import replace
from typing import NamedTuple

import pytest

from modelwarden.domain.facts import DesiredStages
from modelwarden.domain.movement import (
    Request,
    named_versions,
    opens_an_attempt,
    requests,
    wanted_stage,
)
from modelwarden.domain.stages import LADDER, Move, Stage, is_above, next_step
from modelwarden.domain.state import AttemptKey, AttemptOutcome, AttemptState, ModelState, Moved
from tests.domain.builders import (
    NOW_TEXT,
    attempt,
    author,
    model,
    stages,
    state,
)

STAGING_1, STAGING_2 = "stages.staging/1", "stages.staging/2"
ARCHIVED_1, REGISTERED_1 = "stages.archived/1", "stages.registered/1"
PRODUCTION, LEFT = "stages.production", "stages.production/1"


def asked(identifier: str, *parts: str) -> Request:
    return Request(
        key=AttemptKey(1, Stage.STAGING),
        kind=Move.PROMOTE,
        source=Stage.REGISTERED,
        part=STAGING_1,
        reason="candidate 1",
        author=author(identifier, *parts),
    )


def ended(outcome: AttemptOutcome, by: str = "r1", *, reopens: bool = False) -> AttemptState:
    return attempt(to=Stage.STAGING, request_id=by, outcome=outcome, reopens=reopens)


OPEN, ROLLING = ended(AttemptOutcome.OPEN), ended(AttemptOutcome.ROLLING_OUT)
FAILED, REJECTED = ended(AttemptOutcome.FAILED), ended(AttemptOutcome.REJECTED)
TAKEN_BACK, SUCCEEDED = ended(AttemptOutcome.SUPERSEDED), ended(AttemptOutcome.SUCCEEDED)
CHANGED = ended(AttemptOutcome.SUPERSEDED, reopens=True)

# The attempts there were at a key, the request that stands now, and whether it opens the next.
ATTEMPTS: dict[str, tuple[tuple[AttemptState, ...], str, bool]] = {
    "the first request": ((), "r1", True),
    "an open attempt": ((OPEN,), "r1", False),
    "another request while one is open": ((OPEN,), "r2", False),
    "another request during a rollout": ((ROLLING,), "r2", False),
    "a failed attempt": ((FAILED,), "r1", False),
    "a failed attempt, asked again": ((FAILED,), "r2", True),
    "a rejected attempt": ((REJECTED,), "r1", False),
    "a rejected attempt, asked again": ((REJECTED,), "r2", True),
    "one that was taken back": ((TAKEN_BACK,), "r1", False),
    "one that was taken back, asked again": ((TAKEN_BACK,), "r2", True),
    "one that a change superseded": ((CHANGED,), "r1", True),
    "one that a change superseded, asked again": ((CHANGED,), "r2", True),
    "one that succeeded": ((SUCCEEDED,), "r1", False),
    "one that succeeded, asked again": ((SUCCEEDED,), "r2", True),
    "one superseded, then one that failed": ((CHANGED, FAILED), "r1", False),
    # The entry that asked first is what is left when a later one is taken back.
    "what failed first, after something else was asked": (
        (FAILED, ended(AttemptOutcome.FAILED, "r2")),
        "r1",
        False,
    ),
    "what failed first, after something else was superseded": (
        (FAILED, ended(AttemptOutcome.SUPERSEDED, "r2", reopens=True)),
        "r1",
        False,
    ),
}


@pytest.mark.parametrize(("attempts", "request_id", "opens"), ATTEMPTS.values(), ids=ATTEMPTS)
def test_one_request_opens_one_attempt(
    *, attempts: tuple[AttemptState, ...], request_id: str, opens: bool
) -> None:
    assert opens_an_attempt(asked(request_id, STAGING_1), attempts) is opens


class Wish(NamedTuple):
    """A surface, where version 1 is, and the step that is asked for."""

    title: str
    surface: DesiredStages
    at: ModelState
    authors: tuple[tuple[str, ...], ...]
    step: tuple[Move, Stage, str, str, str] | None


def only(stage: Stage) -> ModelState:
    return state({1: stage})


def promoted() -> ModelState:
    """Version 1 is in Production because somebody asked for it."""
    about = attempt(outcome=AttemptOutcome.SUCCEEDED)
    after = state({1: Stage.PRODUCTION}, about)
    came = (Moved(Stage.PRODUCTION, NOW_TEXT, 1, about.name),)
    return replace(after, versions=after.versions.put(1, replace(after.versions[1], history=came)))


def replaced(spent: str = "r1", *, by: int = 2, at: Stage = Stage.RETIRING) -> ModelState:
    """Version 1 was in Production, and another version replaced it."""
    after = state({1: at, by: Stage.PRODUCTION})
    served = (Moved(Stage.PRODUCTION, NOW_TEXT, 1), Moved(Stage.RETIRING, NOW_TEXT, 2))
    left = replace(after.versions[1], was_superseded=True, spent_request=spent, history=served)
    return replace(after, versions=after.versions.put(1, left))


UNKNOWN = state({})
R1 = ("r1", STAGING_1)
WISHES = (
    Wish("absence means stay", stages(), only(Stage.STAGING), (), None),
    Wish(
        "a registered version into Staging",
        stages(staging=(1,)),
        only(Stage.REGISTERED),
        (R1,),
        (Move.PROMOTE, Stage.STAGING, STAGING_1, "candidate 1", "r1"),
    ),
    Wish(
        "a version that nobody recorded yet",
        stages(staging=(1,)),
        UNKNOWN,
        (R1,),
        (Move.PROMOTE, Stage.STAGING, STAGING_1, "candidate 1", "r1"),
    ),
    Wish("a version that is there", stages(staging=(1,)), only(Stage.STAGING), (R1,), None),
    Wish(
        "Production at once leads through Staging",
        stages(1),
        only(Stage.REGISTERED),
        (("r1", PRODUCTION),),
        (Move.PROMOTE, Stage.STAGING, PRODUCTION, "release 1", "r1"),
    ),
    Wish(
        "the way through Staging answers to the newest of both entries",
        stages(1, staging=(1,)),
        only(Stage.REGISTERED),
        (R1, ("r2", PRODUCTION)),
        (Move.PROMOTE, Stage.STAGING, STAGING_1, "candidate 1", "r2"),
    ),
    Wish(
        "the last step answers to the production entry",
        stages(1, staging=(1,)),
        only(Stage.STAGING),
        (("r1", PRODUCTION), ("r2", STAGING_1)),
        (Move.PROMOTE, Stage.PRODUCTION, PRODUCTION, "release 1", "r1"),
    ),
    Wish(
        "the newest request that changed the entry counts",
        stages(staging=(1,)),
        only(Stage.REGISTERED),
        (("r1", STAGING_1), ("r2", "governed"), ("r3", STAGING_1, STAGING_2)),
        (Move.PROMOTE, Stage.STAGING, STAGING_1, "candidate 1", "r3"),
    ),
    Wish(
        "an entry that nobody stamped",
        stages(staging=(1,)),
        only(Stage.REGISTERED),
        (("r2", STAGING_2),),
        (Move.PROMOTE, Stage.STAGING, STAGING_1, "candidate 1", ""),
    ),
    Wish("Production is reached", stages(1, staging=(1,)), only(Stage.PRODUCTION), (R1,), None),
    Wish(
        "the staging entry of a version that is being replaced is spent",
        stages(2, staging=(1, 2)),
        state({1: Stage.PRODUCTION, 2: Stage.STAGING}),
        (R1,),
        # What is asked is the other version's step.
        (Move.PROMOTE, Stage.PRODUCTION, PRODUCTION, "release 2", ""),
    ),
    Wish(
        "the staging entry of a replaced version is spent",
        stages(2, staging=(1, 2)),
        replaced(),
        (R1,),
        None,
    ),
    Wish(
        "also where nobody stamped it",
        stages(2, staging=(1, 2)),
        replaced(spent=""),
        (),
        None,
    ),
    Wish(
        "once it is changed it asks again",
        stages(2, staging=(1, 2)),
        replaced(),
        (("r5", STAGING_1),),
        (Move.PROMOTE, Stage.STAGING, STAGING_1, "candidate 1", "r5"),
    ),
    Wish(
        "taking back the first promotion asks by the removed line",
        stages(staging=(1,)),
        promoted(),
        (R1, ("r2", LEFT)),
        (Move.WITHDRAW, Stage.STAGING, LEFT, "taken back: because", "r2"),
    ),
    Wish(
        "a withdrawal to Staging with a reason of its own",
        stages(staging=(1,)),
        promoted(),
        (("r2", LEFT, STAGING_1),),
        (Move.WITHDRAW, Stage.STAGING, STAGING_1, "candidate 1", "r2"),
    ),
    Wish(
        "taking back the request for another version leaves Production as it is",
        stages(staging=(1,)),
        promoted(),
        (R1, ("r2", "stages.production/2")),
        None,
    ),
    Wish(
        "a staging line that nobody touched asks nothing of the version in Production",
        stages(staging=(1,)),
        promoted(),
        (R1,),
        None,
    ),
    Wish(
        "withdrawn to Registered",
        stages(registered=(1,)),
        only(Stage.PRODUCTION),
        (("r2", REGISTERED_1, LEFT),),
        (Move.WITHDRAW, Stage.REGISTERED, REGISTERED_1, "demote 1", "r2"),
    ),
    Wish(
        "out of Production to the archive",
        stages(archived=(1,)),
        only(Stage.PRODUCTION),
        (("r2", ARCHIVED_1, LEFT),),
        (Move.WITHDRAW, Stage.RETIRING, ARCHIVED_1, "archive 1", "r2"),
    ),
    Wish(
        "out of Staging to the archive, at once",
        stages(archived=(1,)),
        only(Stage.STAGING),
        (("r2", ARCHIVED_1, STAGING_1),),
        (Move.ARCHIVE, Stage.ARCHIVED, ARCHIVED_1, "archive 1", "r2"),
    ),
    Wish(
        "a version that replaced another one is asked for again",
        stages(1),
        replaced(),
        (("r5", PRODUCTION),),
        (Move.PROMOTE, Stage.STAGING, PRODUCTION, "release 1", "r5"),
    ),
    Wish(
        "back from Retiring to Registered",
        stages(registered=(1,)),
        replaced(),
        (("r5", REGISTERED_1),),
        (Move.PROMOTE, Stage.REGISTERED, REGISTERED_1, "demote 1", "r5"),
    ),
    Wish(
        "the staging entry is spent in the archive too",
        stages(2, staging=(1, 2)),
        replaced(at=Stage.ARCHIVED),
        (R1,),
        None,
    ),
    Wish(
        "out of Staging",
        stages(registered=(1,)),
        only(Stage.STAGING),
        (("r2", REGISTERED_1, STAGING_1),),
        (Move.DEMOTE, Stage.REGISTERED, REGISTERED_1, "demote 1", "r2"),
    ),
    Wish(
        "a demotion answers to the entry that stopped naming it, if that is newer",
        stages(registered=(1,)),
        only(Stage.STAGING),
        (("r2", REGISTERED_1), ("r3", STAGING_1)),
        (Move.DEMOTE, Stage.REGISTERED, REGISTERED_1, "demote 1", "r3"),
    ),
    Wish("on its way to the archive", stages(archived=(1,)), replaced(), (), None),
    Wish(
        "back from the archive",
        stages(staging=(1,)),
        only(Stage.ARCHIVED),
        (R1,),
        (Move.PROMOTE, Stage.STAGING, STAGING_1, "candidate 1", "r1"),
    ),
)


@pytest.mark.parametrize("row", WISHES, ids=lambda row: row.title)
def test_the_surface_asks_for_this_step(row: Wish) -> None:
    facts = model(stages=row.surface, authors=tuple(author(*item) for item in row.authors))

    found = [(r.kind, r.key.target, r.part, r.reason, r.id) for r in requests(facts, row.at)]

    assert found == ([] if row.step is None else [row.step])


@pytest.mark.parametrize(
    ("surface", "stage"),
    [
        (stages(1, staging=(1,)), Stage.PRODUCTION),
        (stages(staging=(1,)), Stage.STAGING),
        (stages(archived=(1,)), Stage.ARCHIVED),
        (stages(registered=(1,)), Stage.REGISTERED),
        (stages(2, staging=(3,)), None),
    ],
    ids=["both", "staging", "archived", "registered", "not named"],
)
def test_a_version_is_wanted_where_the_surface_names_it(
    surface: DesiredStages, stage: Stage | None
) -> None:
    assert wanted_stage(surface, 1) is stage


def test_every_place_names_versions() -> None:
    surface = stages(3, staging=(3, 4), archived=(1,), registered=(2,))

    assert named_versions(surface) == (1, 2, 3, 4)


@pytest.mark.parametrize(
    ("at", "wanted", "step"),
    [
        (Stage.REGISTERED, Stage.PRODUCTION, Stage.STAGING),
        (Stage.STAGING, Stage.PRODUCTION, Stage.PRODUCTION),
        (Stage.REGISTERED, Stage.STAGING, Stage.STAGING),
        (Stage.PRODUCTION, Stage.STAGING, Stage.STAGING),
        (Stage.PRODUCTION, Stage.ARCHIVED, Stage.ARCHIVED),
        (Stage.ARCHIVED, Stage.PRODUCTION, Stage.STAGING),
    ],
    ids=lambda stage: stage.value,
)
def test_the_way_to_production_leads_through_staging(at: Stage, wanted: Stage, step: Stage) -> None:
    assert next_step(at, wanted) is step


def test_the_ladder_has_three_rungs_and_all_else_is_below() -> None:
    above = {(stage, other) for stage in Stage for other in Stage if is_above(stage, other)}

    assert above == {
        (Stage.STAGING, Stage.REGISTERED),
        (Stage.PRODUCTION, Stage.REGISTERED),
        (Stage.PRODUCTION, Stage.STAGING),
        *((rung, below) for rung in LADDER for below in (Stage.RETIRING, Stage.ARCHIVED)),
    }
