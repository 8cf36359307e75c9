"""The ledger as remembered in memory: the folded state, and where everything stands."""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Generic, TypeAlias, TypeVar

from modelwarden.audit.objects import LedgerObject
from modelwarden.domain.records import Record
from modelwarden.domain.state import ModelKey

S = TypeVar("S")

Fold: TypeAlias = Callable[[S, Record], S]


class Book(Generic[S]):
    """What has been read so far; an object is taken in whole or not at all."""

    def __init__(self, fold: Fold[S], initial: S) -> None:
        self.state = initial
        self.records: list[Record] = []
        self._fold = fold
        self._of_model: dict[ModelKey, list[int]] = {}
        self._of_transaction: dict[str, list[int]] = {}
        self._heads: dict[int, str] = {}

    def folded(self, records: Sequence[Record]) -> S:
        """Say what the state would be after these records; whatever the fold raises passes up."""
        return reduce(self._fold, records, self.state)

    def add(self, read: LedgerObject) -> None:
        """Take an object in."""
        # The fold first: it is all that can fail.
        self.state = self.folded(read.records)
        self.records.extend(read.records)
        self._heads[read.head.size] = read.head.digest
        for record in read.records:
            self._of_model.setdefault(model_of(record), []).append(record.index)
            self._of_transaction.setdefault(record.transaction, []).append(record.index)

    def head_at(self, size: int) -> str | None:
        """Give the head's digest at so many records; None if no object ends there."""
        return self._heads.get(size)

    def last_index(self, model: ModelKey) -> int:
        """Give the index of a model's newest record; -1 if it has none."""
        return self._of_model.get(model, [-1])[-1]

    def of_model(self, model: ModelKey) -> tuple[Record, ...]:
        """Give all records of a model in order."""
        return tuple(self.records[index] for index in self._of_model.get(model, ()))

    def of_transaction(self, transaction: str) -> tuple[Record, ...]:
        """Give the records of a transaction; none if it is not in the ledger."""
        return tuple(self.records[index] for index in self._of_transaction.get(transaction, ()))


def model_of(record: Record) -> ModelKey:
    """Name the model that a record is about; two empty texts for the ledger itself."""
    return ModelKey(record.namespace, record.model)
