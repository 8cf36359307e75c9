"""Reads artifacts from a claim that is mounted into the pod: pvc://<claim>/<path>.

Others write to such a volume while it is read, so no link is followed anywhere below the place
where it is mounted, whatever was there a moment ago.
"""

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from modelwarden.artifacts.directory import DirectorySource, chunks_below
from modelwarden.artifacts.failures import (
    ArtifactNotFoundError,
    ArtifactRefusedError,
    StoreDeniedError,
    StoreUnavailableError,
)
from modelwarden.artifacts.sources import Limits, StoredFile, exactly
from modelwarden.domain.artifact_uri import ArtifactUri

# Below it, each claim is mounted under the name that URIs call it by.
FOLDER: Final = "MODELWARDEN_CLAIMS"
DEFAULT_FOLDER: Final = "/claims"

_ABSENT: Final = frozenset({errno.ENOENT})
_NO_PLAIN_PATH: Final = frozenset({errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENXIO})
_DENIED: Final = frozenset({errno.EACCES, errno.EPERM})


@dataclass(frozen=True)
class ClaimSource:
    """One artifact on a mounted volume: a file, or everything below a folder."""

    claims: Path
    uri: ArtifactUri

    @property
    def is_folder(self) -> bool:
        """The URI ends in a slash."""
        return self.uri.is_folder

    def files(self, limits: Limits) -> Sequence[StoredFile]:
        """List the files; what is no folder on the way there, and any link, refuses all of it."""
        with _translated(self.uri.text):
            self._check_mounted()
            place = self._plain_place()
            listed = DirectorySource(place)
            if listed.is_folder != self.is_folder:
                raise ArtifactNotFoundError(
                    f"There is a {'file' if self.is_folder else 'folder'} at {self.uri.text}: a "
                    "URI ends in a slash where everything below it is the artifact, and only there."
                )
            return listed.files(limits)

    def read(self, file: StoredFile) -> Iterator[bytes]:
        """Read one file in pieces of a megabyte."""
        return exactly(file, self._chunks(file))

    def _chunks(self, file: StoredFile) -> Iterator[bytes]:
        name = self.uri.path + file.name if self.is_folder else self.uri.path
        with _translated(self.uri.text):
            yield from chunks_below(self._mount, name)

    @property
    def _mount(self) -> Path:
        return self.claims / self.uri.root

    def _check_mounted(self) -> None:
        if not self._mount.is_dir():
            raise StoreUnavailableError(
                f"The claim {self.uri.root} is not mounted at {self._mount} in this pod."
            )

    def _plain_place(self) -> Path:
        """Go down to the artifact; a link on the way leads to what somebody else may change."""
        place = self._mount
        for part in self.uri.path.rstrip("/").split("/"):
            place /= part
            if not os.path.lexists(place):
                raise ArtifactNotFoundError(f"There is nothing at {self.uri.text}.")
            if place.is_symlink():
                raise _is_a_link(self.uri.text)
        return place


@contextmanager
def _translated(place: str) -> Iterator[None]:
    """Turn what the file system raises within the block into a failure of this package."""
    try:
        yield
    except OSError as error:
        raise _translate(place, error) from error


def _translate(place: str, error: OSError) -> Exception:
    if error.errno in _ABSENT:
        return ArtifactNotFoundError(f"There is nothing at {place}, or no longer all of it.")
    if error.errno in _NO_PLAIN_PATH:
        return _is_a_link(place)
    if error.errno in _DENIED:
        return StoreDeniedError(f"The volume does not let user {os.getuid()} read {place}.")
    return StoreUnavailableError(f"The volume could not serve {place}: {error.strerror}.")


def _is_a_link(place: str) -> ArtifactRefusedError:
    return ArtifactRefusedError(
        "NotAFile", f"On the way to {place} is a link or another special file; only files are read."
    )
