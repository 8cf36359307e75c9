"""Who signs the ledger and whose signature counts, as values that know no cryptography library."""

import base64
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TrustedKey:
    """The pinned public key; `text` is its bytes in base64.

    `verifies` takes a signature and the message.
    """

    text: str
    verifies: Callable[[bytes, bytes], bool]


@dataclass(frozen=True, kw_only=True)
class Signer:
    """The private half: signs a message for the public key that others pin."""

    key: TrustedKey
    sign: Callable[[bytes], bytes]


def to_base64(data: bytes) -> str:
    """Write bytes as base64 text."""
    return base64.b64encode(data).decode()


def from_base64(text: str, length: int) -> bytes:
    """Read exactly so many bytes; ValueError for a second spelling of the same."""
    data = base64.b64decode(text, validate=True)
    if len(data) != length or to_base64(data) != text:
        raise ValueError(f"not {length} bytes in base64")
    return data
