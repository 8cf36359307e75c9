"""Who last changed each part of a Model: `spec.authors`, stamped at admission.

One item per request, naming every part that the request changed. The policies hold the stamp to
the same rule, so a request with a forged or missing item is refused even without the webhook.
"""

from collections.abc import Mapping, Set
from typing import Any

from modelwarden.domain.edits import Edit, Place, Spec, versions
from modelwarden.domain.identity import Caller

Author = Mapping[str, Any]

SERVING = "serving"
AUTOMATION = "automation"
GOVERNED = "governed"
PRODUCTION = f"stages.{Place.PRODUCTION}"


def part(place: Place, version: int) -> str:
    """Name a part of `spec.stages` as `authors` does; there is only one `stages.production`."""
    return PRODUCTION if place is Place.PRODUCTION else f"stages.{place}/{version}"


def changed_parts(
    old: Spec | None, new: Spec, status_stages: Spec | None = None
) -> tuple[str, ...]:
    """Name the stamped parts that an edit changes; a removed part is a changed one."""
    return _changed(Edit(old=old, new=new, status=status_stages or {}))


def stamp(
    old: Spec | None,
    new: Spec,
    status_stages: Spec | None,
    *,
    caller: Caller,
    request_id: str,
) -> list[Author] | None:
    """Compute `spec.authors` of the new spec, whatever the caller wrote there.

    An edit that changes no stamped part keeps the old items untouched (None where there were
    none), or a label edit would show as a change of the spec.
    """
    edit = Edit(old=old, new=new, status=status_stages or {})
    changed = _changed(edit)
    before: list[Author] | None = (old or {}).get("authors")
    if not changed:
        return before
    kept = _standing(edit) - set(changed)
    items = [{**item, "of": [p for p in item["of"] if p in kept]} for item in before or ()]
    mine = {"id": request_id, "by": caller.to_json(), "of": list(changed)}
    return [*(item for item in items if item["of"]), mine]


def _changed(edit: Edit) -> tuple[str, ...]:
    moved = {
        part(place, entry["version"]): None
        for place in Place
        for entry in (*edit.entered(place), *edit.left(place))
    }
    others = (
        (SERVING, edit.differs("serving")),
        (AUTOMATION, edit.differs("automation")),
        (GOVERNED, edit.old is None or edit.governed_differs),
    )
    return (*moved, *(name for name, differs in others if differs))


def _standing(edit: Edit) -> frozenset[str]:
    """Name the parts whose author still matters: something is asked, or status has not followed."""
    produced = {edit.in_production} - {None}
    staged, archived = set(edit.shows("staging")), set(edit.shows("archived"))
    asked: Mapping[Place, Set[int | None]] = {place: versions(edit.after[place]) for place in Place}
    standing = {
        Place.PRODUCTION: asked[Place.PRODUCTION] | produced,
        Place.STAGING: asked[Place.STAGING] | staged,
        Place.ARCHIVED: asked[Place.ARCHIVED] - archived,
        Place.REGISTERED: asked[Place.REGISTERED]
        & (produced | staged | archived | set(edit.shows("retiring"))),
    }
    moving = {part(place, version) for place in Place for version in standing[place] if version}
    return frozenset({SERVING, AUTOMATION, GOVERNED, *moving})
