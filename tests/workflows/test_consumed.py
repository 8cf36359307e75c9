"""A version that something uses is not archived, and says so afterwards if something does."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from modelwarden.cluster.paths import CRON_JOBS, MODEL_VERSIONS, MODELS, PODS
from modelwarden.domain import labels
from tests import builders
from tests.builders import OWNER, REVIEWER
from tests.fakes.api_server import FakeApiServer
from tests.fakes.store import RefusalError
from tests.workflows.world import World


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Give a world in which version 2 takes the place of version 1 in the next look."""
    async with FakeApiServer() as server:
        world = World.of(server)
        for number in (1, 2):
            await release(world, number)
        yield world


async def release(world: World, number: int) -> None:
    """Bring a version to where only the Deployment is waited for."""
    world.register(number)
    world.ask(
        f"r{number}",
        builders.stages(production=number, staging=(number,)),
        "stages.production",
        f"stages.staging/{number}",
    )
    await world.settle(f"fraud-detector-{number}")
    for person in (OWNER, REVIEWER):
        world.vote(f"fraud-detector-{number}-production-1", person)
    await world.look()
    world.roll_out()
    if number == 1:
        await world.settle()


def consume(world: World, what: str = "risk/fraud-detector:1") -> None:
    annotations = {labels.CONSUMES: what}
    metadata = {"name": "nightly", "namespace": "batch", "annotations": annotations}
    world.server.put(CRON_JOBS, {"metadata": metadata, "spec": {}})


def version(world: World, number: int) -> dict[str, Any]:
    name = f"{builders.MODEL}-{number}"
    return world.server.get(MODEL_VERSIONS, name, builders.NAMESPACE)


def consumers(world: World, number: int = 1) -> list[dict[str, Any]]:
    status = version(world, number)["status"]
    found: list[dict[str, Any]] = status.get("consumers", [])
    return found


async def test_a_version_that_something_uses_waits(world: World) -> None:
    consume(world)

    again = await world.look()

    assert (world.stage(1), again, world.version_condition(1, "InUse")) == (
        "Retiring",
        30.0,
        ("True", "Used"),
    )
    assert consumers(world) == [
        {"kind": "CronJob", "name": "nightly", "namespace": "batch", "how": "Annotation"}
    ]


async def test_it_is_archived_once_nothing_does(world: World) -> None:
    consume(world)
    await world.look()
    world.server.remove(CRON_JOBS, "nightly", "batch")
    world.clock.now += timedelta(seconds=31)

    await world.look()

    assert (world.stage(1), consumers(world)) == ("Archived", [])


async def test_it_is_not_archived_while_the_cluster_does_not_say_who_uses_it(
    world: World,
) -> None:
    world.server.fail(
        where=lambda call: call.resource == CRON_JOBS,
        answer=RefusalError(403, "Forbidden", "cronjobs is forbidden"),
        times=99,
    )

    await world.look()
    await world.look()

    assert world.stage(1) == "Retiring"


async def test_an_archived_version_says_that_something_would_use_it_again(world: World) -> None:
    await world.settle()
    consume(world)

    await world.look()

    during = world.version_condition(1, "ConsumedAfterArchive")
    world.server.remove(CRON_JOBS, "nightly", "batch")
    # The sweep touches what its status says is used.
    await world.look("fraud-detector-1")
    conditions = [c["type"] for c in version(world, 1)["status"]["conditions"]]
    assert (world.stage(1), during) == ("Archived", ("True", "ConsumedAfterArchive"))
    assert "ConsumedAfterArchive" not in conditions


async def test_what_is_declared_is_told_of_the_version_in_production_and_blocks_nothing(
    world: World,
) -> None:
    model = world.model()
    model["spec"]["consumers"] = [{"name": "Weekly report", "kind": "Report"}]
    world.server.put(MODELS, model)

    await world.settle()

    assert [each["how"] for each in consumers(world, 2)] == ["Label", "Declared"]
    assert (world.stage(1), world.stage(2)) == ("Archived", "Production")


async def test_a_pod_of_the_version_before_keeps_it(world: World) -> None:
    ours = {labels.MODEL: builders.MODEL, labels.MODEL_VERSION: "1"}
    metadata = {"name": "fraud-api-1", "namespace": builders.NAMESPACE, "labels": ours}
    world.server.put(PODS, {"metadata": metadata, "status": {"phase": "Running"}})

    await world.look()

    assert (world.stage(1), [each["kind"] for each in consumers(world)]) == ("Retiring", ["Pod"])
