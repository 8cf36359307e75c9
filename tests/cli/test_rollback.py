from typing import Any

from tests import builders
from tests.cli import stories
from tests.cli.conftest import Run
from tests.cli.test_demote import showing, stages
from tests.workflows.world import World

ROLLBACK = ("rollback", "fraud-detector", "--reason", "Latency")
SURFACE = {
    "production": {"version": 3, "reason": "release 3"},
    "staging": [{"version": 3, "reason": "candidate"}],
    "archived": [{"version": 2, "reason": "Superseded"}],
}
LAST = {"version": 2}
OLDER = {"version": 1, "until": "2026-12-01T00:00:00Z"}


def shown(*back: dict[str, Any], production: int = 3) -> dict[str, Any]:
    artifact = {"uri": "s3://models/risk/3/model.onnx", "digest": "sha256:" + "a" * 64}
    there = {"version": production, "artifact": artifact, "since": "2026-11-01T00:00:00Z"}
    return {"production": there | {"ledgerIndex": 9}, "rollbackTo": list(back)}


async def test_the_version_replaced_last_goes_back_into_production(world: World, cli: Run) -> None:
    await stories.registered(world)
    showing(world, SURFACE, shown(OLDER, LAST))

    result = await cli(*ROLLBACK)

    assert (result.code, result.out, stages(world)) == (
        0,
        (
            "fraud-detector 2 is asked back into Production.\n"
            "Version 3 goes to Staging, where its line stands; only the whole step brings it "
            "back.\n"
            "Follow it: kubectl model why fraud-detector 2 -n risk\n"
        ),
        SURFACE | {"production": {"version": 2, "reason": "Latency"}, "archived": []},
    )


async def test_an_older_version_goes_back_by_name_while_the_policy_lets_it(
    world: World, cli: Run
) -> None:
    await stories.registered(world)
    showing(world, SURFACE, shown(OLDER, LAST))

    result = await cli(*ROLLBACK, "--to", "v1")

    assert (result.code, stages(world)["production"]) == (0, {"version": 1, "reason": "Latency"})


async def test_a_version_that_cannot_come_back_is_answered_with_those_that_can(
    world: World, cli: Run
) -> None:
    await stories.registered(world)
    showing(world, SURFACE, shown(OLDER, LAST))

    result = await cli(*ROLLBACK, "--to", "7")

    assert (result.code, result.err, stages(world)) == (
        1,
        (
            "fraud-detector cannot go back to 7. It may go back to 1 (until "
            "2026-12-01T00:00:00Z), 2 (replaced last). Nothing was changed.\n"
            "It takes the whole step: kubectl model promote fraud-detector 7 --to production -n "
            "risk --reason ...\n"
        ),
        SURFACE,
    )


async def test_without_one_that_was_replaced_last_the_choice_is_asked_for(
    world: World, cli: Run
) -> None:
    await stories.registered(world)
    showing(world, SURFACE, shown(OLDER))

    result = await cli(*ROLLBACK)

    assert (result.code, result.err, stages(world)) == (
        1,
        (
            "No version was replaced by the one in Production. It may go back to 1 (until "
            "2026-12-01T00:00:00Z). Say which with --to. Nothing was changed.\n"
        ),
        SURFACE,
    )


async def test_a_model_without_a_past_has_nothing_to_go_back_to(world: World, cli: Run) -> None:
    await stories.in_production(world)
    before = stages(world)

    result = await cli(*ROLLBACK)

    assert (result.code, result.err.splitlines()[0], stages(world)) == (
        1,
        (
            "fraud-detector has no version to go back to: none was replaced in Production that its "
            "policy still lets back. Nothing was changed."
        ),
        before,
    )


async def test_a_request_that_is_open_is_said_to_be_taken_back(world: World, cli: Run) -> None:
    await stories.registered(world)
    asked = SURFACE | {"production": {"version": 4, "reason": "release 4"}}
    showing(world, asked, shown(LAST))

    result = await cli(*ROLLBACK)

    assert (result.code, result.out.splitlines()[2]) == (
        0,
        "The request for version 4 is taken back by that.",
    )


async def test_going_back_to_what_is_there_changes_nothing(world: World, cli: Run) -> None:
    await stories.registered(world)
    showing(world, SURFACE, shown(LAST))

    result = await cli(*ROLLBACK, "--to", "3")

    assert (result.code, result.out, stages(world)) == (
        0,
        "fraud-detector 3 is in Production already; nothing was changed.\n",
        SURFACE,
    )


async def test_while_another_version_is_asked_for_what_is_there_is_kept_by_a_cancel(
    world: World, cli: Run
) -> None:
    await stories.registered(world)
    asked = SURFACE | {"production": {"version": 4, "reason": "release 4"}}
    showing(world, asked, shown(LAST))

    result = await cli(*ROLLBACK, "--to", "3")

    assert (result.code, result.err, stages(world)) == (
        1,
        (
            "fraud-detector 3 is in Production. kubectl model cancel fraud-detector 4 -n risk "
            "takes the request for 4 back. Nothing was changed.\n"
        ),
        asked,
    )


async def test_waiting_for_a_rollback_ends_when_the_older_version_serves(
    world: World, cli: Run
) -> None:
    await stories.with_a_candidate(world)
    world.vote("fraud-detector-2-production-1", builders.OWNER)
    world.vote("fraud-detector-2-production-1", builders.REVIEWER)
    await world.settle()

    async with stories.running(world):
        result = await cli(*ROLLBACK, "--wait", "--timeout", "60s")

    assert (result.code, result.out.splitlines()[-1]) == (0, "Version 1 is in Production.")
    assert (world.stage(1), world.stage(2)) == ("Production", "Staging")
