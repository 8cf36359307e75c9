from tests import builders
from tests.cli import stories
from tests.cli.conftest import Run
from tests.cli.test_demote import showing, stages
from tests.workflows.world import World


async def test_a_request_for_production_is_taken_back_by_naming_what_is_there(
    world: World, cli: Run
) -> None:
    await stories.with_a_candidate(world)
    before = stages(world)

    result = await cli("cancel", "fraud-detector", "2")

    assert (result.code, result.out, stages(world)) == (
        0,
        (
            "fraud-detector 2 is asked into Production no more: spec.stages.production names 1 "
            "again.\n"
            "Follow it: kubectl model why fraud-detector 2 -n risk\n"
        ),
        before | {"production": {"version": 1, "reason": "release 1"}},
    )


async def test_the_first_request_for_production_is_taken_back_by_removing_it(
    world: World, cli: Run
) -> None:
    await stories.awaiting_votes(world)

    async with stories.running(world):
        result = await cli("cancel", "fraud-detector", "1", "--wait", "--timeout", "60s")

    assert (result.code, result.out.splitlines()[-1], stages(world), world.stage(1)) == (
        0,
        "Nothing brings version 1 into Production any more.",
        builders.stages(staging=(1,)),
        "Staging",
    )


async def test_a_request_for_staging_is_taken_back_by_removing_its_line(
    world: World, cli: Run
) -> None:
    await stories.registered(world)
    surface = {"staging": [{"version": 1, "reason": "Candidate"}]}
    showing(world, surface, {})

    result = await cli("cancel", "fraud-detector", "1")

    assert (result.code, result.out.splitlines()[0], stages(world)) == (
        0,
        (
            "fraud-detector 1 is asked into Staging no more: its line in spec.stages.staging is "
            "gone."
        ),
        {"staging": []},
    )


async def test_of_two_requests_the_other_one_is_said_to_stand(world: World, cli: Run) -> None:
    await stories.registered(world)
    showing(world, builders.stages(production=1, staging=(1,)), {})

    result = await cli("cancel", "fraud-detector", "1")

    assert (result.code, result.out.splitlines()[1], stages(world)) == (
        0,
        "The line in spec.stages.staging stands; cancel once more to take that back too.",
        builders.stages(staging=(1,)),
    )


async def test_a_demotion_is_taken_back_with_the_reason_it_had_in_staging(
    world: World, cli: Run
) -> None:
    await stories.in_staging(world)
    showing(world, {"registered": [{"version": 1, "reason": "Drifts"}]}, {"staging": [1]})

    result = await cli("cancel", "fraud-detector", "1")

    assert (result.code, result.out.splitlines()[0], stages(world)) == (
        0,
        (
            "fraud-detector 1 is asked into Registered no more: its line in spec.stages.registered "
            "is gone, and the one in staging is back."
        ),
        {"registered": [], "staging": [{"version": 1, "reason": "candidate 1"}]},
    )


async def test_a_line_with_a_wrong_number_can_be_taken_back(world: World, cli: Run) -> None:
    await stories.registered(world)
    showing(world, {"staging": [{"version": 17, "reason": "Typed wrong"}]}, {})

    result = await cli("cancel", "fraud-detector", "17")

    assert (result.code, stages(world)) == (0, {"staging": []})


async def test_where_nothing_is_open_nothing_is_changed(world: World, cli: Run) -> None:
    await stories.in_production(world)
    before = stages(world)

    results = [await cli("cancel", "fraud-detector", number) for number in ("1", "2")]

    assert ([(result.code, result.err) for result in results], stages(world)) == (
        [
            (
                1,
                (
                    "fraud-detector 1 is in Production, and nothing else is asked of it. Nothing "
                    "was changed. See kubectl model get fraud-detector -n risk.\n"
                ),
            ),
            (
                1,
                (
                    "fraud-detector has no version 2, and spec.stages asks nothing of it. "
                    "Nothing was changed. See kubectl model get fraud-detector -n risk.\n"
                ),
            ),
        ],
        before,
    )
