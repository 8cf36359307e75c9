"""The controller as it is shipped, with faults: ended by SIGKILL at its own effects, or unleashed.

Effects are told apart by what they write: `append Promoted`, `POST jobs`, `PATCH models/status`.
What was done is a line of a file, so that the next start knows where the last one was ended.
"""

import argparse
import asyncio
import cProfile
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from modelwarden.audit import directory
from modelwarden.audit.directory import DirectoryStore
from modelwarden.audit.store import LEDGER
from modelwarden.cluster import lease
from modelwarden.cluster.client import ApiClient
from modelwarden.handlers.run import run_controller

WRITES = frozenset({"POST", "PATCH", "DELETE"})
# Questions, and what the process says of itself: nothing of a model hangs on them.
NOT_EFFECTS = frozenset({"subjectaccessreviews", "leases", "secrets"})


class Effects:
    """Writes down every effect, and ends the process before or after those of one phase.

    The folder has `phase`, a word that the test writes, `seen`, a line for every effect, and
    `killed`, a line for every effect at which the process was ended.
    """

    def __init__(self, folder: Path, *, deadly: Sequence[str]) -> None:
        self._folder = folder
        self._deadly = deadly

    def before(self, name: str) -> None:
        """Note that the effect comes."""
        self._note("seen", self._about(name))
        self._die(f"before {name}")

    def after(self, name: str) -> None:
        """Note that the effect has happened."""
        self._die(f"after {name}")

    def _die(self, where: str) -> None:
        line = self._about(where)
        is_deadly = line.partition(":")[0] in self._deadly
        if is_deadly and line not in lines(self._folder / "killed"):
            self._note("killed", line)
            os.kill(os.getpid(), signal.SIGKILL)

    def _about(self, what: str) -> str:
        phase = lines(self._folder / "phase")
        return f"{phase[0] if phase else '-'}: {what}"

    def _note(self, file: str, line: str) -> None:
        with (self._folder / file).open("a") as opened:
            opened.write(f"{line}\n")


def lines(file: Path) -> list[str]:
    """Read a file's lines; none where there is no file."""
    return file.read_text().splitlines() if file.exists() else []


def note_calls(effects: Effects) -> None:
    """Tell of every write to the API server."""
    request = ApiClient.request

    async def told(self: ApiClient, method: str, path: str, **more: Any) -> bytes:
        name = f"{method} {kind_of(path, method)}"
        is_effect = method in WRITES and not any(word in path for word in NOT_EFFECTS)
        if is_effect:
            effects.before(name)
        answer = await request(self, method, path, **more)
        if is_effect:
            effects.after(name)
        return answer

    ApiClient.request = told  # type: ignore[method-assign]


def kind_of(path: str, method: str) -> str:
    """Name the resource of a path, with its subresource: `models/status`."""
    parts = path.strip("/").split("/")
    at = parts.index("namespaces") + 2 if "namespaces" in parts else 3
    resource, *rest = parts[at:]
    named = rest[1:] if method != "POST" else rest
    return "/".join([resource, *named])


def note_puts(effects: Effects) -> None:
    """Tell of every object of the ledger, by what is recorded in it."""
    put = DirectoryStore.put_if_absent

    def told(self: DirectoryStore, key: str, data: bytes) -> bool:
        name = "put evidence"
        if key.startswith(LEDGER):
            operations = {record["operation"] for record in json.loads(data)["records"]}
            name = f"append {', '.join(sorted(operations))}"
        effects.before(name)
        created = put(self, key, data)
        effects.after(name)
        return created

    DirectoryStore.put_if_absent = told  # type: ignore[method-assign]


def do_without_a_lease() -> None:
    """Let every process write at any time, as if two had the Lease for ever."""

    async def acquire(_self: lease.Elector) -> None:
        return

    async def hold(_self: lease.Elector) -> None:
        await asyncio.Event().wait()

    for name, stand_in in (("acquire", acquire), ("hold", hold), ("release", acquire)):
        setattr(lease.Elector, name, stand_in)
    lease.Elector.is_leader = True  # type: ignore[assignment,method-assign]


def append_without_a_condition() -> None:
    """Let an object of the ledger replace whatever has its name: the broken variant."""

    def replaced(source: Path, target: Path) -> bool:
        target.unlink(missing_ok=True)
        os.link(source, target)
        return True

    directory._linked = replaced
    DirectoryStore._probe = lambda _self: None  # type: ignore[method-assign]


def main(arguments: list[str]) -> int:
    """Run the controller with the faults that were asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--effects", type=Path)
    parser.add_argument("--deadly", default="", help="the phases, with commas between them")
    parser.add_argument("--no-lease", action="store_true")
    parser.add_argument("--unconditional", action="store_true")
    parser.add_argument("--profile", type=Path, help="where to write what took how long")
    asked = parser.parse_args(arguments)
    if asked.effects:
        effects = Effects(asked.effects, deadly=asked.deadly.split(","))
        note: tuple[Callable[[Effects], None], ...] = (note_calls, note_puts)
        for each in note:
            each(effects)
    if asked.no_lease:
        do_without_a_lease()
    if asked.unconditional:
        append_without_a_condition()
    if asked.profile:
        with cProfile.Profile() as profile:
            code = run_controller(asked.settings)
        profile.dump_stats(asked.profile)
        return code
    return run_controller(asked.settings)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
