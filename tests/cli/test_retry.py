import yaml

from modelwarden.cluster.paths import MODEL_DECISIONS
from tests import builders
from tests.cli import stories
from tests.cli.conftest import Run, timeless
from tests.cli.test_gates import failed
from tests.workflows.world import World

RETRY = ("retry", "fraud-detector", "1", "--rationale", "Mended.")


def decisions(world: World) -> list[dict[str, object]]:
    found = [item["spec"] for item in world.server.all(MODEL_DECISIONS, builders.NAMESPACE)]
    return [spec for spec in found if spec["decision"] in ("Retry", "Review")]


async def test_the_latest_attempt_that_failed_is_tried_again(world: World, cli: Run) -> None:
    await failed(world)

    result = await cli(*RETRY)

    attempt = world.transition("fraud-detector-1-staging-1")
    assert (result.code, decisions(world)) == (
        0,
        [
            {
                "model": "fraud-detector",
                "version": 1,
                "stage": "Staging",
                "transition": {
                    "name": "fraud-detector-1-staging-1",
                    "uid": attempt["metadata"]["uid"],
                },
                "decision": "Retry",
                "rationale": "Mended.",
                "by": builders.MANAGER,
            }
        ],
    )


async def test_a_registration_is_tried_again_with_the_right_on_staging(
    world: World, cli: Run
) -> None:
    world.gate_result = {"outcome": "Failed", "code": "NotFound", "sentence": "No such object."}
    world.register(1)
    await world.settle("fraud-detector-1")

    result = await cli(*RETRY)

    (retry,) = decisions(world)
    assert (result.code, retry["stage"], retry["transition"]["name"]) == (
        0,
        "Staging",
        "fraud-detector-1-registered-1",
    )


async def test_what_is_open_or_has_succeeded_is_not_tried_again(world: World, cli: Run) -> None:
    await stories.awaiting_votes(world)

    results = [
        await cli(*RETRY, *more) for more in ((), ("--stage", "staging"), ("--stage", "archived"))
    ]

    assert ([(result.code, result.err) for result in results], decisions(world)) == (
        [
            (
                1,
                (
                    "fraud-detector-1-production-1 has not ended, so there is nothing to try "
                    "again.\n"
                ),
            ),
            (
                1,
                "fraud-detector-1-staging-1 has succeeded, so there is nothing to try again.\n",
            ),
            (
                1,
                (
                    "There was no attempt to enter Archived, so there is none to try again. "
                    "Ask for the version first.\n"
                ),
            ),
        ],
        [],
    )


async def test_a_retry_is_printed_where_it_is_not_to_be_sent(world: World, cli: Run) -> None:
    await failed(world)

    result = await cli(*RETRY, "-o", "yaml")

    assert (result.code, result.err, yaml.safe_load(result.out)["spec"]["decision"]) == (
        0,
        "Not sent.\n",
        "Retry",
    )
    assert decisions(world) == []


async def test_a_retry_needs_a_reason(world: World, cli: Run) -> None:
    result = await cli(*RETRY[:-1], "")

    assert (result.code, result.err) == (1, "--rationale says why; it cannot be empty.\n")


async def test_a_review_is_about_what_is_in_production(world: World, cli: Run) -> None:
    await stories.in_production(world)

    result = await cli(
        "review", "fraud-detector", "--rationale", "No drift.", "--yes", login="reviewer"
    )

    (review,) = decisions(world)
    said = timeless(result.out).splitlines()
    assert (result.code, said[0], said[-1].partition(" (")[0], review) == (
        0,
        "fraud-detector 1   gbm-1   in Production since <ago>",
        "reviewer@example.com reviewed fraud-detector 1 in Production",
        {
            "model": "fraud-detector",
            "stage": "Production",
            "decision": "Review",
            "rationale": "No drift.",
            "by": builders.REVIEWER,
        },
    )


async def test_without_a_version_in_production_there_is_nothing_to_review(
    world: World, cli: Run
) -> None:
    await stories.in_staging(world)

    result = await cli("review", "fraud-detector", "--rationale", "No drift.", "--yes")

    assert (result.code, result.err, decisions(world)) == (
        1,
        "No version of fraud-detector is in Production: there is nothing to review.\n",
        [],
    )


async def test_a_review_is_not_made_without_a_yes(world: World, cli: Run) -> None:
    await stories.in_production(world)

    result = await cli("review", "fraud-detector", "--rationale", "No drift.")

    assert (result.code, result.err, decisions(world)) == (
        1,
        "Nothing was decided: say --yes to decide without being asked.\n",
        [],
    )
