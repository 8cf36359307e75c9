"""Every way down and back, through a whole controller: records, labels, status, events, numbers."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from modelwarden.cluster.paths import DEPLOYMENTS, EVENTS, MODEL_POLICIES, MODEL_VERSIONS, MODELS
from tests import builders
from tests.builders import OWNER, REVIEWER
from tests.fakes.api_server import FakeApiServer
from tests.workflows.world import World

FIRST, SECOND = "fraud-detector-1-production-1", "fraud-detector-2-production-1"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Version 1 is in Production."""
    async with FakeApiServer() as server:
        made = World.of(server)
        await release(made, 1, "r1", staging=(1,))
        yield made


async def release(
    world: World, number: int, request: str, *, staging: tuple[int, ...] = ()
) -> None:
    """Take a version to Production, with everybody's help."""
    world.register(number)
    surface = builders.stages(production=number, staging=staging)
    world.ask(request, surface, "stages.production", f"stages.staging/{number}")
    await world.settle(f"fraud-detector-{number}")
    for person in (OWNER, REVIEWER):
        world.vote(f"fraud-detector-{number}-production-1", person)
    await world.settle(f"fraud-detector-{number}")


def named(**places: int) -> dict[str, Any]:
    """Build a surface that names one version in each of some places."""
    return {
        place: [{"version": number, "reason": f"{place} {number}"}]
        for place, number in places.items()
    }


def warnings(world: World) -> list[str]:
    found = world.server.all(EVENTS, builders.NAMESPACE)
    return [event["note"] for event in found if event["type"] == "Warning"]


def demotions(world: World, kind: str, source: str, target: str) -> float | None:
    labels = {"kind": kind, "from": source, "to": target}
    return world.metrics.registry.get_sample_value("modelwarden_demotions_total", labels)


async def test_reverting_the_first_promotion_withdraws_the_version_to_staging(
    world: World,
) -> None:
    world.ask("r2", builders.stages(staging=(1,)), "stages.production/1")

    await world.settle()

    request = world.transition("fraud-detector-1-staging-2")["spec"]["request"]
    assert (world.stage(1), world.carried()) == ("Staging", {})
    assert world.records()[-3:] == [
        ("Requested", "fraud-detector-1-staging-2"),
        ("Withdrawn", "fraud-detector-1-staging-2"),
        ("RolloutObserved", ""),
    ]
    assert request["entry"]["reason"] == "taken back: release 1"
    assert warnings(world) == ['1 went from Production to Staging: "taken back: release 1"']
    assert demotions(world, "Withdraw", "Production", "Staging") == 1
    assert world.model()["status"]["serving"][-1]["to"]


async def test_while_old_pods_are_left_the_withdrawn_version_is_still_serving(
    world: World,
) -> None:
    world.ask("r2", named(registered=1), "stages.production/1", "stages.registered/1")

    await world.look()
    again = await world.look()

    held = world.model()["status"]["unmet"]
    assert (world.stage(1), [item["code"] for item in held], again) == (
        "Registered",
        ["StillServing"],
        5.0,
    )
    assert "kubectl scale deploy/fraud-api --replicas=0" in held[0]["nextStep"]
    assert "to" not in world.model()["status"]["serving"][-1]


async def test_taking_back_the_request_for_the_next_version_leaves_production_alone(
    world: World,
) -> None:
    before = world.records()
    world.ask("r2", builders.stages(production=7, staging=(1,)), "stages.production")
    await world.settle()
    world.ask("r3", builders.stages(staging=(1,)), "stages.production/7")

    await world.settle()

    assert (world.stage(1), world.records()) == ("Production", before)


@pytest.mark.parametrize("missing", ["policy", "version"])
async def test_neither_a_missing_policy_nor_a_missing_object_keeps_a_version_in_production(
    world: World, missing: str
) -> None:
    if missing == "policy":
        world.server.remove(MODEL_POLICIES, "standard")
    else:
        world.server.remove(MODEL_VERSIONS, "fraud-detector-1", builders.NAMESPACE)
    world.ask("r2", named(archived=1), "stages.production/1", "stages.archived/1")

    await world.settle()

    assert world.records()[-4:] == [
        ("Requested", "fraud-detector-1-retiring-1"),
        ("Withdrawn", "fraud-detector-1-retiring-1"),
        ("RolloutObserved", ""),
        ("Archived", ""),
    ]


async def test_a_withdrawal_waits_for_whoever_is_asked_for_in_its_place(world: World) -> None:
    world.register(2)
    surface = builders.stages(production=2) | named(registered=1)
    world.ask("r2", surface, "stages.production", "stages.registered/1", "stages.staging/2")
    await world.settle("fraud-detector-2")
    waiting = {(i["version"], i["code"]) for i in world.model()["status"]["unmet"]}

    for person in (OWNER, REVIEWER):
        world.vote(SECOND, person)
    await world.settle()

    assert (1, "WaitsForReplacement") in waiting
    assert (world.stage(1), world.stage(2)) == ("Registered", "Production")


