"""The ledger of a world where commands look for it: as a copy, and behind a kubectl of ours."""

import contextlib
import stat
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from aiohttp import web

from modelwarden.audit.anchor import Anchor
from modelwarden.audit.endpoint import application
from modelwarden.cluster.paths import LEASES
from tests.workflows.world import World

SYSTEM = "modelwarden-system"


def copied(world: World, folder: Path) -> Path:
    """Write the objects of the ledger into a folder."""
    for key, data in world.store.objects.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


async def anchored(world: World) -> Anchor:
    """Announce the ledger in the Lease, as the controller does."""
    anchor = (await world.ledger()).anchor
    metadata = {
        "name": "modelwarden-controller",
        "namespace": SYSTEM,
        "annotations": anchor.to_annotations(),
    }
    world.server.put(LEASES, {"metadata": metadata, "spec": {}})
    return anchor


@contextlib.asynccontextmanager
async def behind_kubectl(world: World, folder: Path) -> AsyncIterator[Mapping[str, str]]:
    """Serve the ledger on loopback and put a kubectl on the PATH that says where.

    Gives the environment with that PATH; what kubectl was told lies in `<folder>/words`.
    """
    anchor = (await world.ledger()).anchor
    runner = web.AppRunner(application(world.store, anchor=lambda: anchor))
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        yield kubectl_that(folder, f"echo 'Forwarding from 127.0.0.1:{port} -> 8089'")
    finally:
        await runner.cleanup()


def kubectl_that(folder: Path, does: str, *, stays: bool = True) -> Mapping[str, str]:
    """Put a kubectl on the PATH that does one thing, and stays until it is ended."""
    script = folder / "bin" / "kubectl"
    script.parent.mkdir()
    end = "exec tail -f /dev/null" if stays else "exit 1"
    script.write_text(f'#!/bin/sh\necho "$@" > {folder}/words\n{does}\n{end}\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return {"PATH": f"{script.parent}:/usr/bin:/bin"}
