"""Names of versions through a whole controller: in the status, and held in words."""

from typing import Any

from modelwarden.cluster.paths import MODELS
from tests import builders
from tests.fakes.api_server import FakeApiServer
from tests.workflows.world import World


def name(world: World, **aliases: int) -> None:
    chosen = [{"name": name, "version": number} for name, number in aliases.items()]
    world.server.put(MODELS, builders.model(aliases=chosen))


def means(world: World) -> dict[str, int]:
    return {alias["name"]: alias["version"] for alias in world.model()["status"]["aliases"]}


def waiting(world: World) -> list[tuple[int, str]]:
    unmet: list[dict[str, Any]] = world.model()["status"].get("unmet", [])
    return [(item["version"], item["code"]) for item in unmet]


async def test_a_name_waits_for_its_version_and_then_means_it() -> None:
    async with FakeApiServer() as server:
        world = World.of(server)
        name(world, candidate=2)
        world.register(1)
        await world.settle("fraud-detector-1")
        before = (
            means(world),
            waiting(world),
            world.condition("Settled"),
            world.condition("Ready"),
        )
        world.register(2)

        await world.settle("fraud-detector-2")

        assert before == (
            {"latest": 1},
            [(2, "AliasUnresolved")],
            ("False", "AliasUnresolved"),
            ("True", "Governed"),
        )
        assert (means(world), waiting(world)) == ({"candidate": 2, "latest": 2}, [])
        assert world.condition("Settled") == ("True", "AsWritten")


async def test_derived_names_follow_the_stages() -> None:
    async with FakeApiServer() as server:
        world = World.of(server)
        for number in (1, 2):
            world.register(number)
        world.ask("r1", builders.stages(staging=(1,)), "stages.staging/1")

        await world.settle("fraud-detector-1", "fraud-detector-2")

        assert means(world) == {"latest": 2, "staging": 1}
