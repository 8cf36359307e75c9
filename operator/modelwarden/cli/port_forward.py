"""A port of the controller's pod on our own loopback, through kubectl and the caller's login."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Sequence

from modelwarden.cli.session import Place
from modelwarden.errors import MisconfiguredError, UnavailableError

_FORWARDING = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+) ->")
SECONDS_TO_START = 30.0
SECONDS_TO_STOP = 5.0


@contextlib.asynccontextmanager
async def forwarded(place: Place, namespace: str, target: str, *, port: int) -> AsyncIterator[str]:
    """Forward a port of a pod or Deployment; gives `http://127.0.0.1:<port>`.

    UnavailableError has what kubectl said, MisconfiguredError if there is no kubectl.
    """
    words = ("port-forward", "--address", "127.0.0.1", "-n", namespace, target, f":{port}")
    process = await _started((*_login(place), *words))
    try:
        yield f"http://127.0.0.1:{await _local_port(process)}"
    finally:
        await _stop(process)


def _login(place: Place) -> Sequence[str]:
    kubeconfig = ("--kubeconfig", str(place.kubeconfig)) if place.kubeconfig else ()
    return (*kubeconfig, *(("--context", place.context) if place.context else ()))


async def _started(words: Sequence[str]) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            "kubectl",
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except FileNotFoundError as error:
        raise MisconfiguredError(
            "The ledger is reached through kubectl, and there is none on the PATH."
        ) from error


async def _local_port(process: asyncio.subprocess.Process) -> int:
    out, err = process.stdout, process.stderr
    if out is None or err is None:
        raise UnavailableError("kubectl port-forward: nothing to read from it.")
    try:
        async with asyncio.timeout(SECONDS_TO_START):
            said = (await out.readline()).decode(errors="replace")
            found = _FORWARDING.search(said)
            if found is not None:
                return int(found[1])
            await _stop(process)
            why = (await err.read()).decode(errors="replace").strip() or said.strip()
    except TimeoutError:
        why = f"it said nothing within {SECONDS_TO_START:.0f} seconds"
    raise UnavailableError(f"kubectl port-forward: {why}")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(SECONDS_TO_STOP):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
