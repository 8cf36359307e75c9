"""What needs no cluster: reading a ledger, and what it means."""

import asyncio
from collections.abc import Iterator
from functools import reduce

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from modelwarden.audit.keys import create_key, load_signer
from modelwarden.audit.ledger import Ledger
from modelwarden.audit.memory import MemoryStore
from modelwarden.audit.verify import verify
from modelwarden.domain.fold import fold, fold_model
from modelwarden.domain.records import Actor, Operation, Record
from modelwarden.domain.state import LedgerState, ModelKey, ModelState
from tests.benchmarks.crowd import registration
from tests.benchmarks.measured import Measured, fastest

RECORDS = 1_000
MODELS = 20
FEW, MANY = 50, 5_000


def measure() -> Iterator[Measured]:
    """Measure everything here."""
    yield Measured("verifying a ledger, to its bare signatures", *_verification())
    yield Measured(
        f"folding a registration at {MANY:,} versions, to one at {FEW}", *_folding(), at_most=1.1
    )


def _verification() -> tuple[float, float]:
    """Time to verify a ledger of one record an object, and to check as many signatures alone."""
    pem = create_key()
    signer, store = load_signer(pem), MemoryStore()
    asyncio.run(_filled(store, pem))
    key = Ed25519PrivateKey.generate()
    content = b"x" * 400
    signature = key.sign(content)
    public = key.public_key()

    def bare() -> None:
        for _ in range(RECORDS):
            public.verify(signature, content)

    return fastest(lambda: verify(store, signer.key)), fastest(bare)


async def _filled(store: MemoryStore, pem: str) -> None:
    ledger = await Ledger.open(
        store,
        load_signer(pem),
        fold=fold,
        initial=LedgerState(),
        genesis=_record("genesis", operation=Operation.GENESIS, model=""),
    )
    for number in range(RECORDS):
        key = ModelKey("risk", f"model-{number % MODELS}")
        await ledger.append(
            key,
            [_record(str(number), operation=Operation.NOTES_CHANGED, model=key.name)],
            expected_last_index=ledger.last_index(key),
        )


def _folding() -> tuple[float, float]:
    """Time to fold the same record into a Model with many versions, and into one with few."""
    return _fold_into(MANY), _fold_into(FEW)


def _fold_into(versions: int) -> float:
    key = ModelKey("risk", "model")
    state = ModelState(key=key)
    for number in range(1, versions + 1):
        state = reduce(fold_model, registration(key, number, index=3 * number), state)
    following = registration(key, versions + 1, index=3 * versions + 3)
    return fastest(lambda: [reduce(fold_model, following, state) for _ in range(200)])


def _record(transaction: str, *, operation: Operation, model: str) -> Record:
    return Record(
        operation=operation,
        time="2026-11-24T12:00:00.000Z",
        transaction=transaction,
        actor=Actor(username="operator"),
        namespace="risk" if model else "",
        model=model,
    )
