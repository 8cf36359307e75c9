"""A folder as a store: what is created is whole, durable and never replaced.

tmp/<random>      written, fsync
   | link(2)      fails if the name is taken: the compare-and-swap
ledger/<index>    fsync of the folder, then the temporary name goes
"""

import contextlib
import errno
import os
import stat
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from modelwarden.audit.store import (
    EVIDENCE,
    LEDGER,
    MAX_BYTES,
    NotStoredError,
    is_key,
)
from modelwarden.errors import LedgerUnavailableError, MisconfiguredError

_TEMPORARY = "tmp"
_MODE = 0o444


class DirectoryReader:
    """A store's folder, or a copy of one, that is only read."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def list(self, prefix: str, after: str = "") -> Sequence[str]:
        """Name all keys of a family after one key, in order."""
        with _answered(f"list {prefix}"), os.scandir(self._root / prefix) as entries:
            keys = [prefix + entry.name for entry in entries]
        return sorted(key for key in keys if key > after)

    def read(self, key: str) -> bytes:
        """Read one object; what is no plain file is not there, for a copy may come from anybody."""
        if not is_key(key):
            raise NotStoredError(key)
        with _answered(f"read {key}"), _opened(self._root / key) as file:
            size = os.fstat(file.fileno()).st_size
            return file.read(min(size, MAX_BYTES) + 1)


class DirectoryStore(DirectoryReader):
    """The embedded store: one folder on one volume, with one writer at a time."""

    @classmethod
    def open(cls, root: Path) -> "DirectoryStore":
        """Prepare the folder and prove what the store relies on.

        MisconfiguredError if the filesystem cannot link or replaces what is there.
        """
        store = cls(root)
        with _answered("open the folder"):
            for folder in (LEDGER, EVIDENCE, _TEMPORARY):
                (root / folder).mkdir(parents=True, exist_ok=True)
            for leftover in (root / _TEMPORARY).iterdir():
                leftover.unlink()
            store._probe()
            # A crash may have come between a link and its fsync: what is read must be durable.
            for folder in ("", LEDGER, EVIDENCE):
                _sync_folder(root / folder)
        return store

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Create an object whole and durably: True if created, False if the name is taken."""
        if not is_key(key) or len(data) > MAX_BYTES:
            raise ValueError(f"not an object of the ledger: {key!r}, {len(data)} bytes")
        target = self._root / key
        with _answered(f"create {key}"), self._written(data) as temporary:
            created = _linked(temporary, target)
            # Also if it was there: whoever goes on from it relies on it.
            _sync_folder(target.parent)
        return created

    @contextlib.contextmanager
    def _written(self, data: bytes) -> Iterator[Path]:
        path = self._root / _TEMPORARY / uuid.uuid4().hex
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _MODE)
            with os.fdopen(file, "wb") as opened:
                opened.write(data)
                opened.flush()
                os.fsync(file)
            yield path
        finally:
            # What stays behind is removed at the next start, and nobody reads it until then.
            with contextlib.suppress(OSError):
                path.unlink()

    def _probe(self) -> None:
        with self._written(b"probe") as first, self._written(b"other") as second:
            target = self._root / _TEMPORARY / "probe"
            try:
                created = _linked(first, target)
                refused = not _linked(second, target)
            except OSError as error:
                raise MisconfiguredError(
                    "The ledger's folder needs a filesystem with hard links: "
                    f"{os.strerror(error.errno or 0)}."
                ) from error
            kept = target.read_bytes() == b"probe"
            target.unlink()
        if not (created and refused and kept):
            raise MisconfiguredError("The ledger's filesystem lets a name be taken twice.")


def _linked(source: Path, target: Path) -> bool:
    try:
        os.link(source, target)
    except FileExistsError:
        return False
    return True


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        # Neither is a link followed nor a pipe waited for.
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP, errno.ENXIO):
            raise NotStoredError(path.name) from None
        raise
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise NotStoredError(path.name)
    with os.fdopen(file, "rb") as opened:
        yield opened


@contextlib.contextmanager
def _answered(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LedgerUnavailableError(f"The ledger's folder did not {what}: {error}") from error
