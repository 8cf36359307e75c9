"""Reads artifacts from S3 and whatever speaks its protocol.

Timeouts and retries are our own: the library's defaults wait minutes for a store that is gone.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import boto3
import botocore.config
import botocore.exceptions

from modelwarden.artifacts.failures import (
    ArtifactNotFoundError,
    ArtifactRefusedError,
    StoreDeniedError,
    StoreUnavailableError,
)
from modelwarden.artifacts.sources import (
    CHUNK_BYTES,
    Limits,
    StoredFile,
    check_count,
    exactly,
    within,
)
from modelwarden.domain.artifact_uri import ArtifactUri

CONNECT_SECONDS: Final = 5
READ_SECONDS: Final = 30
ATTEMPTS: Final = 3

_NOT_FOUND: Final = frozenset({"NoSuchKey", "NoSuchBucket"})
# Besides every answer with status 401 or 403.
_DENIED: Final = frozenset(
    {
        "ExpiredToken",
        "InvalidToken",
        "XAdminUserNotFound",  # versitygw's word for an unknown access key, with status 404
    }
)
_NO_CREDENTIALS: Final = (
    botocore.exceptions.NoCredentialsError,
    botocore.exceptions.PartialCredentialsError,
    botocore.exceptions.CredentialRetrievalError,
    botocore.exceptions.TokenRetrievalError,
    botocore.exceptions.ProfileNotFound,
)


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """A key pair; its secret never shows in a log or a traceback."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class StoreAccess:
    """How a store is reached; what is None comes from the caller's own environment and profile."""

    endpoint: str | None = None
    region: str | None = None
    addressing: str | None = None
    credentials: Credentials | None = None


def connect(access: StoreAccess) -> Any:
    """Make a client of a store; nothing is asked of the store yet.

    Raises StoreDeniedError if the profile named by the environment does not exist.
    """
    found = access.credentials
    with translated("the store"):
        session = boto3.session.Session(
            aws_access_key_id=found.access_key if found else None,
            aws_secret_access_key=found.secret_key if found else None,
            aws_session_token=found.session_token if found else None,
            region_name=access.region,
        )
        return session.client("s3", endpoint_url=access.endpoint or None, config=_config(access))


@dataclass(frozen=True)
class S3Source:
    """One artifact in S3: an object, or every object below a prefix."""

    client: Any
    uri: ArtifactUri

    @property
    def is_folder(self) -> bool:
        """The URI ends in a slash."""
        return self.uri.is_folder

    def files(self, limits: Limits) -> Sequence[StoredFile]:
        """List the objects, at most as many pages as the limit allows."""
        listed = self._below(limits) if self.is_folder else self._single()
        return within(limits, listed)

    def read(self, file: StoredFile) -> Iterator[bytes]:
        """Read one object in pieces of a megabyte."""
        return exactly(file, self._chunks(self._key(file)))

    def _single(self) -> Sequence[StoredFile]:
        # The answer to a HEAD has no body, so no reason: unknown credentials would look like
        # an empty place.
        with translated(self.uri.text):
            found = self.client.get_object(Bucket=self.uri.root, Key=self.uri.path)
            found["Body"].close()
        return (StoredFile(self.uri.path.rpartition("/")[2], found["ContentLength"]),)

    def _below(self, limits: Limits) -> Sequence[StoredFile]:
        files: list[StoredFile] = []
        markers: list[str] = []
        for entry in list_objects(self.client, self.uri):
            name = entry["Key"].removeprefix(self.uri.path)
            if (not name or name.endswith("/")) and entry["Size"] == 0:
                markers.append(name)
            else:
                files.append(StoredFile(name, entry["Size"]))
            check_count(limits, len(files) + len(markers))
        _check_markers(markers, files)
        return files

    def _chunks(self, key: str) -> Iterator[bytes]:
        with translated(f"s3://{self.uri.root}/{key}"):
            body = self.client.get_object(Bucket=self.uri.root, Key=key)["Body"]
            try:
                yield from body.iter_chunks(CHUNK_BYTES)
            finally:
                body.close()

    def _key(self, file: StoredFile) -> str:
        return self.uri.path + file.name if self.is_folder else self.uri.path


def list_objects(client: Any, uri: ArtifactUri) -> Iterator[Mapping[str, Any]]:
    """List what lies below a folder, page by page, as S3 tells it: with Key and Size."""
    with translated(uri.text):
        pages = client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=uri.root, Prefix=uri.path):
            yield from page.get("Contents", ())


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Turn what the client raises within the block into one of the failures of this package."""
    try:
        yield
    except botocore.exceptions.ClientError as error:
        raise _translate(place, error) from error
    except _NO_CREDENTIALS as error:
        raise StoreDeniedError(f"No usable credentials for {place}: {error}") from error
    except (botocore.exceptions.BotoCoreError, OSError, ValueError) as error:
        # ValueError is what the library raises for an endpoint that is no URL.
        raise StoreUnavailableError(f"The store could not serve {place}: {error}") from error


def _translate(place: str, error: botocore.exceptions.ClientError) -> Exception:
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if code in _NOT_FOUND:
        return ArtifactNotFoundError(f"There is nothing at {place} ({code}).")
    if code in _DENIED or status in (401, 403):
        return StoreDeniedError(f"The store denies access to {place} ({code}).")
    return StoreUnavailableError(f"The store could not serve {place} ({code}).")


def _check_markers(markers: Sequence[str], files: Sequence[StoredFile]) -> None:
    # Consoles make an object of no bytes for a folder. It says nothing about a folder with files,
    # and an empty one would be lost on the way to a disk and back.
    for marker in markers:
        if not any(file.name.startswith(marker) for file in files):
            raise ArtifactRefusedError("EmptyFolder", f"The folder {marker or '/'!r} is empty.")


def _config(access: StoreAccess) -> botocore.config.Config:
    return botocore.config.Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        s3={"addressing_style": access.addressing} if access.addressing else None,
        # Not every server knows the newer checksums, and our digest covers every byte.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
