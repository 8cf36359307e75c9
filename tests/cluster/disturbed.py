"""The controller as it is shipped, with faults: ended by SIGKILL at its own effects, or unleashed.

Effects are told apart by what they write: `append Promoted`, `POST jobs`, `PATCH models/status`.
What was done is a line of a file, so that the next start knows where the last one was ended.
"""

import argparse
import asyncio
import cProfile
import hashlib
import json
import os
import signal
import sys
import time
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
    """Writes down every effect, and does something bad before and after those of one phase.

    The folder has `phase`, a word that the test writes; `seen`, a line for every effect; `killed`,
    a line for every effect at which the process ended itself; `reached`, a line for every place at
    which it waits until the test has written the same line into `left`.
    """

    def __init__(
        self, folder: Path, *, deadly: Sequence[str], only: str, places: Sequence[str]
    ) -> None:
        self._folder = folder
        self._deadly = deadly
        self._only = only
        self._places = places

    def before(self, name: str) -> None:
        """Note that the effect comes."""
        self._note("seen", self._about(name))
        self._be_at(f"before {name}")

    def after(self, name: str) -> None:
        """Note that the effect has happened."""
        self._be_at(f"after {name}")

    def _be_at(self, where: str) -> None:
        line = self._about(where)
        if line in self._places and self._is_new("reached", line):
            while line not in lines(self._folder / "left"):
                time.sleep(0.02)
        if self._is_deadly(line) and self._is_new("killed", line):
            os.kill(os.getpid(), signal.SIGKILL)

    def _is_deadly(self, line: str) -> bool:
        phase, _, effect = line.partition(": ")
        return phase in self._deadly and effect.endswith(self._only)

    def _about(self, what: str) -> str:
        phase = lines(self._folder / "phase")
        return f"{phase[0] if phase else '-'}: {what}"

    def _is_new(self, file: str, line: str) -> bool:
        is_new = line not in lines(self._folder / file)
        if is_new:
            self._note(file, line)
        return is_new

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
        if method not in WRITES or any(word in path for word in NOT_EFFECTS):
            return await request(self, method, path, **more)
        name = f"{method} {kind_of(path, method)}"
        effects.before(name)
        answer = await request(self, method, path, **more)
        effects.after(name)
        return answer

    ApiClient.request = told  # type: ignore[method-assign]


def kind_of(path: str, method: str) -> str:
    """Name the resource of a path, with its subresource: `models/status`."""
    root, *parts = path.strip("/").split("/")
    in_group = parts[2 if root == "apis" else 1 :]
    resource, *rest = in_group[2:] if in_group[0] == "namespaces" else in_group
    named = rest[1:] if method != "POST" else rest
    return "/".join([resource, *named])


def note_puts(effects: Effects) -> None:
    """Tell of every object of the ledger, by what is recorded in it."""
    put = DirectoryStore.put_if_absent

    def told(self: DirectoryStore, key: str, data: bytes) -> bool:
        names = ["put evidence"]
        if key.startswith(LEDGER):
            operations = {record["operation"] for record in json.loads(data)["records"]}
            names = [f"append {operation}" for operation in sorted(operations)]
        for name in names:
            effects.before(name)
        created = put(self, key, data)
        for name in names:
            effects.after(name)
        return created

    DirectoryStore.put_if_absent = told  # type: ignore[method-assign]


def note_written(file: Path) -> None:
    """Write down every object of the ledger that the store said it has taken, with its digest."""
    put = DirectoryStore.put_if_absent

    def told(self: DirectoryStore, key: str, data: bytes) -> bool:
        created = put(self, key, data)
        if created and key.startswith(LEDGER):
            with file.open("a") as opened:
                opened.write(f"{key} {hashlib.sha256(data).hexdigest()}\n")
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


def again_and_again(run: Callable[[], int]) -> int:
    """Run in a child, and at once in another one whenever that has ended before it was told to.

    What takes long about a start is to read the code, which each child has already.
    """
    told_to_end = False
    child = 0

    def end(number: int, _frame: object) -> None:
        nonlocal told_to_end
        told_to_end = True
        os.kill(child, number)

    while True:
        # No signal may find a child that is not known yet.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        child = os.fork()
        if not child:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
            return run()
        signal.signal(signal.SIGTERM, end)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        _, status = os.waitpid(child, 0)
        if told_to_end:
            return os.waitstatus_to_exitcode(status)


def main(arguments: list[str]) -> int:
    """Run the controller with the faults that were asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--effects", type=Path)
    parser.add_argument("--deadly", default="", help="the phases, with commas between them")
    parser.add_argument("--only", default="", help="the one effect that is deadly; else all are")
    parser.add_argument("--places", default="", help="where to wait, with semicolons between them")
    parser.add_argument("--written", type=Path, help="where to note what was appended")
    parser.add_argument("--again", action="store_true", help="start again whenever it has ended")
    parser.add_argument("--no-lease", action="store_true")
    parser.add_argument("--unconditional", action="store_true")
    parser.add_argument("--profile", type=Path, help="where to write what took how long")
    asked = parser.parse_args(arguments)
    if asked.effects:
        deadly, places = asked.deadly.split(","), asked.places.split(";")
        effects = Effects(asked.effects, deadly=deadly, only=asked.only, places=places)
        note: tuple[Callable[[Effects], None], ...] = (note_calls, note_puts)
        for each in note:
            each(effects)
    if asked.written:
        note_written(asked.written)
    if asked.no_lease:
        do_without_a_lease()
    if asked.unconditional:
        append_without_a_condition()
    if asked.again:
        return again_and_again(lambda: run_controller(asked.settings))
    if asked.profile:
        with cProfile.Profile() as profile:
            code = run_controller(asked.settings)
        profile.dump_stats(asked.profile)
        return code
    return run_controller(asked.settings)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
