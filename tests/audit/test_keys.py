import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from modelwarden.audit.keys import create_key, load_signer, trust
from modelwarden.audit.signing import from_base64, to_base64
from modelwarden.errors import MisconfiguredError
from tests.audit.builders import SIGNER, THIEF

# RFC 8032, section 7.1, test 2.
SECRET = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def pem_of(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey, password: bytes = b"") -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption(),
    )


def test_a_created_key_signs_for_its_public_half() -> None:
    signer = load_signer(create_key())

    signature = signer.sign(b"message")

    assert trust(signer.key.text).verifies(signature, b"message")


def test_every_created_key_is_another() -> None:
    assert create_key() != create_key()


def test_keys_and_signatures_are_plain_ed25519() -> None:
    signer = load_signer(pem_of(Ed25519PrivateKey.from_private_bytes(SECRET)))

    assert signer.key.text == to_base64(PUBLIC)
    assert signer.sign(b"\x72") == SIGNATURE
    assert trust(to_base64(PUBLIC)).verifies(SIGNATURE, b"\x72")


def test_a_signature_is_for_one_message_and_one_key() -> None:
    signature = SIGNER.sign(b"message")

    assert SIGNER.key.verifies(signature, b"message")
    assert not SIGNER.key.verifies(signature, b"massage")
    assert not THIEF.key.verifies(signature, b"message")
    assert not SIGNER.key.verifies(signature[:-1], b"message")
    assert not SIGNER.key.verifies(b"", b"message")


def test_a_public_key_may_be_pinned_as_pem() -> None:
    key = Ed25519PrivateKey.from_private_bytes(SECRET).public_key()
    pem = key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )

    assert trust(pem.decode()).text == to_base64(PUBLIC)
    assert trust(f"\n{to_base64(PUBLIC)}\n").text == to_base64(PUBLIC)


@pytest.mark.parametrize(
    "pem",
    [
        "",
        "not a key",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        pem_of(ec.generate_private_key(ec.SECP256R1())),
        pem_of(Ed25519PrivateKey.generate(), b"secret"),
    ],
    ids=["empty", "text", "damaged", "another-kind", "encrypted"],
)
def test_what_is_no_private_key_is_for_the_platform_team(pem: str | bytes) -> None:
    with pytest.raises(MisconfiguredError, match="ledger's key"):
        load_signer(pem)


def other_public_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


@pytest.mark.parametrize(
    "text",
    ["", "AAAA", to_base64(PUBLIC)[:-1], to_base64(PUBLIC + b"x"), "not base64!", "\u0664"],
)
def test_what_is_no_public_key_cannot_be_pinned(text: str) -> None:
    with pytest.raises(MisconfiguredError, match="pinned key"):
        trust(text)


def test_a_public_key_of_another_kind_cannot_be_pinned() -> None:
    with pytest.raises(MisconfiguredError, match="pinned key"):
        trust(other_public_key())


def test_base64_has_one_spelling() -> None:
    assert from_base64("AA==", 1) == b"\x00"
    for text in ("AB==", "AA", "AA=", "AA==\n", " AA==", "AA-_"):
        with pytest.raises(ValueError, match=r".+"):
            from_base64(text, 1)
    with pytest.raises(ValueError, match="not 2 bytes"):
        from_base64("AA==", 2)
