"""Where the ledger's bytes lie: write-once names in two families, read in order.

Stores are blocking; whoever runs an event loop calls them from a thread.
"""

import re
from collections.abc import Sequence
from typing import Protocol

from modelwarden.domain.digests import is_digest

LEDGER = "ledger/"
EVIDENCE = "evidence/"

# No object of ours is larger: a full batch of the largest records, or one piece of evidence.
MAX_BYTES = 8 * 1024 * 1024

_KEY = re.compile(r"ledger/[0-9]{20}|evidence/[0-9a-f]{64}")


class NotStoredError(LookupError):
    """Nothing has this name; for some readers an answer, not a failure."""


class Reader(Protocol):
    """Something that can be read in order: a store, a copy of one, or a port to one.

    Both calls raise LedgerUnavailableError when there is no answer.
    """

    def list(self, prefix: str, after: str = "") -> Sequence[str]:
        """Name the next keys of a family after one key, in order; empty when there are no more."""
        ...

    def read(self, key: str) -> bytes:
        """Read one object; NotStoredError if there is none.

        Of an object larger than MAX_BYTES only the first MAX_BYTES + 1 bytes are read.
        """
        ...


class Store(Reader, Protocol):
    """A reader that also creates, once per name and for ever."""

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Create an object whole and durably: True if created, False if the name is taken.

        LedgerUnavailableError may also mean that the answer was lost: the object may be there.
        """
        ...


def ledger_key(index: int) -> str:
    """Name the object whose first record has this index."""
    return f"{LEDGER}{index:020d}"


def evidence_key(digest: str) -> str:
    """Name the evidence with this digest; ValueError for what is no `sha256:<64 hex>`."""
    if not is_digest(digest):
        raise ValueError(f"not a digest: {digest!r}")
    return EVIDENCE + digest.removeprefix("sha256:")


def is_key(text: str) -> bool:
    """Say whether a name belongs to one of the families, padding included."""
    return _KEY.fullmatch(text) is not None
