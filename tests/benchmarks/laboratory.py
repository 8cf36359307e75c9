"""A cluster of its own for what is measured on one, started when it is first asked for."""

import asyncio
import base64
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any

from modelwarden.cluster.client import ApiClient, connect
from tests.cluster import running
from tests.cluster.controllers import HostController, instead_of_the_pod
from tests.cluster.installed import SYSTEM, Installed, installed

NAME = "scale"
LOOK_SECONDS = 0.002


class Laboratory:
    """Everything installed, and the ways to measure on it."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))

    def __enter__(self) -> "Laboratory":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @cached_property
    def installed(self) -> Installed:
        """The installation; what was started is removed in the end."""
        kubeconfig = self.folder / "kubeconfig"
        was_there = running.runs(NAME)
        cluster = running.start(NAME, kubeconfig)
        if not was_there and not running.is_to_be_kept():
            self._stack.callback(running.stop, NAME, kubeconfig)
        return self._stack.enter_context(installed(cluster))

    @cached_property
    def controller(self) -> HostController:
        """A controller as a process of this machine, where it can be looked into."""
        self._stack.enter_context(instead_of_the_pod(self.installed))
        return HostController(self.installed, self.folder / "controller")

    def ledger_key(self) -> str:
        """The key of the installation's ledger, as the controller keeps it."""
        secret = self.installed.cluster.get(
            "secret", "modelwarden-ledger-key", f"--namespace={SYSTEM}"
        )
        return base64.b64decode(secret["data"]["ed25519.pem"]).decode()

    async def client(self, context: str = "platform") -> ApiClient:
        """A client of the API server, as a person."""
        return await connect(self.installed.cluster.kubeconfig, context)


async def seconds_until(
    read: Callable[[], Awaitable[Mapping[str, Any]]],
    holds: Callable[[Mapping[str, Any]], bool],
    *,
    since: float,
    within: float = 60,
) -> float:
    """Look until it holds; gives the seconds since a time of `time.perf_counter`."""
    while not holds(await read()):
        if time.perf_counter() - since > within:
            raise running.TooLateError(f"not within {within:.0f} s")
        await asyncio.sleep(LOOK_SECONDS)
    return time.perf_counter() - since


def holds(condition: str) -> Callable[[Mapping[str, Any]], bool]:
    """Make the question whether a condition of an object is True."""

    def answer(read: Mapping[str, Any]) -> bool:
        conditions = read.get("status", {}).get("conditions", ())
        return any(c["type"] == condition and c["status"] == "True" for c in conditions)

    return answer


def peak_megabytes(pid: int) -> float:
    """Read the most memory that a process has had at once."""
    status = Path(f"/proc/{pid}/status").read_text()
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return int(kilobytes) / 1024


def cpu_seconds(pid: int) -> float:
    """Read how long a process has been computing."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
