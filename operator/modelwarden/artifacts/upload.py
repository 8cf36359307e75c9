"""Puts a model where its digest says, so that the same content is in a store once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from boto3.s3.transfer import TransferConfig

from modelwarden.artifacts.bringing import digest_of_source
from modelwarden.artifacts.directory import DirectorySource
from modelwarden.artifacts.failures import ArtifactRefusedError
from modelwarden.artifacts.s3 import list_objects, translated
from modelwarden.artifacts.sources import Limits, StoredFile
from modelwarden.domain.artifact_uri import ArtifactUri, Scheme, parse

# Smaller files are one request, which a store either has or has not.
_TRANSFER: Final = TransferConfig(multipart_threshold=64 * 1024**2, max_concurrency=4)


@dataclass(frozen=True, kw_only=True)
class Uploaded:
    """Where the artifact lies now; `sent` counts the files that were not there before."""

    uri: str
    digest: str
    size: int
    files: int
    sent: int


def _silently(_: str) -> None:
    pass


def upload(
    path: Path, client: Any, *, store_prefix: str, told: Callable[[str], None] = _silently
) -> Uploaded:
    """Put a file or folder below `<store prefix>sha256/<digest>/`; a second time changes nothing.

    `told` hears the name of each file before it is sent. Raises the failures of this package, also
    for a place that holds anything else than these files.
    """
    source = DirectorySource(path)
    files = source.files(Limits())
    digest = digest_of_source(source, files)
    folder = _folder(store_prefix, digest)
    missing = _missing(client, folder, files=files)
    for file in missing:
        told(file.name)
        place = path / file.name if source.is_folder else path
        _send(place, client, bucket=folder.root, key=folder.path + file.name)
    return Uploaded(
        uri=folder.text if source.is_folder else folder.text + files[0].name,
        digest=digest,
        size=sum(file.size for file in files),
        files=len(files),
        sent=len(missing),
    )


def _folder(store_prefix: str, digest: str) -> ArtifactUri:
    uri = parse(f"{store_prefix}{digest.replace(':', '/')}/")
    if not isinstance(uri, ArtifactUri):
        raise ArtifactRefusedError(uri.code, uri.message)
    if uri.scheme is not Scheme.S3:
        raise ArtifactRefusedError("StoreNotSupported", f"Nothing can be sent to {store_prefix}.")
    return uri


def _missing(
    client: Any, folder: ArtifactUri, *, files: Sequence[StoredFile]
) -> Sequence[StoredFile]:
    missing = dict.fromkeys(files)
    for entry in list_objects(client, folder):
        there = StoredFile(entry["Key"].removeprefix(folder.path), entry["Size"])
        # A folder is everything below its prefix: one object more and its digest is another.
        if there not in missing:
            raise ArtifactRefusedError(
                "PlaceTaken",
                f"{folder.text}{there.name} is there already and is no part of this artifact.",
            )
        del missing[there]
    return tuple(missing)


def _send(path: Path, client: Any, *, bucket: str, key: str) -> None:
    with translated(f"s3://{bucket}/{key}"), path.open("rb") as opened:
        client.upload_fileobj(opened, bucket, key, Config=_TRANSFER)
