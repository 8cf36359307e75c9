import copy
from collections.abc import AsyncIterator

import pytest

from modelwarden.audit.memory import Fault
from modelwarden.cluster.paths import MODEL_TRANSITIONS, MODELS
from modelwarden.errors import LedgerUnavailableError
from tests import builders
from tests.builders import OWNER, REVIEWER, SCIENTIST
from tests.fakes.api_server import FakeApiServer
from tests.workflows.world import KEY, World

ATTEMPT = "fraud-detector-1-production-1"
NEXT = "fraud-detector-1-production-2"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with FakeApiServer() as server:
        yield World.of(server)


async def in_staging(world: World) -> None:
    world.register(1)
    world.ask("r1", builders.stages(staging=(1,)), "stages.staging/1")
    await world.settle("fraud-detector-1")


async def awaiting_votes(world: World) -> None:
    await in_staging(world)
    world.ask("r2", builders.stages(production=1, staging=(1,)), "stages.production")
    await world.settle()


async def test_a_registered_version_has_passed_its_gate_job(world: World) -> None:
    world.register(1)

    await world.settle("fraud-detector-1")

    assert (world.stage(1), world.records()) == (
        "Registered",
        [
            ("Genesis", ""),
            ("GovernedChanged", ""),
            ("Requested", "fraud-detector-1-registered-1"),
            ("GateFinished", "fraud-detector-1-registered-1"),
            ("GateFinished", "fraud-detector-1-registered-1"),
            ("GateFinished", "fraud-detector-1-registered-1"),
            ("Registered", "fraud-detector-1-registered-1"),
        ],
    )


async def test_metrics_over_the_rules_bring_a_version_to_staging(world: World) -> None:
    await in_staging(world)

    assert (world.stage(1), world.condition("Settled")) == ("Staging", ("True", "AsWritten"))


async def test_production_asked_at_once_walks_the_ladder(world: World) -> None:
    world.register(1)
    world.ask("r1", builders.stages(production=1), "stages.production")

    await world.settle("fraud-detector-1")

    assert (world.stage(1), world.condition("Settled")) == (
        "Staging",
        ("False", "ApprovalsMissing"),
    )


async def test_two_people_bring_a_version_into_production_and_its_deployment_carries_it(
    world: World,
) -> None:
    await awaiting_votes(world)
    world.vote(ATTEMPT, OWNER)
    world.vote(ATTEMPT, REVIEWER)

    await world.settle()

    assert (world.stage(1), world.carried(), world.condition("Settled")) == (
        "Production",
        {"modelwarden.io/model": "fraud-detector", "modelwarden.io/version": "1"},
        ("True", "AsWritten"),
    )


async def test_the_vote_of_the_trainer_is_discarded_with_a_reason(world: World) -> None:
    await awaiting_votes(world)
    world.vote(ATTEMPT, SCIENTIST)
    world.vote(ATTEMPT, REVIEWER)

    await world.settle()

    discarded = world.transition(ATTEMPT)["status"]["votes"]["discarded"]
    counted = world.metrics.registry.get_sample_value(
        "modelwarden_votes_discarded_total", {"reason": "TrainerExcluded"}
    )
    assert (world.stage(1), [vote["reason"] for vote in discarded], counted) == (
        "Staging",
        ["TrainerExcluded"],
        1.0,
    )


async def test_another_login_of_the_trainer_is_the_trainer(world: World) -> None:
    await awaiting_votes(world)
    world.vote(ATTEMPT, {**OWNER, "username": "platform@example.com"})

    await world.settle()

    discarded = world.transition(ATTEMPT)["status"]["votes"]["discarded"]
    assert [vote["reason"] for vote in discarded] == ["TrainerExcluded"]


async def test_one_person_is_never_owner_and_reviewer_at_once(world: World) -> None:
    await awaiting_votes(world)
    world.vote(ATTEMPT, {**OWNER, "groups": ["risk-reviewers"]})

    await world.settle()

    assert world.stage(1) == "Staging"


async def test_a_rejection_ends_the_attempt_and_it_does_not_loop(world: World) -> None:
    await awaiting_votes(world)
    world.vote(ATTEMPT, OWNER)
    world.vote(ATTEMPT, REVIEWER, "Reject")

    await world.settle()

    assert (world.stage(1), world.condition("Settled"), world.condition("Stalled")) == (
        "Staging",
        ("False", "Rejected"),
        ("True", "Rejected"),
    )


async def test_a_vote_that_was_taken_back_no_longer_counts(world: World) -> None:
    await awaiting_votes(world)
    world.vote(ATTEMPT, OWNER)
    await world.settle()
    world.vote(ATTEMPT, OWNER, "Retract")
    world.vote(ATTEMPT, REVIEWER)

    await world.settle()

    assert (world.stage(1), world.condition("Settled")) == (
        "Staging",
        ("False", "ApprovalsMissing"),
    )


async def test_a_voter_without_the_right_does_not_count(world: World) -> None:
    await awaiting_votes(world)
    world.server.review = lambda spec: spec["user"] != OWNER["username"]
    world.vote(ATTEMPT, OWNER)
    world.vote(ATTEMPT, REVIEWER)

    await world.settle()

    discarded = world.transition(ATTEMPT)["status"]["votes"]["discarded"]
    assert (world.stage(1), [vote["reason"] for vote in discarded]) == ("Staging", ["RightMissing"])


