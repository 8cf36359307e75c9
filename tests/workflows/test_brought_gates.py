"""Gates whose image a policy brings, from the order of their Job to the end of what it needed."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from modelwarden.cluster.paths import (
    CORE_EVENTS,
    JOBS,
    MODEL_POLICIES,
    MODELS,
    NETWORK_POLICIES,
    PODS,
    Resource,
)
from modelwarden.domain.scribe import timestamp
from tests import builders
from tests.fakes.api_server import Call, FakeApiServer
from tests.fakes.store import RefusalError
from tests.workflows.world import GATES, KEY, World

IMAGE = "registry.example/eval@sha256:" + "1" * 64
STAGING = "fraud-detector-1-staging-1"
AUC = {"name": "auc", "value": "0.95", "dataset": "holdout", "samples": 5000}
WAYS = [{"cidr": "10.0.0.0/8", "ports": [5432]}]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with FakeApiServer() as server:
        yield World.of(server)


def governed(world: World, **job: Any) -> None:
    """Let the step to Staging measure the Model's rules with an image of the policy's."""
    holdout = {"name": "holdout", "metrics": {}, "job": {"image": IMAGE, **job}}
    steps = builders.policy()["spec"]["steps"]
    steps[1] = {"to": "Staging", "gates": [holdout]}
    world.server.put(MODEL_POLICIES, builders.policy(steps=steps))
    # One rule, which a single value meets.
    rules = [{"name": "auc", "direction": "HigherIsBetter", "min": "0.90", "critical": True}]
    world.server.put(MODELS, builders.model(metrics=rules))


async def asks_for_staging(world: World) -> None:
    """Register version 1 and ask it into Staging; its gate is ordered."""
    world.register(1)
    await world.settle("fraud-detector-1")
    world.ask("r1", builders.stages(staging=(1,)), "stages.staging/1")
    await world.look()


def measures(world: World, *metrics: dict[str, Any], **answer: Any) -> None:
    """Let the gate's image measure this."""
    world.gate_result = {
        "outcome": "Passed",
        "code": "Evaluated",
        "sentence": "Done.",
        "metrics": list(metrics),
        **answer,
    }


def gate(world: World) -> dict[str, Any]:
    """Read the gate in the attempt's status."""
    (found,) = world.transition(STAGING)["status"]["gates"]
    return dict(found)


def unmet(world: World) -> list[str]:
    return [item["code"] for item in world.transition(STAGING)["status"].get("unmet", [])]


def writes(world: World, resource: Resource) -> list[tuple[str, str]]:
    return [
        (call.method, call.name or call.body["metadata"]["name"])
        for call in world.server.calls
        if call.resource == resource and call.is_write
    ]


async def test_what_the_image_measures_is_held_against_the_models_rules(world: World) -> None:
    governed(world)
    await asks_for_staging(world)
    measures(world, AUC)

    await world.settle()

    assert world.stage(1) == "Staging"
    told = gate(world)
    assert {part: told[part] for part in ("outcome", "code", "message", "tries")} == {
        "outcome": "Passed",
        "code": "MetricsMet",
        "message": "auc is 0.95, needs at least 0.90.",
        "tries": 1,
    }


async def test_a_measurement_below_the_rules_fails_whatever_was_recorded(world: World) -> None:
    governed(world)
    await asks_for_staging(world)
    measures(world, {**AUC, "value": "0.89"})

    await world.settle()

    assert (world.stage(1), gate(world)["code"]) == ("Registered", "MetricsNotMet")


async def test_a_code_that_the_image_chose_is_shown_and_counted_as_any_of_its(
    world: World,
) -> None:
    governed(world)
    await asks_for_staging(world)
    measures(world, outcome="Failed", code="TooFewRows", sentence="12 rows.")

    # The image of a policy exits with 0 and says in words how it ended.
    world.run_gates()
    for pod in world.server.all(PODS, GATES):
        pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] = 0
        world.server.put(PODS, pod)
    await world.look()

    counted = world.metrics.gates.labels("metrics", "Failed", "OfTheImage")
    assert (gate(world)["code"], counted._value.get()) == ("TooFewRows", 1.0)


async def test_the_ways_out_are_opened_before_the_job_and_closed_before_it_goes(
    world: World,
) -> None:
    governed(world, egress=WAYS)
    await asks_for_staging(world)
    (job,) = world.server.all(JOBS, GATES)
    name = job["metadata"]["name"]
    measures(world, AUC)

    await world.settle()

    both = [
        (call.method, call.resource.kind)
        for call in world.server.calls
        if call.is_write and name in (call.name, (call.body or {}).get("metadata", {}).get("name"))
    ]
    assert both == [
        ("POST", "NetworkPolicy"),
        ("POST", "Job"),
        ("DELETE", "NetworkPolicy"),
        ("DELETE", "Job"),
    ]


async def test_taken_back_a_request_leaves_nothing_running(world: World) -> None:
    governed(world, egress=WAYS)
    await asks_for_staging(world)
    world.ask("r2", builders.stages(), "stages.staging/1")

    await world.look()

    assert (world.server.all(JOBS, GATES), world.server.all(NETWORK_POLICIES, GATES)) == ([], [])
    assert world.attempt_condition(STAGING, "Succeeded") == ("False", "TakenBack")


