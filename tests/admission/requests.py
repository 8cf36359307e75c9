"""AdmissionReviews as an API server sends them."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from modelwarden.admission.reviews import Answer, Review
from modelwarden.domain.labels import API_VERSION

DIGEST = "sha256:" + "0" * 64
OTHER_DIGEST = "sha256:" + "1" * 64
UID = "6d1f4e3a"
BY = {"username": "scientist@example.com", "uid": "7", "groups": ["data-scientists"]}


def asked(
    kind: str,
    spec: Mapping[str, Any],
    *,
    old: Mapping[str, Any] | None = None,
    by: Mapping[str, Any] | None = None,
    subresource: str = "",
    status: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Ask to create an object in namespace risk or, with an old spec, to change it."""
    metadata = {"name": "x", "namespace": "risk"}
    new = {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": dict(spec)}
    request: dict[str, Any] = {
        "uid": UID,
        "kind": {"group": "modelwarden.io", "version": "v1alpha1", "kind": kind},
        "operation": "CREATE" if old is None else "UPDATE",
        "namespace": "risk",
        "name": "x",
        "userInfo": dict(BY if by is None else by),
        "object": new,
        "oldObject": None if old is None else {**new, "spec": dict(old), "status": status or {}},
        "dryRun": False,
    }
    if subresource:
        request["subResource"] = subresource
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}


def review(kind: str, spec: Mapping[str, Any], **more: Any) -> Review:
    """The same, read."""
    return Review.from_json(asked(kind, spec, **more))


def patched(response: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The operations of a response; none for one without a patch."""
    return json.loads(base64.b64decode(response["patch"])) if "patch" in response else []


def operations(request: Review, answer: Answer) -> list[dict[str, Any]]:
    """The operations that an answer puts into effect."""
    return patched(answer.to_json(request)["response"])
