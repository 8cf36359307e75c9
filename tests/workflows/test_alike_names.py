"""Models of one namespace whose names begin alike: each has its own versions, and no other's."""

from typing import Any

import pytest

from modelwarden.cluster.paths import DEPLOYMENTS, JOBS, MODEL_TRANSITIONS, MODEL_VERSIONS, MODELS
from modelwarden.domain.keys import (
    Touch,
    touched_by_deployment,
    touched_by_gate,
    touched_by_spec,
    touched_by_version,
)
from modelwarden.domain.state import ModelKey
from tests import builders
from tests.fakes.api_server import FakeApiServer
from tests.workflows.world import GATES, World

# `fraud-2` is version 2 of the first and the name of the second; `fraud-2-1` is of the second.
ALIKE = ("fraud", "fraud-2", "fraud-2-1", "fraud-2-1-staging")
# Whoever hears of one hears of all: names lead to a look, and each look picks its own.
HEARD = frozenset(f"{model}-{number}" for model in ALIKE for number in (1, 2))


def model(name: str) -> dict[str, Any]:
    serving = [{"stage": "Production", "deployment": {"name": f"{name}-api"}}]
    surface = {"staging": [{"version": 2, "reason": f"Of {name}."}]}
    built = builders.model(
        serving=serving,
        stages=surface,
        authors=[builders.author(f"request-{name}", "stages.staging/2")],
    )
    built["metadata"]["name"] = name
    return built


def version(name: str, number: int) -> dict[str, Any]:
    built = builders.version(number, model=name, label=f"{name} {number}")
    built["metadata"]["name"] = f"{name}-{number}"
    return built


async def settled() -> World:
    """Let one controller bring all of them to rest."""
    async with FakeApiServer() as server:
        world = World.of(server)
        for name in ALIKE:
            server.put(MODELS, model(name))
            server.put(DEPLOYMENTS, builders.deployment(f"{name}-api"))
            for number in (1, 2):
                server.put(MODEL_VERSIONS, version(name, number))
        async with world.controller() as controller:
            for _ in range(6):
                for name in ALIKE:
                    await controller.reconcile(ModelKey(builders.NAMESPACE, name), HEARD)
                world.run_gates()
        return world


async def test_each_model_moves_its_own_versions() -> None:
    world = await settled()

    shown = {
        found["metadata"]["name"]: (found["spec"]["label"], found["status"]["stage"])
        for found in world.server.all(MODEL_VERSIONS, builders.NAMESPACE)
    }
    assert shown == {
        f"{name}-{number}": (f"{name} {number}", "Staging" if number == 2 else "Registered")
        for name in ALIKE
        for number in (1, 2)
    }


async def test_each_model_has_its_own_attempts_records_and_picture() -> None:
    world = await settled()

    moved = [
        (record["model"], record["version"], record["transition"])
        for record in world.ledger_records()
        if record["operation"] == "Promoted"
    ]
    frozen = {
        found["metadata"]["name"]: found["spec"]["request"]["id"]
        for found in world.server.all(MODEL_TRANSITIONS, builders.NAMESPACE)
        if found["spec"]["kind"] == "Promote"
    }
    pictures = [
        world.server.get(MODELS, name, builders.NAMESPACE)["status"]["stages"] for name in ALIKE
    ]
    assert sorted(moved) == [(name, 2, f"{name}-2-staging-1") for name in ALIKE]
    assert frozen == {f"{name}-2-staging-1": f"request-{name}" for name in ALIKE}
    assert pictures == [{"staging": [2]}] * len(ALIKE)
    assert world.server.all(JOBS, GATES) == []


@pytest.mark.parametrize("name", ALIKE)
def test_whatever_changes_leads_to_its_own_model(name: str) -> None:
    home = ModelKey(builders.NAMESPACE, name)
    marks = {"modelwarden.io/model": name}
    job = {
        "metadata": {
            "name": "mw-1",
            "namespace": GATES,
            "labels": marks,
            "annotations": {"modelwarden.io/transition": f"risk/{name}-2-staging-1"},
        }
    }
    of_version = {
        "metadata": {"name": f"{name}-2-staging-1", "namespace": "risk"},
        "spec": {"model": name, "version": 2},
    }
    deployment = {"metadata": {"name": "api", "namespace": "risk", "labels": marks}}

    found = [
        touched_by_version(version(name, 2)),
        touched_by_spec(of_version),
        touched_by_gate(job),
        touched_by_deployment(deployment),
    ]

    assert found == [Touch(home, frozenset({f"{name}-2"}))] * 3 + [Touch(home)]
