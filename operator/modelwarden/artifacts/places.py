"""From the URI of an artifact to what reads it, in whichever kind of store it lies."""

from pathlib import Path

from modelwarden.artifacts.claims import ClaimSource
from modelwarden.artifacts.failures import ArtifactRefusedError
from modelwarden.artifacts.s3 import S3Source, StoreAccess, connect
from modelwarden.artifacts.sources import Source
from modelwarden.domain.artifact_uri import ArtifactUri, Scheme, parse


def source_at(uri: str, access: StoreAccess, *, claims: Path) -> Source:
    """Find what reads an artifact; ArtifactRefusedError for a URI that nothing here reads.

    `access` is how S3 is reached, `claims` the folder in which claims are mounted by name.
    """
    place = parse(uri)
    if not isinstance(place, ArtifactUri):
        raise ArtifactRefusedError(place.code, place.message)
    match place.scheme:
        case Scheme.S3:
            return S3Source(connect(access), place)
        case Scheme.PVC:
            return ClaimSource(claims, place)
        case Scheme.OCI:
            raise ArtifactRefusedError(
                "StoreNotSupported",
                f"This release reads nothing from {uri}: put it into an s3:// or a pvc:// store.",
            )
