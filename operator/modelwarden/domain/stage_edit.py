"""The edit of a Model that asks for a stage or takes that back, and who else keeps that part."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from modelwarden.domain.stages import Stage

# One line of the stages: a version, and the reason why it is there.
Line: TypeAlias = Mapping[str, Any]

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
# So many lines a list takes; of these, lines that say only what status shows make room.
LONGEST = {"staging": 16, "archived": 32, "registered": 16}


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


def with_destination(
    stages: Mapping[str, Any],
    version: int,
    *,
    to: Stage,
    reason: str,
    shown: Mapping[str, Any],
    back: Line | None = None,
) -> dict[str, Any]:
    """Write the stages with the one list that a version is to go to, and no other line of it.

    `production` names it no more: without `back` nothing is named there, which takes out whatever
    version status shows there; with it, that line is written in its place. `shown` is what status
    shows: a full list loses its oldest line that is so already.
    """
    wanted = dict(stages)
    if stages.get("production", {}).get("version") == version:
        wanted = without_production(stages, back=back)
    entry, own = {"version": version, "reason": reason}, to.lower()
    for name in _LISTS:
        kept = [item for item in wanted.get(name, ()) if item["version"] != version or name == own]
        if name == own:
            kept = _with_room(_put(kept, entry), name, shown=shown)
        if kept or name in wanted:
            wanted[name] = kept
    return wanted


def without_production(stages: Mapping[str, Any], *, back: Line | None) -> dict[str, Any]:
    """Take the request of `production` back: name again what is there, or nothing where nothing is.

    Where another version is in Production, a mere removal could take that one out too.
    """
    if back is None:
        return {name: value for name, value in stages.items() if name != "production"}
    reason, asked = back["reason"], stages.get("production")
    if asked is not None and asked["version"] != back["version"] and asked["reason"] == reason:
        # Another version needs another reason.
        reason = f"stays: {reason}"
    return with_request(stages, back["version"], target=Stage.PRODUCTION, reason=reason)


def open_request(stages: Mapping[str, Any], version: int, *, at: Stage | None) -> str | None:
    """Name the part of the stages that asks for what is not so yet; None if none does.

    A version that leaves Production because `production` names nothing is asked out of it by the
    list that names it.
    """
    named = stages.get("production", {}).get("version")
    if named == version and at is not Stage.PRODUCTION:
        return "production"
    for name in ("archived", "registered", "staging"):
        if version in _versions(stages, name) and not _is_met(
            Stage(name.capitalize()), at, is_kept=named is not None
        ):
            return name
    return None


def without_request(
    stages: Mapping[str, Any], version: int, *, part: str, at: Stage | None, back: Line | None
) -> dict[str, Any]:
    """Write the stages without what asked for the version, as they said before where it is.

    `back` is the line that says so: of what is in Production, or of the version in Staging.
    """
    if part == "production":
        return without_production(stages, back=back)
    if at is Stage.PRODUCTION and "production" not in stages and back is not None:
        return with_request(stages, version, target=Stage.PRODUCTION, reason=back["reason"])
    wanted = dict(stages)
    wanted[part] = [item for item in stages[part] if item["version"] != version]
    if at is Stage.STAGING and back is not None:
        return with_request(wanted, version, target=Stage.STAGING, reason=back["reason"])
    return wanted


def stage_shown(shown: Mapping[str, Any], version: int) -> Stage:
    """Say where a recorded version is, by what the Model's status shows."""
    if shown.get("production", {}).get("version") == version:
        return Stage.PRODUCTION
    for stage in (Stage.STAGING, Stage.RETIRING, Stage.ARCHIVED):
        if version in shown.get(stage.lower(), ()):
            return stage
    return Stage.REGISTERED


def last_reason(record: Mapping[str, Any], stage: Stage) -> str:
    """Find why a version came into a stage last, by its status; empty where that is not shown."""
    moves = record.get("status", {}).get("history", ())
    reasons = (move.get("reason", "") for move in reversed(moves) if move["to"] == stage)
    return str(next(reasons, ""))


def is_asked_for(stages: Mapping[str, Any], version: int, target: Stage) -> bool:
    """Say whether the stages ask for a version in a stage, or on its way through it."""
    if any(version in _versions(stages, name) for name in ("archived", "registered")):
        return False
    if stages.get("production", {}).get("version") == version:
        return True
    return target is Stage.STAGING and version in _versions(stages, "staging")


def difference(stages: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the parts that change, None for one that goes: the merge patch of `spec.stages`."""
    names = dict.fromkeys((*stages, *wanted))
    return {name: wanted.get(name) for name in names if stages.get(name) != wanted.get(name)}


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


def _put(items: list[Line], entry: Line) -> list[Line]:
    """Replace the entry of the same version where it stands, or add it at the end."""
    if all(item["version"] != entry["version"] for item in items):
        return [*items, entry]
    return [entry if item["version"] == entry["version"] else item for item in items]


def _with_room(items: list[Line], name: str, *, shown: Mapping[str, Any]) -> list[Line]:
    """Drop the oldest lines that are so already, for as long as the list is too long."""
    over = len(items) - LONGEST[name]
    # The last line may be the one that was just put there.
    settled = [
        item["version"]
        for item in items[:-1]
        if stage_shown(shown, item["version"]) == name.capitalize()
    ]
    spent = set(settled[: max(0, over)])
    return [item for item in items if item["version"] not in spent]


def _is_met(asked: Stage, at: Stage | None, *, is_kept: bool) -> bool:
    """Say whether a list asks nothing of a version that is there, or will get there by itself."""
    if asked is at or (asked, at) == (Stage.ARCHIVED, Stage.RETIRING):
        return True
    # While `production` names a version, the line says where a rollback leaves the one there.
    return is_kept and (asked, at) == (Stage.STAGING, Stage.PRODUCTION)


def _stays(item: Mapping[str, Any], name: str, *, version: int) -> bool:
    return name == "staging" or item["version"] != version
