import json

from modelwarden.cluster.paths import DEPLOYMENTS, MODELS
from tests import builders
from tests.cli import stories
from tests.cli.conftest import Run, golden, timeless
from tests.fakes.store import RefusalError
from tests.workflows.world import World


async def test_an_empty_namespace_says_so(world: World, cli: Run) -> None:
    world.server.remove(MODELS, builders.MODEL, builders.NAMESPACE)

    result = await cli("get")

    assert (result.code, result.out) == (0, "There are no models here.\n")


async def test_models_are_listed_with_what_is_in_their_stages(world: World, cli: Run) -> None:
    await stories.with_a_candidate(world)

    assert timeless((await cli("get")).out) == golden("get-all.txt")


async def test_models_of_all_namespaces_have_their_namespace(world: World, cli: Run) -> None:
    churn = builders.model()
    churn["metadata"] = {"name": "churn", "namespace": "crm"}
    world.server.put(MODELS, churn)

    assert timeless((await cli("get", "-A")).out) == golden("get-all-namespaces.txt")


async def test_one_model_shows_its_versions_by_stage(world: World, cli: Run) -> None:
    await stories.with_a_candidate(world)

    assert timeless((await cli("get", "fraud-detector")).out) == golden("get-one.txt")


async def test_who_may_not_read_deployments_sees_the_ready_pods(world: World, cli: Run) -> None:
    await stories.in_production(world)
    world.server.fail(
        where=lambda call: call.resource == DEPLOYMENTS,
        answer=RefusalError(403, "Forbidden", "deployments.apps is forbidden"),
    )

    result = await cli("get", "fraud-detector")

    assert "deploy/fraud-api (2 ready)" in result.out


async def test_registered_versions_beyond_ten_are_counted(world: World, cli: Run) -> None:
    for number in range(1, 13):
        world.register(number)
    await world.settle(*(f"fraud-detector-{number}" for number in range(1, 13)))

    few, every = await cli("get", "fraud-detector"), await cli("get", "fraud-detector", "--all")

    assert (few.out.splitlines()[-1], len(few.out.splitlines()), len(every.out.splitlines())) == (
        "and 2 more (--all)",
        13,
        14,
    )


async def test_a_version_that_is_not_registered_says_why(world: World, cli: Run) -> None:
    world.register(1, lineage={})
    await world.settle("fraud-detector-1")

    row = (await cli("get", "fraud-detector")).out.splitlines()[2]

    assert (
        row.split()[:3],
        "Registered: failed, metadata: The record lacks" in row,
        "register the next version." in row,
    ) == (["Registered,", "invalid", "1"], True, False)


async def test_a_machine_gets_the_object(world: World, cli: Run) -> None:
    result = await cli("get", "fraud-detector", "-o", "json")

    assert json.loads(result.out)["spec"]["owners"] == builders.model()["spec"]["owners"]


async def test_a_name_is_one_that_kubectl_takes(world: World, cli: Run) -> None:
    result = await cli("get", "-o", "name")

    assert result.out == "model.modelwarden.io/fraud-detector\n"


async def test_an_unknown_model_is_refused_with_similar_names(world: World, cli: Run) -> None:
    result = await cli("get", "fraud-detektor")

    assert (result.code, result.out, result.err) == (
        1,
        "",
        "There is no model fraud-detektor in risk. Did you mean fraud-detector?\n",
    )


async def test_another_namespace_is_looked_at_when_asked(world: World, cli: Run) -> None:
    result = await cli("get", "fraud-detector", "-n", "crm")

    assert (result.code, result.err) == (
        1,
        "There is no model fraud-detector in crm. There are none.\n",
    )
