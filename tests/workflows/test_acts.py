"""What people do beside asking and voting, and what it leads to."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from modelwarden.cluster.paths import EVENTS, MODEL_POLICIES, MODEL_VERSIONS, MODELS
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


def note(world: World, by: dict[str, object], **notes: object) -> None:
    """Edit the notes of version 1, stamped as admission stamps it."""
    name = f"{builders.MODEL}-1"
    record = world.server.get(MODEL_VERSIONS, name, builders.NAMESPACE)
    record["spec"] |= {"notes": notes, "notesBy": by}
    world.server.put(MODEL_VERSIONS, record)


def made_again(world: World, by: dict[str, object], **spec: object) -> None:
    """Make the Model again, as admission stamps a creation."""
    written = builders.author("made-again", "governed", "serving", by=by)
    surface = {"stages": builders.stages(production=1, staging=(1,))}
    world.server.put(MODELS, builders.model(**surface, **spec, authors=[written]))


async def test_a_new_limitation_discards_the_votes_that_did_not_know_of_it(world: World) -> None:
    await awaiting_votes(world)
    world.vote(ATTEMPT, OWNER)
    await world.settle()
    note(world, SCIENTIST, limitations=["Not for merchants outside the EU."])
    await world.settle("fraud-detector-1")
    lost = discarded(world, ATTEMPT)
    world.vote(ATTEMPT, OWNER)
    world.vote(ATTEMPT, REVIEWER)

    await world.settle()

    assert (lost, world.stage(1)) == (["NotesChanged"], "Production")
    assert [what for what, _ in world.records()].count("NotesChanged") == 1


async def test_a_tag_discards_no_vote(world: World) -> None:
    await awaiting_votes(world)
    world.vote(ATTEMPT, OWNER)
    await world.settle()
    note(world, SCIENTIST, tags={"team": "risk"})
    world.vote(ATTEMPT, REVIEWER)

    await world.settle("fraud-detector-1")

    assert (world.stage(1), discarded(world, ATTEMPT)) == ("Production", [])


async def test_a_model_deleted_and_made_again_has_its_history(world: World) -> None:
    await serving(world)
    world.server.remove(MODELS, builders.MODEL, builders.NAMESPACE)
    await world.settle()
    carried = world.carried()
    made_again(world, MANAGER)

    await world.settle()

    status = world.model()["status"]
    assert (carried, world.carried(), status["stages"]["production"]["version"]) == (
        {"modelwarden.io/model": "fraud-detector", "modelwarden.io/version": "1"},
        carried,
        1,
    )
    assert [what for what, _ in world.records()][-2:] == ["DeletionObserved", "Adopted"]


async def test_a_model_made_again_with_other_owners_stalls_until_somebody_may_govern_it(
    world: World,
) -> None:
    await serving(world)
    world.server.remove(MODELS, builders.MODEL, builders.NAMESPACE)
    await world.settle()
    world.server.review = lambda spec: spec["user"] != SCIENTIST["username"]
    made_again(world, SCIENTIST, owners=[{"kind": "User", "name": SCIENTIST["username"]}])
    await world.settle()
    stalled = world.condition("Stalled")
    model = world.model()
    model["spec"]["owners"] = [{"kind": "User", "name": "other@example.com"}]
    model["spec"]["authors"] = [builders.author("governed-anew", "governed", by=MANAGER)]
    world.server.put(MODELS, model)

    await world.settle()

    assert (stalled, world.condition("Stalled"), world.carried()["modelwarden.io/version"]) == (
        ("True", "GovernedDiffers"),
        ("False", "NotStalled"),
        "1",
    )


async def test_a_version_deleted_and_made_again_is_the_same_one(world: World) -> None:
    await serving(world)
    name = f"{builders.MODEL}-1"
    world.server.remove(MODEL_VERSIONS, name, builders.NAMESPACE)
    await world.settle(name)
    world.register(1)

    await world.settle(name)

    assert (world.stage(1), [what for what, _ in world.records()][-2:]) == (
        "Production",
        ["DeletionObserved", "Adopted"],
    )


async def test_a_policy_edit_leaves_an_open_attempt_alone_and_is_recorded_once(
    world: World,
) -> None:
    await awaiting_votes(world)
    policy = world.server.get(MODEL_POLICIES, "standard")
    policy["spec"]["steps"][2]["approvals"]["reviewers"] = 2
    world.server.put(MODEL_POLICIES, policy)
    await world.settle()
    world.vote(ATTEMPT, OWNER)
    world.vote(ATTEMPT, REVIEWER)

    await world.settle()

    operations = [what for what, _ in world.records()]
    assert (world.stage(1), operations.count("PolicyChanged"), operations.count("Superseded")) == (
        "Production",
        1,
        0,
    )


def event_reasons(world: World) -> list[str]:
    return [event["reason"] for event in world.server.all(EVENTS, builders.NAMESPACE)]


async def test_a_review_that_is_overdue_is_said_once_until_somebody_has_looked(
    world: World,
) -> None:
    world.server.put(MODELS, builders.model(reviewEveryDays=90))
    await serving(world)
    due = world.condition("ReviewOverdue")
    world.clock.now += timedelta(days=91)
    await world.settle()
    await world.settle()
    overdue, warned = world.condition("ReviewOverdue"), event_reasons(world).count("ReviewOverdue")
    counted = world.metrics.registry.get_sample_value("modelwarden_reviews_overdue")
    world.vote(ATTEMPT, OWNER, "Review", transition=None, stage="Production")

    await world.settle()

    assert (due, overdue, warned, counted) == (
        ("False", "ReviewDue"),
        ("True", "ReviewOverdue"),
        1,
        1.0,
    )
    assert (
        world.condition("ReviewOverdue"),
        world.metrics.registry.get_sample_value("modelwarden_reviews_overdue"),
        [what for what, _ in world.records()].count("Review"),
    ) == (("False", "ReviewDue"), 0.0, 1)


async def test_votes_that_expire_while_the_version_soaks_are_cast_anew(world: World) -> None:
    policy = world.server.get(MODEL_POLICIES, "standard")
    step = policy["spec"]["steps"][2]
    step["approvals"]["expireAfterSeconds"] = 300
    step["soakSeconds"] = 600
    world.server.put(MODEL_POLICIES, policy)
    await awaiting_votes(world)
    world.vote(ATTEMPT, OWNER)
    world.vote(ATTEMPT, REVIEWER)
    await world.settle()
    first = await world.look()
    world.clock.now += timedelta(seconds=301)
    await world.settle()
    expired = discarded(world, ATTEMPT)
    second = await world.look()
    world.clock.now += timedelta(seconds=290)
    world.vote(ATTEMPT, OWNER)
    world.vote(ATTEMPT, REVIEWER)
    world.clock.now += timedelta(seconds=10)

    await world.settle()

    assert [0 < (again or 0) <= 300 for again in (first, second)] == [True, True]
    assert (expired, world.stage(1)) == (["Expired", "Expired"], "Production")


async def test_who_rejected_it_and_changed_their_mind_has_it_tried_again_and_approves(
    world: World,
) -> None:
    await rejected(world)
    world.vote(ATTEMPT, REVIEWER, "Retract")
    await world.settle()
    still = world.condition("Settled")
    world.vote(ATTEMPT, MANAGER, "Retry")
    await world.settle()
    world.vote(NEXT, OWNER)
    world.vote(NEXT, REVIEWER)

    await world.settle()

    assert (still, world.stage(1)) == (("False", "Rejected"), "Production")
