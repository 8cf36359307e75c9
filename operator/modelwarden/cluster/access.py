"""Asking the API server who may do what, and who asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelwarden.cluster.client import ApiClient
from modelwarden.cluster.paths import (
    SELF_SUBJECT_ACCESS_REVIEWS,
    SELF_SUBJECT_REVIEWS,
    SUBJECT_ACCESS_REVIEWS,
    Resource,
)
from modelwarden.errors import UnavailableError


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A login: its name, its groups and its uid."""

    username: str
    groups: tuple[str, ...] = ()
    uid: str = ""


@dataclass(frozen=True, kw_only=True)
class Action:
    """What a subject would do; `resource` is the plural."""

    verb: str
    group: str
    resource: str
    subresource: str = ""
    namespace: str = ""
    name: str = ""


@dataclass(frozen=True)
class Access:
    """The API server's answer and, where it gives one, its reason."""

    allowed: bool
    reason: str = ""


async def review_access(client: ApiClient, subject: Subject, action: Action) -> Access:
    """Ask whether the subject may; UnavailableError when an authorizer could not say."""
    spec = {
        "user": subject.username,
        "groups": list(subject.groups),
        "uid": subject.uid,
        "resourceAttributes": _attributes(action),
    }
    return _access(await _review(client, SUBJECT_ACCESS_REVIEWS, {"spec": spec}))


async def review_own_access(client: ApiClient, action: Action) -> Access:
    """Ask whether the caller itself may."""
    spec = {"resourceAttributes": _attributes(action)}
    return _access(await _review(client, SELF_SUBJECT_ACCESS_REVIEWS, {"spec": spec}))


async def who_am_i(client: ApiClient) -> Subject:
    """Ask who the API server takes the caller for."""
    user = (await _review(client, SELF_SUBJECT_REVIEWS, {})).get("userInfo", {})
    return Subject(
        username=user.get("username", ""),
        groups=tuple(user.get("groups") or ()),
        uid=user.get("uid", ""),
    )


async def _review(client: ApiClient, kind: Resource, body: dict[str, Any]) -> Mapping[str, Any]:
    about = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {}}
    status: Mapping[str, Any] = (await client.create(kind, about | body)).get("status") or {}
    return status


def _attributes(action: Action) -> dict[str, str]:
    return {
        "verb": action.verb,
        "group": action.group,
        "resource": action.resource,
        "subresource": action.subresource,
        "namespace": action.namespace,
        "name": action.name,
    }


def _access(status: Mapping[str, Any]) -> Access:
    allowed = bool(status.get("allowed"))
    error = status.get("evaluationError") or ""
    # A binding whose role was deleted grants nothing, and says so as an error at every question
    # about anybody without the right. Any other error may hide a right.
    if error and not allowed and not status.get("denied") and "not found" not in error:
        raise UnavailableError(f"access review: {error}")
    return Access(allowed, status.get("reason") or error)
