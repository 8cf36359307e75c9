"""Artifacts of what serves, looked at again by a whole controller, day after day."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from modelwarden.cluster.paths import EVENTS, JOBS, MODEL_TRANSITIONS
from modelwarden.domain.availability import CHECK
from tests import builders
from tests.fakes.api_server import FakeApiServer
from tests.workflows.world import GATES, PASS, World

GONE = {"outcome": "Failed", "code": "ArtifactMissing", "sentence": "Nothing is there."}
NOBODY_KNOWS = {"outcome": "Inconclusive", "code": "StoreUnavailable", "sentence": "No answer."}
DAY = timedelta(days=1)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Version 1 is in Staging, version 2 is Registered."""
    async with FakeApiServer() as server:
        made = World.of(server)
        for number in (1, 2):
            made.register(number)
        made.ask("r1", builders.stages(staging=(1,)), "stages.staging/1")
        await made.settle("fraud-detector-1", "fraud-detector-2")
        yield made


async def pass_a_day(world: World, **result: str) -> None:
    world.clock.now += DAY
    world.gate_result = {**PASS, **result}
    await world.settle()


def checks(world: World) -> list[tuple[int, str, bool]]:
    return [
        (record["version"], record["facts"]["outcome"], record["facts"]["turned"])
        for record in world.ledger_records()
        if record["operation"] == "ArtifactChecked"
    ]


def told(world: World) -> list[tuple[str, str]]:
    found: list[dict[str, Any]] = world.server.all(EVENTS, builders.NAMESPACE)
    return sorted((e["type"], e["note"]) for e in found if e["action"] == "ArtifactChecked")


async def test_what_is_in_use_is_looked_at_again_each_day_and_what_is_not_is_not(
    world: World,
) -> None:
    again = await world.look()
    await pass_a_day(world)
    await pass_a_day(world)

    assert again is not None
    assert 0.7 * DAY.total_seconds() < again <= DAY.total_seconds()
    assert checks(world) == [(1, "Passed", False), (1, "Passed", False)]
    assert (told(world), world.server.all(JOBS, GATES)) == ([], [])
    assert world.version_condition(1, "ArtifactAvailable") == ("True", "ArtifactSound")


async def test_an_artifact_that_is_gone_is_told_once_and_again_when_it_is_back(
    world: World,
) -> None:
    await pass_a_day(world, **GONE)
    gone = world.version_condition(1, "ArtifactAvailable")
    await pass_a_day(world, **GONE)
    await pass_a_day(world)

    assert checks(world) == [(1, "Failed", True), (1, "Failed", False), (1, "Passed", True)]
    assert told(world) == [
        ("Normal", "The artifact is available again: It is sound."),
        ("Warning", "The artifact is not available any more: Nothing is there."),
    ]
    assert (gone, world.version_condition(1, "ArtifactAvailable")) == (
        ("False", "ArtifactMissing"),
        ("True", "ArtifactSound"),
    )
    labels = {"outcome": "Failed", "code": "ArtifactMissing"}
    counted = world.metrics.registry.get_sample_value("modelwarden_artifact_checks_total", labels)
    assert (counted, world.stage(1)) == (2, "Staging")


async def test_what_could_not_be_told_turns_nothing_and_is_tried_again_soon(world: World) -> None:
    await pass_a_day(world, **NOBODY_KNOWS)
    once, again = checks(world), await world.look()
    for _ in range(4):
        world.clock.now += timedelta(seconds=400)
        await world.settle()

    assert (once, told(world)) == ([(1, "Inconclusive", False)], [])
    assert again is not None
    assert again <= 300
    assert len(checks(world)) == 3
    assert world.version_condition(1, "ArtifactAvailable") == ("True", "ArtifactSound")


async def test_a_check_survives_that_the_controller_and_its_registration_are_gone(
    world: World,
) -> None:
    world.server.remove(MODEL_TRANSITIONS, "fraud-detector-1-registered-1", builders.NAMESPACE)
    world.clock.now += DAY
    await world.look()
    (job,) = world.server.all(JOBS, GATES)
    world.run_gates()
    await world.look()

    await world.settle()

    assert job["metadata"]["labels"]["modelwarden.io/gate"] == CHECK.name
    assert (checks(world), world.server.all(JOBS, GATES)) == ([(1, "Passed", False)], [])


async def test_a_check_that_nobody_asks_for_any_more_is_let_go(world: World) -> None:
    world.clock.now += DAY
    await world.look()
    running = len(world.server.all(JOBS, GATES))
    surface = {"registered": [{"version": 1, "reason": "Not this one."}]}
    world.ask("r2", surface, "stages.registered/1")

    await world.look()

    assert (running, world.server.all(JOBS, GATES), checks(world)) == (1, [], [])


async def test_only_one_version_of_a_model_is_looked_at_at_once(world: World) -> None:
    world.ask("r2", builders.stages(staging=(1, 2)), "stages.staging/2")
    await world.settle("fraud-detector-2")
    world.clock.now += 2 * DAY
    await world.look()
    running = len(world.server.all(JOBS, GATES))

    await world.settle()

    assert (running, sorted(number for number, *_ in checks(world))) == (1, [1, 2])
