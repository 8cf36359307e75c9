import pytest

from modelwarden.domain.identity import (
    Caller,
    Identity,
    Person,
    canonical,
    is_service_account,
    same_person,
)

NOBODY_SPECIAL = Identity()
COMPANY = Identity(
    username_prefix="oidc:",
    people=(
        Person(name="scientist@example.com", logins=("platform@example.com", "admin-7")),
        Person(name="Owner@Example.com"),
    ),
)


@pytest.mark.parametrize(
    ("username", "identity", "person"),
    [
        ("scientist@example.com", NOBODY_SPECIAL, "scientist@example.com"),
        ("Scientist@Example.COM", NOBODY_SPECIAL, "scientist@example.com"),
        ("oidc:scientist@example.com", NOBODY_SPECIAL, "oidc:scientist@example.com"),
        ("oidc:scientist@example.com", COMPANY, "scientist@example.com"),
        ("platform@example.com", COMPANY, "scientist@example.com"),
        ("oidc:PLATFORM@example.com", COMPANY, "scientist@example.com"),
        ("oidc:admin-7", COMPANY, "scientist@example.com"),
        ("owner@example.com", COMPANY, "owner@example.com"),
        ("reviewer@example.com", COMPANY, "reviewer@example.com"),
        # The same letters, composed and in full width.
        ("Zoe\u0308@example.com", NOBODY_SPECIAL, "zo\u00eb@example.com"),
        ("\uff41nn@example.com", NOBODY_SPECIAL, "ann@example.com"),
        # What Kubernetes itself names is never somebody's spelling.
        ("system:serviceaccount:risk:Ci", COMPANY, "system:serviceaccount:risk:Ci"),
    ],
)
def test_a_login_has_one_canonical_name(username: str, identity: Identity, person: str) -> None:
    assert canonical(username, identity) == person


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("scientist@example.com", "platform@example.com", True),
        ("oidc:platform@example.com", "ADMIN-7", True),
        ("owner@example.com", "platform@example.com", False),
        ("", "", False),
    ],
)
def test_two_logins_are_one_person_or_not(*, one: str, other: str, same: bool) -> None:
    assert same_person(one, other, identity=COMPANY) is same


def test_a_login_given_to_two_people_is_an_error() -> None:
    people = (Person(name="a", logins=("shared",)), Person(name="b", logins=("oidc:SHARED",)))

    with pytest.raises(ValueError, match="oidc:SHARED is given to both a and b"):
        Identity(username_prefix="oidc:", people=people)


@pytest.mark.parametrize(
    ("username", "machine"),
    [
        ("system:serviceaccount:risk:pipeline", True),
        ("pipeline@example.com", False),
        ("my-system:serviceaccount:risk:pipeline", False),
    ],
)
def test_a_service_account_is_no_person(*, username: str, machine: bool) -> None:
    assert is_service_account(username) is machine


def test_a_stamp_reads_back_as_the_caller_it_was_made_from() -> None:
    caller = Caller.from_json({"username": "a", "groups": ["g", "g"], "extra": {"k": ["v"]}})

    assert caller == Caller(username="a", groups=("g", "g"))
    assert caller.to_json() == {"username": "a", "uid": "", "groups": ["g", "g"]}
    assert Caller.from_json(caller.to_json()) == caller
