"""The ledger as its one writer holds it: read and verified once, appended to ever after."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Self
from uuid import uuid4

from modelwarden.audit.anchor import Anchor
from modelwarden.audit.book import Book, Fold, S, model_of
from modelwarden.audit.chain import Chain, all_objects, later, objects_from
from modelwarden.audit.evidence import read_evidence, write_evidence
from modelwarden.audit.objects import MAX_RECORDS, LedgerObject, record_bytes, seal, unseal
from modelwarden.audit.shape import MAX_INDEX
from modelwarden.audit.signing import Signer
from modelwarden.audit.store import Store, ledger_key
from modelwarden.domain.records import Operation, Record
from modelwarden.domain.state import ModelKey
from modelwarden.errors import (
    LedgerConflictError,
    LedgerLostError,
    LedgerUnavailableError,
    MisconfiguredError,
)


class Ledger(Generic[S]):
    """One writer's view of the ledger.

    Memory follows the store: a record is in `state` only after the store has it. All blocking
    work runs in threads; one append at a time talks to the store, and takes along whoever waits.
    """

    def __init__(self, store: Store, signer: Signer, *, fold: Fold[S], initial: S) -> None:
        self._store = store
        self._signer = signer
        self._book = Book(fold, initial)
        self._chain = Chain()
        self._turn = asyncio.Lock()
        self._waiting: list[_Request] = []

    @classmethod
    async def open(
        cls,
        store: Store,
        signer: Signer,
        *,
        fold: Fold[S],
        initial: S,
        genesis: Record,
        anchor: Anchor | None = None,
    ) -> Self:
        """Read and verify everything; begin with `genesis` if there is nothing and no anchor.

        Raises LedgerLostError if the anchor knows more or other than the store, LedgerBrokenError
        at the first flaw, LedgerNewerError for what this release cannot read, MisconfiguredError
        if the key is not the anchor's.
        """
        if anchor is not None and anchor.key != signer.key.text:
            raise MisconfiguredError(
                "The ledger's key is not the one that its anchor names: restore the Secret."
            )
        ledger = cls(store, signer, fold=fold, initial=initial)
        # Thousands of records take seconds, in which the Lease has to be renewed.
        await asyncio.to_thread(ledger._take_all)
        if anchor is not None:
            ledger.check(anchor)
        elif ledger.size == 0:
            await ledger._begin(genesis)
        return ledger

    @property
    def state(self) -> S:
        """The fold of all records."""
        return self._book.state

    @property
    def size(self) -> int:
        """How many records there are."""
        return len(self._book.records)

    @property
    def origin(self) -> str:
        """The random name that this ledger was given at its genesis."""
        return self._chain.origin or ""

    @property
    def head(self) -> str:
        """The digest of the newest object's head."""
        return self._chain.head or ""

    @property
    def anchor(self) -> Anchor:
        """What to remember outside of the store."""
        return Anchor(origin=self.origin, size=self.size, head=self.head, key=self._signer.key.text)

    def last_index(self, model: ModelKey) -> int:
        """Give the index of a model's newest record; -1 if it has none."""
        return self._book.last_index(model)

    def records(self, model: ModelKey | None = None) -> tuple[Record, ...]:
        """Give the records of a model in order, or all."""
        return tuple(self._book.records) if model is None else self._book.of_model(model)

    def check(self, anchor: Anchor) -> None:
        """Raise LedgerLostError unless the ledger is the anchor's, or that one continued."""
        if self.size < anchor.size:
            raise LedgerLostError(
                f"The ledger has {self.size} records, its anchor knows {anchor.size}."
            )
        if self.origin != anchor.origin:
            raise LedgerLostError(
                f"The ledger's origin is {self.origin}, its anchor's is {anchor.origin}."
            )
        if self._book.head_at(anchor.size) != anchor.head:
            raise LedgerLostError(
                f"The ledger's first {anchor.size} records are not those that its anchor knows."
            )

    async def append(
        self, model: ModelKey, records: Sequence[Record], *, expected_last_index: int
    ) -> tuple[Record, ...]:
        """Commit the records of one transaction about one model, all or none; give them placed.

        A transaction that the ledger has already is answered with its records. Raises
        LedgerConflictError if the model has got another record since `expected_last_index`,
        LedgerUnavailableError if the store does not answer, ValueError for records that the ledger
        does not take. A time before the newest record's is written as that one's: clocks differ,
        the ledger's time stands still rather than go back.
        """
        request = _Request(model=model, records=_valid(model, records), after=expected_last_index)
        if self.last_index(model) == expected_last_index:
            # What does not fold is its author's to know, and not of those it would travel with.
            self._book.folded(self._placed(request.records))
        self._waiting.append(request)
        try:
            async with self._turn:
                if request.outcome is None:
                    # What it raises is the answer of every request that it took along.
                    with contextlib.suppress(Exception):
                        await self._commit(tuple(self._waiting))
        finally:
            self._waiting.remove(request)
        return request.result()

    async def refresh(self) -> tuple[Record, ...]:
        """Read and verify what another writer appended; give the new records."""
        async with self._turn:
            return await self._read_on()

    async def put_evidence(self, value: Mapping[str, Any] | bytes) -> str:
        """Keep content under its digest, before a record names it; give the digest."""
        return await asyncio.to_thread(write_evidence, self._store, value)

    async def read_evidence(self, digest: str) -> bytes:
        """Read content by its digest; LedgerBrokenError if it is missing or altered."""
        return await asyncio.to_thread(read_evidence, self._store, digest)

    async def _begin(self, genesis: Record) -> None:
        if genesis.operation is not Operation.GENESIS:
            raise ValueError("a ledger begins with a genesis record")
        origin = str(uuid4())
        facts = {**genesis.facts, "origin": origin, "key": self._signer.key.text}
        first = replace(genesis, facts=facts, index=0)
        async with self._turn:
            await self._write([first], origin)

    async def _commit(self, requests: Sequence["_Request"]) -> None:
        try:
            while batch := self._next_batch(requests):
                records = [record for one in batch for record in one.records]
                await self._write(self._placed(records), self.origin)
        except Exception as error:
            for request in requests:
                request.fail(error)
            raise

    def _next_batch(self, requests: Sequence["_Request"]) -> list["_Request"]:
        batch: list[_Request] = []
        for request in requests:
            if request.outcome is None:
                self._answer(request)
            room = MAX_RECORDS - sum(len(one.records) for one in batch)
            if (
                request.outcome is None
                and len(request.records) <= room
                and not any(request.must_see(one) for one in batch)
            ):
                batch.append(request)
        return batch

    def _answer(self, request: "_Request") -> None:
        there = self._book.of_transaction(request.transaction)
        if there and model_of(there[0]) != request.model:
            request.fail(ValueError(f"{request.transaction!r} is another model's transaction"))
        elif there:
            # Written just now, or before an answer was lost: the ledger's word counts.
            request.outcome = there
        elif self.last_index(request.model) != request.after:
            newest = self.last_index(request.model)
            request.fail(
                LedgerConflictError(
                    f"The newest record of {'/'.join(request.model)} is {newest}, "
                    f"the decision was made at {request.after}."
                )
            )

    def _placed(self, records: Sequence[Record]) -> list[Record]:
        placed, time = [], self._chain.time
        for index, record in enumerate(records, self.size):
            time = later(time, record.time)
            placed.append(replace(record, index=index, time=time))
        return placed

    async def _write(self, placed: Sequence[Record], origin: str) -> None:
        """Write the next object, or read what has taken its name."""
        written = await asyncio.to_thread(self._put, placed, origin)
        if written is not None:
            self._take(ledger_key(placed[0].index), written)
        elif not await self._read_on():
            raise LedgerUnavailableError(
                "The store says that the next name is taken, but shows nothing there."
            )

    def _put(self, placed: Sequence[Record], origin: str) -> LedgerObject | None:
        """Create the next object; None if the name is taken."""
        key = ledger_key(placed[0].index)
        data = seal(placed, origin=origin, previous=self._chain.head, signer=self._signer)
        # What could not be read again must not be written.
        written = unseal(data, where=key, trusted=self._signer.key)
        self._chain.expect(key, written)
        self._book.folded(written.records)
        try:
            created = self._store.put_if_absent(key, data)
        except LedgerUnavailableError:
            # Perhaps only the answer was lost: the same again tells.
            created = self._store.put_if_absent(key, data)
        return written if created else None

    async def _read_on(self) -> tuple[Record, ...]:
        size = self.size
        new = objects_from(self._store, self._signer.key, size=size)
        for key, read in await asyncio.to_thread(list, new):
            self._take(key, read)
        return tuple(self._book.records[size:])

    def _take_all(self) -> None:
        for key, read in all_objects(self._store, self._signer.key):
            self._take(key, read)

    def _take(self, key: str, read: LedgerObject) -> None:
        self._chain.expect(key, read)
        self._book.add(read)
        self._chain.add(read)


