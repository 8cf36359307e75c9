import json

import pytest

from tests.cli import stories
from tests.cli.conftest import Run, golden, timeless
from tests.workflows.world import World


@pytest.mark.parametrize(
    ("more", "name"), [((), "versions.txt"), (("-o", "wide"), "versions-wide.txt")]
)
async def test_versions_are_listed_newest_first(
    world: World, cli: Run, more: tuple[str, ...], name: str
) -> None:
    await stories.with_a_candidate(world)
    world.register(3)

    result = await cli("versions", "fraud-detector", *more)

    assert (result.code, timeless(result.out)) == (0, golden(name))


async def test_versions_of_one_stage_are_listed_alone(world: World, cli: Run) -> None:
    await stories.with_a_candidate(world)

    result = await cli("versions", "fraud-detector", "--stage", "staging", "-o", "name")

    assert (result.code, result.out) == (0, "modelversion.modelwarden.io/fraud-detector-2\n")


async def test_a_stage_without_versions_is_said_to_have_none(world: World, cli: Run) -> None:
    result = await cli("versions", "fraud-detector", "--stage", "archived")

    assert (result.code, result.out) == (0, "It has no such versions.\n")


async def test_a_machine_gets_the_versions_as_a_list(world: World, cli: Run) -> None:
    await stories.registered(world)

    told = json.loads((await cli("versions", "fraud-detector", "-o", "json")).out)

    assert (told["kind"], [item["spec"]["version"] for item in told["items"]]) == ("List", [1])


async def test_versions_of_a_model_that_is_not_there_are_a_sentence(world: World, cli: Run) -> None:
    result = await cli("versions", "fraud-detectr")

    assert (result.code, result.err) == (
        1,
        "There is no model fraud-detectr in risk. Did you mean fraud-detector?\n",
    )
