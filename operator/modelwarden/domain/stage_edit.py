"""The edit of a Model that asks for a stage, and who else keeps that part of it."""

from collections.abc import Iterable, Mapping
from typing import Any

from modelwarden.domain.stages import Stage

# With these a person edits the object itself; every other manager has a file that it came from.
_BY_HAND = frozenset(
    {
        "kubectl-annotate",
        "kubectl-create",
        "kubectl-edit",
        "kubectl-label",
        "kubectl-patch",
        "kubectl-replace",
    }
)
_LISTS = ("staging", "archived", "registered")


def with_request(
    stages: Mapping[str, Any], version: int, *, target: Stage, reason: str
) -> dict[str, Any]:
    """Write the stages with the request to bring a version up into a stage.

    Every other entry stays. An entry that would keep the version below goes, for a version stands
    in two places at most: `staging` and `production`.
    """
    entry = {"version": version, "reason": reason}
    wanted = dict(stages)
    for name in _LISTS:
        kept = [item for item in stages.get(name, ()) if _stays(item, name, version=version)]
        if name == "staging" and target is Stage.STAGING:
            kept = _put(kept, entry)
        if kept or name in stages:
            wanted[name] = kept
    if target is Stage.PRODUCTION:
        wanted["production"] = entry
    return wanted


def is_asked_for(stages: Mapping[str, Any], version: int, target: Stage) -> bool:
    """Say whether the stages ask for a version in a stage, or on its way through it."""
    if any(version in _versions(stages, name) for name in ("archived", "registered")):
        return False
    if stages.get("production", {}).get("version") == version:
        return True
    return target is Stage.STAGING and version in _versions(stages, "staging")


def difference(stages: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the parts that change: the merge patch of `spec.stages`."""
    return {name: value for name, value in wanted.items() if stages.get(name) != value}


def part_of(version: int, target: Stage) -> str:
    """Name the part of the Model that a request changes, as `spec.authors` does."""
    if target is Stage.PRODUCTION:
        return "stages.production"
    return f"stages.{target.value.lower()}/{version}"


def request_id(model: Mapping[str, Any], part: str) -> str:
    """Find the id of the request that changed a part last; empty if none is stamped."""
    ids = [item["id"] for item in model["spec"].get("authors", ()) if part in item["of"]]
    return str(ids[-1]) if ids else ""


def other_keepers(managed_fields: Iterable[Mapping[str, Any]], own: str) -> tuple[str, ...]:
    """Name the field managers that keep `spec.stages` in a file of theirs."""
    names = (
        str(entry.get("manager", ""))
        for entry in managed_fields
        if "f:stages" in entry.get("fieldsV1", {}).get("f:spec", {})
        and not entry.get("subresource")
    )
    return tuple(dict.fromkeys(name for name in names if name not in {*_BY_HAND, own}))


def _versions(stages: Mapping[str, Any], name: str) -> set[int]:
    return {item["version"] for item in stages.get(name, ())}


def _put(items: list[Mapping[str, Any]], entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Replace the entry of the same version where it stands, or add it at the end."""
    if all(item["version"] != entry["version"] for item in items):
        return [*items, entry]
    return [entry if item["version"] == entry["version"] else item for item in items]


def _stays(item: Mapping[str, Any], name: str, *, version: int) -> bool:
    return name == "staging" or item["version"] != version
