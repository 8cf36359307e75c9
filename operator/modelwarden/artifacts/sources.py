"""A place that holds an artifact, and the rules that hold wherever that is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from modelwarden.artifacts.failures import ArtifactNotFoundError, ArtifactRefusedError
from modelwarden.domain.digests import name_problem

CHUNK_BYTES: Final = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """How much one artifact may be: enough for a large model, too little for a flood."""

    total_bytes: int = 32 * 1024**3
    files: int = 10_000


@dataclass(frozen=True)
class StoredFile:
    """One file: its path below the folder, and its size in bytes."""

    name: str
    size: int


class Source(Protocol):
    """One artifact: a file, or a folder of files."""

    @property
    def is_folder(self) -> bool:
        """The artifact is everything below a place, and its digest that of a folder."""
        ...

    def files(self, limits: Limits) -> Sequence[StoredFile]:
        """List what the artifact is made of; more files than allowed are not waited for."""
        ...

    def read(self, file: StoredFile) -> Iterator[bytes]:
        """Read one of the files in pieces; raises if it is no longer as it was listed."""
        ...


def within(limits: Limits, files: Sequence[StoredFile]) -> Sequence[StoredFile]:
    """Let a listing through if it is not empty, not too large, and has no name that could escape.

    Raises ArtifactNotFoundError or ArtifactRefusedError.
    """
    if not files:
        raise ArtifactNotFoundError("There is no file at this place.")
    check_count(limits, len(files))
    if problem := next(filter(None, (name_problem(file.name) for file in files)), None):
        raise ArtifactRefusedError("FileNameRefused", f"A file cannot be taken: {problem}.")
    _check_paths(files)
    total = sum(file.size for file in files)
    if total > limits.total_bytes:
        raise ArtifactRefusedError(
            "ArtifactTooLarge", f"The artifact has {total} bytes; {limits.total_bytes} are allowed."
        )
    return files


def check_count(limits: Limits, count: int) -> None:
    """Raise ArtifactRefusedError for more files than an artifact may have."""
    if count > limits.files:
        raise ArtifactRefusedError(
            "TooManyFiles", f"The folder has more than {limits.files} files, the most allowed."
        )


def exactly(file: StoredFile, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Pass on the bytes of a file, and stop with ArtifactRefusedError at one byte more or less."""
    seen = 0
    for chunk in chunks:
        seen += len(chunk)
        if seen > file.size:
            break
        yield chunk
    if seen != file.size:
        raise ArtifactRefusedError(
            "ArtifactChangedWhileRead",
            f"The file {file.name} had {file.size} bytes when it was listed and another size "
            "when it was read.",
        )


def _check_paths(files: Sequence[StoredFile]) -> None:
    # A store of keys can hold `a` and `a/b`; no folder can.
    names = {file.name for file in files}
    for name in names:
        parents = name.split("/")[:-1]
        for depth in range(1, len(parents) + 1):
            if (parent := "/".join(parents[:depth])) in names:
                raise ArtifactRefusedError(
                    "FileNameRefused", f"The folder has {parent!r} both as a file and as a folder."
                )
