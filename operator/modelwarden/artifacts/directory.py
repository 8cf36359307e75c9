"""Reads an artifact from a disk: a file, or a folder without links and empty folders."""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from modelwarden.artifacts.failures import ArtifactNotFoundError, ArtifactRefusedError
from modelwarden.artifacts.sources import (
    CHUNK_BYTES,
    Limits,
    StoredFile,
    check_count,
    exactly,
    within,
)


@dataclass(frozen=True)
class DirectorySource:
    """One artifact on a disk."""

    path: Path

    @property
    def is_folder(self) -> bool:
        """The path is a folder."""
        return self.path.is_dir()

    def files(self, limits: Limits) -> Sequence[StoredFile]:
        """List the files; a link, a socket or an empty folder anywhere refuses all of it."""
        if not os.path.lexists(self.path):
            raise ArtifactNotFoundError(f"There is nothing at {self.path}.")
        if not self.is_folder:
            return within(limits, (StoredFile(self.path.name, _regular_size(self.path)),))
        files: list[StoredFile] = []
        for path in _walk(self.path):
            files.append(StoredFile(path.relative_to(self.path).as_posix(), _regular_size(path)))
            check_count(limits, len(files))
        return within(limits, files)

    def read(self, file: StoredFile) -> Iterator[bytes]:
        """Read one file in pieces of a megabyte."""
        return exactly(file, self._chunks(file))

    def _chunks(self, file: StoredFile) -> Iterator[bytes]:
        folder = self.path if self.is_folder else self.path.parent
        return chunks_below(folder, file.name)


def chunks_below(folder: Path, name: str) -> Iterator[bytes]:
    """Read a file below a folder in pieces of a megabyte, through no link.

    Between listing and reading somebody may have put one there, or a pipe that nobody writes to:
    OSError for the first, no bytes from the second.
    """
    with os.fdopen(_open_below(folder, name), "rb") as opened:
        while chunk := opened.read(CHUNK_BYTES):
            yield chunk


def _open_below(folder: Path, name: str) -> int:
    *parents, last = name.split("/")
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parents:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = below
        return os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at)
    finally:
        os.close(at)


def _walk(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    if not found:
        raise ArtifactRefusedError("EmptyFolder", f"The folder {folder.name!r} is empty.")
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path))
        else:
            yield Path(entry.path)


def _regular_size(path: Path) -> int:
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise ArtifactRefusedError(
            "NotAFile", f"{path.name!r} is a link or another special file; only files are taken."
        )
    return status.st_size
