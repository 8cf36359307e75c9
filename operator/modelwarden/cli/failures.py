"""What a failure says to a person, and how the program ends because of it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from modelwarden.cli.answers import CannotError, Exit
from modelwarden.cluster.answers import ApiError
from modelwarden.errors import ModelwardenError, UnavailableError

# What the API server writes before the sentence of an admission rule, and before that of RBAC.
_ADMISSION = re.compile(r"denied (?:the )?request: (.*)", re.DOTALL)
_FORBIDDEN = re.compile(r" is forbidden: (.*)", re.DOTALL)
_RBAC = re.compile(
    r'User "(?P<user>[^"]+)" cannot (?P<verb>\S+) resource "(?P<what>[^"]+)"'
    r'.*?(?: in the namespace "(?P<namespace>[^"]+)"| at the cluster scope)',
    re.DOTALL,
)
_UNAUTHORIZED = 401
_FORBIDDEN_CODE = 403


@dataclass(frozen=True)
class Failure:
    """The sentences to print, and the end."""

    sentences: tuple[str, ...]
    ending: Exit


def failure_of(error: ModelwardenError) -> Failure:
    """Say a failure in sentences."""
    if isinstance(error, CannotError):
        return Failure(error.sentences, error.ending)
    if isinstance(error, ApiError):
        return _of_the_server(error)
    if isinstance(error, UnavailableError):
        return Failure((str(error), "Nothing may have been done: look again."), Exit.FAILED)
    return Failure((str(error),), Exit.FAILED)


def _of_the_server(error: ApiError) -> Failure:
    denied = _ADMISSION.search(error.message)
    if denied is not None:
        return Failure(_lines(denied[1]), Exit.REFUSED)
    if error.is_forbidden or error.code == _FORBIDDEN_CODE:
        return Failure((_who_cannot(error.message),), Exit.REFUSED)
    if error.code == _UNAUTHORIZED:
        sentence = "The API server does not know this login: log in again, or check --context."
        return Failure((sentence,), Exit.FAILED)
    if error.is_invalid:
        return Failure(_invalid(error), Exit.FAILED)
    return Failure((error.message,), Exit.FAILED)


def _who_cannot(message: str) -> str:
    found = _RBAC.search(message)
    if found is None:
        forbidden = _FORBIDDEN.search(message)
        return message if forbidden is None else forbidden[1]
    where = f" in {found['namespace']}" if found["namespace"] else ""
    return f"{found['user']} may not {found['verb']} {found['what']}{where}."


def _invalid(error: ApiError) -> tuple[str, ...]:
    """Say each wrong field with its path; what the server lists twice is said once."""
    causes: Sequence[dict[str, str]] = error.details.get("causes") or ()
    told = [_cause(cause.get("field") or "object", cause.get("message", "")) for cause in causes]
    return tuple(dict.fromkeys(told)) or (error.message,)


def _cause(field: str, message: str) -> str:
    """Say what is wrong with a field; the server's own schema names the path once more."""
    return f"{field}: {_without_value(message).removeprefix(f'{field} in body ')}"


def _without_value(message: str) -> str:
    """Leave out the value, which may be the whole object, before the sentence of a rule."""
    kind, separator, rest = message.partition(": ")
    if not separator or kind not in {"Invalid value", "Forbidden", "Required value"}:
        return message
    return rest.rpartition(": ")[2] if kind == "Invalid value" else rest


def _lines(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.splitlines() if part.strip())
