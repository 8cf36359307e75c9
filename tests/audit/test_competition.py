"""Several writers, many models, every kind of fault: what holds whatever happens."""

import asyncio
import hashlib
import itertools
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from modelwarden.audit.ledger import Ledger
from modelwarden.audit.memory import Fault, MemoryStore
from modelwarden.audit.verify import verify
from modelwarden.domain.state import ModelKey
from modelwarden.errors import LedgerConflictError, LedgerUnavailableError
from tests.audit.builders import SIGNER, State, a_record, key_of, opened

MODELS = [ModelKey("risk", f"m{n}") for n in range(4)]


@dataclass
class Tally:
    """What the writers were told."""

    done: list[str] = field(default_factory=list)
    conflicts: int = 0
    outages: int = 0


async def write(
    ledger: Ledger[State], name: str, *, model: ModelKey, count: int, tally: Tally
) -> None:
    """Commit so many transactions about a model, deciding again after every refusal."""
    for number in range(count):
        transaction = f"{name}/{model.name}/{number}"
        while transaction not in tally.done:
            expected = ledger.last_index(model)
            await asyncio.sleep(0)
            record = a_record(transaction, model=model)
            try:
                await ledger.append(model, [record], expected_last_index=expected)
            except LedgerConflictError:
                tally.conflicts += 1
            except LedgerUnavailableError:
                tally.outages += 1
            else:
                tally.done.append(transaction)


class Flaky(MemoryStore):
    """A store that fails in every way, so many of ten times, in an order that the seed decides."""

    def __init__(self, seed: int, of_ten: int) -> None:
        super().__init__()
        self._seed = seed
        self._of_ten = of_ten
        self._calls = itertools.count()
        self._choosing = threading.Lock()

    @override
    def put_if_absent(self, key: str, data: bytes) -> bool:
        with self._choosing:
            chosen = hashlib.sha256(f"{self._seed}/{next(self._calls)}".encode()).digest()
            if key != key_of(0) and chosen[0] % 10 < self._of_ten:
                self.plan(list(Fault)[chosen[1] % len(Fault)])
            return super().put_if_absent(key, data)


def transactions_of(ledger: Ledger[State]) -> list[str]:
    return [record.transaction for record in ledger.records()[1:]]


async def assert_one_history(store: MemoryStore, ledgers: Sequence[Ledger[State]]) -> None:
    for ledger in ledgers:
        await ledger.refresh()
    fresh = await opened(store)
    assert [ledger.state for ledger in ledgers] == [fresh.state] * len(ledgers)
    assert [ledger.anchor for ledger in ledgers] == [fresh.anchor] * len(ledgers)
    result = verify(store, SIGNER.key, anchor=fresh.anchor)
    assert (result.findings, result.records) == ((), fresh.size)


@pytest.mark.parametrize("of_ten", [0, 3, 7])
@pytest.mark.parametrize("seed", range(3))
async def test_everything_that_was_acknowledged_is_there_once_and_nothing_else(
    seed: int, of_ten: int
) -> None:
    store = Flaky(seed, of_ten)
    ledgers = [await opened(store) for _ in range(3)]
    tally = Tally()

    await asyncio.wait_for(
        asyncio.gather(
            *(
                write(ledger, f"w{number}", model=model, count=8, tally=tally)
                for number, ledger in enumerate(ledgers)
                for model in MODELS
            )
        ),
        timeout=60,
    )

    await assert_one_history(store, ledgers)
    assert len(tally.done) == 3 * len(MODELS) * 8
    assert Counter(transactions_of(ledgers[0])) == Counter(tally.done)
    # Without competition and outages nothing would have been tried.
    assert tally.conflicts > 0
    assert (tally.outages > 0) == (of_ten > 0)


async def test_one_writer_of_many_models_never_meets_a_conflict() -> None:
    ledger = await opened(store := MemoryStore())
    tally = Tally()
    models = [ModelKey("risk", f"m{n}") for n in range(40)]

    await asyncio.gather(
        *(write(ledger, "w", model=model, count=5, tally=tally) for model in models)
    )

    assert (tally.conflicts, tally.outages, ledger.size) == (0, 0, 201)
    assert [len(ledger.records(model)) for model in models] == [5] * 40
    await assert_one_history(store, [ledger])


async def test_the_order_of_one_model_is_the_order_of_its_decisions() -> None:
    store = Flaky(7, 3)
    ledgers = [await opened(store) for _ in range(2)]
    tally = Tally()

    await asyncio.gather(
        *(
            write(ledger, f"w{number}", model=MODELS[0], count=20, tally=tally)
            for number, ledger in enumerate(ledgers)
        )
    )

    await assert_one_history(store, ledgers)
    for number in range(2):
        own = [name for name in transactions_of(ledgers[0]) if name.startswith(f"w{number}/")]
        assert own == [f"w{number}/m0/{n}" for n in range(20)]


# One step: which of two writers acts, about which model, and what befalls its two calls.
STEPS = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.integers(0, 1),
        st.sampled_from([None, *Fault]),
        st.sampled_from([None, *Fault]),
        st.booleans(),
    ),
    max_size=12,
)


@settings(deadline=None)
@given(STEPS)
def test_in_any_order_of_faults_and_writers_a_decision_is_never_made_on_an_old_record(
    steps: list[tuple[int, int, Fault | None, Fault | None, bool]],
) -> None:
    async def run() -> None:
        store = MemoryStore()
        ledgers = [await opened(store), await opened(store)]
        acknowledged: dict[str, int] = {}
        for number, (writer, which, first, second, refreshes) in enumerate(steps):
            ledger, model = ledgers[writer], MODELS[which]
            if refreshes:
                await ledger.refresh()
            expected = ledger.last_index(model)
            store.plan(first, second)
            record = a_record(f"t{number}", model=model)
            try:
                placed = await ledger.append(model, [record], expected_last_index=expected)
            except LedgerConflictError:
                assert ledger.last_index(model) > expected
            except LedgerUnavailableError:
                assert ledger.last_index(model) == expected
            else:
                acknowledged[f"t{number}"] = placed[0].index
                before = [r.index for r in ledger.records(model) if r.index < placed[0].index]
                assert before[-1:] == ([expected] if expected >= 0 else [])
            store.forget_plan()

        await assert_one_history(store, ledgers)
        there = {record.transaction: record.index for record in ledgers[0].records()}
        assert acknowledged.items() <= there.items()

    asyncio.run(run())
