import json

from tests import builders
from tests.cli import stories
from tests.cli.conftest import Run, golden, timeless
from tests.workflows.world import World


async def changed(world: World) -> None:
    """Version 2 differs from version 1, which is in Production, in every part."""
    await stories.in_production(world)
    total = {"name": "auc", "value": "0.951", "dataset": "holdout"}
    segment = {**total, "value": "0.910", "segment": {"age_band": "18-25"}, "samples": 5120}
    latency = {"name": "latency_ms", "value": "31"}
    world.register(
        2,
        label="gbm-device",
        metrics=[total, segment, latency],
        hyperparameters={"max_depth": "8", "eta": "0.1"},
        lineage={
            "datasets": [{"name": "payments", "role": "Training", "version": "2026-11-30"}],
            "code": {"repository": "https://git.example.com/fraud", "commit": "1" * 40},
            "environment": {"image": "example.com/train@sha256:" + "b" * 64},
            "run": {"system": "MLflow", "id": "run-2"},
        },
        signature={"inputs": [{"name": "x", "type": "float32", "shape": [-1, 4]}], "outputs": []},
    )


async def test_a_version_alone_is_compared_with_the_one_in_production(
    world: World, cli: Run
) -> None:
    await changed(world)

    result = await cli("diff", "fraud-detector", "2")

    assert (result.code, timeless(result.out)) == (0, golden("diff.txt"))


async def test_two_versions_are_compared_in_the_order_they_are_named(
    world: World, cli: Run
) -> None:
    await changed(world)

    told = json.loads((await cli("diff", "fraud-detector", "v2", "v1", "-o", "json")).out)

    assert (told["from"], told["to"], told["metrics"][0]) == (
        2,
        1,
        {
            "name": "auc",
            "trend": "worse",
            "dataset": "holdout",
            "before": "0.951",
            "after": "0.943",
            "delta": "-0.008",
        },
    )


async def test_the_version_in_production_is_not_compared_with_itself(
    world: World, cli: Run
) -> None:
    await stories.in_production(world)

    result = await cli("diff", "fraud-detector", "1")

    assert (result.code, result.err) == (
        1,
        "fraud-detector 1 is in Production itself: name another one beside it.\n",
    )


async def test_without_a_version_in_production_two_are_asked_for(world: World, cli: Run) -> None:
    await stories.registered(world)

    result = await cli("diff", "fraud-detector", "1")

    assert (result.code, result.err) == (
        1,
        "No version is in Production to compare 1 with: name two versions.\n",
    )


async def test_versions_that_were_made_alike_are_said_to_be(world: World, cli: Run) -> None:
    await stories.in_production(world)
    world.register(2, lineage=builders.version(1)["spec"]["lineage"])

    result = await cli("diff", "fraud-detector", "1", "2")

    assert (result.code, result.out.splitlines()[-1]) == (0, "Otherwise both are the same.")
