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


def left_production(version: int) -> str:
    """Name what asks the version in Production to leave it: the line that named it is gone.

    The line of another version, which never got there, is a request that was taken back.
    """
    return f"{PRODUCTION}/{version}"


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
        for place in _LISTS
        for entry in (*edit.entered(place), *edit.left(place))
    }
    others = (
        (SERVING, edit.differs("serving")),
        (AUTOMATION, edit.differs("automation")),
        (GOVERNED, edit.old is None or edit.governed_differs),
    )
    produced = dict.fromkeys((*_of_production(edit), *_asked_to_leave(edit)))
    return (*produced, *moved, *(name for name, differs in others if differs))


def _of_production(edit: Edit) -> tuple[str, ...]:
    if edit.entered(Place.PRODUCTION):
        return (PRODUCTION,)
    return tuple(left_production(entry["version"]) for entry in edit.left(Place.PRODUCTION))


def _asked_to_leave(edit: Edit) -> tuple[str, ...]:
    """Where no version is asked for, a new staging entry asks the one in Production down."""
    if edit.after[Place.PRODUCTION]:
        return ()
    entered = versions(edit.entered(Place.STAGING))
    return tuple(left_production(number) for number in entered if number == edit.in_production)


def _standing(edit: Edit) -> frozenset[str]:
    """Name the parts whose author still matters: something is asked, or status has not followed."""
    produced = {edit.in_production} - {None}
    staged, archived = set(edit.shows("staging")), set(edit.shows("archived"))
    asked: Mapping[Place, Set[int | None]] = {place: versions(edit.after[place]) for place in Place}
    standing = {
        Place.STAGING: asked[Place.STAGING] | staged,
        Place.ARCHIVED: asked[Place.ARCHIVED] - archived,
        Place.REGISTERED: asked[Place.REGISTERED]
        & (produced | staged | archived | set(edit.shows("retiring"))),
    }
    moving = {part(place, version) for place in _LISTS for version in standing[place] if version}
    production = (
        {PRODUCTION}
        if asked[Place.PRODUCTION]
        else {left_production(version) for version in produced if version}
    )
    return frozenset({SERVING, AUTOMATION, GOVERNED, *moving, *production})


_LISTS = (Place.STAGING, Place.ARCHIVED, Place.REGISTERED)
