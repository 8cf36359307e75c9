"""`make bench`: ratios, each measured within one run, so that the machine's speed drops out."""

import asyncio
import sys
import time
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from modelwarden.audit.keys import create_key, load_signer
from modelwarden.audit.ledger import Ledger
from modelwarden.audit.memory import MemoryStore
from modelwarden.audit.verify import verify
from modelwarden.domain.fold import fold, fold_model
from modelwarden.domain.records import Actor, Operation, Record
from modelwarden.domain.stages import Stage
from modelwarden.domain.state import LedgerState, ModelKey, ModelState

RECORDS = 1_000
MODELS = 20
FEW, MANY = 50, 5_000
REPEATS = 5


def main() -> int:
    """Measure and print, one line a ratio."""
    _print("verifying a ledger, to its bare signatures", *_verification())
    _print(f"folding a record at {MANY:,} versions, to one at {FEW}", *_folding())
    return 0


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

    return _fastest(lambda: verify(store, signer.key)), _fastest(bare)


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
        state = fold_model(state, _requested(key, number))
    record = _requested(key, versions + 1)
    return _fastest(lambda: [fold_model(state, record) for _ in range(200)])


def _requested(key: ModelKey, number: int) -> Record:
    return Record(
        operation=Operation.REQUESTED,
        time="2026-11-24T12:00:00.000Z",
        transaction=str(number),
        actor=Actor(username="pipeline"),
        namespace=key.namespace,
        model=key.name,
        version=number,
        transition=f"{key.name}-{number}-registered-1",
        subject="sha256:" + "a" * 64,
        evidence={"transition": "sha256:" + "b" * 64},
        uids={"transition": str(number), "version": str(number)},
        facts={
            "kind": "Register",
            "from": "",
            "to": Stage.REGISTERED.value,
            "number": 1,
            "requestId": str(number),
            "gates": ["metadata"],
            "artifact": {"uri": "s3://models/risk/m", "digest": "sha256:" + "c" * 64},
            "label": "",
        },
        index=number,
    )


def _record(transaction: str, *, operation: Operation, model: str) -> Record:
    return Record(
        operation=operation,
        time="2026-11-24T12:00:00.000Z",
        transaction=transaction,
        actor=Actor(username="operator"),
        namespace="risk" if model else "",
        model=model,
    )


def _fastest(work: Callable[[], object]) -> float:
    """Take the fastest of several runs: what else the machine does only ever adds."""
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def _print(what: str, measured: float, yardstick: float) -> None:
    sys.stdout.write(
        f"{what:<60} {measured / yardstick:6.1f}x   "
        f"({measured * 1000:.1f} ms to {yardstick * 1000:.1f} ms)\n"
    )


if __name__ == "__main__":
    sys.exit(main())
