"""Events that people read beside an object: one per change, however often it is told."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from modelwarden.cluster.answers import ApiError
from modelwarden.cluster.client import ApiClient
from modelwarden.cluster.paths import EVENTS

CONTROLLER = "modelwarden.io/controller"
NOTE_BYTES = 1024
# The namespace of events about objects that are in none.
NAMESPACE_OF_NONE = "default"


@dataclass(frozen=True, kw_only=True)
class Event:
    """What happened to an object; `key` is what makes it one change, such as a ledger index."""

    regarding: Mapping[str, Any]
    kind: Literal["Normal", "Warning"]
    reason: str
    action: str
    message: str
    key: str


async def post_event(
    client: ApiClient, event: Event, *, time: str, instance: str = "modelwarden"
) -> None:
    """Post the event, `time` in RFC 3339; what was posted before is not posted again."""
    try:
        await client.create(EVENTS, body_of(event, time=time, instance=instance))
    except ApiError as error:
        if not error.is_already_exists:
            raise


def body_of(event: Event, *, time: str, instance: str) -> dict[str, Any]:
    """Write the event as the API has it; a message that is too long ends in an ellipsis."""
    about = event.regarding
    metadata = about["metadata"]
    namespace = metadata.get("namespace") or NAMESPACE_OF_NONE
    return {
        "apiVersion": EVENTS.api_version,
        "kind": EVENTS.kind,
        "metadata": {"name": _name_of(event), "namespace": namespace},
        "eventTime": _with_microseconds(time),
        "type": event.kind,
        "reason": event.reason,
        "action": event.action,
        "note": _cut(event.message),
        "reportingController": CONTROLLER,
        "reportingInstance": instance[:128],
        "regarding": {
            "apiVersion": about["apiVersion"],
            "kind": about["kind"],
            "name": metadata["name"],
            "namespace": metadata.get("namespace", ""),
            "uid": metadata.get("uid", ""),
            "resourceVersion": metadata.get("resourceVersion", ""),
        },
    }


def _name_of(event: Event) -> str:
    metadata = event.regarding["metadata"]
    parts = (metadata.get("uid", ""), event.kind, event.reason, event.action, event.key)
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    return f"{metadata['name'][:200]}.{digest}"


def _cut(message: str) -> str:
    encoded = message.encode()
    if len(encoded) <= NOTE_BYTES:
        return message
    ellipsis = "…"
    kept = encoded[: NOTE_BYTES - len(ellipsis.encode())].decode(errors="ignore")
    return kept + ellipsis


def _with_microseconds(time: str) -> str:
    # The API accepts exactly six digits here.
    seconds, _, fraction = time.removesuffix("Z").partition(".")
    return f"{seconds}.{fraction[:6]:0<6}Z"
