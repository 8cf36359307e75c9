"""What the API server asks and what it is answered, as values."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from modelwarden.domain.identity import Caller
from modelwarden.domain.verdicts import Verdict
from modelwarden.errors import MalformedObjectError

Json = Mapping[str, Any]

FORBIDDEN = 403
UNAVAILABLE = 503


@dataclass(frozen=True, kw_only=True)
class Review:
    """One request to create or change an object; `old` is None at creation."""

    uid: str
    kind: str
    operation: str
    caller: Caller
    new: Json
    old: Json | None = None
    namespace: str = ""
    subresource: str = ""

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Read an AdmissionReview; MalformedObjectError for anything else."""
        try:
            request = data["request"]
            return cls(
                uid=request["uid"],
                kind=request["kind"]["kind"],
                operation=request["operation"],
                caller=Caller.from_json(request["userInfo"]),
                new=request["object"] or {},
                old=request.get("oldObject"),
                namespace=request.get("namespace", ""),
                subresource=request.get("subResource", ""),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise MalformedObjectError(f"request: is no AdmissionReview: {error!r}") from error

    @property
    def is_creation(self) -> bool:
        """The object is not there yet."""
        return self.operation == "CREATE"

    @property
    def has_spec(self) -> bool:
        """The spec is there, and is an object."""
        return isinstance(self.new.get("spec"), Mapping)

    @property
    def spec(self) -> Json:
        """The spec as it was sent."""
        return self.new.get("spec") or {}

    @property
    def old_spec(self) -> Json | None:
        """The stored spec; None at creation."""
        return None if self.old is None else self.old.get("spec") or {}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A decision about a request, with what is stamped into its spec; None takes a field out."""

    verdict: Verdict
    stamps: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    code: int = FORBIDDEN

    def to_json(self, review: Review) -> dict[str, Any]:
        """Write the AdmissionReview that answers a request."""
        response: dict[str, Any] = {"uid": review.uid, "allowed": not self.verdict.denies}
        if self.verdict.denies:
            response["status"] = {
                "code": self.code,
                "reason": "Forbidden" if self.code == FORBIDDEN else "ServiceUnavailable",
                "message": self.verdict.message,
            }
        if self.warnings:
            response["warnings"] = list(self.warnings)
        operations = patch(review.spec, self.stamps) if response["allowed"] else []
        if operations:
            response["patchType"] = "JSONPatch"
            response["patch"] = base64.b64encode(json.dumps(operations).encode()).decode()
        return {
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "response": response,
        }


def patch(spec: Json, stamps: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Write the operations that put stamps into a spec, and none where they are there already.

    So an object that was not changed stays unchanged, and is shown as such.
    """
    return [operation for name, value in stamps.items() for operation in _put(spec, name, value)]


def stamped_object(review: Review, stamps: Mapping[str, Any]) -> Json:
    """Give the object as it will be stored."""
    spec = {name: value for name, value in review.spec.items() if name not in stamps}
    present = {name: value for name, value in stamps.items() if value is not None}
    return {**review.new, "spec": {**spec, **present}}


def _put(spec: Json, name: str, value: Any) -> list[dict[str, Any]]:
    path = f"/spec/{name}"
    if value is None:
        return [{"op": "remove", "path": path}] if name in spec else []
    if spec.get(name) == value:
        return []
    # `add` replaces a member that is there.
    return [{"op": "add", "path": path, "value": value}]
