"""Killed before or after any effect, a controller that starts again ends in the same place."""

from typing import Any, NamedTuple

import pytest

from modelwarden.audit.memory import Fault
from modelwarden.cluster.paths import JOBS
from tests import builders
from tests.builders import OWNER, REVIEWER
from tests.fakes.api_server import Call, FakeApiServer
from tests.workflows.world import World

ATTEMPT = "fraud-detector-1-production-1"


class End(NamedTuple):
    """Where a promotion ends: what is shown, what is on record, how many Jobs were made."""

    stage: str
    carried: dict[str, str]
    settled: tuple[str, str]
    records: list[tuple[str, str]]
    jobs: int


def end_of(world: World) -> End:
    made = {call.body["metadata"]["name"] for call in world.server.calls if _makes_a_job(call)}
    return End(
        stage=world.stage(1),
        carried=world.carried(),
        settled=world.condition("Settled"),
        records=world.records(),
        jobs=len(made),
    )


def _makes_a_job(call: Call) -> bool:
    return call.resource == JOBS and call.method == "POST"


async def promote(world: World) -> None:
    """Take version 1 from nothing to Production, whatever fails on the way."""
    world.register(1)
    world.ask(
        "r1", builders.stages(production=1, staging=(1,)), "stages.production", "stages.staging/1"
    )
    await world.settle_through_faults("fraud-detector-1")
    world.vote(ATTEMPT, OWNER)
    world.vote(ATTEMPT, REVIEWER)
    await world.settle_through_faults("fraud-detector-1")


async def undisturbed() -> tuple[End, int, int]:
    async with FakeApiServer() as server:
        world = World.of(server)
        await promote(world)
        return end_of(world), len(server.writes), len(world.store.objects)


async def test_a_promotion_ends_the_same_after_a_crash_at_any_write_to_the_cluster() -> None:
    expected, writes, _ = await undisturbed()

    ends: list[Any] = []
    for number in range(writes):
        for when in ("before", "after"):
            async with FakeApiServer() as server:
                world = World.of(server)
                server.fail_write(number, when=when)
                await promote(world)
                ends.append((number, when, end_of(world)))

    assert [(number, when) for number, when, end in ends if end != expected] == []


@pytest.mark.parametrize("fault", list(Fault))
async def test_a_promotion_ends_the_same_after_a_fault_at_any_put_to_the_ledger(
    fault: Fault,
) -> None:
    expected, _, puts = await undisturbed()

    ends: list[Any] = []
    for number in range(puts):
        async with FakeApiServer() as server:
            world = World.of(server)
            world.store.plan(*(None for _ in range(number)), fault)
            await promote(world)
            ends.append((number, end_of(world)))

    assert [number for number, end in ends if end != expected] == []
