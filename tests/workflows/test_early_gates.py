"""Gates that run at registration, and results that later attempts take over."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from modelwarden.cluster.paths import JOBS, MODEL_POLICIES, MODELS
from tests import builders
from tests.builders import OWNER, REVIEWER
from tests.fakes.api_server import FakeApiServer
from tests.workflows.world import GATES, World

REGISTRATION = "fraud-detector-1-registered-1"
ATTEMPT = "fraud-detector-1-production-1"
NEXT = "fraud-detector-1-production-2"
EARLY = {"runAt": "Registration"}
STILL_THERE = {"name": "still-there", "artifact": {}, **EARLY}
BESIDE = {"name": "beside", "champion": {"maxDrop": "0.005"}, **EARLY}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with FakeApiServer() as server:
        yield World.of(server)


def govern(world: World, *gates: dict[str, Any]) -> None:
    """Ask these gates beside the metrics before Production."""
    policy = builders.policy()
    policy["spec"]["steps"][2]["gates"] += gates
    world.server.put(MODEL_POLICIES, policy)


async def register(world: World, number: int = 1) -> None:
    world.register(number)
    await world.settle(f"fraud-detector-{number}")


async def ask(world: World, request: str = "r1", number: int = 1) -> None:
    world.ask(request, builders.stages(production=number), "stages.production")
    await world.settle()


async def release(world: World, number: int) -> None:
    await register(world, number)
    await ask(world, f"release-{number}", number)
    for person in (OWNER, REVIEWER):
        world.vote(f"fraud-detector-{number}-production-1", person)
    await world.settle()


def change_the_model(world: World, **spec: Any) -> None:
    model = world.model()
    model["spec"] |= spec
    world.server.put(MODELS, model)


def told(world: World, attempt: str, gate: str) -> dict[str, Any]:
    """Read what the status says of a gate, without what differs from run to run."""
    gates = world.transition(attempt)["status"]["gates"]
    found = next(item for item in gates if item["name"] == gate)
    return {name: found[name] for name in ("step", "outcome", "code", "message") if name in found}


def results(world: World, attempt: str) -> int:
    return world.records().count(("GateFinished", attempt))


def gates_with_a_job(world: World) -> list[str]:
    jobs = world.server.all(JOBS, GATES)
    return [job["metadata"]["labels"]["modelwarden.io/gate"] for job in jobs]


async def test_a_gate_of_a_later_step_runs_once_the_version_is_registered(world: World) -> None:
    govern(world, STILL_THERE, BESIDE)

    await register(world)

    assert world.stage(1) == "Registered"
    assert world.records()[-3:] == [
        ("Registered", REGISTRATION),
        ("GateFinished", REGISTRATION),
        ("GateFinished", REGISTRATION),
    ]
    assert [told(world, REGISTRATION, gate) for gate in ("still-there", "beside")] == [
        {
            "step": "Production",
            "outcome": "Passed",
            "code": "ArtifactSound",
            "message": "It is sound.",
        },
        {
            "step": "Production",
            "outcome": "Passed",
            "code": "NoChampion",
            "message": "No version is in Production, so there is none to compare with.",
        },
    ]
    assert world.transition(REGISTRATION)["status"]["summary"] == {
        "gates": "3/3",
        "outcome": "Succeeded",
    }


async def test_its_step_takes_the_result_over_and_names_the_record(world: World) -> None:
    govern(world, STILL_THERE)
    await register(world)
    measured = world.records().index(("Registered", REGISTRATION)) + 1

    await ask(world)

    assert told(world, ATTEMPT, "still-there") == {
        "outcome": "Passed",
        "code": "ArtifactSound",
        "message": f"It is sound. (Measured at registration, record {measured}.)",
    }
    assert world.attempt_condition(ATTEMPT, "Succeeded") == ("Unknown", "ApprovalsMissing")


async def test_a_result_that_was_taken_over_needed_no_second_job(world: World) -> None:
    govern(world, STILL_THERE)
    await register(world)
    world.gate_result = {"outcome": "Failed", "code": "Broken", "sentence": "It is broken."}

    await ask(world)

    assert told(world, ATTEMPT, "still-there")["outcome"] == "Passed"


async def test_an_early_failure_leaves_the_version_registered_and_fails_its_step(
    world: World,
) -> None:
    govern(world, STILL_THERE)
    world.register(1)
    await world.look("fraud-detector-1")
    world.run_gates()
    await world.look()
    world.gate_result = {"outcome": "Failed", "code": "Broken", "sentence": "It is broken."}
    await world.settle()
    registered = (world.stage(1), world.version_condition(1, "Ready"))

    await ask(world)

    assert registered == ("Registered", ("True", "Registered"))
    assert told(world, REGISTRATION, "still-there")["outcome"] == "Failed"
    assert world.attempt_condition(ATTEMPT, "Succeeded") == ("False", "GateFailed")


async def test_once_its_step_has_failed_a_job_looks_anew(world: World) -> None:
    await test_an_early_failure_leaves_the_version_registered_and_fails_its_step(world)
    world.gate_result = {"outcome": "Passed", "code": "Mended", "sentence": "It was mended."}

    await ask(world, "r2")

    assert told(world, NEXT, "still-there") == {
        "outcome": "Passed",
        "code": "Mended",
        "message": "It was mended.",
    }


async def test_an_inconclusive_early_run_is_no_answer(world: World) -> None:
    govern(world, STILL_THERE)
    world.register(1)
    await world.look("fraud-detector-1")
    world.run_gates()
    await world.look()
    world.gate_result = {"outcome": "Inconclusive", "code": "Lost", "sentence": "Nobody knows."}
    for _ in range(4):
        world.clock.now += timedelta(minutes=10)
        await world.settle()
    assert told(world, REGISTRATION, "still-there")["outcome"] == "Inconclusive"
    world.gate_result = {"outcome": "Passed", "code": "Sound", "sentence": "It is sound now."}

    await ask(world)

    assert told(world, ATTEMPT, "still-there")["message"] == "It is sound now."


RULES = [{"name": "auc", "direction": "HigherIsBetter", "min": "0.91", "critical": True}]


async def test_other_metric_rules_are_another_question(world: World) -> None:
    govern(world, STILL_THERE)
    await register(world)
    change_the_model(world, metrics=RULES)

    await ask(world)

    assert told(world, ATTEMPT, "still-there")["message"] == "It is sound."


async def test_another_policy_s_gate_is_another_question(world: World) -> None:
    govern(world, STILL_THERE)
    await register(world)
    govern(world, {"name": "still-there", "artifact": {}})

    await ask(world)

    assert told(world, ATTEMPT, "still-there")["message"] == "It is sound."


async def test_a_gate_that_compares_with_production_asks_anew_after_a_release(
    world: World,
) -> None:
    govern(world, STILL_THERE, BESIDE)
    await register(world, 1)
    measured = world.records().index(("Registered", REGISTRATION)) + 2
    await release(world, 2)

    await ask(world)

    assert [told(world, ATTEMPT, gate)["message"] for gate in ("beside", "still-there")] == [
        ("auc 0.943, Production has 0.943; auc for age_band=18-25 0.921, Production has 0.921."),
        f"It is sound. (Measured at registration, record {measured}.)",
    ]


async def test_its_step_waits_for_an_early_gate_that_still_runs(world: World) -> None:
    govern(world, STILL_THERE)
    world.register(1)
    await world.look("fraud-detector-1")
    world.run_gates()
    world.ask("r1", builders.stages(production=1), "stages.production")
    for _ in range(4):
        await world.look()

    assert gates_with_a_job(world) == ["still-there"]
    assert told(world, ATTEMPT, "still-there") == {
        "outcome": "Pending",
        "code": "GateRunning",
        "message": f"Gate still-there runs since the registration, as {REGISTRATION} says.",
    }

    world.run_gates()
    await world.settle()

    assert "Measured at registration" in told(world, ATTEMPT, "still-there")["message"]


async def test_an_early_gate_that_nobody_asks_any_more_is_given_up(world: World) -> None:
    govern(world, STILL_THERE)
    world.register(1)
    await world.look("fraud-detector-1")
    world.run_gates()
    await world.look()
    change_the_model(world, metrics=RULES)

    await world.look()

    assert told(world, REGISTRATION, "still-there") == {
        "step": "Production",
        "outcome": "Inconclusive",
        "code": "NoLongerAsked",
        "message": (
            "metrics of the Model changed since. It is measured once its step is asked for."
        ),
    }
    assert gates_with_a_job(world) == []


async def test_an_attempt_that_reopens_takes_over_what_is_still_valid(world: World) -> None:
    govern(world, {"name": "still-there", "artifact": {}})
    await register(world)
    await ask(world)
    world.vote(ATTEMPT, OWNER)
    await world.settle()
    measured = world.records().index(("GateFinished", ATTEMPT)) + 1
    change_the_model(world, owners=[{"kind": "User", "name": "other@example.com"}])
    world.gate_result = {"outcome": "Failed", "code": "Broken", "sentence": "It is broken."}

    await world.settle()

    assert world.attempt_condition(ATTEMPT, "Succeeded") == ("False", "GovernedFieldsChanged")
    assert told(world, NEXT, "still-there") == {
        "outcome": "Passed",
        "code": "ArtifactSound",
        "message": f"It is sound. (Measured for {ATTEMPT}, record {measured}.)",
    }
    assert world.transition(NEXT)["status"]["summary"] == {
        "gates": "2/2",
        "approvals": "0/2",
        "outcome": "Open",
    }


async def test_a_controller_that_dies_while_an_early_gate_runs_loses_nothing(
    world: World,
) -> None:
    govern(world, STILL_THERE)
    world.register(1)
    for _ in range(6):
        # Each look is a controller of its own, which knows nothing but ledger and cluster.
        await world.look("fraud-detector-1")
        world.run_gates()

    await world.settle()

    assert (world.stage(1), results(world, REGISTRATION)) == ("Registered", 4)
    assert world.server.all(JOBS, GATES) == []


async def test_two_gates_of_one_name_are_said_before_anything_runs(world: World) -> None:
    govern(world, {"name": "artifact", "artifact": {}, **EARLY})

    await register(world)

    assert world.version_condition(1, "Ready") == ("Unknown", "GateNameTaken")
