import json

from modelwarden.cluster.paths import MODEL_VERSIONS, MODELS
from tests import builders
from tests.cli import stories
from tests.cli.conftest import Run, golden, timeless
from tests.workflows.world import World


async def used(world: World) -> None:
    """Version 1 serves and is used elsewhere; the Model declares one more consumer."""
    model = world.model()
    declared = {"name": "Weekly report", "kind": "Dashboard", "contact": "bi@example.com"}
    model["spec"]["consumers"] = [declared]
    world.server.put(MODELS, model)
    await stories.in_production(world)
    record = world.server.get(MODEL_VERSIONS, "fraud-detector-1", builders.NAMESPACE)
    job = {"kind": "CronJob", "name": "nightly", "namespace": "batch", "how": "Annotation"}
    record["status"]["consumers"] += [job | {"detail": "fraud-detector@production"}]
    record["status"]["consumersFound"] = 7
    world.server.put(MODEL_VERSIONS, record)


async def test_consumers_are_shown_by_version_with_how_that_shows(world: World, cli: Run) -> None:
    await used(world)

    result = await cli("consumers", "fraud-detector", "-o", "wide")

    assert (result.code, timeless(result.out)) == (0, golden("consumers.txt"))


async def test_a_version_that_nothing_uses_is_said_to_have_no_consumer(
    world: World, cli: Run
) -> None:
    await stories.registered(world)

    result = await cli("consumers", "fraud-detector", "1")

    assert (result.code, result.out) == (0, "Nothing was found to use it.\n")


async def test_a_machine_gets_found_and_declared_consumers_apart(world: World, cli: Run) -> None:
    await used(world)

    told = json.loads((await cli("consumers", "fraud-detector", "1", "-o", "json")).out)

    assert (
        [each["name"] for each in told["versions"][0]["consumers"]],
        [each["name"] for each in told["declared"]],
    ) == (["fraud-api", "Weekly report", "nightly"], ["Weekly report"])