async def test_a_rollback_brings_the_replaced_version_back_without_a_vote(world: World) -> None:
    await release(world, 2, "r2", staging=(1, 2))
    world.ask("r3", builders.stages(production=1, staging=(1, 2)), "stages.production")

    await world.settle()

    attempt = "fraud-detector-1-production-2"
    assert (world.stage(1), world.stage(2)) == ("Production", "Staging")
    assert world.carried()["modelwarden.io/version"] == "1"
    assert [operation for operation, name in world.records() if name == attempt] == [
        "Requested",
        "GateFinished",
        "RolloutBegun",
        "RolledBack",
    ]
    assert "rollbackTo" not in world.model()["status"]["stages"]
    assert demotions(world, "Rollback", "Production", "Staging") == 1
    assert warnings(world)[-1].startswith("1 is in Production again; 2 went from Production to")


async def test_a_rollback_of_a_rollback_needs_the_whole_step(world: World) -> None:
    await release(world, 2, "r2", staging=(1, 2))
    world.ask("r3", builders.stages(production=1, staging=(1, 2)), "stages.production")
    await world.settle()
    world.ask("r4", builders.stages(production=2, staging=(1, 2)), "stages.production")

    await world.settle()

    again = world.transition("fraud-detector-2-production-2")
    held = {item["code"] for item in again["status"]["unmet"]}
    assert (again["spec"]["kind"], world.stage(1)) == ("Promote", "Production")
    assert "ApprovalsMissing" in held


async def test_a_rollback_whose_file_is_gone_changes_nothing(world: World) -> None:
    await release(world, 2, "r2", staging=(1, 2))
    world.gate_result = {
        "outcome": "Failed",
        "code": "ArtifactMissing",
        "sentence": "It is not there.",
    }
    world.ask("r3", builders.stages(production=1, staging=(1, 2)), "stages.production")

    await world.settle()

    assert (world.stage(2), world.carried()["modelwarden.io/version"]) == ("Production", "2")
    assert world.attempt_condition("fraud-detector-1-production-2", "Succeeded") == (
        "False",
        "GateFailed",
    )


async def test_a_policy_may_ask_people_before_a_rollback_and_somebody_to_look_after_it(
    world: World,
) -> None:
    rollback = {"approvals": {"owners": 1}, "reviewWithinDays": 3}
    world.server.put(MODEL_POLICIES, builders.policy(rollback=rollback))
    await release(world, 2, "r2", staging=(1, 2))
    world.ask("r3", builders.stages(production=1, staging=(1, 2)), "stages.production")
    await world.settle()
    asked = world.stage(1)
    world.vote("fraud-detector-1-production-2", OWNER)

    await world.settle()

    back = [r for r in world.ledger_records() if r["operation"] == "RolledBack"]
    assert (asked, world.stage(1)) == ("Archived", "Production")
    assert [record["facts"]["reviewDue"][:10] for record in back] == ["2026-11-27"]


async def test_a_demotion_takes_a_version_out_of_staging_at_once(world: World) -> None:
    world.register(2)
    world.ask("r2", builders.stages(production=1, staging=(1, 2)), "stages.staging/2")
    await world.settle("fraud-detector-2")
    surface = builders.stages(production=1, staging=(1,)) | named(registered=2)
    world.ask("r3", surface, "stages.staging/2", "stages.registered/2")

    await world.settle()

    attempt = world.transition("fraud-detector-2-registered-2")
    assert (world.stage(2), attempt["spec"]["kind"]) == ("Registered", "Demote")
    assert world.version_condition(2, "MetadataComplete")[0] == "True"
    assert world.condition("Settled")[0] == "True"
    assert demotions(world, "Demote", "Staging", "Registered") == 1


async def test_an_archived_version_climbs_again_through_the_gates(world: World) -> None:
    world.register(2)
    world.ask("r2", builders.stages(production=1) | named(archived=2), "stages.archived/2")
    await world.settle("fraud-detector-2")
    archived = world.stage(2)
    world.ask("r3", builders.stages(production=1, staging=(2,)), "stages.staging/2")

    await world.settle("fraud-detector-2")

    climbed = world.transition("fraud-detector-2-staging-1")
    assert (archived, world.stage(2), climbed["spec"]["from"]) == (
        "Archived",
        "Staging",
        "Archived",
    )
    assert climbed["status"]["summary"]["gates"] == "1/1"


async def test_a_deployment_that_is_taken_out_of_the_serving_list_loses_our_labels(
    world: World,
) -> None:
    model = world.model()
    model["spec"] |= {"serving": [], "authors": [builders.author("r2", "serving")]}
    world.server.put(MODELS, model)

    await world.settle()

    live = world.server.get(DEPLOYMENTS, "fraud-api", builders.NAMESPACE)
    assert (live["metadata"]["labels"], world.carried()) == ({"app": "fraud-api"}, {})


async def test_without_a_stamp_of_that_edit_every_label_stays(world: World) -> None:
    model = world.model()
    model["spec"]["serving"] = []
    world.server.put(MODELS, model)

    await world.settle()

    assert world.carried()["modelwarden.io/version"] == "1"
