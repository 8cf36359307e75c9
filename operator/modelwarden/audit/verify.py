"""Verification by somebody who trusts neither the cluster nor us: a key, and the bytes.

Streams: what it remembers grows by a few bytes per record.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from modelwarden.audit.anchor import Anchor
from modelwarden.audit.chain import Chain, all_keys, read_object
from modelwarden.audit.evidence import read_evidence
from modelwarden.audit.findings import Finding, FindingError, Flaw
from modelwarden.audit.objects import LedgerObject
from modelwarden.audit.signing import TrustedKey
from modelwarden.audit.store import Reader
from modelwarden.errors import LedgerNewerError

# Of a ledger that is wrong from end to end, so much is enough.
MAX_FINDINGS = 1000


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What was read, and all that is wrong with it.

    Without an anchor nobody can say whether the newest records were cut off: `anchored` says
    whether one was compared.
    """

    findings: tuple[Finding, ...]
    objects: int
    records: int
    evidence: int
    origin: str
    size: int
    head: str
    first_time: str
    last_time: str
    anchored: bool

    @property
    def ok(self) -> bool:
        """Say whether nothing is wrong."""
        return not self.findings

    def to_json(self) -> dict[str, Any]:
        """Write the result as JSON."""
        return {
            "ok": self.ok,
            "findings": [finding.to_json() for finding in self.findings],
            "objects": self.objects,
            "records": self.records,
            "evidence": self.evidence,
            "origin": self.origin,
            "size": self.size,
            "head": self.head,
            "firstTime": self.first_time,
            "lastTime": self.last_time,
            "anchored": self.anchored,
        }


def verify(reader: Reader, trusted: TrustedKey, *, anchor: Anchor | None = None) -> Verification:
    """Verify a whole ledger with its evidence against a pinned key, and an anchor if there is one.

    Damage is a finding; only a reader that does not answer raises (LedgerUnavailableError).
    """
    work = _Work(reader=reader, trusted=trusted, anchor=anchor)
    findings: list[Finding] = []
    for finding in work.findings():
        findings.append(finding)
        if len(findings) == MAX_FINDINGS:
            sentence = f"There are more than {MAX_FINDINGS} findings: the rest was not read."
            findings.append(Finding(flaw=Flaw.GAVE_UP, where=finding.where, sentence=sentence))
            break
    return Verification(
        findings=tuple(findings),
        objects=work.objects,
        records=work.records,
        evidence=len(work.evidence),
        origin=work.chain.origin or "",
        size=work.size,
        head=work.head,
        first_time=work.first_time,
        last_time=work.chain.time,
        anchored=anchor is not None,
    )


@dataclass(kw_only=True)
class _Work:
    reader: Reader
    trusted: TrustedKey
    anchor: Anchor | None
    chain: Chain = field(default_factory=Chain)
    objects: int = 0
    records: int = 0
    size: int = 0
    head: str = ""
    first_time: str = ""
    head_at_anchor: str | None = None
    evidence: set[bytes] = field(default_factory=set)

    def findings(self) -> Iterator[Finding]:
        for key in all_keys(self.reader):
            yield from self.findings_of_object(key)
        if self.objects == 0:
            sentence = "No object could be read: there is nothing to verify."
            yield Finding(flaw=Flaw.EMPTY, where="", sentence=sentence)
        if self.anchor is not None:
            yield from self.findings_of_anchor(self.anchor)

    def findings_of_object(self, key: str) -> Iterator[Finding]:
        try:
            read = read_object(self.reader, key, trusted=self.trusted)
        except FindingError as error:
            yield replace(error.finding, since=self.chain.time)
            if error.finding.flaw is not Flaw.MALFORMED_NAME:
                self.chain.lose_track()
            return
        except LedgerNewerError as error:
            newer = Finding(flaw=Flaw.NEWER, where=key, sentence=str(error))
            yield replace(newer, since=self.chain.time)
            self.chain.lose_track()
            return
        found = self.chain.flaws(key, read)
        yield from found
        # An object under another's name says nothing about what belongs here.
        if all(finding.flaw is not Flaw.MISNAMED for finding in found):
            self.take(read)
            yield from self.findings_of_evidence(key, read)

    def take(self, read: LedgerObject) -> None:
        self.chain.add(read)
        self.objects += 1
        self.records += len(read.records)
        self.size, self.head = read.head.size, read.head.digest
        self.first_time = self.first_time or read.records[0].time
        if self.anchor is not None and read.head.size == self.anchor.size:
            self.head_at_anchor = read.head.digest

    def findings_of_evidence(self, key: str, read: LedgerObject) -> Iterator[Finding]:
        for record in read.records:
            for name, digest in record.evidence.items():
                raw = bytes.fromhex(digest.removeprefix("sha256:"))
                if raw in self.evidence:
                    continue
                try:
                    read_evidence(self.reader, digest)
                except FindingError as error:
                    sentence = f"{error.finding.sentence} ({key} calls it {name!a}.)"
                    yield replace(error.finding, sentence=sentence, index=record.index)
                self.evidence.add(raw)

    def findings_of_anchor(self, anchor: Anchor) -> Iterator[Finding]:
        if anchor.key != self.trusted.text:
            sentence = "The anchor names another key than the pinned one."
            yield Finding(flaw=Flaw.OTHER_KEY, where="", sentence=sentence)
        if self.chain.origin not in (None, anchor.origin):
            sentence = f"The anchor knows the ledger {anchor.origin!a}, not this one."
            yield Finding(flaw=Flaw.OTHER_ORIGIN, where="", sentence=sentence)
        elif self.size < anchor.size:
            sentence = f"The ledger ends at {self.size} records, its anchor knows {anchor.size}."
            yield self.since(Flaw.BEHIND_ANCHOR, sentence)
        elif self.head_at_anchor != anchor.head:
            sentence = f"Its first {anchor.size} records are not those that its anchor knows."
            yield self.since(Flaw.BESIDE_ANCHOR, sentence)

    def since(self, flaw: Flaw, sentence: str) -> Finding:
        return Finding(flaw=flaw, where="", sentence=sentence, since=self.chain.time)
