import json
from pathlib import Path

from tests import builders
from tests.cli import stories
from tests.cli.conftest import Result, Run, golden, timeless
from tests.cli.ledger_copies import anchored, copied
from tests.workflows.world import World


async def test_the_history_of_the_objects_is_marked_as_a_picture(world: World, cli: Run) -> None:
    await stories.in_production(world)

    assert timeless((await cli("history", "fraud-detector")).out) == golden("history.txt")


async def test_an_attempt_that_came_to_nothing_is_told(world: World, cli: Run) -> None:
    await stories.awaiting_votes(world)
    world.vote(stories.ATTEMPT, builders.REVIEWER, "Reject", rationale="Too old.")
    await world.settle()

    result = await cli("history", "fraud-detector")

    assert 'attempt to enter Production ended: reviewer@example.com rejected it: "Too old."' in (
        result.out
    )


async def test_the_history_of_the_ledger_has_every_record(
    world: World, cli: Run, tmp_path: Path
) -> None:
    await stories.in_production(world)
    anchor = await anchored(world)
    copy = copied(world, tmp_path / "copy")

    result = await cli("history", "fraud-detector", "--ledger", str(copy), "--key", anchor.key)

    masked = Result(result.code, result.out.replace(anchor.key, "<key>"), result.err)
    assert timeless(masked.out) == golden("history-ledger.txt")


async def test_a_machine_is_told_that_it_is_a_projection(world: World, cli: Run) -> None:
    await stories.in_production(world)

    told = json.loads((await cli("history", "fraud-detector", "-o", "json")).out)

    assert (told["projection"], told["ledgerIndex"]) == (
        True,
        world.model()["status"]["ledgerIndex"],
    )


async def test_a_model_without_a_history_says_so(world: World, cli: Run) -> None:
    result = await cli("history", "fraud-detector")

    assert (result.code, result.out.splitlines()[0]) == (0, "Nothing is recorded.")
