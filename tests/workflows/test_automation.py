"""Automation through a whole controller: new versions go to Staging, replaced ones come back."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from modelwarden.cluster.paths import EVENTS, MODEL_POLICIES, MODELS
from tests import builders
from tests.fakes.api_server import FakeApiServer
from tests.workflows.world import World

NAMES = tuple(f"fraud-detector-{number}" for number in range(1, 5))
BELOW = [{**metric, "value": "0.5"} for metric in builders.version()["spec"]["metrics"]]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A Model in whose policy automation may go to Staging."""
    async with FakeApiServer() as server:
        made = World.of(server)
        allow(made, automation={"maxStage": "Staging"})
        yield made


def allow(world: World, **spec: Any) -> None:
    world.server.put(MODEL_POLICIES, builders.policy(**spec))


def automate(world: World, keep: int | None, request: str = "a1") -> None:
    """Write the automation as one request, or take it out."""
    model = world.model()
    model["spec"].pop("automation", None)
    if keep is not None:
        model["spec"]["automation"] = {"to": "Staging", "keep": keep}
    others = [item for item in model["spec"].get("authors", ()) if item["of"] != ["automation"]]
    model["spec"]["authors"] = [*others, builders.author(request, "automation")]
    world.server.put(MODELS, model)


def where(world: World, *numbers: int) -> list[str]:
    return [world.stage(number) for number in numbers]


def warnings(world: World) -> list[str]:
    found = world.server.all(EVENTS, builders.NAMESPACE)
    return [event["note"] for event in found if event["type"] == "Warning"]


async def test_each_new_version_goes_to_staging_and_the_replaced_one_comes_back(
    world: World,
) -> None:
    automate(world, 1)
    world.register(1)
    await world.settle(*NAMES)
    world.register(2)

    await world.settle(*NAMES)

    frozen = world.transition("fraud-detector-1-registered-2")["spec"]
    assert where(world, 1, 2) == ["Registered", "Staging"]
    assert world.records()[-2:] == [
        ("Requested", "fraud-detector-1-registered-2"),
        ("Demoted", "fraud-detector-1-registered-2"),
    ]
    assert frozen["request"]["entry"] == {
        "version": 1,
        "part": "automation",
        "reason": "replaced by 2",
    }
    assert frozen["request"]["author"]["username"] == "manager@example.com"
    assert (warnings(world), world.condition("Settled")) == ([], ("True", "AsWritten"))
    demoted = world.metrics.registry.get_sample_value(
        "modelwarden_demotions_total",
        {"kind": "Demote", "from": "Staging", "to": "Registered"},
    )
    assert demoted is None


async def test_applied_at_once_the_highest_version_stays(world: World) -> None:
    automate(world, 1)
    for number in (3, 1, 2):
        world.register(number)

    await world.settle(*NAMES)

    assert where(world, 1, 2, 3) == ["Registered", "Registered", "Staging"]


async def test_a_version_that_fails_is_not_tried_again_and_holds_nothing_up(world: World) -> None:
    automate(world, 1)
    world.register(1)
    world.register(2, metrics=BELOW)
    await world.settle(*NAMES)
    await world.settle(*NAMES)
    world.register(3)

    await world.settle(*NAMES)

    attempts = [
        name for what, name in world.records() if what == "Requested" and "-staging-" in name
    ]
    assert attempts == [f"fraud-detector-{number}-staging-1" for number in (2, 1, 3)]
    assert where(world, 1, 2, 3) == ["Registered", "Registered", "Staging"]
    assert world.condition("Stalled") == ("False", "NotStalled")


async def test_what_is_named_in_the_stages_is_let_be(world: World) -> None:
    automate(world, 1)
    world.register(1)
    world.ask("r1", builders.stages(staging=(1,)), "stages.staging/1")
    await world.settle(*NAMES)
    for number in (2, 3):
        world.register(number)
        await world.settle(*NAMES)

    assert where(world, 1, 2, 3) == ["Staging", "Registered", "Staging"]


async def test_without_the_automation_nothing_moves(world: World) -> None:
    automate(world, 1)
    world.register(1)
    await world.settle(*NAMES)
    automate(world, None, "a2")
    world.register(2)

    await world.settle(*NAMES)

    assert where(world, 1, 2) == ["Staging", "Registered"]


async def test_a_policy_that_does_not_allow_it_holds_it_in_words(world: World) -> None:
    allow(world)
    automate(world, 1)
    world.register(1)
    await world.settle(*NAMES)
    held = [item["code"] for item in world.model()["status"]["unmet"]]
    allow(world, automation={"maxStage": "Staging"})

    await world.settle()

    assert (held, world.stage(1)) == (["AutomationNotAllowed"], "Staging")
