import json

import pytest

from modelwarden.cluster.answers import ApiError, ApiUnavailableError, error_of
from modelwarden.errors import UnavailableError


def status(reason: str, **more: object) -> bytes:
    return json.dumps({"kind": "Status", "reason": reason, "message": "no", **more}).encode()


@pytest.mark.parametrize(
    ("reason", "true"),
    [
        ("NotFound", "is_not_found"),
        ("AlreadyExists", "is_already_exists"),
        ("Conflict", "is_conflict"),
        ("Invalid", "is_invalid"),
        ("Forbidden", "is_forbidden"),
        ("Expired", "is_gone"),
    ],
)
def test_an_error_is_told_by_its_reason_and_not_by_its_code(reason: str, true: str) -> None:
    error = error_of(409, status(reason))

    answers = [name for name in dir(ApiError) if name.startswith("is_") and getattr(error, name)]
    assert answers == [true]


@pytest.mark.parametrize(
    ("code", "body", "transient"),
    [
        (429, status("TooManyRequests"), True),
        (500, status("ServerTimeout"), True),
        (503, b"<html>no backend</html>", True),
        (500, status(""), False),
        (403, status("Forbidden"), False),
    ],
)
def test_only_what_may_pass_is_unavailable(code: int, body: bytes, *, transient: bool) -> None:
    error = error_of(code, body)

    assert isinstance(error, UnavailableError) is transient
    assert isinstance(error, ApiUnavailableError) is transient


def test_the_server_says_when_to_come_again() -> None:
    by_header = error_of(429, status("TooManyRequests"), "3")
    by_details = error_of(429, status("TooManyRequests", details={"retryAfterSeconds": 5}))

    assert (by_header.retry_after, by_details.retry_after) == (3.0, 5.0)


def test_a_body_that_is_no_status_is_the_message() -> None:
    error = error_of(502, b"bad gateway")

    assert str(error) == "502: bad gateway"
