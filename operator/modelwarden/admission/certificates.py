"""The webhook's own certificates: an authority, a leaf, and when each is made anew.

    authority 1   |=============================|.............|    trusted until it ends
    authority 2                                 |============================...
    leaf          |=======|=======|=======|=======|=======|       signed by the newest authority

An authority is replaced at two thirds of its life and stays trusted beside its successor, and the
successor signs only after it has been trusted for a while: so nobody ever meets a certificate
whose authority they have not heard of.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITIES, AUTHORITY_KEY = "ca.crt", "ca.key"
CERTIFICATE, KEY = "tls.crt", "tls.key"

AUTHORITY_LIFE = timedelta(days=365)
LEAF_LIFE = timedelta(days=90)
# How long a new authority is only trusted before it signs: the API server learns of it in seconds.
INTRODUCTION = timedelta(hours=1)
# The clocks of nodes differ.
SKEW = timedelta(minutes=5)

Content = Mapping[str, bytes]


@dataclass(frozen=True)
class Authority:
    """The newest authority with its key, and after it the older ones that are still trusted."""

    trusted: Sequence[x509.Certificate]
    key: ec.EllipticCurvePrivateKey

    @property
    def newest(self) -> x509.Certificate:
        """The one that signs."""
        return self.trusted[0]


def renewed(held: Content, names: Sequence[str], *, now: datetime) -> Content | None:
    """Make what is missing, broken, of other names or due; None where everything is good.

    One thing at a time, so that a new authority never signs in the breath that introduces it,
    unless nothing was trusted before.
    """
    authority = _read_authority(held, now)
    if authority is None:
        first = _successor((), now)
        return {**_authority_content(first), **_leaf(first, names, now)}
    leaf = _read_leaf(held, authority, names=names, now=now)
    if leaf is None or (_is_due(leaf, now) and _is_introduced(authority.newest, now)):
        return {**held, **_leaf(authority, names, now)}
    if _is_due(authority.newest, now):
        return {**held, **_authority_content(_successor(authority.trusted, now))}
    return None


def _read_authority(held: Content, now: datetime) -> Authority | None:
    try:
        found = x509.load_pem_x509_certificates(held[AUTHORITIES])
        key = load_pem_private_key(held[AUTHORITY_KEY], password=None)
    except (KeyError, ValueError, TypeError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or found[0].public_key() != key.public_key():
        return None
    trusted = [certificate for certificate in found if now < certificate.not_valid_after_utc]
    return Authority(trusted, key) if found[0] in trusted else None


def _read_leaf(
    held: Content, authority: Authority, *, names: Sequence[str], now: datetime
) -> x509.Certificate | None:
    """Read the leaf if it serves: in time, for these names, signed by somebody trusted."""
    try:
        leaf = x509.load_pem_x509_certificate(held[CERTIFICATE])
        key = load_pem_private_key(held[KEY], password=None)
        named = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (KeyError, ValueError, TypeError, x509.ExtensionNotFound):
        return None
    serves = (
        now < leaf.not_valid_after_utc
        and leaf.public_key() == key.public_key()
        and named.get_values_for_type(x509.DNSName) == list(names)
        and any(_has_signed(certificate, leaf) for certificate in authority.trusted)
    )
    return leaf if serves else None


def _has_signed(authority: x509.Certificate, leaf: x509.Certificate) -> bool:
    try:
        leaf.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _is_due(certificate: x509.Certificate, now: datetime) -> bool:
    begun, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return now >= begun + (ends - begun) * 2 / 3


def _is_introduced(authority: x509.Certificate, now: datetime) -> bool:
    return now >= authority.not_valid_before_utc + SKEW + INTRODUCTION


def _successor(trusted: Sequence[x509.Certificate], now: datetime) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    # Authorities of one name would be taken for each other by whoever checks a chain.
    name = f"modelwarden-webhook-{now:%Y%m%d%H%M%S}"
    certificate = (
        _unsigned(name, key, life=AUTHORITY_LIFE, now=now)
        .issuer_name(_named(name))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority([certificate, *trusted], key)


def _leaf(authority: Authority, names: Sequence[str], now: datetime) -> dict[str, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.newest
    life = min(LEAF_LIFE, issuer.not_valid_after_utc - now)
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    certificate = (
        _unsigned(names[0], key, life=life, now=now)
        .issuer_name(issuer.subject)
        .add_extension(alternatives, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(usage, critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
            critical=False,
        )
        .sign(authority.key, hashes.SHA256())
    )
    return {CERTIFICATE: certificate.public_bytes(Encoding.PEM), KEY: _key_bytes(key)}


def _unsigned(
    name: str, key: ec.EllipticCurvePrivateKey, *, life: timedelta, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + life)
    )


def _named(name: str) -> x509.Name:
    # A common name holds 64 characters; the names that count are the alternative ones.
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _authority_content(authority: Authority) -> dict[str, bytes]:
    pem = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in authority.trusted)
    return {AUTHORITIES: pem, AUTHORITY_KEY: _key_bytes(authority.key)}


def _key_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
