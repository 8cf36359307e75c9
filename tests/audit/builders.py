"""Ledgers for tests: records, keys, and a second hand that writes objects without asking."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from modelwarden.audit.anchor import Anchor
from modelwarden.audit.keys import load_signer
from modelwarden.audit.ledger import Ledger
from modelwarden.audit.memory import MemoryStore
from modelwarden.audit.signing import Signer
from modelwarden.audit.store import Store
from modelwarden.domain.records import Actor, Operation, Record
from modelwarden.domain.state import ModelKey

ORIGIN = "5d0c3c1e-2f50-4a2c-9a57-0d3f3f0f3a11"
FRAUD = ModelKey("risk", "fraud-detector")
CHURN = ModelKey("crm", "churn")

State = tuple[str, ...]


def signer_of(seed: int) -> Signer:
    key = Ed25519PrivateKey.from_private_bytes(bytes([seed] * 32))
    return load_signer(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


SIGNER = signer_of(1)
THIEF = signer_of(2)


def a_record(
    transaction: str,
    *,
    model: ModelKey = FRAUD,
    operation: Operation = Operation.VOTED,
    time: str = "2026-11-23T10:00:00Z",
    **changes: Any,
) -> Record:
    record = Record(
        operation=operation,
        time=time,
        transaction=transaction,
        actor=Actor(username="owner@example.com", uid="u-1", groups=("owners",)),
        namespace=model.namespace,
        model=model.name,
        version=2,
        rationale="Reviewed the segment report.",
        facts={"decision": "Approve", "roles": ["owner"]},
        build="test",
    )
    return replace(record, **changes)


def genesis(transaction: str = "begin", time: str = "2026-11-23T09:00:00Z") -> Record:
    return Record(
        operation=Operation.GENESIS,
        time=time,
        transaction=transaction,
        actor=Actor(username="operator"),
    )


def remember(state: State, record: Record) -> State:
    """Fold to the list of transactions; a record that says "cannot be" does not fold."""
    if record.rationale == "cannot be":
        raise ArithmeticError("this cannot be")
    return (*state, f"{record.index}:{record.transaction}")


async def opened(
    store: Store, *, signer: Signer = SIGNER, anchor: Anchor | None = None, begin: str = "begin"
) -> Ledger[State]:
    return await Ledger.open(
        store, signer, fold=remember, initial=(), genesis=genesis(begin), anchor=anchor
    )


def compact(value: Any) -> bytes:
    """Canonical JSON of ASCII content, written without the code under test."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def an_object(
    records: Sequence[Any],
    *,
    first: int,
    previous: str | None,
    signer: Signer = SIGNER,
    signature: str | None = None,
    head: Mapping[str, Any] | None = None,
    **top: Any,
) -> bytes:
    """Write and sign an object as the format says, true or not."""
    fields = {
        "origin": ORIGIN,
        "key": signer.key.text,
        "first": first,
        "size": first + len(records),
        "previous": previous,
        "records": sha256(compact([sha256(compact(record)) for record in records])),
        **(head or {}),
    }
    signed = compact({"format": 1, "head": fields})
    made = base64.b64encode(signer.sign(signed)).decode()
    value = {
        "format": 1,
        "head": fields,
        "records": list(records),
        "signature": made if signature is None else signature,
        **top,
    }
    return compact(value)


def head_of(data: bytes) -> str:
    value = json.loads(data)
    return sha256(compact({"format": 1, "head": value["head"]}))


def key_of(index: int) -> str:
    return f"ledger/{index:020d}"


def genesis_json(signer: Signer = SIGNER, origin: str = ORIGIN) -> dict[str, Any]:
    facts = {"origin": origin, "key": signer.key.text}
    return replace(genesis(), index=0, facts=facts).to_json()


def a_log(
    batches: Sequence[Sequence[Record | Mapping[str, Any]]], *, signer: Signer = SIGNER
) -> dict[str, bytes]:
    """Write a chain: genesis, then one object per batch; dictionaries are written as they are."""
    data = an_object([genesis_json(signer)], first=0, previous=None, signer=signer)
    objects, size = {key_of(0): data}, 1
    for batch in batches:
        records = [
            record.at(index).to_json() if isinstance(record, Record) else dict(record)
            for index, record in enumerate(batch, size)
        ]
        data = an_object(records, first=size, previous=head_of(data), signer=signer)
        objects[key_of(size)] = data
        size += len(records)
    return objects


def anchor_of(objects: Mapping[str, bytes], *, signer: Signer = SIGNER) -> Anchor:
    newest = objects[max(key for key in objects if key.startswith("ledger/"))]
    head = json.loads(newest)["head"]
    return Anchor(
        origin=head["origin"], size=head["size"], head=head_of(newest), key=signer.key.text
    )


def store_of(objects: Mapping[str, bytes]) -> MemoryStore:
    return MemoryStore(dict(objects))
