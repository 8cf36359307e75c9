"""Whether the API server knows our kinds as this release writes them.

Applying a field that a CRD does not have is a bare error 500: with older CRDs everything would
look like a broken server, so the controller does not start on them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from modelwarden.cluster.client import ApiClient, JsonObject
from modelwarden.cluster.paths import CUSTOM_RESOURCE_DEFINITIONS
from modelwarden.domain.labels import VERSION
from modelwarden.errors import MisconfiguredError
from modelwarden.resources.crds import RELEASE, crd
from modelwarden.resources.kinds import KINDS

# Enough to know which release is installed; hundreds would hide the advice.
SHOWN = 5


async def require_definitions(client: ApiClient) -> None:
    """Pass only when every CRD is in use and as new as this release; MisconfiguredError if not."""
    problems: list[str] = []
    for kind in KINDS.values():
        wanted = crd(kind)
        found = await client.find(CUSTOM_RESOURCE_DEFINITIONS, wanted["metadata"]["name"])
        problems.extend(problems_of(wanted, found))
    if problems:
        raise MisconfiguredError("; ".join(problems) + ". Install the CRDs of this release first.")


def problems_of(wanted: JsonObject, found: JsonObject | None) -> Iterator[str]:
    """Say what keeps an installed CRD from being used in the place of the wanted one."""
    name = wanted["metadata"]["name"]
    if found is None:
        yield f"{name}: is not installed"
        return
    status = found.get("status") or {}
    if not _is_established(status):
        yield f"{name}: is not established"
    unknown = set(status.get("storedVersions") or ()) - {VERSION}
    if unknown:
        yield f"{name}: holds objects of the versions {', '.join(sorted(unknown))}, unknown here"
    missing = sorted(set(_fields(_schema(wanted))) - set(_fields(_schema(found))))
    if missing:
        release = (found["metadata"].get("annotations") or {}).get(RELEASE, "an unknown release")
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        yield f"{name}: is older ({release}), it has no {', '.join(missing[:SHOWN])}{more}"


def _is_established(status: Mapping[str, Any]) -> bool:
    return any(
        condition.get("type") == "Established" and condition.get("status") == "True"
        for condition in status.get("conditions") or ()
    )


def _schema(definition: JsonObject) -> Mapping[str, Any]:
    for version in definition["spec"].get("versions") or ():
        if version["name"] == VERSION and version.get("served"):
            schema: Mapping[str, Any] = (version.get("schema") or {}).get("openAPIV3Schema") or {}
            return schema
    return {}


def _fields(schema: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for name, inner in (schema.get("properties") or {}).items():
        yield f"{path}{name}"
        yield from _fields(inner, f"{path}{name}.")
    for inner in (schema.get("items"), schema.get("additionalProperties")):
        if isinstance(inner, Mapping):
            yield from _fields(inner, f"{path}*.")
