"""One look at a Model when something around it does not answer."""

from collections.abc import AsyncIterator

import pytest

from modelwarden.cluster.answers import ApiError
from modelwarden.cluster.paths import EVENTS, MODELS, SUBJECT_ACCESS_REVIEWS
from modelwarden.errors import LedgerUnavailableError
from tests import builders
from tests.fakes.api_server import Call, FakeApiServer
from tests.fakes.store import RefusalError
from tests.workflows.world import KEY, World


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with FakeApiServer() as server:
        yield World.of(server)


def asks_for_staging(world: World) -> None:
    world.register(1)
    world.ask("r1", builders.stages(staging=(1,)), "stages.staging/1")


async def test_a_ledger_that_does_not_answer_is_said_on_the_model_and_serving_goes_on(
    world: World,
) -> None:
    asks_for_staging(world)
    await world.settle("fraud-detector-1")
    before = world.model()["status"]["stages"]
    async with world.controller() as controller:
        world.store.is_down = True
        with pytest.raises(LedgerUnavailableError):
            await controller.reconcile(KEY, frozenset())

    assert {kind: world.condition(kind)[0] for kind in ("Ready", "Reconciling", "Stalled")} == {
        "Ready": "False",
        "Reconciling": "True",
        "Stalled": "False",
    }
    assert (world.condition("Ready")[1], world.model()["status"]["stages"]) == (
        "LedgerUnavailable",
        before,
    )


async def test_when_the_ledger_answers_again_the_model_says_so(world: World) -> None:
    asks_for_staging(world)
    async with world.controller() as controller:
        world.store.is_down = True
        with pytest.raises(LedgerUnavailableError):
            await controller.reconcile(KEY, frozenset())
    world.store.is_down = False

    await world.settle("fraud-detector-1")

    assert world.condition("Ready") == ("True", "Governed")


async def test_what_is_on_record_is_told_though_somebody_else_wrote_meanwhile(
    world: World,
) -> None:
    def writes_the_model(call: Call) -> bool:
        return call.resource == MODELS and call.subresource == "status"

    world.register(1)
    conflict = RefusalError(409, "Conflict", "the object has been modified")
    world.server.fail(where=writes_the_model, answer=conflict)

    with pytest.raises(ApiError):
        await world.look("fraud-detector-1")

    told = [event["reason"] for event in world.server.all(EVENTS, builders.NAMESPACE)]
    assert "Requested" in told


async def test_a_review_of_rights_that_is_refused_is_asked_again(world: World) -> None:
    def reviews(call: Call) -> bool:
        return call.resource == SUBJECT_ACCESS_REVIEWS

    asks_for_staging(world)
    await world.look("fraud-detector-1")
    world.run_gates()
    answer = RefusalError(403, "Forbidden", "the operator may not review")
    world.server.fail(where=reviews, answer=answer, times=100)

    again = await world.look("fraud-detector-1")

    assert (world.stage(1), world.condition("Settled"), again) == (
        "Registered",
        ("False", "RightNotReviewed"),
        5.0,
    )
