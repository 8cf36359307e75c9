"""What the platform team fixed for an installation, as far as decisions look at it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from modelwarden.domain.artifact_uri import ArtifactUri, Scheme, parse, store_for
from modelwarden.domain.identity import Identity
from modelwarden.domain.verdicts import Verdict


@dataclass(frozen=True, kw_only=True)
class ArtifactStore:
    """A place for artifacts, and how a gate Job gets there."""

    name: str
    uri_prefix: str
    endpoint: str = ""
    region: str = ""
    secret: str = ""
    claim: str = ""
    addressing: str = "path"

    def to_json(self) -> Mapping[str, str]:
        """Write what a gate Job is told; credentials reach it another way."""
        return {
            "name": self.name,
            "uriPrefix": self.uri_prefix,
            "endpoint": self.endpoint,
            "region": self.region,
            "addressing": self.addressing,
        }

    def mount_of(self, uri: ArtifactUri) -> "ClaimMount | None":
        """Say which claim a gate's pod needs for an artifact, and by which name it is read."""
        if uri.scheme is not Scheme.PVC:
            return None
        return ClaimMount(name=uri.root, claim=self.claim or uri.root)


@dataclass(frozen=True, kw_only=True)
class ClaimMount:
    """A claim of the gates namespace, and the name that URIs call it by."""

    name: str
    claim: str


@dataclass(frozen=True, kw_only=True)
class GateLimits:
    """How long a gate may take to start, and how many may run at once."""

    start_seconds: int = 300
    per_namespace: int = 4
    in_all: int = 16


@dataclass(frozen=True, kw_only=True)
class Installation:
    """One installation: its ledger, its people, its stores, and where and how gates may run."""

    origin: str
    gates_namespace: str = ""
    identity: Identity = field(default_factory=Identity)
    stores: tuple[ArtifactStore, ...] = ()
    gates: GateLimits = GateLimits()
    artifact_check_seconds: int = 86_400

    def store_of(self, uri: str, namespace: str) -> ArtifactStore | Verdict:
        """Find the store that a namespace may take an artifact from, or say why there is none."""
        place = parse(uri)
        if not isinstance(place, ArtifactUri):
            return place
        return store_for(place, namespace=namespace, stores=self.stores)
