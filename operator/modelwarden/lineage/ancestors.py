"""The ancestors of a version: what it was made from, and what that was made from, to the end."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelwarden.lineage.origins import Origin, VersionKey, base_versions, origins

# The specs that were read; None for a version that is not there.
Specs = Mapping[VersionKey, Mapping[str, Any] | None]

NOT_FOUND = "not found"
TOLD_ABOVE = "told above"


@dataclass(frozen=True, kw_only=True)
class Ancestry:
    """A version, what it was made from, and the versions it was trained from, each likewise.

    `remark` says why nothing more is told of a version.
    """

    key: VersionKey
    origins: tuple[Origin, ...] = ()
    bases: tuple["Ancestry", ...] = ()
    remark: str = ""

    def to_json(self) -> dict[str, Any]:
        """Write the ancestry as JSON."""
        return {
            **self.key._asdict(),
            "origins": [origin.to_json() for origin in self.origins],
            "baseModels": [base.to_json() for base in self.bases],
            **({"remark": self.remark} if self.remark else {}),
        }


def ancestry(key: VersionKey, specs: Specs) -> Ancestry:
    """Follow a version to everything it was made from.

    Each version is told once: manifests may name each other in circles.
    """
    return _told(key, specs, set())


def still_unknown(key: VersionKey, specs: Specs) -> frozenset[VersionKey]:
    """Name the versions to read next before the ancestry is whole."""
    seen: set[VersionKey] = set()
    waiting = [key]
    unknown: set[VersionKey] = set()
    while waiting:
        this = waiting.pop()
        if this in seen:
            continue
        seen.add(this)
        if this not in specs:
            unknown.add(this)
        else:
            waiting.extend(base_versions(specs[this] or {}, this.namespace))
    return frozenset(unknown)


def _told(key: VersionKey, specs: Specs, seen: set[VersionKey]) -> Ancestry:
    spec = specs.get(key)
    if key in seen:
        return Ancestry(key=key, remark=TOLD_ABOVE)
    seen.add(key)
    if spec is None:
        return Ancestry(key=key, remark=NOT_FOUND)
    return Ancestry(
        key=key,
        origins=origins(spec),
        bases=tuple(_told(base, specs, seen) for base in base_versions(spec, key.namespace)),
    )
