"""Who is a person: one human being may come with many logins, a service account never is one."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

SERVICE_ACCOUNT_PREFIX = "system:serviceaccount:"


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The login that sent a request, as the API server authenticated it."""

    username: str
    uid: str = ""
    groups: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, user: Mapping[str, Any]) -> Self:
        """Read `userInfo` of an admission request, or a stamp made from one."""
        return cls(
            username=user.get("username", ""),
            uid=user.get("uid", ""),
            groups=tuple(user.get("groups") or ()),
        )

    def to_json(self) -> dict[str, Any]:
        """Write the stamp; every key is there, so that a stamp has one form."""
        return {"username": self.username, "uid": self.uid, "groups": list(self.groups)}


@dataclass(frozen=True, kw_only=True)
class Person:
    """A human being by the name the team knows, and every other login of the same human being."""

    name: str
    logins: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Identity:
    """How logins are told to be the same person.

    `username_prefix` is what the API server puts before the names of the OIDC provider. Raises
    ValueError if one login is given to two people: which of them it is must never be a guess.
    """

    username_prefix: str = ""
    people: tuple[Person, ...] = ()

    def __post_init__(self) -> None:
        owners: dict[str, str] = {}
        for person in self.people:
            for login in (person.name, *person.logins):
                key = _normalised(login, self.username_prefix)
                if owners.setdefault(key, person.name) != person.name:
                    raise ValueError(f"{login} is given to both {owners[key]} and {person.name}")


def canonical(username: str, identity: Identity) -> str:
    """Name the person behind a login: no provider's prefix, no case, aliases resolved."""
    prefix = identity.username_prefix
    login = _normalised(username, prefix)
    for person in identity.people:
        if login in {_normalised(known, prefix) for known in (person.name, *person.logins)}:
            return _normalised(person.name, prefix)
    return login


def same_person(username: str, other: str, *, identity: Identity) -> bool:
    """Say whether two logins are one person; nobody is the same as an unnamed one."""
    return bool(username) and canonical(username, identity) == canonical(other, identity)


def is_service_account(username: str) -> bool:
    """Say whether a login is a machine's: it may register and ask, never decide."""
    return username.startswith(SERVICE_ACCOUNT_PREFIX)


def _normalised(username: str, prefix: str) -> str:
    if username.startswith("system:"):
        return username
    return unicodedata.normalize("NFKC", username.removeprefix(prefix)).casefold()
