"""Content that records name by its digest: kept once, read with proof."""

from collections.abc import Mapping
from typing import Any

from modelwarden.audit.findings import Finding, FindingError, Flaw
from modelwarden.audit.store import NotStoredError, Reader, Store, evidence_key
from modelwarden.domain.canonical import canonical_bytes
from modelwarden.domain.digests import file_digest
from modelwarden.errors import LedgerUnavailableError


def write_evidence(store: Store, value: Mapping[str, Any] | bytes) -> str:
    """Keep bytes, or a value as its canonical bytes; give `sha256:<64 hex>` of them."""
    data = value if isinstance(value, bytes) else canonical_bytes(value)
    digest = file_digest([data])
    try:
        store.put_if_absent(evidence_key(digest), data)
    except LedgerUnavailableError:
        # The name is the content: doing it twice does no harm, and a lost answer is no loss.
        store.put_if_absent(evidence_key(digest), data)
    return digest


def read_evidence(reader: Reader, digest: str) -> bytes:
    """Read content by its digest; FindingError if it is missing or not what its name says."""
    key = evidence_key(digest)
    try:
        data = reader.read(key)
    except NotStoredError:
        sentence = "A record names this evidence, but it is not there."
        missing = Finding(flaw=Flaw.EVIDENCE_MISSING, where=key, sentence=sentence)
        raise FindingError(missing) from None
    if file_digest([data]) != digest:
        sentence = "The content is not what its name says."
        raise FindingError(Finding(flaw=Flaw.EVIDENCE_ALTERED, where=key, sentence=sentence))
    return data
