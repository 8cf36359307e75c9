"""What an edit of a Model asks for: one table, read here and written into the policies.

An entry of `spec.stages` enters (it is new, or its reason changed) or leaves; where its version
is, by `status.stages`, says which row applies. The first row whose facts all hold counts, and
every entry that an edit touches must satisfy its own row.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from modelwarden.domain import rights
from modelwarden.domain.rights import Right
from modelwarden.domain.stages import Move, Stage

Spec = Mapping[str, Any]
Entry = Mapping[str, Any]

# Changing one of these changes what an approval means; whoever creates a Model sets them freely.
# Automation is governed too, and a part of its own: its author is the requester of its moves.
GOVERNED = (
    "owners", "reviewers", "policy", "affectsPeople", "metrics", "contract", "retention",
    "reviewEveryDays",
)  # fmt: skip


class Place(StrEnum):
    """The parts of `spec.stages`: what the declarative surface can say of a version."""

    PRODUCTION = "production"
    STAGING = "staging"
    ARCHIVED = "archived"
    REGISTERED = "registered"


class Change(StrEnum):
    """What happened to an entry."""

    ENTERED = "entered"
    LEFT = "left"


class Fact(StrEnum):
    """What can be said of the version of a touched entry."""

    IN_PRODUCTION = "it is in Production"
    IN_STAGING = "it is in Staging"
    RETIRING = "it is Retiring"
    IN_ARCHIVED = "it is Archived"
    MAY_COME_BACK = "it may be rolled back to"
    NEWLY_NAMED = "this list did not name it before"
    NOT_FOR_PRODUCTION = "`production` does not name it"
    NEWLY_FOR_PRODUCTION = "`production` names it now and did not before"
    REPLACED = "`production` names another one now"


@dataclass(frozen=True)
class Row:
    """One line of the table: the rights for an entry that enters or leaves, if the facts hold."""

    place: Place
    change: Change
    facts: tuple[Fact, ...]
    rights: tuple[Right, ...]


TABLE = (
    # A request is taken back by naming what is there, or by removing it.
    Row(Place.PRODUCTION, Change.ENTERED, (Fact.IN_PRODUCTION, Fact.NEWLY_NAMED),
        (rights.ANY_PRODUCTION,)),
    Row(Place.PRODUCTION, Change.ENTERED, (Fact.MAY_COME_BACK,), (rights.ROLLBACK_PRODUCTION,)),
    Row(Place.PRODUCTION, Change.ENTERED, (Fact.IN_ARCHIVED,),
        (rights.PROMOTE_PRODUCTION, rights.PROMOTE_ARCHIVED)),
    Row(Place.PRODUCTION, Change.ENTERED, (), (rights.PROMOTE_PRODUCTION,)),
    # The one that comes answers for the one that goes.
    Row(Place.PRODUCTION, Change.LEFT, (Fact.REPLACED,), ()),
    Row(Place.PRODUCTION, Change.LEFT, (Fact.IN_PRODUCTION,), (rights.DEMOTE_PRODUCTION,)),
    Row(Place.PRODUCTION, Change.LEFT, (), (rights.ANY_PRODUCTION,)),

    Row(Place.STAGING, Change.ENTERED, (Fact.IN_PRODUCTION, Fact.NOT_FOR_PRODUCTION),
        (rights.DEMOTE_PRODUCTION,)),
    Row(Place.STAGING, Change.ENTERED, (Fact.IN_STAGING, Fact.NEWLY_NAMED),
        (rights.ANY_STAGING,)),
    Row(Place.STAGING, Change.ENTERED, (Fact.IN_ARCHIVED,),
        (rights.PROMOTE_STAGING, rights.PROMOTE_ARCHIVED)),
    Row(Place.STAGING, Change.ENTERED, (), (rights.PROMOTE_STAGING,)),
    Row(Place.STAGING, Change.LEFT, (Fact.NEWLY_FOR_PRODUCTION,), ()),
    # It no longer says where the version is but where a rollback would leave it.
    Row(Place.STAGING, Change.LEFT, (Fact.IN_PRODUCTION,), (rights.ANY_PRODUCTION,)),
    Row(Place.STAGING, Change.LEFT, (Fact.IN_STAGING, Fact.NOT_FOR_PRODUCTION),
        (rights.DEMOTE_STAGING,)),
    Row(Place.STAGING, Change.LEFT, (), (rights.ANY_STAGING,)),

    Row(Place.ARCHIVED, Change.ENTERED, (Fact.IN_PRODUCTION,), (rights.DEMOTE_PRODUCTION,)),
    Row(Place.ARCHIVED, Change.ENTERED, (Fact.IN_STAGING,), (rights.DEMOTE_STAGING,)),
    Row(Place.ARCHIVED, Change.ENTERED, (Fact.IN_ARCHIVED, Fact.NEWLY_NAMED),
        (rights.ANY_ARCHIVED,)),
    Row(Place.ARCHIVED, Change.ENTERED, (), (rights.DEMOTE_ARCHIVED,)),
    # Settled, the line is only history; before, it is a request that is taken back.
    Row(Place.ARCHIVED, Change.LEFT, (Fact.IN_ARCHIVED,), ()),
    Row(Place.ARCHIVED, Change.LEFT, (Fact.IN_PRODUCTION,), (rights.ANY_PRODUCTION,)),
    Row(Place.ARCHIVED, Change.LEFT, (Fact.IN_STAGING,), (rights.ANY_STAGING,)),
    Row(Place.ARCHIVED, Change.LEFT, (), (rights.ANY_ARCHIVED,)),

    Row(Place.REGISTERED, Change.ENTERED, (Fact.IN_PRODUCTION,), (rights.DEMOTE_PRODUCTION,)),
    Row(Place.REGISTERED, Change.ENTERED, (Fact.IN_STAGING,), (rights.DEMOTE_STAGING,)),
    Row(Place.REGISTERED, Change.ENTERED, (Fact.IN_ARCHIVED,), (rights.PROMOTE_ARCHIVED,)),
    Row(Place.REGISTERED, Change.ENTERED, (Fact.RETIRING,), (rights.ANY_PRODUCTION,)),
    Row(Place.REGISTERED, Change.ENTERED, (), ()),
    Row(Place.REGISTERED, Change.LEFT, (Fact.IN_PRODUCTION,), (rights.ANY_PRODUCTION,)),
    Row(Place.REGISTERED, Change.LEFT, (Fact.IN_STAGING,), (rights.ANY_STAGING,)),
    Row(Place.REGISTERED, Change.LEFT, (Fact.IN_ARCHIVED,), (rights.ANY_ARCHIVED,)),
    Row(Place.REGISTERED, Change.LEFT, (Fact.RETIRING,), (rights.ANY_PRODUCTION,)),
    Row(Place.REGISTERED, Change.LEFT, (), ()),
)  # fmt: skip

# The policies ask about so many Deployments by name; more at once ask for all of them.
NAMED_DEPLOYMENTS = 16

# Automation moves versions in its author's name, from the first creation on.
AUTOMATION = (rights.PROMOTE_STAGING, rights.DEMOTE_STAGING)


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A Model's spec before (None at creation) and after, and its `status.stages` at that time."""

    old: Spec | None
    new: Spec
    status: Spec = field(default_factory=dict)

    @cached_property
    def before(self) -> Mapping[Place, tuple[Entry, ...]]:
        """The entries of the old spec, by place."""
        return _entries(self.old)

    @cached_property
    def after(self) -> Mapping[Place, tuple[Entry, ...]]:
        """The entries of the new spec, by place."""
        return _entries(self.new)

    def entered(self, place: Place) -> tuple[Entry, ...]:
        """Entries that are new or say something else than before."""
        return tuple(entry for entry in self.after[place] if entry not in self.before[place])

    def left(self, place: Place) -> tuple[Entry, ...]:
        """Entries whose version the place names no more."""
        named = versions(self.after[place])
        return tuple(entry for entry in self.before[place] if entry["version"] not in named)

    def touched(self, place: Place, change: Change) -> tuple[Entry, ...]:
        """Entries that entered or left a place."""
        return self.entered(place) if change is Change.ENTERED else self.left(place)

    def differs(self, name: str) -> bool:
        """A field of the spec is not what it was; absent and empty differ."""
        return _field(self.old, name) != _field(self.new, name)

    @property
    def governed_differs(self) -> bool:
        """Something that an approval rests on is not what it was."""
        return any(self.differs(name) for name in GOVERNED)

    @property
    def in_production(self) -> int | None:
        """The version that status shows in Production."""
        return version_of(self.status.get("production"))

    def shows(self, place: str) -> tuple[int, ...]:
        """The versions that status shows in Staging, Retiring or Archived."""
        return tuple(self.status.get(place) or ())


