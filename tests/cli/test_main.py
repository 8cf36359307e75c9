import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from modelwarden.cli.main import app
from tests.cli import stories
from tests.cli.conftest import Run
from tests.workflows.world import World

VERBS = (
    "register",
    "get",
    "why",
    "promote",
    "demote",
    "archive",
    "cancel",
    "rollback",
    "approve",
    "reject",
    "retract",
    "history",
    "serving-at",
    "lineage",
    "resolve",
    "audit",
)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str) -> None:
    result = CliRunner().invoke(app, [verb, "--help"], prog_name="kubectl model")

    assert (result.exit_code, result.stdout.startswith(f"Usage: kubectl model {verb}")) == (0, True)


def test_without_a_verb_all_are_listed() -> None:
    result = CliRunner().invoke(app, [])

    listed = [line.split()[0] for line in result.output.splitlines() if line.startswith("  ")]
    assert set(VERBS) <= set(listed)


@pytest.mark.parametrize(
    "words",
    [
        ["promote", "fraud-detector", "three", "--to", "staging", "--reason", "x"],
        ["promote", "fraud-detector", "0", "--to", "staging", "--reason", "x"],
        ["promote", "fraud-detector", "3", "--to", "archived", "--reason", "x"],
        ["promote", "fraud-detector", "3", "--to", "staging"],
        ["get", "-o", "xml"],
    ],
)
def test_what_is_not_understood_ends_with_2(words: list[str]) -> None:
    assert CliRunner().invoke(app, words).exit_code == 2


async def test_a_reader_of_an_unreachable_cluster_hears_which_one_was_asked(
    world: World, cli: Run
) -> None:
    world.server.is_down = True

    result = await cli("get")

    said = result.err.splitlines()
    assert (result.code, "the API server did not answer" in said[0], said[1:]) == (
        1,
        True,
        [f"Asked was {world.server.url}, the cluster of context manager."],
    )


async def test_a_writer_of_a_cluster_that_goes_away_is_told_to_look_again(
    world: World, cli: Run
) -> None:
    await stories.registered(world)
    world.server.fail(where=lambda call: call.method == "PATCH", when="after")

    result = await cli("promote", "fraud-detector", "1", "--to=staging", "--reason=x")

    assert (result.code, result.err.splitlines()[1:]) == (
        1,
        ["Nothing may have been done: look again."],
    )


def test_a_missing_kubeconfig_is_a_sentence(tmp_path: Path) -> None:
    env = {"KUBECONFIG": "", "HOME": str(tmp_path)}
    result = CliRunner().invoke(app, ["get", "--kubeconfig", str(tmp_path / "none")], env=env)

    assert (result.exit_code, result.stderr.startswith("kubeconfig: there is no file")) == (1, True)


def test_an_unknown_context_is_a_sentence(kubeconfig: Path) -> None:
    env = {"KUBECONFIG": str(kubeconfig)}
    result = CliRunner().invoke(app, ["get", "--context", "nobody"], env=env)

    assert (result.exit_code, result.stderr.startswith("kubeconfig: ")) == (1, True)


def test_a_reader_that_has_seen_enough_is_no_failure(kubeconfig: Path) -> None:
    program = "from modelwarden.cli.main import main; main()"
    words = [sys.executable, "-c", program, "--help"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()

    assert said == b""
