import json

from modelwarden.cluster.paths import MODEL_VERSIONS
from tests import builders
from tests.cli.conftest import Run, golden, timeless
from tests.fakes.store import RefusalError
from tests.workflows.world import World

BASE = {"namespace": "nlp", "model": "embedder", "version": 7}


def trained_from(*bases: dict[str, object]) -> dict[str, object]:
    lineage = dict(builders.version()["spec"]["lineage"])
    return {**lineage, "baseModels": list(bases)}


def embedder(world: World) -> None:
    version = builders.version(7, model="embedder", lineage={"baseModels": [{"uri": "hf://base"}]})
    version["metadata"] = {"name": "embedder-7", "namespace": "nlp"}
    world.server.put(MODEL_VERSIONS, version)


async def test_ancestors_are_shown_as_a_tree_across_models(world: World, cli: Run) -> None:
    embedder(world)
    world.register(1, lineage=trained_from(BASE, {"model": "gone", "version": 2}))

    assert timeless((await cli("lineage", "fraud-detector", "1")).out) == golden("lineage.txt")


async def test_a_machine_gets_the_tree(world: World, cli: Run) -> None:
    embedder(world)
    world.register(1, lineage=trained_from(BASE))

    told = json.loads((await cli("lineage", "fraud-detector", "1", "-o", "json")).out)

    assert told["baseModels"][0]["origins"] == [{"kind": "base model", "name": "hf://base"}]


async def test_a_version_that_may_not_be_read_is_said_to_be(world: World, cli: Run) -> None:
    world.register(1, lineage=trained_from(BASE))
    world.server.fail(
        where=lambda call: call.namespace == "nlp",
        answer=RefusalError(403, "Forbidden", "modelversions is forbidden"),
    )

    result = await cli("lineage", "fraud-detector", "1")

    assert (result.code, result.err, result.out.splitlines()[-1]) == (
        0,
        "You may not read versions in nlp.\n",
        "`- base model nlp/embedder 7 (not found)",
    )
