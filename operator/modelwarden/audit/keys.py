"""Ed25519 keys: made once, loaded from PEM, pinned by their public text."""

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from modelwarden.audit.signing import Signer, TrustedKey, from_base64, to_base64
from modelwarden.errors import MisconfiguredError


def create_key() -> str:
    """Make a private key; PEM (PKCS 8), unencrypted, as the Secret holds it."""
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def load_signer(pem: str | bytes) -> Signer:
    """Load the private key from PEM; MisconfiguredError for anything that is no Ed25519 key."""
    data = pem.encode() if isinstance(pem, str) else pem
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise MisconfiguredError("The ledger's key is not an unencrypted PEM key.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise MisconfiguredError("The ledger's key is not an Ed25519 key.")
    return Signer(key=_trusted(key.public_key()), sign=key.sign)


def trust(text: str) -> TrustedKey:
    """Pin a public key, given as base64 of its 32 bytes or as PEM."""
    try:
        key = _public_key(text.strip())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise MisconfiguredError("The pinned key is no Ed25519 public key.") from error
    return _trusted(key)


def _public_key(text: str) -> Ed25519PublicKey:
    if not text.startswith("-----BEGIN"):
        return Ed25519PublicKey.from_public_bytes(from_base64(text, 32))
    key = load_pem_public_key(text.encode())
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("another kind of key")
    return key


def _trusted(key: Ed25519PublicKey) -> TrustedKey:
    def verifies(signature: bytes, message: bytes) -> bool:
        try:
            key.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    return TrustedKey(text=to_base64(key.public_bytes_raw()), verifies=verifies)
