from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from modelwarden.admission.certificates import (
    AUTHORITIES,
    AUTHORITY_KEY,
    AUTHORITY_LIFE,
    CERTIFICATE,
    INTRODUCTION,
    KEY,
    LEAF_LIFE,
    SKEW,
    renewed,
)

NAMES = ("webhook.system.svc", "webhook")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
MOMENT = timedelta(seconds=1)

Content = Mapping[str, bytes]


def at(life: timedelta, now: datetime = BEGIN) -> datetime:
    """The moment at which two thirds of a certificate's life have passed."""
    return now - SKEW + (life + SKEW) * 2 / 3


def made(held: Content, *, now: datetime = BEGIN, names: tuple[str, ...] = NAMES) -> Content:
    content = renewed(held, names, now=now)
    assert content is not None
    return content


@pytest.fixture(scope="module")
def first() -> Content:
    return made({})


def authorities(content: Content) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(content[AUTHORITIES])


def leaf(content: Content) -> x509.Certificate:
    return x509.load_pem_x509_certificate(content[CERTIFICATE])


def signer(content: Content) -> x509.Certificate:
    """The trusted authority that signed the leaf."""
    issuer = leaf(content).issuer
    return next(found for found in authorities(content) if found.subject == issuer)


def test_an_empty_secret_gets_an_authority_and_a_leaf(first: Content) -> None:
    assert sorted(first) == sorted((AUTHORITIES, AUTHORITY_KEY, CERTIFICATE, KEY))
    leaf(first).verify_directly_issued_by(authorities(first)[0])
    named = leaf(first).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert named.value.get_values_for_type(x509.DNSName) == list(NAMES)
    assert leaf(first).not_valid_after_utc == BEGIN + LEAF_LIFE


def test_what_is_good_is_left_alone(first: Content) -> None:
    assert renewed(first, NAMES, now=BEGIN) is None
    assert renewed(first, NAMES, now=at(LEAF_LIFE) - MOMENT) is None


def test_a_leaf_is_renewed_at_two_thirds_of_its_life(first: Content) -> None:
    later = made(first, now=at(LEAF_LIFE))

    assert later[AUTHORITIES] == first[AUTHORITIES]
    assert later[AUTHORITY_KEY] == first[AUTHORITY_KEY]
    assert leaf(later).not_valid_after_utc == at(LEAF_LIFE) + LEAF_LIFE


def test_a_leaf_of_other_names_is_renewed(first: Content) -> None:
    later = made(first, names=("renamed.system.svc",))

    assert later[AUTHORITIES] == first[AUTHORITIES]
    assert later[CERTIFICATE] != first[CERTIFICATE]


def test_a_new_authority_is_trusted_before_it_signs(first: Content) -> None:
    due = at(AUTHORITY_LIFE)
    fresh = made(first, now=due - timedelta(days=1))

    introduced = made(fresh, now=due)

    assert introduced[CERTIFICATE] == fresh[CERTIFICATE]
    assert authorities(introduced)[1:] == authorities(first)
    assert signer(introduced) == authorities(first)[0]
    assert renewed(introduced, NAMES, now=due) is None


def test_a_leaf_that_is_due_waits_until_the_new_authority_was_introduced(first: Content) -> None:
    due = at(AUTHORITY_LIFE)
    soon = timedelta(minutes=10)
    fresh = made(first, now=due + soon - (at(LEAF_LIFE) - BEGIN))
    introduced = made(fresh, now=due)

    assert renewed(introduced, NAMES, now=due + soon) is None

    later = made(introduced, now=due + INTRODUCTION)
    assert signer(later) == authorities(introduced)[0]


def test_a_leaf_that_no_longer_serves_does_not_wait(first: Content) -> None:
    due = at(AUTHORITY_LIFE)

    introduced = made(made(first, now=due), now=due)

    assert signer(introduced).not_valid_before_utc <= due


def test_an_authority_that_has_ended_is_trusted_no_more(first: Content) -> None:
    content, now = first, BEGIN
    while now < BEGIN + AUTHORITY_LIFE + timedelta(days=1):
        while (newer := renewed(content, NAMES, now=now)) is not None:
            content = newer
        assert any(now < found.not_valid_after_utc for found in authorities(content))
        leaf(content).verify_directly_issued_by(signer(content))
        now += timedelta(days=1)

    rotated = made(content, now=now + AUTHORITY_LIFE * 2 / 3)

    assert authorities(first)[0] not in authorities(rotated)


@pytest.mark.parametrize(
    "broken",
    [
        {AUTHORITIES: b"", AUTHORITY_KEY: b""},
        {AUTHORITIES: b"not a certificate"},
        {AUTHORITY_KEY: b"not a key"},
    ],
    ids=str,
)
def test_an_authority_that_cannot_be_read_is_made_anew(
    first: Content, broken: dict[str, bytes]
) -> None:
    content = made({**first, **broken})

    assert authorities(content) != authorities(first)
    leaf(content).verify_directly_issued_by(authorities(content)[0])


def test_the_key_of_another_authority_is_no_key(first: Content) -> None:
    content = made({**first, AUTHORITY_KEY: made({})[AUTHORITY_KEY]})

    assert authorities(content) != authorities(first)


@pytest.mark.parametrize("name", [CERTIFICATE, KEY])
def test_a_leaf_of_somebody_else_is_made_anew(first: Content, name: str) -> None:
    stranger = made({})

    content = made({**first, name: stranger[name]})

    assert content[AUTHORITIES] == first[AUTHORITIES]
    leaf(content).verify_directly_issued_by(authorities(first)[0])
