"""A rollout ends in Production or is put back; nothing changes what it rests on meanwhile."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from modelwarden.cluster.paths import (
    DEPLOYMENTS,
    MODEL_TRANSITIONS,
    MODEL_VERSIONS,
    MODELS,
    PODS,
    REPLICA_SETS,
)
from tests import builders
from tests.builders import OWNER, REVIEWER
from tests.fakes.api_server import FakeApiServer
from tests.fakes.store import RefusalError
from tests.workflows.world import World

FIRST = "fraud-detector-1-production-1"
SECOND = "fraud-detector-2-production-1"
LABELS_OF_1 = {"modelwarden.io/model": "fraud-detector", "modelwarden.io/version": "1"}
LABELS_OF_2 = {"modelwarden.io/model": "fraud-detector", "modelwarden.io/version": "2"}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Give a world in which version 1 serves and the rollout of version 2 has begun."""
    async with FakeApiServer() as server:
        world = World.of(server)
        await begin(world, 1)
        await world.settle()
        await begin(world, 2)
        yield world


async def begin(world: World, number: int) -> None:
    """Bring a version to the moment in which its rollout has begun."""
    world.register(number)
    world.ask(
        f"r{number}",
        builders.stages(production=number, staging=(number,)),
        "stages.production",
        f"stages.staging/{number}",
    )
    await world.settle(f"fraud-detector-{number}")
    attempt = f"fraud-detector-{number}-production-1"
    world.vote(attempt, OWNER)
    world.vote(attempt, REVIEWER)
    await world.look()


def last(world: World) -> tuple[str, str]:
    return world.records()[-1]


def ended(world: World, attempt: str = SECOND) -> tuple[str, str]:
    """Read how an attempt ended: the code and the sentence."""
    conditions = world.transition(attempt)["status"]["conditions"]
    found = next(c for c in conditions if c["type"] == "Succeeded")
    return found["reason"], found["message"]


def pause(world: World, name: str) -> None:
    live = world.server.get(DEPLOYMENTS, name, builders.NAMESPACE)
    live["spec"]["paused"] = True
    world.server.put(DEPLOYMENTS, live)


def crash(world: World) -> None:
    """Let the pods of the newest template crash, as kubelet and controllers would say it."""
    live = world.server.get(DEPLOYMENTS, "fraud-api", builders.NAMESPACE)
    live["status"] |= {
        "observedGeneration": live["metadata"]["generation"],
        "updatedReplicas": 0,
        "conditions": [{"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}],
    }
    world.server.put(DEPLOYMENTS, live)
    owner = {"kind": "Deployment", "uid": live["metadata"]["uid"], "controller": True}
    made = world.server.put(
        REPLICA_SETS,
        {
            "metadata": {
                "name": "fraud-api-2",
                "namespace": builders.NAMESPACE,
                "labels": LABELS_OF_2,
                "ownerReferences": [owner],
            }
        },
    )
    owner = {"kind": "ReplicaSet", "name": "fraud-api-2", "controller": True}
    owner["uid"] = made["metadata"]["uid"]
    status = {
        "name": "server",
        "restartCount": 3,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 1, "message": "no such table"}},
    }
    world.server.put(
        PODS,
        {
            "metadata": {
                "name": "fraud-api-2",
                "namespace": builders.NAMESPACE,
                "labels": LABELS_OF_2,
                "ownerReferences": [owner],
            },
            "status": {"containerStatuses": [status]},
        },
    )


def of_rollout(world: World) -> dict[str, Any]:
    return world.transition(SECOND)["status"]


async def test_a_begun_rollout_is_carried_before_it_is_in_production(world: World) -> None:
    assert (last(world), world.carried(), world.stage(1), world.condition("Settled")) == (
        ("RolloutBegun", SECOND),
        LABELS_OF_2,
        "Production",
        ("False", "NotYetLabelled"),
    )


async def test_a_rollout_that_takes_too_long_fails_and_is_put_back(world: World) -> None:
    world.clock.now += timedelta(seconds=901)

    await world.look()

    assert (last(world), world.carried(), world.stage(2), world.condition("Stalled")) == (
        ("RolloutFailed", SECOND),
        LABELS_OF_1,
        "Staging",
        ("True", "RolloutTimedOut"),
    )


async def test_what_was_put_back_is_observed_when_the_last_pod_is_gone(world: World) -> None:
    world.clock.now += timedelta(seconds=901)
    again = await world.look()
    before = world.records()

    world.roll_out()
    await world.look()

    assert (again, ("RolloutObserved", "") in before) == (5.0, False)
    assert world.records() == [*before, ("RolloutObserved", "")]


