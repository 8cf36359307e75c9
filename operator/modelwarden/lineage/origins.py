"""What one version says it was made from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple


class VersionKey(NamedTuple):
    """One version of one model."""

    namespace: str
    model: str
    version: int

    @property
    def text(self) -> str:
        """The version as people write it: `risk/fraud-detector 3`."""
        return f"{self.namespace}/{self.model} {self.version}"


class OriginKind(StrEnum):
    """The kinds of things that a version is made from, other versions of ours aside."""

    DATASET = "dataset"
    CODE = "code"
    ENVIRONMENT = "environment"
    FEATURE = "feature"
    BASE_MODEL = "base model"
    RUN = "run"


@dataclass(frozen=True)
class Origin:
    """One thing that went into a version, with what is needed to find it again."""

    kind: OriginKind
    name: str
    facts: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Write the origin as JSON."""
        return {"kind": self.kind.value, "name": self.name, **dict(self.facts)}


def origins(spec: Mapping[str, Any]) -> tuple[Origin, ...]:
    """List what the spec of a version names: data, code, environment, features, models, run."""
    return tuple(_origins(spec.get("lineage", {})))


def base_versions(spec: Mapping[str, Any], namespace: str) -> tuple[VersionKey, ...]:
    """List the versions of our models that this one was trained from."""
    named = spec.get("lineage", {}).get("baseModels", ())
    return tuple(
        VersionKey(base.get("namespace", namespace), base["model"], base["version"])
        for base in named
        if "model" in base
    )


def _origins(lineage: Mapping[str, Any]) -> Iterator[Origin]:
    for item in lineage.get("datasets", ()):
        facts = _facts(item, "role", "version", "digest", "uri", "query", "filters", "sampling")
        yield Origin(OriginKind.DATASET, item["name"], facts)
    if "code" in lineage:
        code = lineage["code"]
        yield Origin(OriginKind.CODE, code["repository"], _facts(code, "commit", "path"))
    if "environment" in lineage:
        environment = lineage["environment"]
        name = environment.get("image") or "packages"
        yield Origin(OriginKind.ENVIRONMENT, name, _facts(environment, "packagesDigest"))
    for item in lineage.get("features", ()):
        yield Origin(OriginKind.FEATURE, item["name"], _facts(item, "version", "store"))
    for item in lineage.get("baseModels", ()):
        if "uri" in item:
            yield Origin(OriginKind.BASE_MODEL, item["uri"])
    if "run" in lineage:
        run = lineage["run"]
        yield Origin(OriginKind.RUN, f"{run['system']} {run['id']}", _facts(run, "uri"))


def _facts(item: Mapping[str, Any], *names: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(item[name])) for name in names if item.get(name))
