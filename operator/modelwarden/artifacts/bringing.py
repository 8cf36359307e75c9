"""Brings an artifact from where it is kept into an empty folder, and names what arrived."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from modelwarden.artifacts.failures import StoreUnavailableError
from modelwarden.artifacts.sources import Source, StoredFile
from modelwarden.domain.digests import file_digest, folder_digest


def digest_of_source(source: Source, files: Sequence[StoredFile]) -> str:
    """Name an artifact where it lies, by reading all of it."""
    contents = ((file.name, source.read(file)) for file in files)
    return folder_digest(contents) if source.is_folder else file_digest(next(contents)[1])


def bring(source: Source, files: Sequence[StoredFile], *, into: Path) -> str:
    """Copy the listed files into an empty folder and give the digest of the bytes that arrived.

    One piece is held at a time. Raises the failures of this package; what was copied until then
    stays.
    """
    contents = ((file.name, _copied(source, file, into)) for file in files)
    return folder_digest(contents) if source.is_folder else file_digest(next(contents)[1])


def _copied(source: Source, file: StoredFile, into: Path) -> Iterator[bytes]:
    path = into / file.name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as written:
            for chunk in source.read(file):
                written.write(chunk)
                yield chunk
    except OSError as error:
        raise StoreUnavailableError(f"Writing {file.name} failed: {error.strerror}.") from error
