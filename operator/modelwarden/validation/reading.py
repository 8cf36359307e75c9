"""Reads a model's file in a process of its own.

The libraries that parse a file are large and written in C++, and the file may be made to break
them. A crash, a loop or a leak there is then an answer about the file, the one who asked stays
able to say so, and the store's credentials are not in that process's environment.
"""

import importlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

from modelwarden.validation.facts import ModelFacts, UnreadableModelError
from modelwarden.validation.formats import FORMATS, Format, Reader

SECONDS: Final = 120

_PASSED_ON: Final = ("PATH", "LANG", "TMPDIR")
# The parsers start a thread per core for arithmetic that nobody asks of them.
_FIXED: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def read_apart(of: Format, path: Path, *, seconds: float = SECONDS) -> ModelFacts:
    """Read a model's file in another process; raises UnreadableModelError, also for a crash."""
    command = [sys.executable, "-IB", "-m", __name__, of.name, str(path)]
    try:
        done = subprocess.run(
            command,
            env=_environment(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired as error:
        raise UnreadableModelError(
            "ReaderTimedOut", f"Reading {path.name} took longer than {seconds:g} seconds."
        ) from error
    return _answer(done, path)


def main(arguments: list[str]) -> int:
    """Read one file, `<format> <path>`, and print what it says or why it cannot be read."""
    name, path = arguments
    _limit_this_process()
    reader = cast("Reader", importlib.import_module(FORMATS[name].reader))
    try:
        answer: Mapping[str, Any] = {"facts": reader.read(Path(path)).to_json()}
    except UnreadableModelError as error:
        answer = {"code": error.code, "sentence": error.sentence, "check": error.check}
    sys.stdout.write(json.dumps(answer))
    return 0


def _answer(done: subprocess.CompletedProcess[bytes], path: Path) -> ModelFacts:
    if done.returncode != 0:
        sys.stderr.write(done.stderr.decode(errors="replace")[-4000:])
        raise UnreadableModelError(
            "ReaderCrashed", f"Reading {path.name} broke the reader (exit code {done.returncode})."
        )
    answer = json.loads(done.stdout)
    if "facts" in answer:
        return ModelFacts.from_json(answer["facts"])
    raise UnreadableModelError(answer["code"], answer["sentence"], check=answer["check"])


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | _FIXED


def _limit_this_process() -> None:
    # No dump of a hostile file, and not one byte written to a disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
