"""What can be wrong with a ledger, as values: what, where and in a sentence."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from modelwarden.errors import LedgerBrokenError


class Flaw(StrEnum):
    """The kinds of damage and tampering that a chain shows."""

    MALFORMED_NAME = "MalformedName"
    MISNAMED = "Misnamed"
    UNREADABLE = "Unreadable"
    TOO_LARGE = "TooLarge"
    FLOAT = "Float"
    DUPLICATE_KEY = "DuplicateKey"
    NOT_CANONICAL = "NotCanonical"
    MALFORMED = "Malformed"
    NEWER = "Newer"
    OTHER_KEY = "OtherKey"
    BAD_SIGNATURE = "BadSignature"
    RECORDS_ALTERED = "RecordsAltered"
    WRONG_INDEX = "WrongIndex"
    OTHER_ORIGIN = "OtherOrigin"
    GAP = "Gap"
    OVERLAP = "Overlap"
    FORK = "Fork"
    GENESIS_MISPLACED = "GenesisMisplaced"
    TIME_BACKWARD = "TimeBackward"
    TRANSACTION_REPEATED = "TransactionRepeated"
    EVIDENCE_MISSING = "EvidenceMissing"
    EVIDENCE_ALTERED = "EvidenceAltered"
    EMPTY = "Empty"
    BEHIND_ANCHOR = "BehindAnchor"
    BESIDE_ANCHOR = "BesideAnchor"
    GAVE_UP = "GaveUp"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One flaw: `where` is the object's key, `index` the record's if one record is meant.

    `since` is the time of the last record found sound before it.
    """

    flaw: Flaw
    where: str
    sentence: str
    index: int | None = None
    since: str = ""

    @property
    def text(self) -> str:
        """Say it in one line."""
        return f"{self.place}: {self.sentence} ({self.flaw})"

    @property
    def place(self) -> str:
        """Name the place; a name from a tampered store is escaped, or it could act on a screen."""
        where = ascii(self.where)[1:-1] or "ledger"
        return where if self.index is None else f"{where}, record {self.index}"

    def to_json(self) -> dict[str, Any]:
        """Write the finding as JSON."""
        return {
            "flaw": self.flaw.value,
            "where": self.where,
            "index": self.index,
            "sentence": self.sentence,
            "since": self.since,
        }


class FindingError(LedgerBrokenError):
    """A finding that nothing can go on from."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.text)
        self.finding = finding
