import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from modelwarden.cli.completion import verbs_of
from modelwarden.cli.examples import EXAMPLES
from modelwarden.cli.main import app
from tests.cli import stories
from tests.cli.conftest import Run
from tests.workflows.world import World

VERBS = (
    "register",
    "get",
    "versions",
    "describe",
    "diff",
    "why",
    "gates",
    "logs",
    "promote",
    "demote",
    "archive",
    "cancel",
    "rollback",
    "approve",
    "reject",
    "retract",
    "retry",
    "review",
    "history",
    "serving-at",
    "lineage",
    "consumers",
    "resolve",
    "audit",
)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str) -> None:
    result = CliRunner().invoke(app, [verb, "--help"], prog_name="kubectl model")

    assert (result.exit_code, result.stdout.startswith(f"Usage: kubectl model {verb}")) == (0, True)


@pytest.mark.parametrize("verb", sorted(EXAMPLES))
def test_every_example_is_a_command_line_that_is_understood(verb: str) -> None:
    understood = []
    for example in EXAMPLES[verb]:
        command: Any = typer.main.get_command(app)
        # A group hands what it does not understand to the verb below it.
        words = shlex.split(example)
        while hasattr(command, "commands"):
            command, words = command.commands[words[0]], words[1:]
        understood.append(command.make_context(verb, words).command.name)

    assert set(understood) == {verb.split()[-1]}


def test_every_verb_has_an_example_in_its_help() -> None:
    verbs = set(verbs_of(app)) - {"version"}
    told = CliRunner().invoke(app, ["rollback", "-h"]).stdout

    assert (verbs, told.count("kubectl model rollback fraud-detector")) == (set(EXAMPLES), 2)


@pytest.mark.parametrize("number", ["v1", "1"])
async def test_a_version_is_written_with_or_without_its_letter(
    world: World, cli: Run, number: str
) -> None:
    await stories.registered(world)

    result = await cli("why", "fraud-detector", number, "-o", "name")

    assert (result.code, result.out) == (0, "modelversion.modelwarden.io/fraud-detector-1\n")


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
        ["why", "fraud-detector", "v0"],
        ["rollback", "fraud-detector", "--to", "latest", "--reason", "x"],
        ["demote", "fraud-detector", "3"],
        ["demote", "fraud-detector", "3", "--to", "production", "--reason", "x"],
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