@dataclass(kw_only=True)
class _Request:
    model: ModelKey
    records: Sequence[Record]
    after: int
    outcome: tuple[Record, ...] | Exception | None = None

    @property
    def transaction(self) -> str:
        return self.records[0].transaction

    def must_see(self, other: "_Request") -> bool:
        """Say whether the answer hangs on what becomes of another request."""
        return self.model == other.model or self.transaction == other.transaction

    def fail(self, error: Exception) -> None:
        if self.outcome is None:
            self.outcome = error

    def result(self) -> tuple[Record, ...]:
        if self.outcome is None:
            raise LedgerUnavailableError("The append was given up before the store answered.")
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def _valid(model: ModelKey, records: Sequence[Record]) -> tuple[Record, ...]:
    """Refuse what would fail the batch of others."""
    if not 1 <= len(records) <= MAX_RECORDS:
        raise ValueError(f"an append has 1 to {MAX_RECORDS} records, not {len(records)}")
    for record in records:
        record_bytes(record.at(MAX_INDEX - 1))
        if model_of(record) != model:
            raise ValueError(f"an append about {'/'.join(model)} has a record of another model")
        if record.transaction != records[0].transaction:
            raise ValueError("the records of one append have one transaction")
        if record.operation is Operation.GENESIS:
            raise ValueError("a ledger has one genesis record, its first")
    return tuple(records)
