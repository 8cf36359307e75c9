import json

from tests.cli import stories
from tests.cli.conftest import Run, golden, timeless
from tests.workflows.world import World


async def test_a_model_is_described_on_one_page(world: World, cli: Run) -> None:
    await stories.with_a_candidate(world)

    result = await cli("describe", "fraud-detector")

    assert (result.code, timeless(result.out)) == (0, golden("describe-model.txt"))


async def test_a_version_is_described_beside_the_one_in_production(world: World, cli: Run) -> None:
    await stories.with_a_candidate(world)

    result = await cli("describe", "fraud-detector", "2")

    assert (result.code, timeless(result.out)) == (0, golden("describe-version.txt"))


async def test_a_machine_gets_the_version_its_attempts_and_why_it_is_where_it_is(
    world: World, cli: Run
) -> None:
    await stories.with_a_candidate(world)

    told = json.loads((await cli("describe", "fraud-detector", "v2", "-o", "json")).out)

    assert (
        told["version"]["spec"]["version"],
        told["explanation"]["state"],
        [attempt["spec"]["to"] for attempt in told["transitions"]],
    ) == (2, "Waiting", ["Production", "Registered", "Staging"])
