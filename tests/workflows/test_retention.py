"""Retention through a whole controller: until when an archived version is kept."""

from datetime import timedelta
from typing import Any

from modelwarden.cluster.paths import MODEL_POLICIES, MODEL_VERSIONS, MODELS
from modelwarden.handlers.sweeper import _is_settled
from tests import builders
from tests.fakes.api_server import FakeApiServer
from tests.workflows.world import World

ARCHIVE = {"archived": [{"version": 1, "reason": "Nobody needs it."}]}


def version(world: World) -> dict[str, Any]:
    return world.server.get(MODEL_VERSIONS, "fraud-detector-1", builders.NAMESPACE)


def keep_for(world: World, days: int) -> None:
    model = world.model()
    model["spec"]["retention"] = {"archivedDays": days}
    world.server.put(MODELS, model)


async def test_an_archived_version_says_until_when_it_is_kept_and_then_no_more() -> None:
    async with FakeApiServer() as server:
        world = World.of(server)
        server.put(MODEL_POLICIES, builders.policy(retention={"archivedDays": 10}))
        world.register(1)
        world.ask("r1", ARCHIVE, "stages.archived/1")
        await world.settle("fraud-detector-1")
        archived = world.clock.now
        by_policy = version(world)["status"]["retainedUntil"]
        keep_for(world, 20)
        await world.settle()
        by_model = version(world)["status"]["retainedUntil"]
        settled = [
            _is_settled(version(world), now=archived + timedelta(days=days)) for days in (19, 21)
        ]
        world.clock.now += timedelta(days=21)

        await world.settle("fraud-detector-1")

        assert (by_policy[:10], by_model[:10]) == ("2026-12-04", "2026-12-14")
        assert world.model()["status"]["retention"] == {"archivedDays": 20}
        assert (settled, "retainedUntil" in version(world)["status"]) == ([True, False], False)
        assert version(world)["status"]["stage"] == "Archived"


async def test_a_number_whose_version_was_deleted_is_never_used_again() -> None:
    async with FakeApiServer() as server:
        world = World.of(server)
        world.register(1)
        await world.settle("fraud-detector-1")
        server.remove(MODEL_VERSIONS, "fraud-detector-1", builders.NAMESPACE)
        await world.settle("fraud-detector-1")
        world.register(1, label="another")

        await world.settle("fraud-detector-1")

        assert ("DeletionObserved", "") in world.records()
        assert world.version_condition(1, "Ready") == ("False", "NumberTaken")
        assert world.model()["status"]["nextVersion"] == 2