@dataclass(frozen=True)
class Touched:
    """One entry that an edit touched, and the row it must satisfy."""

    entry: Entry
    row: Row


def rights_needed(old: Spec | None, new: Spec, status_stages: Spec | None) -> frozenset[Right]:
    """Name every right that an edit of a Model asks its caller for.

    `old` is None at creation. With status missing or late the weaker row is named; the
    controller's own review of rights when an attempt opens and commits stays the authority.
    """
    edit = Edit(old=old, new=new, status=status_stages or {})
    moved = {right for touched in touched_entries(edit) for right in touched.row.rights}
    return frozenset(moved | _of_governance(edit) | _of_serving(edit))


def touched_entries(edit: Edit) -> Iterator[Touched]:
    """Find the row of every entry that an edit touched."""
    for place in Place:
        for change in Change:
            for entry in edit.touched(place, change):
                yield Touched(entry, _row_of(entry, edit, place=place, change=change))


def rows_of(place: Place, change: Change) -> tuple[Row, ...]:
    """Select the rows that compete for an entry; the last of them always holds."""
    return tuple(row for row in TABLE if row.place is place and row.change is change)


def rights_of_move(move: Move, *, source: Stage | None, target: Stage) -> frozenset[Right]:
    """Name the rights that a requester must still have when an attempt opens and commits.

    It is the edit that asks for this one step and nothing else, judged by the same table.
    Registration asks for no right beyond creating the version.
    """
    if move is Move.REGISTER:
        return frozenset()
    place = _PLACE_OF[target]
    status = _status_of(source, may_come_back=move is Move.ROLLBACK)
    edit = Edit(old={}, new=_naming(place), status=status)
    return frozenset(_row_of(_MOVED, edit, place=place, change=Change.ENTERED).rights)


