"""One program, and each of its processes under its name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "modelwarden.main", *words],
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_help_names_every_process() -> None:
    done = run("--help")

    assert done.returncode == 0
    assert [name for name in ("controller", "webhook", "validate", "fetch") if name in done.stdout]


@pytest.mark.parametrize(
    "words",
    [(), ("serve",), ("controller",), ("webhook",), ("validate",), ("validate", "holdout")],
)
def test_a_command_that_is_not_whole_is_refused(words: tuple[str, ...]) -> None:
    done = run(*words)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: modelwarden")


def test_fetch_is_run_under_its_name(tmp_path: Path) -> None:
    done = run("fetch", MODELWARDEN_TARGET=str(tmp_path))

    assert (done.returncode, "no model yet" in done.stderr) == (0, True)


def test_a_gate_is_run_under_its_name() -> None:
    done = run("validate", "artifact")

    assert (done.returncode, "cannot be read" in done.stderr) == (2, True)


@pytest.mark.parametrize("process", ["controller", "webhook"])
def test_a_server_without_its_settings_says_so(process: str, tmp_path: Path) -> None:
    done = run(process, "--settings", str(tmp_path / "absent.yaml"))

    assert done.returncode != 0
    assert "absent.yaml" in done.stderr
