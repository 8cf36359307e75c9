"""Killed before or after any effect, a controller that starts again ends in the same place."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest

from modelwarden.audit.memory import Fault
from modelwarden.cluster.paths import JOBS, MODEL_POLICIES
from tests import builders
from tests.builders import OWNER, REVIEWER
from tests.fakes.api_server import Call, FakeApiServer
from tests.workflows.world import World


class End(NamedTuple):
    """Where it ends: what is shown, what is on record, how many Jobs were made."""

    stages: tuple[str, ...]
    carried: dict[str, str]
    settled: tuple[str, str]
    records: list[tuple[str, str]]
    jobs: int


class Story(NamedTuple):
    """Where it begins, and what is then asked, whatever fails on the way."""

    versions: int
    act: Callable[[World], Awaitable[None]]


def end_of(world: World, versions: int) -> End:
    made = {call.body["metadata"]["name"] for call in world.server.calls if _makes_a_job(call)}
    return End(
        stages=tuple(world.stage(number) for number in range(1, max(1, versions) + 1)),
        carried=world.carried(),
        settled=world.condition("Settled"),
        records=world.records(),
        jobs=len(made),
    )


def _makes_a_job(call: Call) -> bool:
    return call.resource == JOBS and call.method == "POST"


async def promote(world: World, number: int = 1) -> None:
    """Take a version from nothing to Production."""
    staging = tuple(range(1, number + 1))
    world.register(number)
    world.ask(
        f"r{number}",
        builders.stages(production=number, staging=staging),
        "stages.production",
        f"stages.staging/{number}",
    )
    await world.settle_through_faults(f"fraud-detector-{number}")
    for person in (OWNER, REVIEWER):
        world.vote(f"fraud-detector-{number}-production-1", person)
    await world.settle_through_faults(f"fraud-detector-{number}")


async def demote(world: World) -> None:
    """Take the version out of Staging that was rolled back from."""
    await roll_back(world)
    surface = builders.stages(production=1, staging=(1,))
    surface["registered"] = [{"version": 2, "reason": "Not good enough."}]
    world.ask("r4", surface, "stages.staging/2", "stages.registered/2")
    await world.settle_through_faults()


async def roll_back(world: World) -> None:
    """Bring the version back that was replaced."""
    world.ask("r3", builders.stages(production=1, staging=(1, 2)), "stages.production")
    await world.settle_through_faults()


async def withdraw(world: World) -> None:
    """Take the version out of Production, for the archive."""
    surface = builders.stages(staging=(2,))
    surface["archived"] = [{"version": 1, "reason": "It was never asked."}]
    world.ask("r3", surface, "stages.production/1", "stages.staging/1", "stages.archived/1")
    await world.settle_through_faults()


STORIES = {
    "a promotion": Story(0, promote),
    "a withdrawal": Story(1, withdraw),
    "a rollback": Story(2, roll_back),
    "a rollback and a demotion": Story(2, demote),
}


@pytest.fixture(params=STORIES)
def story(request: pytest.FixtureRequest) -> Iterator[Story]:
    return STORIES[request.param]


@asynccontextmanager
async def beginning(story: Story) -> AsyncIterator[World]:
    async with FakeApiServer() as server:
        world = World.of(server)
        for number in range(1, story.versions + 1):
            await promote(world, number)
        yield world


@asynccontextmanager
async def again(begun: World) -> AsyncIterator[World]:
    """Begin once more where the other world began."""
    async with FakeApiServer() as server:
        yield begun.copied_onto(server)


async def undisturbed(begun: World, story: Story) -> tuple[End, int, int]:
    async with again(begun) as world:
        puts = len(world.store.objects)
        await story.act(world)
        return (
            end_of(world, story.versions),
            len(world.server.writes),
            len(world.store.objects) - puts,
        )


async def test_it_ends_the_same_after_a_crash_at_any_write_to_the_cluster(story: Story) -> None:
    ends: list[Any] = []
    async with beginning(story) as begun:
        expected, writes, _ = await undisturbed(begun, story)
        for number in range(writes):
            for when in ("before", "after"):
                async with again(begun) as world:
                    world.server.fail_write(number, when=when)
                    await story.act(world)
                    ends.append((number, when, end_of(world, story.versions)))

    assert writes
    assert [(number, when) for number, when, end in ends if end != expected] == []


@pytest.mark.parametrize("fault", list(Fault))
async def test_it_ends_the_same_after_a_fault_at_any_put_to_the_ledger(
    story: Story, fault: Fault
) -> None:
    ends: list[Any] = []
    async with beginning(story) as begun:
        expected, _, puts = await undisturbed(begun, story)
        for number in range(puts):
            async with again(begun) as world:
                world.store.plan(*(None for _ in range(number)), fault)
                await story.act(world)
                ends.append((number, end_of(world, story.versions)))

    assert puts
    assert [number for number, end in ends if end != expected] == []


def runs_early(world: World) -> World:
    """Have a gate of the Production step run at registration."""
    policy = builders.policy()
    early = {"name": "still-there", "artifact": {}, "runAt": "Registration"}
    policy["spec"]["steps"][2]["gates"].append(early)
    world.server.put(MODEL_POLICIES, policy)
    return world


def in_any_order(end: End) -> End:
    """An early gate ends whenever its Job does, between other records or after them."""
    return end._replace(records=sorted(end.records))


async def test_an_early_gate_is_run_once_after_a_crash_at_any_write_to_the_cluster() -> None:
    async with FakeApiServer() as server:
        world = runs_early(World.of(server))
        await promote(world)
        expected, writes = in_any_order(end_of(world, 1)), len(server.writes)

    ends: list[Any] = []
    for number in range(writes):
        for when in ("before", "after"):
            async with FakeApiServer() as server:
                world = runs_early(World.of(server))
                server.fail_write(number, when=when)
                await promote(world)
                ends.append((number, when, in_any_order(end_of(world, 1))))

    assert expected.records.count(("GateFinished", "fraud-detector-1-registered-1")) == 4
    assert [(number, when) for number, when, end in ends if end != expected] == []
