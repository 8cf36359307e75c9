"""The rules between objects: each follows the one before it, in place, in time and by its hash."""

import hashlib
from collections.abc import Iterator

from modelwarden.audit.findings import Finding, FindingError, Flaw
from modelwarden.audit.objects import LedgerObject, unseal
from modelwarden.audit.shape import moment
from modelwarden.audit.signing import TrustedKey
from modelwarden.audit.store import LEDGER, NotStoredError, Reader, is_key, ledger_key
from modelwarden.domain.records import Operation, Record


def all_objects(reader: Reader, trusted: TrustedKey) -> Iterator[tuple[str, LedgerObject]]:
    """Read all that a reader lists, each object checked by itself; raises at the first flaw."""
    for key in all_keys(reader):
        yield key, read_object(reader, key, trusted=trusted)


def objects_from(
    reader: Reader, trusted: TrustedKey, *, size: int
) -> Iterator[tuple[str, LedgerObject]]:
    """Read what follows the first `size` records, by name: its cost does not grow with them."""
    while True:
        key = ledger_key(size)
        try:
            read = unseal(reader.read(key), where=key, trusted=trusted)
        except NotStoredError:
            return
        yield key, read
        # A head that counts backwards must not lead in circles.
        size = max(size + 1, read.head.size)


def all_keys(reader: Reader) -> Iterator[str]:
    """Name everything in the ledger's family, in order."""
    after = ""
    while keys := reader.list(LEDGER, after):
        yield from keys
        after = keys[-1]


def sound_objects(reader: Reader, trusted: TrustedKey) -> Iterator[LedgerObject]:
    """Read a whole ledger, verified object by object; raises at the first flaw."""
    chain = Chain()
    for key, following in all_objects(reader, trusted):
        chain.expect(key, following)
        chain.add(following)
        yield following


def read_object(reader: Reader, key: str, *, trusted: TrustedKey) -> LedgerObject:
    """Read one object by the name that a store listed."""
    if not is_key(key):
        sentence = "Its name is not that of a ledger object."
        raise FindingError(Finding(flaw=Flaw.MALFORMED_NAME, where=key, sentence=sentence))
    try:
        data = reader.read(key)
    except NotStoredError:
        sentence = "It is listed, but nothing is there."
        raise FindingError(Finding(flaw=Flaw.GAP, where=key, sentence=sentence)) from None
    return unseal(data, where=key, trusted=trusted)


def later(time: str, other: str) -> str:
    """Give the later of two records' times; the second if they are the same moment."""
    if len(time) == len(other):
        return max(time, other)
    if not time or moment(other) >= moment(time):
        return other
    return time


class Chain:
    """Where a chain has got to; what comes next is asked about first and added then.

    `size` and `head` are None after an object that could not be read: what follows is then taken
    at its word, for it was signed.
    """

    def __init__(self) -> None:
        self.origin: str | None = None
        self.size: int | None = 0
        self.head: str | None = None
        self.time = ""
        self._transactions: set[bytes] = set()

    def flaws(self, where: str, following: LedgerObject) -> list[Finding]:
        """Say all that is wrong with an object as the next one; nothing if it follows."""
        head = following.head
        if where != ledger_key(head.first):
            sentence = f"It holds the object that belongs to {ledger_key(head.first)}."
            return [self._finding(Flaw.MISNAMED, where, sentence)]
        found = [*self._flaws_of_place(where, following)]
        if self.origin not in (None, head.origin):
            sentence = f"It belongs to the ledger {head.origin!a}, not to {self.origin!a}."
            found.append(self._finding(Flaw.OTHER_ORIGIN, where, sentence))
        return [*found, *self._flaws_of_records(where, following)]

    def add(self, following: LedgerObject) -> None:
        """Go on from this object."""
        head = following.head
        self.origin = self.origin or head.origin
        self.size, self.head = head.size, head.digest
        for record in following.records:
            self.time = later(self.time, record.time)
            self._transactions.add(_fingerprint(record))

    def expect(self, where: str, following: LedgerObject) -> None:
        """Raise the first flaw of an object as the next one."""
        for finding in self.flaws(where, following):
            raise FindingError(finding)

    def lose_track(self) -> None:
        """Go on after an object that could not be read."""
        self.size = self.head = None

    def _flaws_of_place(self, where: str, following: LedgerObject) -> Iterator[Finding]:
        head = following.head
        if self.size is None:
            return
        if head.first > self.size:
            sentence = f"The records {self.size} to {head.first - 1} before it are missing."
            yield self._finding(Flaw.GAP, where, sentence)
        elif head.first < self.size:
            sentence = f"The records {head.first} to {self.size - 1} are there already."
            yield self._finding(Flaw.OVERLAP, where, sentence)
        elif head.previous != self.head:
            sentence = "It was written after another object than the one before it."
            yield self._finding(Flaw.FORK, where, sentence)

    def _flaws_of_records(self, where: str, following: LedgerObject) -> Iterator[Finding]:
        time, transaction, here = self.time, b"", set[bytes]()
        for record in following.records:
            index = record.index
            if (record.operation is Operation.GENESIS) != (index == 0):
                sentence = "A ledger begins with a genesis record, and has no other."
                yield self._finding(Flaw.GENESIS_MISPLACED, where, sentence, index)
            elif index == 0 and not _names_its_head(record, following):
                sentence = "The genesis record names another origin or key than its head."
                yield self._finding(Flaw.GENESIS_MISPLACED, where, sentence, index)
            if later(time, record.time) != record.time:
                sentence = f"Its time {record.time} is earlier than {time}, of a record before it."
                yield self._finding(Flaw.TIME_BACKWARD, where, sentence, index)
            time = later(time, record.time)
            fingerprint = _fingerprint(record)
            # The records of one transaction lie side by side in one object.
            if fingerprint != transaction and (
                fingerprint in self._transactions or fingerprint in here
            ):
                sentence = f"The transaction {record.transaction!a} was recorded before."
                yield self._finding(Flaw.TRANSACTION_REPEATED, where, sentence, index)
            transaction = fingerprint
            here.add(fingerprint)

    def _finding(self, flaw: Flaw, where: str, sentence: str, index: int | None = None) -> Finding:
        return Finding(flaw=flaw, where=where, sentence=sentence, index=index, since=self.time)


def _names_its_head(genesis: Record, following: LedgerObject) -> bool:
    named = (genesis.facts.get("origin"), genesis.facts.get("key"))
    return named == (following.head.origin, following.head.key)


def _fingerprint(record: Record) -> bytes:
    # A million transactions are remembered while verifying: a short digest of each suffices.
    return hashlib.blake2b(record.transaction.encode(), digest_size=16).digest()
