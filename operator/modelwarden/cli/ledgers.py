"""Reading the ledger itself: where it lies, which key is trusted, what it must at least hold."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from modelwarden.audit.anchor import Anchor
from modelwarden.audit.chain import sound_objects
from modelwarden.audit.directory import DirectoryReader
from modelwarden.audit.keys import trust
from modelwarden.audit.remote import RemoteReader
from modelwarden.audit.signing import TrustedKey
from modelwarden.audit.store import Reader
from modelwarden.cli.answers import CannotError
from modelwarden.cli.port_forward import forwarded
from modelwarden.cli.session import Session
from modelwarden.cluster.answers import ApiError
from modelwarden.cluster.paths import LEASES
from modelwarden.domain.records import Record
from modelwarden.errors import MisconfiguredError, UnavailableError

POD = "pod"
PORT = 8089

Where: TypeAlias = Annotated[
    str,
    typer.Option(
        "--ledger", metavar="pod|DIR", help="The controller's pod, or the folder of a copy."
    ),
]
Key: TypeAlias = Annotated[
    str | None,
    typer.Option(help="The public key to trust: its text, or a file with it.", metavar="KEY"),
]
Offline: TypeAlias = Annotated[
    bool, typer.Option("--offline", help="Ask no cluster: then a key must be given.")
]


@dataclass(frozen=True, kw_only=True)
class Ask:
    """Which ledger is asked for, and what it is trusted by."""

    where: str
    key: str | None
    offline: bool
    namespace: str
    name: str


@dataclass(frozen=True, kw_only=True)
class OpenLedger:
    """A ledger that can be read; `is_live` says that it is still being written."""

    reader: Reader
    trusted: TrustedKey
    anchor: Anchor | None
    is_pinned: bool
    is_live: bool

    @property
    def trust(self) -> str:
        """How far the key can be trusted, in a sentence."""
        if self.is_pinned:
            return f"The key {self.trusted.text} is the one you gave."
        return "Its key was taken from the cluster and is not pinned."

    async def records(self) -> list[Record]:
        """Read all records, verified object by object; LedgerBrokenError at the first flaw."""
        objects = await asyncio.to_thread(lambda: list(sound_objects(self.reader, self.trusted)))
        return [record for each in objects for record in each.records]


@contextlib.asynccontextmanager
async def open_ledger(session: Session, ask: Ask) -> AsyncIterator[OpenLedger]:
    """Open the ledger, in the controller's pod or in a folder.

    The anchor is read before the ledger, which may grow meanwhile, but not shrink.
    """
    anchor = None if ask.offline else await _anchor(session, ask)
    trusted, is_pinned = _trusted(session, ask, anchor)
    async with _reader(session, ask) as reader:
        yield OpenLedger(
            reader=reader,
            trusted=trusted,
            anchor=anchor,
            is_pinned=is_pinned,
            is_live=ask.where == POD,
        )


@contextlib.asynccontextmanager
async def _reader(session: Session, ask: Ask) -> AsyncIterator[Reader]:
    if ask.where != POD:
        folder = Path(ask.where)
        if not (folder / "ledger").is_dir():
            raise CannotError(f"{ask.where} is no copy of a ledger: it has no folder ledger.")
        yield DirectoryReader(folder)
        return
    if ask.offline:
        raise CannotError("--offline reads a copy: give its folder with --ledger DIR.")
    target = f"deployment/{ask.name}-controller"
    async with forwarded(session.place, ask.namespace, target, port=PORT) as address:
        reader = RemoteReader(address)
        try:
            yield reader
        finally:
            reader.close()


async def _anchor(session: Session, ask: Ask) -> Anchor | None:
    """Read the anchor from the Lease; of a copy it is a help, not a need."""
    try:
        client = await session.client()
        lease = await client.find(LEASES, f"{ask.name}-controller", ask.namespace)
    except (ApiError, UnavailableError, MisconfiguredError) as error:
        if ask.where == POD and not isinstance(error, ApiError):
            raise
        session.screen.warn(f"The anchor in the Lease could not be read: {error}")
        return None
    if lease is None:
        return None
    return Anchor.from_annotations(lease["metadata"].get("annotations") or {})


def _trusted(session: Session, ask: Ask, anchor: Anchor | None) -> tuple[TrustedKey, bool]:
    if ask.key is not None:
        path = Path(ask.key)
        is_file = len(ask.key) < 4096 and "\n" not in ask.key and path.is_file()
        return trust(path.read_text(encoding="utf-8") if is_file else ask.key), True
    if anchor is None:
        raise CannotError("No key is known to trust: give the ledger's public key with --key.")
    session.screen.warn(
        "The key is taken from the cluster itself, so whoever controls the cluster could have "
        f"replaced it. Pin it next time: --key {anchor.key}"
    )
    return trust(anchor.key), False
