"""Objects as an API server keeps them: versions, generations, preconditions, owners."""

import copy
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

from modelwarden.cluster.paths import Resource
from tests.fakes.fields import FieldConflictError, Operation, Ownership, value_at

JsonObject: TypeAlias = dict[str, Any]
Place: TypeAlias = tuple[str, str]


class RefusalError(Exception):
    """What a real server answers with a Status."""

    def __init__(
        self, code: int, reason: str, message: str, *, details: JsonObject | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.details = details or {}


@dataclass(frozen=True)
class Change:
    """One write, as a watch tells it."""

    type: str
    resource: Resource
    object: JsonObject
    version: int


@dataclass
class _Entry:
    object: JsonObject
    ownership: Ownership = field(default_factory=Ownership)


class Store:
    """All objects of one server."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.changes: list[Change] = []
        self.version = 100
        self._now = now
        self._entries: dict[Resource, dict[Place, _Entry]] = {}

    def get(self, resource: Resource, place: Place) -> JsonObject:
        """Read one object."""
        return copy.deepcopy(self._entry(resource, place).object)

    def list(self, resource: Resource, namespace: str = "") -> Iterator[JsonObject]:
        """Read all objects of a kind, in the order of their names."""
        for place, entry in sorted(self._of(resource).items()):
            if not namespace or place[0] == namespace:
                yield copy.deepcopy(entry.object)

    def create(
        self,
        resource: Resource,
        body: JsonObject,
        manager: str = "",
        *,
        operation: Operation = "Update",
        dry_run: bool = False,
    ) -> JsonObject:
        """Add an object; a status in the body is dropped where status is a subresource."""
        new = copy.deepcopy(body)
        metadata = new.setdefault("metadata", {})
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"] + uuid.uuid4().hex[:5]
        place = _place_of(resource, new)
        if place in self._of(resource):
            raise RefusalError(
                409, "AlreadyExists", f'{resource.plural} "{place[1]}" already exists'
            )
        if metadata.get("resourceVersion"):
            raise RefusalError(409, "Conflict", "resourceVersion should not be set on creation")
        new = {"apiVersion": resource.api_version, "kind": resource.kind} | new
        if has_status(resource):
            new.pop("status", None)
        metadata |= {
            "uid": str(uuid.uuid4()),
            "generation": 1,
            "creationTimestamp": self._now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        entry = _Entry(new)
        entry.ownership.update({}, new, (manager, "", operation))
        return self._save("ADDED", resource, place, entry=entry, dry_run=dry_run)

    def apply(
        self,
        resource: Resource,
        body: JsonObject,
        manager: str,
        *,
        force: bool,
        subresource: str = "",
        dry_run: bool = False,
    ) -> JsonObject:
        """Server-side apply; without a subresource a missing object is created."""
        place = _place_of(resource, body)
        known = self._of(resource).get(place)
        if known is None and not subresource:
            return self._create_by_apply(resource, body, manager, dry_run=dry_run)
        entry = copy.deepcopy(self._entry(resource, place))
        self._check(entry.object, body, check_uid=not subresource)
        part = _part(body, resource, subresource)
        try:
            new = entry.ownership.apply(
                entry.object, part, (manager, subresource, "Apply"), force=force
            )
        except FieldConflictError as error:
            raise _conflict_of(error) from error
        return self._save_changed(resource, place, entry=entry, new=new, dry_run=dry_run)

    def patch(
        self,
        resource: Resource,
        place: Place,
        change: Callable[[JsonObject], JsonObject],
        *,
        manager: str = "",
        subresource: str = "",
        dry_run: bool = False,
    ) -> JsonObject:
        """Read, change and write; a resourceVersion that the change brings must be the stored."""
        entry = copy.deepcopy(self._entry(resource, place))
        wanted = change(copy.deepcopy(entry.object))
        self._check(entry.object, wanted, check_uid=True)
        new = copy.deepcopy(entry.object)
        new = new | _part(wanted, resource, subresource)
        for gone in entry.object.keys() - wanted.keys():
            if (gone == "status") == (subresource == "status"):
                del new[gone]
        entry.ownership.update(entry.object, new, (manager, subresource, "Update"))
        return self._save_changed(resource, place, entry=entry, new=new, dry_run=dry_run)

    def delete(self, resource: Resource, place: Place, *, uid: str = "") -> JsonObject:
        """Remove an object and, as the garbage collector would, what it owns."""
        entry = self._entry(resource, place)
        found = entry.object["metadata"]["uid"]
        if uid and uid != found:
            raise RefusalError(409, "Conflict", f"the UID in the precondition is not {found}")
        del self._of(resource)[place]
        self._tell("DELETED", resource, entry.object)
        for kind, entries in list(self._entries.items()):
            for other, owned in list(entries.items()):
                owners = owned.object["metadata"].get("ownerReferences") or ()
                if other in entries and any(owner.get("uid") == found for owner in owners):
                    self.delete(kind, other)
        return entry.object

    def _create_by_apply(
        self, resource: Resource, body: JsonObject, manager: str, *, dry_run: bool
    ) -> JsonObject:
        if body["metadata"].get("uid") or body["metadata"].get("resourceVersion"):
            raise RefusalError(409, "Conflict", "uid mismatch: there is no such object")
        return self.create(resource, body, manager, operation="Apply", dry_run=dry_run)

    def _check(self, stored: JsonObject, body: JsonObject, *, check_uid: bool) -> None:
        checked = ("uid", "resourceVersion") if check_uid else ("resourceVersion",)
        for name in checked:
            given = body.get("metadata", {}).get(name)
            if given and given != stored["metadata"][name]:
                raise RefusalError(
                    409, "Conflict", f"the object has been modified: {name} is not {given}"
                )

    def _save_changed(
        self, resource: Resource, place: Place, *, entry: _Entry, new: JsonObject, dry_run: bool
    ) -> JsonObject:
        old, entry.object = entry.object, new
        if _content(old) == _content(new):
            if not dry_run:
                self._of(resource)[place] = entry
            return copy.deepcopy(old)
        if _spec(old) != _spec(new):
            new["metadata"]["generation"] = old["metadata"]["generation"] + 1
        return self._save("MODIFIED", resource, place, entry=entry, dry_run=dry_run)

    def _save(
        self, kind: str, resource: Resource, place: Place, *, entry: _Entry, dry_run: bool
    ) -> JsonObject:
        metadata = entry.object["metadata"]
        metadata["managedFields"] = entry.ownership.managed_fields()
        if not dry_run:
            self._of(resource)[place] = entry
            self._tell(kind, resource, entry.object)
        return copy.deepcopy(entry.object)

    def _tell(self, kind: str, resource: Resource, written: JsonObject) -> None:
        self.version += 1
        written["metadata"]["resourceVersion"] = str(self.version)
        self.changes.append(Change(kind, resource, copy.deepcopy(written), self.version))

    def _of(self, resource: Resource) -> dict[Place, _Entry]:
        return self._entries.setdefault(resource, {})

    def _entry(self, resource: Resource, place: Place) -> _Entry:
        try:
            return self._of(resource)[place]
        except KeyError:
            raise RefusalError(
                404, "NotFound", f'{resource.plural} "{place[1]}" not found'
            ) from None


def has_status(resource: Resource) -> bool:
    """Say whether status is a subresource of the kind."""
    return resource.group in {"modelwarden.io", "apps", "batch", "apiextensions.k8s.io"} or (
        resource.plural in {"pods", "services"}
    )


def merged(live: JsonObject, patch: Mapping[str, Any]) -> JsonObject:
    """Apply a JSON merge patch: null removes, lists are replaced."""
    result = dict(live)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, Mapping):
            inner = result.get(name)
            result[name] = merged(inner if isinstance(inner, dict) else {}, value)
        else:
            result[name] = value
    return result


def patched(live: JsonObject, operations: list[JsonObject]) -> JsonObject:
    """Apply a JSON patch: add, replace, remove and test."""
    result = copy.deepcopy(live)
    for operation in operations:
        steps = [
            step.replace("~1", "/").replace("~0", "~") for step in operation["path"].split("/")[1:]
        ]
        parent: Any = result
        for step in steps[:-1]:
            parent = parent[int(step)] if isinstance(parent, list) else parent[step]
        _operate(parent, steps[-1], operation)
    return result


def _operate(parent: Any, last: str, operation: JsonObject) -> None:
    kind, value = operation["op"], operation.get("value")
    if isinstance(parent, list):
        place = len(parent) if last == "-" else int(last)
        if kind == "add":
            parent.insert(place, value)
        elif kind == "remove":
            del parent[place]
        elif kind == "replace":
            parent[place] = value
        elif parent[place] != value:
            raise RefusalError(422, "Invalid", f"test failed at {operation['path']}")
    elif kind in {"add", "replace"}:
        parent[last] = value
    elif kind == "remove":
        del parent[last]
    elif parent.get(last) != value:
        raise RefusalError(422, "Invalid", f"test failed at {operation['path']}")


def matches_labels(candidate: JsonObject, selector: str) -> bool:
    """Judge a label selector: `a`, `!a`, `a=b`, `a!=b`, joined by commas."""
    labels = candidate["metadata"].get("labels") or {}
    for term in filter(None, selector.split(",")):
        if "!=" in term:
            name, value = term.split("!=")
            fits = labels.get(name) != value
        elif "=" in term:
            name, value = term.replace("==", "=").split("=")
            fits = labels.get(name) == value
        elif term.startswith("!"):
            fits = term[1:] not in labels
        else:
            fits = term in labels
        if not fits:
            return False
    return True


def matches_fields(candidate: JsonObject, selector: str) -> bool:
    """Judge a field selector: `a.b=c`, joined by commas."""
    for term in filter(None, selector.split(",")):
        path, value = term.replace("==", "=").split("=")
        found = value_at(candidate, path.split("."))
        if ("" if found is None else str(found)) != value:
            return False
    return True


def _place_of(resource: Resource, body: JsonObject) -> Place:
    metadata = body["metadata"]
    namespace = metadata.get("namespace", "") if resource.namespaced else ""
    name = metadata.get("name", "")
    if not name or (resource.namespaced and not namespace):
        raise RefusalError(422, "Invalid", f"{resource.kind}: name and namespace are required")
    return namespace, name


def _part(body: JsonObject, resource: Resource, subresource: str) -> JsonObject:
    # A write of the status changes nothing else, and the other way round.
    if subresource == "status":
        return {"status": body["status"]} if "status" in body else {}
    return {
        name: value
        for name, value in body.items()
        if not (name == "status" and has_status(resource))
    }


def _content(stored: JsonObject) -> str:
    metadata = {
        name: value
        for name, value in stored["metadata"].items()
        if name not in {"resourceVersion", "managedFields"}
    }
    return json.dumps(stored | {"metadata": metadata}, sort_keys=True)


def _spec(stored: JsonObject) -> str:
    kept = {name: value for name, value in stored.items() if name not in {"metadata", "status"}}
    return json.dumps(kept, sort_keys=True)


def _conflict_of(error: FieldConflictError) -> RefusalError:
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f'conflict with "{manager}"',
            "field": "." + ".".join(str(step) for step in path),
        }
        for path, manager in error.conflicts.items()
    ]
    message = f"Apply failed with {len(causes)} conflicts: " + "; ".join(
        f"{cause['message']}: {cause['field']}" for cause in causes
    )
    return RefusalError(409, "Conflict", message, details={"causes": causes})