async def test_a_rollout_that_was_aborted_is_observed_too(world: World) -> None:
    world.ask("r9", builders.stages(production=1, staging=(1, 2)), "stages.production")

    await world.settle()

    assert [name for name, _ in world.records()][-2:] == ["RolloutAborted", "RolloutObserved"]


async def test_a_failed_rollout_does_not_loop(world: World) -> None:
    world.clock.now += timedelta(seconds=901)
    await world.look()
    await world.settle()
    before = len(world.records())

    await world.settle()

    assert len(world.records()) == before


async def test_a_first_rollout_that_fails_leaves_nothing_on_the_deployment() -> None:
    async with FakeApiServer() as server:
        world = World.of(server)
        await begin(world, 1)
        world.clock.now += timedelta(seconds=901)

        await world.look()

        assert (last(world), world.carried()) == (("RolloutFailed", FIRST), {})


@pytest.mark.parametrize(
    "surface",
    [builders.stages(production=1, staging=(1, 2)), builders.stages(staging=(1, 2))],
    ids=["what serves is named again", "the entry is gone"],
)
async def test_a_rollout_is_aborted_by_an_edit_and_put_back(
    world: World, surface: dict[str, Any]
) -> None:
    world.ask("r9", surface, "stages.production")

    await world.look()

    assert ("RolloutAborted", SECOND) in world.records()
    assert (world.carried(), world.stage(1)) == (LABELS_OF_1, "Production")


async def test_a_rollout_that_was_aborted_says_by_what(world: World) -> None:
    world.ask("r9", builders.stages(production=1, staging=(1, 2)), "stages.production")

    await world.look()

    assert ended(world) == (
        "RolloutAborted",
        "Version 1 is put back. While version 2 was rolled out, stages.production names 1 again.",
    )


async def test_a_rollout_that_fails_says_what_its_pods_said(world: World) -> None:
    crash(world)
    await world.look()
    waiting = world.condition("Reconciling")
    world.clock.now += timedelta(seconds=901)

    await world.look()

    assert (waiting, ended(world)) == (
        ("True", "ContainerCrashing"),
        (
            "RolloutTimedOut",
            (
                "Version 1 is put back. The rollout took longer than 900 s: Deployment fraud-api "
                "has 0 of 2 replicas updated, 2 available. Pod fraud-api-2: container server was "
                "started again 3 times: it ended with exit code 1: no such table."
            ),
        ),
    )


async def test_a_rollout_goes_on_where_its_pods_may_not_be_read(world: World) -> None:
    world.server.fail(
        where=lambda call: call.resource == REPLICA_SETS,
        answer=RefusalError(403, "Forbidden", "replicasets is forbidden"),
        times=99,
    )

    await world.settle()

    assert world.stage(2) == "Production"


async def test_templates_are_read_only_while_a_version_is_rolled_out(world: World) -> None:
    await world.settle()
    world.server.calls.clear()

    await world.settle()

    assert REPLICA_SETS not in {call.resource for call in world.server.calls}


async def test_several_deployments_are_put_back_together() -> None:
    async with FakeApiServer() as server:
        world = World.of(server)
        serving = [
            {"stage": "Production", "deployment": {"name": name}} for name in ("fraud-api", "batch")
        ]
        server.put(MODELS, builders.model(serving=serving))
        server.put(DEPLOYMENTS, builders.deployment("batch"))
        world.roll_out()
        await begin(world, 1)
        await world.settle()
        await begin(world, 2)
        world.roll_out()
        pause(world, "batch")
        await world.look()
        during = (world.carried(), world.carried("batch"), world.stage(2))
        world.clock.now += timedelta(seconds=901)

        await world.look()

        assert during == (LABELS_OF_2, LABELS_OF_2, "Staging")
        assert (world.carried(), world.carried("batch")) == (LABELS_OF_1, LABELS_OF_1)
        assert ended(world)[0] == "RolloutTimedOut"


async def test_a_rollout_does_not_begin_before_every_deployment_is_there() -> None:
    async with FakeApiServer() as server:
        world = World.of(server)
        serving = [
            {"stage": "Production", "deployment": {"name": name}} for name in ("fraud-api", "batch")
        ]
        server.put(MODELS, builders.model(serving=serving))

        await begin(world, 1)

        assert (world.condition("Settled"), world.carried()) == (("False", "DeploymentMissing"), {})


async def test_another_version_waits_for_the_end_of_a_rollout(world: World) -> None:
    world.register(3)
    world.ask(
        "r9",
        builders.stages(production=3, staging=(2, 3)),
        "stages.production",
        "stages.staging/3",
    )
    await world.look("fraud-detector-3")
    world.run_gates()
    await world.look()
    waiting = {item["code"] for item in world.model()["status"]["unmet"]}

    await world.settle("fraud-detector-3")

    assert "RolloutInProgress" in waiting
    assert (world.stage(1), world.stage(2), world.stage(3)) == (
        "Archived",
        "Production",
        "Staging",
    )