def versions(entries: Sequence[Entry]) -> frozenset[int]:
    """Collect the versions that entries name."""
    return frozenset(entry["version"] for entry in entries)


def version_of(entry: Entry | None) -> int | None:
    """Read the version of an entry that may be absent."""
    return entry["version"] if entry else None


def touched_servings(edit: Edit) -> tuple[Entry, ...]:
    """Collect serving entries that came, then those that went; a changed one is both."""
    before = tuple((edit.old or {}).get("serving") or ())
    after = tuple(edit.new.get("serving") or ())
    came = tuple(entry for entry in after if entry not in before)
    return came + tuple(entry for entry in before if entry not in after)


def _of_governance(edit: Edit) -> set[Right]:
    needed: set[Right] = set()
    if edit.old is not None and (edit.governed_differs or edit.differs("automation")):
        needed.add(rights.GOVERN)
    if edit.differs("policy") and "policy" in edit.new:
        needed.add(rights.right_to_use(edit.new["policy"]))
    if edit.differs("automation") and "automation" in edit.new:
        needed.update(AUTOMATION)
    return needed


def _of_serving(edit: Edit) -> set[Right]:
    touched = touched_servings(edit)
    by_name = len(touched) <= NAMED_DEPLOYMENTS
    needed = {
        rights.right_to_patch(entry["deployment"]["name"] if by_name else "") for entry in touched
    }
    if touched and edit.in_production is not None:
        needed.add(rights.PROMOTE_PRODUCTION)
    return needed


def _row_of(entry: Entry, edit: Edit, *, place: Place, change: Change) -> Row:
    case = _Case(entry["version"], edit, place)
    return next(
        row for row in rows_of(place, change) if all(_HOLDS[fact](case) for fact in row.facts)
    )


@dataclass(frozen=True)
class _Case:
    """A version of which facts are asked."""

    version: int
    edit: Edit
    place: Place

    @property
    def requested(self) -> int | None:
        return _production(self.edit.after)

    @property
    def requested_before(self) -> int | None:
        return _production(self.edit.before)


_HOLDS: Mapping[Fact, Callable[[_Case], bool]] = {
    Fact.IN_PRODUCTION: lambda case: case.version == case.edit.in_production,
    Fact.IN_STAGING: lambda case: case.version in case.edit.shows("staging"),
    Fact.RETIRING: lambda case: case.version in case.edit.shows("retiring"),
    Fact.IN_ARCHIVED: lambda case: case.version in case.edit.shows("archived"),
    Fact.MAY_COME_BACK: lambda case: (
        case.version in versions(case.edit.status.get("rollbackTo") or ())
    ),
    Fact.NEWLY_NAMED: lambda case: case.version not in versions(case.edit.before[case.place]),
    Fact.NOT_FOR_PRODUCTION: lambda case: case.version != case.requested,
    Fact.NEWLY_FOR_PRODUCTION: lambda case: (
        case.version == case.requested and case.version != case.requested_before
    ),
    Fact.REPLACED: lambda case: case.requested not in {None, case.version},
}

_MOVED: Entry = {"version": 1}

_PLACE_OF: Mapping[Stage, Place] = {
    Stage.REGISTERED: Place.REGISTERED,
    Stage.STAGING: Place.STAGING,
    Stage.PRODUCTION: Place.PRODUCTION,
    # The way to the archive leads through Retiring, and one entry asks for all of it.
    Stage.RETIRING: Place.ARCHIVED,
    Stage.ARCHIVED: Place.ARCHIVED,
}


def _naming(place: Place) -> Spec:
    return {"stages": {place: _MOVED if place is Place.PRODUCTION else [_MOVED]}}


def _status_of(stage: Stage | None, *, may_come_back: bool) -> Spec:
    shown: dict[str, Any] = {"rollbackTo": [_MOVED]} if may_come_back else {}
    if stage is Stage.PRODUCTION:
        return {**shown, "production": _MOVED}
    if stage in {Stage.STAGING, Stage.RETIRING, Stage.ARCHIVED}:
        return {**shown, str(stage).lower(): [1]}
    return shown


def _entries(spec: Spec | None) -> Mapping[Place, tuple[Entry, ...]]:
    stages = (spec or {}).get("stages") or {}
    production = stages.get("production")
    return {
        place: tuple(stages.get(place) or ())
        if place is not Place.PRODUCTION
        else (() if production is None else (production,))
        for place in Place
    }


def _production(entries: Mapping[Place, tuple[Entry, ...]]) -> int | None:
    return version_of(next(iter(entries[Place.PRODUCTION]), None))


def _field(spec: Spec | None, name: str) -> tuple[Any, ...]:
    # A tuple, so that an absent field and an empty one are not the same.
    value = (spec or {}).get(name)
    return () if value is None else (value,)
