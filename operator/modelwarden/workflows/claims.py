"""What a pod needs to read an artifact from a claim: the volume, and where it is mounted."""

from typing import Any

from modelwarden.artifacts.claims import DEFAULT_FOLDER
from modelwarden.domain.artifact_uri import ArtifactUri, parse
from modelwarden.domain.installation import ArtifactStore, ClaimMount

_VOLUME = "artifacts"


def claim_volumes(store: ArtifactStore, uri: str) -> list[dict[str, Any]]:
    """Write the volume of the claim that an artifact is on; none for one that is elsewhere."""
    mount = _mount(store, uri)
    if mount is None:
        return []
    claim = {"claimName": mount.claim, "readOnly": True}
    return [{"name": _VOLUME, "persistentVolumeClaim": claim}]


def claim_mounts(store: ArtifactStore, uri: str) -> list[dict[str, Any]]:
    """Write where a container sees that claim: under the name that the URI calls it by."""
    mount = _mount(store, uri)
    if mount is None:
        return []
    return [{"name": _VOLUME, "mountPath": f"{DEFAULT_FOLDER}/{mount.name}", "readOnly": True}]


def _mount(store: ArtifactStore, uri: str) -> ClaimMount | None:
    place = parse(uri)
    return store.mount_of(place) if isinstance(place, ArtifactUri) else None
