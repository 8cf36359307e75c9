"""One ledger object: a batch of records, its signed head, and one way to write them as bytes.

    {"format": 1, "head": {...}, "records": [...], "signature": "..."}

The head names the object before it and the digest of the records' digests. Its own digest is the
object's: records can be left out of an export and the chain still verifies. What is signed, and
hashed, is the canonical JSON of {"format", "head"}, so that `jq -cS` and `openssl` suffice.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn

from modelwarden.audit.findings import Finding, FindingError, Flaw
from modelwarden.audit.shape import check_head, read_record
from modelwarden.audit.signing import Signer, TrustedKey, from_base64, to_base64
from modelwarden.audit.store import MAX_BYTES
from modelwarden.domain.canonical import canonical_bytes, digest_of
from modelwarden.domain.digests import file_digest
from modelwarden.domain.records import FORMAT, Operation, Record
from modelwarden.errors import LedgerNewerError

MAX_RECORD_BYTES = 16 * 1024
MAX_RECORDS = 256

_SIGNATURE_BYTES = 64


@dataclass(frozen=True, kw_only=True)
class Head:
    """What is signed: the records `first` to `size` - 1 of one origin, after `previous`."""

    origin: str
    key: str
    first: int
    size: int
    previous: str | None
    records: str

    @cached_property
    def message(self) -> bytes:
        """Give the bytes that are signed and hashed."""
        return _canonical({"format": FORMAT, "head": self.to_json()})

    @cached_property
    def digest(self) -> str:
        """Name the head, and with it the object and everything before it."""
        return file_digest([self.message])

    def to_json(self) -> dict[str, Any]:
        """Write the head as JSON."""
        return {
            "origin": self.origin,
            "key": self.key,
            "first": self.first,
            "size": self.size,
            "previous": self.previous,
            "records": self.records,
        }


@dataclass(frozen=True, kw_only=True)
class LedgerObject:
    """A batch whose signature, digest and form have been checked."""

    head: Head
    records: tuple[Record, ...]


def seal(records: Sequence[Record], *, origin: str, previous: str | None, signer: Signer) -> bytes:
    """Write placed records as one signed object; ValueError for what exceeds a bound."""
    if not 1 <= len(records) <= MAX_RECORDS:
        raise ValueError(f"a batch has 1 to {MAX_RECORDS} records, not {len(records)}")
    written = [record_bytes(record) for record in records]
    head = Head(
        origin=origin,
        key=signer.key.text,
        first=records[0].index,
        size=records[0].index + len(records),
        previous=previous,
        records=_digest_of_records(written),
    )
    signature = to_base64(signer.sign(head.message)).encode()
    return _joined(head.message, written, signature)


def record_bytes(record: Record) -> bytes:
    """Write one record; ValueError if it is not what a reader accepts."""
    try:
        written = canonical_bytes(record.to_json())
    except RecursionError:
        raise ValueError("a record's facts are nested too deep") from None
    if len(written) > MAX_RECORD_BYTES:
        raise ValueError(
            f"a record has at most {MAX_RECORD_BYTES} bytes, not {len(written)}: "
            "larger content belongs into evidence"
        )
    read_record(json.loads(written))
    return written


def unseal(data: bytes, *, where: str, trusted: TrustedKey) -> LedgerObject:
    """Read an object and check all that can be checked without its neighbours.

    Raises FindingError for damage, LedgerNewerError for what a newer release wrote. Only what is
    authentic is interpreted.
    """
    reading = _Reading(where=where, trusted=trusted)
    if len(data) > MAX_BYTES:
        reading.stop(Flaw.TOO_LARGE, f"The object has more than {MAX_BYTES} bytes.")
    value = reading.parsed(data)
    head = reading.head(value)
    written = reading.canonical(value, data=data, head=head)
    reading.authentic(head, value["signature"])
    reading.bounded(head, written)
    return LedgerObject(head=head, records=reading.records(head, value["records"]))


@dataclass(frozen=True, kw_only=True)
class _Reading:
    where: str
    trusted: TrustedKey

    def stop(self, flaw: Flaw, sentence: str, *, index: int | None = None) -> NoReturn:
        raise FindingError(Finding(flaw=flaw, where=self.where, sentence=sentence, index=index))

    def parsed(self, data: bytes) -> dict[str, Any]:
        try:
            value = _DECODER.decode(data.decode())
        except _FloatError:
            self.stop(Flaw.FLOAT, "It holds a number that is not a whole one.")
        except (ValueError, RecursionError):
            self.stop(Flaw.UNREADABLE, "It is not JSON.")
        if not isinstance(value, dict) or type(value.get("format")) is not int:
            self.stop(Flaw.MALFORMED, "It is not a ledger object: it says no format.")
        if value["format"] > FORMAT:
            raise LedgerNewerError(
                f"{self.where} has format {value['format']}, this release reads up to {FORMAT}."
            )
        if value["format"] != FORMAT or set(value) != {"format", "head", "records", "signature"}:
            self.stop(Flaw.MALFORMED, "It is not a ledger object of format 1.")
        return value

    def head(self, value: Mapping[str, Any]) -> Head:
        fields, records = value["head"], value["records"]
        if not isinstance(fields, dict):
            self.stop(Flaw.MALFORMED, "Its head is not an object.")
        try:
            check_head(fields)
        except ValueError as error:
            self.stop(Flaw.MALFORMED, f"Not a head of format 1: {error}.")
        if not isinstance(records, list) or not isinstance(value["signature"], str):
            self.stop(Flaw.MALFORMED, "It has no list of records or no signature.")
        return Head(**fields)

    def canonical(self, value: Mapping[str, Any], *, data: bytes, head: Head) -> list[bytes]:
        try:
            written = [_canonical(record) for record in value["records"]]
            again = _joined(head.message, written, value["signature"].encode())
        except (ValueError, RecursionError):
            self.stop(Flaw.NOT_CANONICAL, "It holds text or keys that have no canonical form.")
        if again != data:
            repeated = _repeated_key(data)
            if repeated is not None:
                self.stop(Flaw.DUPLICATE_KEY, f"The key {repeated!a} is there twice.")
            self.stop(Flaw.NOT_CANONICAL, "Its bytes are not the canonical form of its content.")
        return written

    def authentic(self, head: Head, signature: str) -> None:
        if head.key != self.trusted.text:
            self.stop(Flaw.OTHER_KEY, "It is signed with a key that is not the pinned one.")
        try:
            raw = from_base64(signature, _SIGNATURE_BYTES)
        except ValueError:
            self.stop(Flaw.BAD_SIGNATURE, "Its signature is not 64 bytes in base64.")
        if not self.trusted.verifies(raw, head.message):
            self.stop(Flaw.BAD_SIGNATURE, "Its signature does not fit its head.")

    def bounded(self, head: Head, written: Sequence[bytes]) -> None:
        if head.records != _digest_of_records(written):
            self.stop(Flaw.RECORDS_ALTERED, "Its records are not those that were signed.")
        if not 1 <= len(written) <= MAX_RECORDS:
            self.stop(Flaw.TOO_LARGE, f"It holds {len(written)} records, not 1 to {MAX_RECORDS}.")
        if head.size != head.first + len(written):
            self.stop(Flaw.MALFORMED, "Its head's size is not that of its records.")
        for index, record in enumerate(written, head.first):
            if len(record) > MAX_RECORD_BYTES:
                sentence = f"The record has more than {MAX_RECORD_BYTES} bytes."
                self.stop(Flaw.TOO_LARGE, sentence, index=index)

    def records(self, head: Head, values: Sequence[Any]) -> tuple[Record, ...]:
        return tuple(self.record(value, index) for index, value in enumerate(values, head.first))

    def record(self, value: Any, index: int) -> Record:
        if not isinstance(value, dict):
            self.stop(Flaw.MALFORMED, "The record is not an object.", index=index)
        operation = value.get("operation")
        if isinstance(operation, str) and operation not in _OPERATIONS:
            raise LedgerNewerError(
                f"{self.where}, record {index}: this release does not know {operation!a}."
            )
        try:
            record = read_record(value)
        except ValueError as error:
            self.stop(Flaw.MALFORMED, f"Not a record of format 1: {error}.", index=index)
        if record.index != index:
            self.stop(
                Flaw.WRONG_INDEX, f"The record says that it is number {record.index}.", index=index
            )
        return record


class _FloatError(ValueError):
    """The text holds a number that canonical JSON has not."""


def _refuse_float(_: str) -> NoReturn:
    raise _FloatError


_DECODER = json.JSONDecoder(parse_float=_refuse_float, parse_constant=_refuse_float)
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_OPERATIONS = frozenset(operation.value for operation in Operation)


def _canonical(value: Any) -> bytes:
    text = _ENCODER.encode(value)
    # ASCII is its own normal form; most records are, and the walk is dear.
    return text.encode() if text.isascii() else canonical_bytes(value)


def _joined(message: bytes, records: Sequence[bytes], signature: bytes) -> bytes:
    # The message is {"format":1,"head":{...}}: the keys before "records" in their order.
    return b'%b,"records":[%b],"signature":"%b"}' % (message[:-1], b",".join(records), signature)


def _digest_of_records(written: Sequence[bytes]) -> str:
    return digest_of([file_digest([record]) for record in written])


def _repeated_key(data: bytes) -> str | None:
    repeated: list[str] = []

    def look(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        counts = Counter(name for name, _ in pairs)
        repeated.extend(name for name, count in counts.items() if count > 1)
        return dict(pairs)

    json.loads(data, object_pairs_hook=look)
    return repeated[0] if repeated else None
