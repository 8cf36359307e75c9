"""What happened is told once, however often it is looked at and by whichever controller."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest

from modelwarden.cluster.paths import EVENTS
from tests import builders
from tests.builders import OWNER, REVIEWER
from tests.fakes.api_server import FakeApiServer
from tests.workflows.world import World

# A ledger that begins and a Model that is seen for the first time are no news to anybody.
SAID_OF_NOTHING = {"Genesis", "GovernedChanged"}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with FakeApiServer() as server:
        yield World.of(server)


def told(world: World) -> Counter[tuple[str, str, str]]:
    """Every event: on which object, why, and in which words."""
    return Counter(
        (event["regarding"]["name"], event["reason"], event["note"])
        for event in world.server.all(EVENTS, builders.NAMESPACE)
    )


async def test_every_change_of_a_promotion_is_told_once(world: World) -> None:
    world.register(1)
    world.ask("r1", builders.stages(production=1), "stages.production")
    await world.settle("fraud-detector-1")
    for person in (OWNER, REVIEWER):
        world.vote("fraud-detector-1-production-1", person)
    await world.settle()
    before = told(world)

    for _ in range(5):
        # Each look is that of a controller that has just started.
        await world.look("fraud-detector-1")

    happened = [what for what, _ in world.records() if what not in SAID_OF_NOTHING]
    assert (world.stage(1), told(world)) == ("Production", before)
    assert sum(before.values()) == len(happened)
