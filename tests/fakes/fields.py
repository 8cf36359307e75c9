"""Who owns which field: a small form of server-side apply.

An object is seen as leaves at paths. Maps are merged; lists are one leaf, except those whose items
have a key.
"""

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

# A step is a map's key, or the (key, value) that tells an item of a keyed list.
Step: TypeAlias = str | tuple[str, Any]
Path: TypeAlias = tuple[Step, ...]
# Managers are told apart by name, by the subresource that they write, and by how.
Operation: TypeAlias = Literal["Apply", "Update"]
Manager: TypeAlias = tuple[str, str, Operation]

KEYS = {
    "conditions": "type",
    "containers": "name",
    "env": "name",
    "initContainers": "name",
    "volumes": "name",
}
IDENTITY = frozenset({("apiVersion",), ("kind",)}) | {
    ("metadata", name)
    for name in (
        "creationTimestamp",
        "generation",
        "managedFields",
        "name",
        "namespace",
        "resourceVersion",
        "uid",
    )
}


class FieldConflictError(Exception):
    """Other managers own fields that an apply would change."""

    def __init__(self, conflicts: Mapping[Path, str]) -> None:
        super().__init__(conflicts)
        self.conflicts = conflicts


@dataclass
class Ownership:
    """Which manager owns which paths of one object."""

    owned: dict[Manager, set[Path]] = field(default_factory=dict)

    def apply(
        self, live: dict[str, Any], body: Mapping[str, Any], manager: Manager, *, force: bool
    ) -> dict[str, Any]:
        """Make the manager own exactly the body's fields, and give the object that results."""
        wanted = dict(leaves(body))
        conflicts = {
            path: other[0]
            for path, value in wanted.items()
            for other in self._others(path, manager)
            if value_at(live, path) != value
        }
        if conflicts and not force:
            raise FieldConflictError(conflicts)
        for path in conflicts:
            self._take_from_others(path, manager)
        result = copy.deepcopy(live)
        for path in sorted(self.owned.get(manager, set()) - wanted.keys(), key=_is_key):
            if not any(path in paths for other, paths in self.owned.items() if other != manager):
                remove_at(result, path)
        merge(result, body)
        self.owned[manager] = set(wanted)
        return result

    def update(self, old: Mapping[str, Any], new: Mapping[str, Any], manager: Manager) -> None:
        """Make the manager own what it changed."""
        before, after = dict(leaves(old)), dict(leaves(new))
        changed = {path for path, value in after.items() if before.get(path) != value}
        for path in changed | (before.keys() - after.keys()):
            self._take_from_others(path, manager)
        self.owned.setdefault(manager, set()).update(changed)

    def managed_fields(self) -> list[dict[str, Any]]:
        """Name the managers, as `metadata.managedFields` does; the fields are left out."""
        return [
            {"manager": name, "operation": operation}
            | ({"subresource": subresource} if subresource else {})
            for (name, subresource, operation), paths in sorted(self.owned.items())
            if paths
        ]

    def _others(self, path: Path, manager: Manager) -> Iterator[Manager]:
        for other, paths in self.owned.items():
            if other != manager and any(_overlap(path, mine) for mine in paths):
                yield other

    def _take_from_others(self, path: Path, manager: Manager) -> None:
        for other, paths in self.owned.items():
            if other != manager:
                paths -= {mine for mine in paths if _overlap(path, mine)}


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Give every leaf but those that say which object it is; an empty map is none."""
    if path in IDENTITY:
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif (key := _key_of(path, value)) is not None:
        for item in value:
            yield from leaves(item, (*path, (key, item[key])))
    elif path:
        yield path, value


def value_at(value: Any, path: Iterable[Step]) -> Any:
    """Read the value at a path; None where there is none."""
    for step in path:
        if isinstance(step, tuple):
            value = next((item for item in value or () if item.get(step[0]) == step[1]), None)
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value


def remove_at(value: Any, path: Path) -> None:
    """Remove the value at a path, and whatever is empty then."""
    *parents, last = path
    parent = value_at(value, parents)
    if isinstance(last, tuple) and isinstance(parent, list):
        parent[:] = [item for item in parent if item and item.get(last[0]) != last[1]]
    elif isinstance(parent, dict):
        parent.pop(last, None)
    if parents and parent in ({}, []):
        remove_at(value, tuple(parents))


def merge(live: dict[str, Any], body: Mapping[str, Any], path: Path = ()) -> None:
    """Write the body's fields into the object."""
    for name, value in body.items():
        here = (*path, name)
        if here in IDENTITY and path:
            continue
        if isinstance(value, Mapping) and isinstance(live.get(name), dict):
            merge(live[name], value, here)
        elif (key := _key_of(here, value)) is not None:
            _merge_items(live.setdefault(name, []), value, here, key)
        else:
            live[name] = copy.deepcopy(value)


def _merge_items(live: list[Any], items: Iterable[Any], path: Path, key: str) -> None:
    for item in items:
        found = next((one for one in live if one.get(key) == item[key]), None)
        if found is None:
            live.append(copy.deepcopy(item))
        else:
            merge(found, item, (*path, (key, item[key])))


def _key_of(path: Path, value: Any) -> str | None:
    key = KEYS.get(path[-1]) if path and isinstance(path[-1], str) else None
    if key is None or not isinstance(value, list) or not value:
        return None
    return key if all(isinstance(item, Mapping) and key in item for item in value) else None


def _is_key(path: Path) -> bool:
    """Say whether a leaf tells its item from others: it goes last, or the rest is not found."""
    item = path[-2] if len(path) > 1 else ""
    return isinstance(item, tuple) and item[0] == path[-1]


def _overlap(one: Path, other: Path) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]