async def test_a_change_of_owners_does_not_touch_a_rollout_that_has_begun(world: World) -> None:
    model = world.model()
    model["spec"]["owners"] = [{"kind": "User", "name": "other@example.com"}]
    world.server.put(MODELS, model)

    await world.settle()

    # The version that it replaced goes to rest.
    assert (world.stage(2), world.records()[-2:]) == (
        "Production",
        [("Promoted", SECOND), ("Archived", "")],
    )


async def test_what_was_approved_when_the_rollout_began_is_what_is_told_of_it(
    world: World,
) -> None:
    world.vote(SECOND, OWNER, "Retract")
    world.vote(SECOND, {**REVIEWER, "username": "second@example.com"})
    await world.look()
    during = of_rollout(world)["votes"]

    await world.settle()

    after = of_rollout(world)["votes"]
    assert [vote["by"] for vote in during["counted"]] == [OWNER["username"], REVIEWER["username"]]
    assert [(vote["by"], vote["reason"]) for vote in during["discarded"]] == [
        ("second@example.com", "RolloutBegun")
    ]
    assert after["counted"] == during["counted"]
    assert world.stage(2) == "Production"


async def test_a_deployment_that_is_deleted_while_it_rolls_out_fails_the_rollout_in_time(
    world: World,
) -> None:
    world.server.remove(DEPLOYMENTS, "fraud-api", builders.NAMESPACE)
    await world.look()
    waiting = world.condition("Settled")
    world.clock.now += timedelta(seconds=901)

    await world.look()

    assert (waiting, world.records()[-2:]) == (
        ("False", "DeploymentMissing"),
        [("RolloutFailed", SECOND), ("RolloutObserved", "")],
    )


async def test_a_deployment_that_is_made_again_takes_the_version_that_serves(
    world: World,
) -> None:
    await world.settle()
    world.server.remove(DEPLOYMENTS, "fraud-api", builders.NAMESPACE)
    world.server.put(DEPLOYMENTS, builders.deployment())

    await world.look()

    assert world.carried() == LABELS_OF_2


async def test_a_deployment_that_another_model_took_meanwhile_is_not_fought_over(
    world: World,
) -> None:
    live = world.server.get(DEPLOYMENTS, "fraud-api", builders.NAMESPACE)
    live["metadata"]["labels"]["modelwarden.io/model"] = "churn"
    world.server.put(DEPLOYMENTS, live)

    await world.look()

    assert world.condition("Settled") == ("False", "DeploymentTaken")


async def test_the_model_may_go_while_a_rollout_goes_on(world: World) -> None:
    world.server.remove(MODELS, builders.MODEL, builders.NAMESPACE)

    await world.look()

    assert world.records()[-2:] == [("RolloutAborted", SECOND), ("DeletionObserved", "")]


@pytest.mark.parametrize(
    ("kind", "name"),
    [(MODEL_TRANSITIONS, SECOND), (MODEL_VERSIONS, "fraud-detector-2")],
    ids=["attempt", "version"],
)
async def test_a_rollout_whose_object_was_deleted_is_put_back(
    world: World, kind: Any, name: str
) -> None:
    world.server.remove(kind, name, builders.NAMESPACE)

    await world.look()

    assert ("RolloutAborted", SECOND) in world.records()
    assert world.carried() == LABELS_OF_1


async def test_zero_replicas_commit_and_are_only_declared(world: World) -> None:
    live = world.server.get(DEPLOYMENTS, "fraud-api", builders.NAMESPACE)
    live["spec"]["replicas"] = 0
    world.server.put(DEPLOYMENTS, live)

    await world.settle()

    serving = world.model()["status"]["serving"]
    assert (world.stage(2), serving[-1]["certainty"]) == ("Production", "Declared")


async def test_labels_that_somebody_removed_come_back(world: World) -> None:
    await world.settle()
    live = world.server.get(DEPLOYMENTS, "fraud-api", builders.NAMESPACE)
    live["metadata"]["labels"] = {"app": "fraud-api"}
    live["spec"]["template"]["metadata"]["labels"] = {"app": "fraud-api"}
    world.server.put(DEPLOYMENTS, live)

    await world.look()

    assert world.carried() == LABELS_OF_2


async def test_a_deployment_that_changed_since_it_was_read_is_read_again(world: World) -> None:
    labelled = [call for call in world.server.calls if call.resource == DEPLOYMENTS and call.body]

    assert labelled
    assert all(call.body["metadata"]["resourceVersion"] for call in labelled)