async def test_a_requester_without_the_right_opens_nothing(world: World) -> None:
    world.register(1)
    await world.settle("fraud-detector-1")
    world.server.review = lambda _: False
    world.ask("r1", builders.stages(staging=(1,)), "stages.staging/1")

    await world.settle()

    assert (world.stage(1), world.condition("Settled")) == (
        "Registered",
        ("False", "RequesterLacksRight"),
    )


async def test_a_metric_below_its_rule_fails_the_attempt_with_the_numbers(world: World) -> None:
    world.register(1, metrics=[{"name": "auc", "value": "0.87", "samples": 100}])
    world.ask("r1", builders.stages(staging=(1,)), "stages.staging/1")

    await world.settle("fraud-detector-1")

    unmet = world.model()["status"]["unmet"]
    assert [item["code"] for item in unmet] == ["RegistrationFailed"]


async def test_the_next_version_replaces_the_one_in_production(world: World) -> None:
    await awaiting_votes(world)
    world.vote(ATTEMPT, OWNER)
    world.vote(ATTEMPT, REVIEWER)
    await world.settle()
    world.register(2)
    surface = builders.stages(production=2, staging=(1, 2))
    world.ask("r3", surface, "stages.production", "stages.staging/2")
    await world.settle("fraud-detector-2")
    world.vote("fraud-detector-2-production-1", OWNER)
    world.vote("fraud-detector-2-production-1", REVIEWER)

    await world.settle()

    status = world.model()["status"]
    assert (world.stage(1), world.stage(2), status["stages"]["rollbackTo"]) == (
        "Archived",
        "Production",
        [{"version": 1}],
    )


async def test_a_change_of_owners_reopens_the_attempt_without_its_votes(world: World) -> None:
    await awaiting_votes(world)
    world.vote(ATTEMPT, OWNER)
    await world.settle()
    model = world.model()
    model["spec"]["owners"] = [{"kind": "User", "name": "other@example.com"}]
    world.server.put(MODELS, model)

    await world.settle()

    assert (
        ("Superseded", ATTEMPT) in world.records(),
        world.transition("fraud-detector-1-production-2")["status"]["summary"]["approvals"],
    ) == (True, "0/2")


async def test_an_attempt_that_was_superseded_says_so_when_the_next_one_is_open(
    world: World,
) -> None:
    await awaiting_votes(world)
    model = world.model()
    model["spec"]["owners"] = [{"kind": "User", "name": "other@example.com"}]
    world.server.put(MODELS, model)

    await world.settle()

    assert [world.attempt_condition(name, "Succeeded") for name in (ATTEMPT, NEXT)] == [
        ("False", "GovernedFieldsChanged"),
        ("Unknown", "ApprovalsMissing"),
    ]


async def test_an_attempt_that_was_never_recorded_goes_when_nobody_asks_for_it_any_more(
    world: World,
) -> None:
    await in_staging(world)
    recorded = world.transition("fraud-detector-1-staging-1")
    orphan = copy.deepcopy({"metadata": {"name": NEXT}, "spec": recorded["spec"]})
    orphan["metadata"]["namespace"] = builders.NAMESPACE
    world.server.put(MODEL_TRANSITIONS, orphan)

    await world.look(NEXT)

    there = world.server.all(MODEL_TRANSITIONS, builders.NAMESPACE)
    assert sorted(each["metadata"]["name"] for each in there) == [
        "fraud-detector-1-registered-1",
        "fraud-detector-1-staging-1",
    ]


async def test_an_attempt_whose_record_failed_goes_when_its_request_is_taken_back(
    world: World,
) -> None:
    await in_staging(world)
    world.ask("r2", builders.stages(production=1, staging=(1,)), "stages.production")
    async with world.controller() as controller:
        world.store.plan(Fault.NOT_CREATED, Fault.NOT_CREATED)
        with pytest.raises(LedgerUnavailableError):
            await controller.reconcile(KEY, frozenset())
        created = world.transition(ATTEMPT)["metadata"]["name"]
        world.ask("r3", builders.stages(staging=(1,)), "stages.production")

        await controller.reconcile(KEY, frozenset())

    there = world.server.all(MODEL_TRANSITIONS, builders.NAMESPACE)
    assert created not in [each["metadata"]["name"] for each in there]


async def test_a_registered_version_says_so_though_nothing_names_it_any_more(
    world: World,
) -> None:
    world.register(1)
    await world.look("fraud-detector-1")
    world.run_gates()

    await world.look()

    assert world.version_condition(1, "Ready") == ("True", "Registered")


async def test_a_replaced_version_leaves_the_model_settled(world: World) -> None:
    await awaiting_votes(world)
    world.vote(ATTEMPT, OWNER)
    world.vote(ATTEMPT, REVIEWER)
    await world.settle()
    world.register(2)
    surface = builders.stages(production=2, staging=(1, 2))
    world.ask("r3", surface, "stages.production", "stages.staging/2")
    await world.settle("fraud-detector-2")
    world.vote("fraud-detector-2-production-1", OWNER)
    world.vote("fraud-detector-2-production-1", REVIEWER)

    await world.settle()

    assert (world.condition("Ready"), world.condition("Settled")) == (
        ("True", "Governed"),
        ("True", "AsWritten"),
    )


async def test_every_status_is_one_that_the_schema_takes(world: World) -> None:
    """It is asked after every look of every world; here of each kind at least once."""
    await awaiting_votes(world)
    world.vote(ATTEMPT, SCIENTIST)
    world.vote(ATTEMPT, OWNER)
    world.vote(ATTEMPT, REVIEWER)
    await world.settle()

    assert world.check_statuses() == ["Model", "ModelVersion", *["ModelTransition"] * 3]