def creates(resource: Resource) -> Any:
    def where(call: Call) -> bool:
        return call.resource == resource and call.method == "POST"

    return where


@pytest.mark.parametrize("resource", [JOBS, NETWORK_POLICIES], ids=["the Job", "its ways out"])
async def test_a_job_that_is_invalid_fails_its_gate_in_the_words_of_the_api_server(
    world: World, resource: Resource
) -> None:
    governed(world, egress=WAYS)
    invalid = RefusalError(422, "Invalid", "spec.egress[0]: not a CIDR")
    world.register(1)
    await world.settle("fraud-detector-1")
    world.server.fail(where=creates(resource), answer=invalid)
    world.ask("r1", builders.stages(staging=(1,)), "stages.staging/1")
    async with world.controller() as controller:
        again = await controller.reconcile(KEY, frozenset())
        await controller.reconcile(KEY, frozenset())

    assert again == 0.0
    assert (gate(world)["outcome"], gate(world)["code"]) == ("Failed", "GateJobInvalid")
    assert "spec.egress[0]: not a CIDR" in gate(world)["message"]
    assert gate(world)["message"].endswith("Mend it in the policy, then ask again.")


async def test_a_job_over_quota_waits_in_words_and_is_tried_again(world: World) -> None:
    governed(world)
    world.register(1)
    await world.settle("fraud-detector-1")
    quota = RefusalError(403, "Forbidden", "exceeded quota: gates")
    world.server.fail(where=creates(JOBS), answer=quota)
    world.ask("r1", builders.stages(staging=(1,)), "stages.staging/1")
    async with world.controller() as controller:
        first = await controller.reconcile(KEY, frozenset())
        await controller.reconcile(KEY, frozenset())
        told = gate(world)
        world.clock.now += timedelta(seconds=31)
        await controller.reconcile(KEY, frozenset())

    assert (first, told["code"]) == (0.0, "GateWaiting")
    assert "exceeded quota: gates" in told["message"]
    assert len(world.server.all(JOBS, GATES)) == 1


def lose_the_pod(world: World) -> None:
    """Evict the gate's pod."""
    world.kill_gates()
    for pod in world.server.all(PODS, GATES):
        pod["status"] |= {"phase": "Failed", "reason": "Evicted", "message": "low on memory"}
        world.server.put(PODS, pod)


async def test_what_the_cluster_broke_rests_and_is_tried_again_under_a_new_name(
    world: World,
) -> None:
    governed(world)
    await asks_for_staging(world)
    lose_the_pod(world)
    again = await world.look()
    resting = (gate(world)["outcome"], unmet(world), world.server.all(JOBS, GATES))
    world.clock.now += timedelta(seconds=11)
    await world.look()
    measures(world, AUC)
    await world.settle()

    assert resting == ("Inconclusive", ["GateRetrying"], [])
    assert again is not None
    assert 9 < again <= 10
    assert len({name for method, name in writes(world, JOBS) if method == "POST"}) == 3
    assert (world.stage(1), gate(world)["tries"]) == ("Staging", 2)


async def test_lost_three_times_a_gate_is_lost(world: World) -> None:
    governed(world)
    await asks_for_staging(world)
    for _ in range(3):
        lose_the_pod(world)
        await world.look()
        world.clock.now += timedelta(seconds=31)
        await world.look()

    assert (gate(world)["outcome"], gate(world)["tries"]) == ("Inconclusive", 3)
    assert gate(world)["message"] == "The pod was evicted: low on memory. Retry the attempt."
    assert world.attempt_condition(STAGING, "Succeeded") == ("False", "GateFailed")


def warn(world: World, about: str, reason: str, message: str) -> None:
    """Let the cluster write a warning about a pod or a Job."""
    world.server.put(
        CORE_EVENTS,
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{about}.1", "namespace": GATES},
            "involvedObject": {"name": about, "namespace": GATES},
            "type": "Warning",
            "reason": reason,
            "message": message,
            "lastTimestamp": timestamp(world.clock.now),
        },
    )


async def test_a_job_without_a_pod_says_after_a_while_why_it_has_none(world: World) -> None:
    governed(world)
    await asks_for_staging(world)
    (job,) = world.server.all(JOBS, GATES)
    warn(world, job["metadata"]["name"], "FailedCreate", 'serviceaccount "gate" not found')
    made = world.clock.now

    await world.look()
    early = unmet(world)
    world.clock.now = made + timedelta(seconds=31)
    await world.look()
    (late,) = world.transition(STAGING)["status"]["unmet"]
    world.clock.now = made + timedelta(seconds=301)
    await world.look()

    assert early == ["GateRunning"]
    assert (late["code"], late["message"].partition(" Mend")[0]) == (
        "GateWaiting",
        'Gate holdout cannot start: FailedCreate: serviceaccount "gate" not found.',
    )
    assert (gate(world)["outcome"], gate(world)["code"]) == ("Inconclusive", "PodNotCreated")
