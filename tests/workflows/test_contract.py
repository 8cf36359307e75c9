"""A version is registered only if its file does what callers rely on."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest

from modelwarden.cluster.paths import JOBS, MODEL_POLICIES, MODELS
from tests import builders
from tests.fakes.api_server import FakeApiServer
from tests.workflows.world import GATES, PASS, World

AMOUNT = {"name": "amount", "type": "float32", "shape": [-1]}
SCORE = {"name": "score", "type": "float32", "shape": [-1]}
CONTRACT = {"inputs": [AMOUNT], "outputs": [SCORE]}
REGISTRATION = [{"name": "artifact", "artifact": {}}, {"name": "contract", "contract": {}}]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A policy that asks for the contract, and a Model that has one."""
    async with FakeApiServer() as server:
        world = World.of(server)
        policy = builders.policy()
        policy["spec"]["steps"][0]["gates"] = REGISTRATION
        server.put(MODEL_POLICIES, policy)
        server.put(MODELS, builders.model(contract=CONTRACT))
        measure(world, inputs=[AMOUNT], outputs=[SCORE])
        yield world


def measure(
    world: World,
    *,
    inputs: Sequence[Mapping[str, Any]],
    outputs: Sequence[Mapping[str, Any]],
) -> None:
    """Let the pods of gates read this out of every file."""
    world.gate_result = {
        **PASS,
        "facts": {
            "format": "ONNX",
            "hasSignature": True,
            "inputs": [packed(tensor) for tensor in inputs],
            "outputs": [packed(tensor) for tensor in outputs],
        },
    }


def packed(tensor: Mapping[str, Any]) -> dict[str, Any]:
    return {"names": [tensor["name"]], **{k: v for k, v in tensor.items() if k != "name"}}


def result_of(world: World, number: int) -> tuple[str, str, str]:
    """How the contract gate of a registration ended: outcome, code and sentence."""
    gates = world.transition(f"{builders.MODEL}-{number}-registered-1")["status"]["gates"]
    gate = next(gate for gate in gates if gate["name"] == "contract")
    return gate["outcome"], gate["code"], gate["message"]


async def to_production(world: World, number: int) -> None:
    """Take a registered version to Production, as people would."""
    world.ask(f"r{number}-staging", builders.stages(staging=(number,)), f"stages.staging/{number}")
    await world.settle()
    world.ask(
        f"r{number}",
        builders.stages(production=number, staging=(number,)),
        "stages.production",
    )
    await world.settle()
    for person in (builders.OWNER, builders.REVIEWER):
        world.vote(f"{builders.MODEL}-{number}-production-1", person)
    await world.settle()


async def test_the_job_of_the_gate_measures_and_the_operator_judges(world: World) -> None:
    world.register(1)
    await world.look("fraud-detector-1")
    asked = [
        job["spec"]["template"]["spec"]["containers"][0]["args"]
        for job in world.server.all(JOBS, GATES)
    ]

    await world.settle()

    assert sorted(asked) == [["validate", "artifact"], ["validate", "contract"]]
    assert (world.version_condition(1, "Ready"), result_of(world, 1)) == (
        ("True", "Registered"),
        (
            "Passed",
            "ContractKept",
            (
                "The file keeps the Model's contract (inputs: 1, outputs: 1); nothing is in "
                "Production to compare with."
            ),
        ),
    )


async def test_a_file_without_a_promised_output_is_not_registered(world: World) -> None:
    measure(world, inputs=[AMOUNT], outputs=[])
    world.register(1)

    await world.settle("fraud-detector-1")

    assert (world.version_condition(1, "Ready")[0], result_of(world, 1)) == (
        "False",
        (
            "Failed",
            "ContractBroken",
            "The Model's contract is broken: output score is missing.",
        ),
    )


async def test_a_version_is_compared_with_what_production_was_registered_to_do(
    world: World,
) -> None:
    margin = {**SCORE, "name": "margin"}
    world.register(1, signature={"inputs": [AMOUNT], "outputs": [SCORE, margin]})
    await world.settle("fraud-detector-1")
    await to_production(world, 1)
    extra = {"name": "device", "type": "int64", "shape": [-1], "optional": True}
    world.register(2, signature={"inputs": [AMOUNT, extra], "outputs": [SCORE, margin]})
    world.register(3, signature={"inputs": [AMOUNT], "outputs": [SCORE]})

    await world.settle("fraud-detector-2", "fraud-detector-3")

    assert world.transition("fraud-detector-3-registered-1")["spec"]["champion"]["version"] == 1
    assert (world.stage(1), result_of(world, 2)[:2], result_of(world, 3)) == (
        "Production",
        ("Passed", "ContractKept"),
        (
            "Failed",
            "ProductionContractBroken",
            "Callers of version 1 in Production would have to change: output margin is missing.",
        ),
    )


async def test_a_changed_contract_is_asked_of_what_is_under_way(world: World) -> None:
    world.register(1)
    await world.look("fraud-detector-1")
    model = world.model()
    model["spec"]["contract"] = {"inputs": [AMOUNT], "outputs": []}
    world.server.put(MODELS, model)

    await world.settle()

    again = world.transition("fraud-detector-1-registered-2")
    assert (again["spec"]["contract"], world.version_condition(1, "Ready")) == (
        {"inputs": [AMOUNT], "outputs": []},
        ("True", "Registered"),
    )
