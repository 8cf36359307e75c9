import json

from modelwarden.cluster.paths import MODEL_POLICIES, MODELS
from tests import builders
from tests.cli import stories
from tests.cli.conftest import Run, golden, timeless
from tests.workflows.world import World


async def test_a_new_version_waits_for_the_operator(world: World, cli: Run) -> None:
    world.register(1)

    assert timeless((await cli("why", "fraud-detector", "1")).out) == golden("why-unseen.txt")


async def test_a_running_registration_tells_its_gates(world: World, cli: Run) -> None:
    world.register(1)
    await world.look("fraud-detector-1")

    assert timeless((await cli("why", "fraud-detector", "1")).out) == golden("why-registering.txt")


async def test_a_registered_version_says_what_to_do_next(world: World, cli: Run) -> None:
    await stories.registered(world)

    assert timeless((await cli("why", "fraud-detector", "1")).out) == golden("why-registered.txt")


async def test_an_attempt_that_waits_for_people_names_them(world: World, cli: Run) -> None:
    await stories.awaiting_votes(world)
    world.vote(stories.ATTEMPT, builders.SCIENTIST)
    world.vote(stories.ATTEMPT, builders.REVIEWER)
    await world.settle()

    assert timeless((await cli("why", "fraud-detector", "1")).out) == golden(
        "why-awaiting-votes.txt"
    )


async def test_a_version_in_production_says_who_let_it_in(world: World, cli: Run) -> None:
    await stories.in_production(world)

    assert timeless((await cli("why", "fraud-detector", "1")).out) == golden(
        "why-in-production.txt"
    )


async def test_a_failed_gate_is_told_with_its_numbers(world: World, cli: Run) -> None:
    total = {"name": "auc", "value": "0.87", "samples": 100}
    segment = {**total, "segment": {"age_band": "18-25"}, "samples": 150}
    world.register(1, metrics=[total, segment])
    await world.settle("fraud-detector-1")
    world.ask("r1", builders.stages(staging=(1,)), stories.STAGING)
    await world.settle()

    assert timeless((await cli("why", "fraud-detector", "1")).out) == golden("why-gate-failed.txt")


async def test_everything_unmet_is_named_at_once(world: World, cli: Run) -> None:
    await stories.registered(world)
    world.server.remove(MODEL_POLICIES, "standard")
    world.server.review = lambda _: False
    surface = builders.stages(production=2, staging=(1, 2))
    world.ask("r1", surface, "stages.production", "stages.staging/1", "stages.staging/2")
    await world.settle()

    assert timeless((await cli("why", "fraud-detector")).out) == golden("why-all.txt")


async def test_a_model_with_nothing_open_says_so(world: World, cli: Run) -> None:
    await stories.in_production(world)

    result = await cli("why", "fraud-detector")

    assert (result.code, result.out) == (
        0,
        "fraud-detector: every version is where it was asked to be.\n",
    )


async def test_registrations_that_failed_are_told_in_one_line_each_and_only_the_newest(
    world: World, cli: Run
) -> None:
    await stories.in_production(world)
    for number in range(2, 14):
        world.register(number, lineage={})
        await world.settle(f"fraud-detector-{number}")

    lines = (await cli("why", "fraud-detector")).out.splitlines()

    assert (
        lines[0],
        [" ".join(line.split()[:5]) for line in (lines[1], lines[10])],
        [" ".join(line.split()) for line in lines[11:]],
    ) == (
        "fraud-detector: every other version is where it was asked to be.",
        [
            "FAILED version 4 invalid: The",
            "FAILED version 13 invalid: The",
        ],
        [
            "and 2 more whose registration failed (kubectl model get --all)",
        ],
    )


async def test_a_version_whose_model_does_not_exist_tells_its_own_condition(
    world: World, cli: Run
) -> None:
    await stories.registered(world)
    world.server.remove(MODELS, "fraud-detector", builders.NAMESPACE)

    result = await cli("why", "fraud-detector", "1")

    assert (result.code, " ".join(result.out.split())) == (
        0,
        (
            "fraud-detector 1 is in Registered. waiting ModelNotFound Model fraud-detector does "
            "not exist in risk. Next: Apply the Model; the version waits for it."
        ),
    )


async def test_a_version_that_is_not_there_is_refused_with_those_that_are(
    world: World, cli: Run
) -> None:
    await stories.registered(world)

    result = await cli("why", "fraud-detector", "7")

    assert (result.code, result.err) == (1, "fraud-detector has no version 7. It has 1.\n")


async def test_a_machine_gets_every_line_with_its_mark(world: World, cli: Run) -> None:
    await stories.in_staging(world)

    told = json.loads((await cli("why", "fraud-detector", "1", "-o", "json")).out)

    assert (told["state"], told["stage"], told["lines"][0]["mark"]) == (
        "Settled",
        "Staging",
        "passed",
    )


async def test_a_reason_cannot_act_on_the_terminal(world: World, cli: Run) -> None:
    await stories.registered(world)
    model = world.model()
    entry = {"version": 1, "reason": "fine\x1b[2J\u202enot"}
    model["spec"]["stages"] = {"staging": [entry]}
    model["spec"]["authors"] = [builders.author("r1", stories.STAGING)]
    world.server.put(MODELS, model)

    result = await cli("why", "fraud-detector", "1")

    assert '"fine\\u001b[2J\\u202enot"' in result.out
