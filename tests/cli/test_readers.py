"""What all verbs that read have in common: nobody gets a traceback, whatever is wrong."""

import pytest

from tests.cli import stories
from tests.cli.conftest import Run
from tests.fakes.store import RefusalError
from tests.workflows.world import World

READERS = (
    ("versions", "fraud-detector"),
    ("describe", "fraud-detector"),
    ("describe", "fraud-detector", "1"),
    ("diff", "fraud-detector", "1", "2"),
    ("gates", "fraud-detector", "1"),
    ("logs", "fraud-detector", "1"),
    ("consumers", "fraud-detector"),
    ("consumers", "fraud-detector", "1"),
)
WRITERS = (
    ("demote", "fraud-detector", "1", "--reason", "Drifts"),
    ("archive", "fraud-detector", "1", "--reason", "Not needed"),
    ("cancel", "fraud-detector", "1"),
    ("rollback", "fraud-detector", "--reason", "Latency"),
    ("retry", "fraud-detector", "1", "--rationale", "Mended."),
    ("review", "fraud-detector", "--rationale", "No drift."),
)
NAMES = [" ".join(words[:1] + words[2:3]) for words in (*READERS, *WRITERS)]


@pytest.mark.parametrize("words", [*READERS, *WRITERS], ids=NAMES)
async def test_whoever_may_not_read_hears_what_is_missing(
    world: World, cli: Run, words: tuple[str, ...]
) -> None:
    await stories.registered(world)
    message = (
        'models.modelwarden.io is forbidden: User "manager@example.com" cannot get resource '
        '"models" in API group "modelwarden.io" in the namespace "risk"'
    )
    refusal = RefusalError(403, "Forbidden", message)
    world.server.fail(where=lambda call: call.method == "GET", answer=refusal)

    result = await cli(*words)

    assert (result.code, result.out, result.err) == (
        3,
        "",
        "manager@example.com may not get models in risk.\n",
    )


@pytest.mark.parametrize("words", [*READERS, *WRITERS], ids=NAMES)
async def test_a_cluster_that_does_not_answer_is_named(
    world: World, cli: Run, words: tuple[str, ...]
) -> None:
    world.server.is_down = True

    result = await cli(*words)

    assert (result.code, result.err.splitlines()[1:]) == (
        1,
        [f"Asked was {world.server.url}, the cluster of context manager."],
    )


@pytest.mark.parametrize("words", [*READERS, *WRITERS], ids=NAMES)
async def test_a_model_that_is_not_there_is_answered_with_those_that_are(
    world: World, cli: Run, words: tuple[str, ...]
) -> None:
    result = await cli(words[0], "fraud-detectr", *words[2:])

    assert (result.code, result.err) == (
        1,
        "There is no model fraud-detectr in risk. Did you mean fraud-detector?\n",
    )
