"""What people do beside asking and voting, and what it leads to."""

from collections.abc import AsyncIterator

import pytest

from tests import builders
from tests.builders import MANAGER, OWNER, REVIEWER, SCIENTIST
from tests.fakes.api_server import FakeApiServer
from tests.workflows.world import PASS, World

ATTEMPT = "fraud-detector-1-production-1"
NEXT = "fraud-detector-1-production-2"
BROKEN = {"outcome": "Failed", "code": "ArtifactMissing", "sentence": "There is no such object."}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with FakeApiServer() as server:
        yield World.of(server)


async def awaiting_votes(world: World) -> None:
    world.register(1)
    surface = builders.stages(production=1, staging=(1,))
    world.ask("r1", surface, "stages.production", "stages.staging/1")
    await world.settle("fraud-detector-1")


async def rejected(world: World) -> None:
    await awaiting_votes(world)
    world.vote(ATTEMPT, REVIEWER, "Reject")
    await world.settle()


async def serving(world: World) -> None:
    await awaiting_votes(world)
    world.vote(ATTEMPT, OWNER)
    world.vote(ATTEMPT, REVIEWER)
    await world.settle()


def discarded(world: World, attempt: str) -> list[str]:
    status = world.transition(attempt)["status"]
    return [vote["reason"] for vote in status.get("votes", {}).get("discarded", ())]


async def test_a_registration_whose_file_came_later_is_tried_again(world: World) -> None:
    world.gate_result = dict(BROKEN)
    world.register(1)
    await world.settle("fraud-detector-1")
    failed = world.version_condition(1, "Ready")
    world.gate_result = dict(PASS)
    world.vote("fraud-detector-1-registered-1", MANAGER, "Retry", stage="Staging")

    await world.settle()

    assert (failed, world.version_condition(1, "Ready")) == (
        ("False", "RegistrationFailed"),
        ("True", "Registered"),
    )
    assert ("Registered", "fraud-detector-1-registered-2") in world.records()


async def test_one_retry_opens_one_attempt(world: World) -> None:
    await rejected(world)
    world.vote(ATTEMPT, MANAGER, "Retry")
    await world.settle()
    world.vote(NEXT, REVIEWER, "Reject")

    await world.settle()

    requested = [attempt for what, attempt in world.records() if what == "Requested"]
    assert requested[-2:] == [ATTEMPT, NEXT]


async def test_after_a_retry_everybody_votes_anew(world: World) -> None:
    await awaiting_votes(world)
    world.vote(ATTEMPT, OWNER)
    world.vote(ATTEMPT, REVIEWER, "Reject")
    await world.settle()
    world.vote(ATTEMPT, MANAGER, "Retry")
    await world.settle()
    given = world.transition(NEXT)["status"]["summary"]["approvals"]
    world.vote(NEXT, OWNER)
    world.vote(NEXT, REVIEWER)

    await world.settle()

    assert (given, world.stage(1)) == ("0/2", "Production")


async def test_a_retry_by_somebody_without_the_right_is_answered_on_the_attempt(
    world: World,
) -> None:
    await rejected(world)
    world.server.review = lambda spec: spec["user"] != SCIENTIST["username"]
    world.vote(ATTEMPT, SCIENTIST, "Retry")

    await world.settle()

    assert (discarded(world, ATTEMPT), world.condition("Settled")) == (
        ["RightMissing"],
        ("False", "Rejected"),
    )


async def test_a_vote_that_did_not_count_is_seen_after_the_attempt_ended(world: World) -> None:
    await awaiting_votes(world)
    world.vote(ATTEMPT, SCIENTIST)
    await world.settle()
    world.vote(ATTEMPT, OWNER)
    world.vote(ATTEMPT, REVIEWER)
    await world.settle()
    world.vote(ATTEMPT, {**OWNER, "username": "late@example.com", "groups": ["risk-reviewers"]})

    await world.settle("fraud-detector-1")

    assert (world.stage(1), discarded(world, ATTEMPT)) == (
        "Production",
        ["TrainerExcluded", "RolloutBegun"],
    )


async def test_a_vote_after_a_rejection_is_answered(world: World) -> None:
    await rejected(world)
    world.vote(ATTEMPT, OWNER)

    await world.settle("fraud-detector-1")

    assert discarded(world, ATTEMPT) == ["AttemptClosed"]


async def test_a_counted_vote_names_its_record(world: World) -> None:
    await serving(world)

    counted = world.transition(ATTEMPT)["status"]["votes"]["counted"]
    operations = [operation for operation, _ in world.records()]
    assert [operations[vote["ledgerIndex"]] for vote in counted] == ["Voted", "Voted"]
