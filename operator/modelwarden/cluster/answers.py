"""What the API server says when it does not do what was asked."""

import json
from collections.abc import Mapping
from typing import Any

from modelwarden.errors import ModelwardenError, UnavailableError

# Reasons, and codes of proxies in between, after which the same call may succeed.
_TRANSIENT_REASONS = frozenset(
    {"ServiceUnavailable", "ServerTimeout", "Timeout", "TooManyRequests"}
)
_TRANSIENT_CODES = frozenset({429, 502, 503, 504})


class ApiError(ModelwardenError):
    """A refusal of the API server, told by the reason of its Status and never by the code alone.

    409 is both AlreadyExists and Conflict; 500 is also "the CRD has no such field".
    """

    def __init__(
        self,
        *,
        code: int,
        reason: str,
        message: str,
        details: Mapping[str, Any] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{reason or code}: {message}")
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details or {}
        self.retry_after = retry_after

    @property
    def is_not_found(self) -> bool:
        """The object is not there."""
        return self.reason == "NotFound"

    @property
    def is_already_exists(self) -> bool:
        """An object of that name is there already."""
        return self.reason == "AlreadyExists"

    @property
    def is_conflict(self) -> bool:
        """Somebody else wrote first: another resourceVersion, uid or field manager."""
        return self.reason == "Conflict"

    @property
    def is_invalid(self) -> bool:
        """The object breaks its schema or a rule of it."""
        return self.reason == "Invalid"

    @property
    def is_forbidden(self) -> bool:
        """The caller has no right to this, or admission refused it."""
        return self.reason == "Forbidden"

    @property
    def is_gone(self) -> bool:
        """The place in a list was forgotten: begin the list again."""
        return self.reason in {"Gone", "Expired"}

    @property
    def conflicting_managers(self) -> tuple[str, ...]:
        """The sentences that name each other field manager and its field."""
        causes = self.details.get("causes") or ()
        return tuple(
            cause.get("message", "")
            for cause in causes
            if cause.get("reason") == "FieldManagerConflict"
        )


class ApiUnavailableError(ApiError, UnavailableError):
    """The API server answered that it cannot answer now."""


def error_of(code: int, body: bytes, retry_after: str | None = None) -> ApiError:
    """Read a Status, or what a proxy wrote in its place, as an error."""
    status = _status(body)
    reason = str(status.get("reason") or "")
    details = status.get("details") or {}
    transient = reason in _TRANSIENT_REASONS or (not reason and code in _TRANSIENT_CODES)
    kind = ApiUnavailableError if transient else ApiError
    return kind(
        code=code,
        reason=reason,
        message=str(status.get("message") or body[:500].decode(errors="replace")),
        details=details,
        retry_after=_seconds(retry_after) or _seconds(details.get("retryAfterSeconds")),
    )


def _status(body: bytes) -> Mapping[str, Any]:
    try:
        data = json.loads(body)
    except ValueError:
        return {}
    return data if isinstance(data, dict) and data.get("kind") == "Status" else {}


def _seconds(value: object) -> float | None:
    try:
        return float(str(value)) if value else None
    except ValueError:
        return None
