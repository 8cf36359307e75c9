"""On a real terminal: colour, and a question before a decision."""

import asyncio
import contextlib
import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from modelwarden.cluster.paths import MODEL_DECISIONS
from tests import builders
from tests.cli import stories
from tests.cli.conftest import Result
from tests.workflows.world import World

APPROVE = ("approve", "fraud-detector", "1", "--rationale", "Looked at it.", "--context", "owner")


def on_a_terminal(
    *words: str, kubeconfig: Path, answers: str = "", env: Mapping[str, str] | None = None
) -> Result:
    """Run a command with a terminal of its own, at which somebody types the answers."""
    ours, theirs = pty.openpty()
    program = "from modelwarden.cli.main import main; main()"
    kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    given = {**kept, "KUBECONFIG": str(kubeconfig), "TERM": "xterm-256color", **(env or {})}
    with subprocess.Popen(
        [sys.executable, "-c", program, *words],
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
        env=given,
    ) as process:
        os.close(theirs)
        os.write(ours, answers.encode())
        said = b""
        # Reading from a terminal that nobody holds any more is an error, not an end.
        with contextlib.suppress(OSError):
            while part := os.read(ours, 4096):
                said += part
        os.close(ours)
        _, complaint = process.communicate(timeout=60)
    return Result(process.returncode, said.decode(), complaint.decode())


async def test_a_decision_is_asked_about_once_more(world: World, kubeconfig: Path) -> None:
    await stories.awaiting_votes(world)

    result = await asyncio.to_thread(on_a_terminal, *APPROVE, kubeconfig=kubeconfig, answers="n\n")

    decisions = world.server.all(MODEL_DECISIONS, builders.NAMESPACE)
    assert (
        result.code,
        "Approve fraud-detector 1 for Production? [y/N]" in result.out,
        "Nothing was decided." in result.err,
        list(decisions),
    ) == (1, True, True, [])


async def test_a_yes_decides(world: World, kubeconfig: Path) -> None:
    await stories.awaiting_votes(world)

    result = await asyncio.to_thread(on_a_terminal, *APPROVE, kubeconfig=kubeconfig, answers="y\n")

    decisions = world.server.all(MODEL_DECISIONS, builders.NAMESPACE)
    assert (result.code, [item["spec"]["decision"] for item in decisions]) == (0, ["Approve"])


async def test_a_terminal_gets_colour_unless_it_is_not_wanted(
    world: World, kubeconfig: Path
) -> None:
    await stories.in_staging(world)
    words = ("why", "fraud-detector", "1")

    coloured = await asyncio.to_thread(on_a_terminal, *words, kubeconfig=kubeconfig)
    plain = await asyncio.to_thread(
        on_a_terminal, *words, kubeconfig=kubeconfig, env={"NO_COLOR": "1"}
    )

    assert ("\x1b[32mpassed" in coloured.out, "\x1b" in plain.out, "passed" in plain.out) == (
        True,
        False,
        True,
    )
