"""A version is registered once, whatever it had to wait for."""

from collections.abc import AsyncIterator

import pytest

from modelwarden.cluster.paths import MODEL_POLICIES, MODEL_VERSIONS, MODELS
from tests import builders
from tests.fakes.api_server import FakeApiServer
from tests.workflows.world import KEY, World

VERSION = frozenset({"fraud-detector-1"})


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with FakeApiServer() as server:
        yield World.of(server)


async def test_a_version_that_came_before_its_model_is_registered_with_it(world: World) -> None:
    world.server.remove(MODELS, builders.MODEL, builders.NAMESPACE)
    world.register(1)
    async with world.controller() as controller:
        await controller.reconcile(KEY, VERSION)
        waiting = world.version_condition(1, "Ready")
        world.server.put(MODELS, builders.model())

        await controller.reconcile(KEY, frozenset())
        world.run_gates()
        await controller.reconcile(KEY, frozenset())

    assert (waiting, world.version_condition(1, "Ready")) == (
        ("Unknown", "ModelNotFound"),
        ("True", "Registered"),
    )


async def test_a_version_that_came_before_its_policy_is_registered_with_it(world: World) -> None:
    world.server.remove(MODEL_POLICIES, "standard")
    world.register(1)
    async with world.controller() as controller:
        await controller.reconcile(KEY, VERSION)
        waiting = world.version_condition(1, "Ready")
        world.server.put(MODEL_POLICIES, builders.policy())

        await controller.reconcile(KEY, frozenset())
        world.run_gates()
        await controller.reconcile(KEY, frozenset())

    assert (waiting, world.version_condition(1, "Ready")) == (
        ("Unknown", "NoPolicy"),
        ("True", "Registered"),
    )


async def test_a_registration_that_a_change_superseded_begins_again_by_itself(world: World) -> None:
    world.register(1)
    await world.look("fraud-detector-1")
    model = world.model()
    model["spec"]["owners"] = [{"kind": "User", "name": "other@example.com"}]
    world.server.put(MODELS, model)

    await world.settle()

    assert world.stage(1) == "Registered"
    assert ("Registered", "fraud-detector-1-registered-2") in world.records()


async def test_the_highest_number_does_not_stop_a_model(world: World) -> None:
    world.register(999_999)

    await world.settle("fraud-detector-999999")

    status = world.model()["status"]
    assert (status["latestVersion"], status.get("nextVersion")) == (999_999, None)


async def test_a_gate_job_that_was_deleted_is_made_again_and_its_old_pod_not_heard(
    world: World,
) -> None:
    world.register(1)
    await world.look("fraud-detector-1")
    world.kill_gates()
    world.delete_gates()

    await world.settle()

    assert world.stage(1) == "Registered"
    assert ("GateFinished", "fraud-detector-1-registered-1") in world.records()
    assert world.version_condition(1, "Ready") == ("True", "Registered")


async def test_a_version_deleted_while_it_is_registered_ends_its_attempt_for_all_to_see(
    world: World,
) -> None:
    world.register(1)
    await world.look("fraud-detector-1")
    world.server.remove(MODEL_VERSIONS, "fraud-detector-1", builders.NAMESPACE)

    await world.settle("fraud-detector-1")

    assert world.attempt_condition("fraud-detector-1-registered-1", "Succeeded") == (
        "False",
        "AttemptVanished",
    )


async def test_a_version_that_cannot_be_read_stops_no_other(world: World) -> None:
    # What the webhook would have refused: one key, composed and decomposed.
    world.register(1, hyperparameters={"\u00e9": "1", "e\u0301": "2"})
    world.register(2)

    await world.settle("fraud-detector-1", "fraud-detector-2")

    assert (world.stage(1), world.stage(2)) == ("", "Registered")
