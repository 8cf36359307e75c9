import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from modelwarden.cli import completing
from modelwarden.cli.completion import completed, verbs_of
from modelwarden.cli.main import app
from tests.cli import stories
from tests.workflows.world import World


@pytest.fixture
def complete(kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Awaitable[str]]:
    """Ask as kubectl does, with the words after `kubectl model`."""
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))

    async def ask(*words: str) -> str:
        return await asyncio.to_thread(completed, words, app)

    return ask


async def test_verbs_are_offered_with_what_they_do(complete: Callable[..., Awaitable[str]]) -> None:
    assert await complete("re") == (
        "register\tUpload an artifact with your own credentials of the store, and record it as a "
        "version.\n"
        "reject\tVote against a version that is asked into a stage; one such vote ends the "
        "attempt.\n"
        "retract\tTake back your own vote on a version that is asked into a stage.\n"
        "retry\tHave the latest attempt tried again that failed or was rejected; a registration "
        "too.\n"
        "review\tReview a model as it is in Production, after looking at it; that restarts its "
        "cadence.\n"
        "resolve\tSay which version, and which bytes, a name means now.\n"
        ":4\n"
    )


async def test_models_come_from_the_cluster(
    world: World, complete: Callable[..., Awaitable[str]]
) -> None:
    answers = [await complete("why", "fr"), await complete("why", "-n", "crm", "")]

    assert answers == ["fraud-detector\n:4\n", ":4\n"]


async def test_versions_are_offered_newest_first_with_stage_and_label(
    world: World, complete: Callable[..., Awaitable[str]]
) -> None:
    await stories.with_a_candidate(world)

    assert await complete("approve", "fraud-detector", "") == (
        "2\tStaging gbm-device\n1\tProduction gbm-1\n:36\n"
    )


async def test_a_reference_goes_on_after_the_models_name(
    world: World, complete: Callable[..., Awaitable[str]]
) -> None:
    answers = [await complete("resolve", "fr"), await complete("resolve", "fraud-detector@s")]

    assert answers == ["fraud-detector@\n:6\n", "fraud-detector@staging\n:4\n"]


async def test_gates_are_offered_by_the_version_that_was_named(
    world: World, complete: Callable[..., Awaitable[str]]
) -> None:
    await stories.in_staging(world)

    assert await complete("logs", "fraud-detector", "v1", "") == (
        "metadata\nformat\nartifact\nquality\n:4\n"
    )


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("promote", "m", "1", "--to", ""), "registered\nstaging\nproduction\n:4\n"),
        (("get", "-o", "j"), "json\n:4\n"),
        (("register", ""), ":0\n"),
        (
            ("get", "--a"),
            (
                "--all-namespaces\tList the models of all namespaces.\n"
                "--all\tShow archived and all registered versions too.\n:4\n"
            ),
        ),
        (
            ("audit", "v"),
            (
                "verify\tVerify every record, signature and piece of evidence, on this "
                "machine.\n:4\n"
            ),
        ),
        (("nothing", ""), ":4\n"),
    ],
)
async def test_options_and_their_values_are_offered_without_a_cluster(
    complete: Callable[..., Awaitable[str]], words: tuple[str, ...], answer: str
) -> None:
    assert await complete(*words) == answer


async def test_a_cluster_that_does_not_answer_is_a_failure_and_no_traceback(
    world: World, complete: Callable[..., Awaitable[str]]
) -> None:
    world.server.is_down = True

    assert await complete("why", "") == ":1\n"


def test_every_verb_has_its_arguments_in_the_table() -> None:
    verbs = set(verbs_of(app)) - {"version"}

    assert verbs == set(completing.ARGUMENTS) - {"audit"}
