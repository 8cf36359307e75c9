"""Models with thousands of versions, their registrations already on record."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelwarden.audit.directory import DirectoryStore
from modelwarden.audit.keys import load_signer
from modelwarden.audit.ledger import Ledger
from modelwarden.cluster.client import ApiClient
from modelwarden.cluster.paths import MODEL_VERSIONS, MODELS
from modelwarden.domain.digests import subject_digest
from modelwarden.domain.fold import fold
from modelwarden.domain.labels import API_VERSION
from modelwarden.domain.records import Actor, Operation, Record
from modelwarden.domain.stages import Stage
from modelwarden.domain.state import LedgerState, ModelKey
from tests import builders

TIME = "2026-11-24T12:00:00.000Z"
OPERATOR = Actor(username="operator")
AT_ONCE = 16
VERSIONS_AN_APPEND = 80


@dataclass(frozen=True)
class Crowd:
    """Models by name, with how many versions each has."""

    namespace: str
    sizes: Mapping[str, int]

    async def create(self, client: ApiClient) -> dict[tuple[str, int], dict[str, Any]]:
        """Create all objects; gives every version as it was stored."""
        for name in self.sizes:
            await client.create(MODELS, model(name, self.namespace))
        stored: dict[tuple[str, int], dict[str, Any]] = {}
        gate = asyncio.Semaphore(AT_ONCE)

        async def make(name: str, number: int) -> None:
            async with gate:
                body = version(name, number, self.namespace)
                stored[name, number] = await client.create(MODEL_VERSIONS, body)

        await asyncio.gather(
            *(make(name, n) for name, size in self.sizes.items() for n in range(1, size + 1))
        )
        return stored

    async def record(
        self, directory: Path, pem: str, stored: Mapping[tuple[str, int], Mapping[str, Any]]
    ) -> None:
        """Write the registration of every version into a new ledger."""
        ledger = await Ledger.open(
            await asyncio.to_thread(DirectoryStore.open, directory),
            load_signer(pem),
            fold=fold,
            initial=LedgerState(),
            genesis=Record(
                operation=Operation.GENESIS, time=TIME, transaction="genesis", actor=OPERATOR
            ),
        )
        for name, size in self.sizes.items():
            key = ModelKey(self.namespace, name)
            for first in range(1, size + 1, VERSIONS_AN_APPEND):
                numbers = range(first, min(first + VERSIONS_AN_APPEND, size + 1))
                records = [
                    record
                    for number in numbers
                    for record in registration(key, number, stored=stored[name, number])
                ]
                await ledger.append(key, records, expected_last_index=ledger.last_index(key))


def registration(
    key: ModelKey, number: int, *, index: int = 0, stored: Mapping[str, Any] | None = None
) -> Iterator[Record]:
    """Write the records of a registration with one gate."""
    transition = f"{key.name}-{number}-registered-1"
    uid = stored["metadata"]["uid"] if stored else str(number)
    common = {
        "time": TIME,
        "transaction": f"{key.name}-{(number - 1) // VERSIONS_AN_APPEND}",
        "namespace": key.namespace,
        "model": key.name,
        "version": number,
        "transition": transition,
        "subject": subject_digest(stored["spec"]) if stored else "sha256:" + "a" * 64,
    }
    artifact = {"uri": "s3://models/risk/m", "digest": "sha256:" + "c" * 64}
    if stored:
        artifact = {name: stored["spec"]["artifact"][name] for name in ("uri", "digest")}
    requested = {
        "kind": "Register",
        "from": "",
        "to": Stage.REGISTERED.value,
        "number": 1,
        "requestId": uid,
        "gates": ["quality"],
        "artifact": artifact,
        "label": "",
    }
    finished = {
        "gate": "quality",
        "kind": "metrics",
        "outcome": "Passed",
        "code": "MetricsMet",
        "sentence": "Every rule holds.",
        "try": 1,
        "final": True,
    }
    yield Record(
        operation=Operation.REQUESTED,
        actor=Actor(username="pipeline"),
        evidence={"transition": "sha256:" + "b" * 64},
        uids={"transition": f"t-{number}", "version": uid},
        facts=requested,
        **common,
    ).at(index)
    yield Record(operation=Operation.GATE_FINISHED, actor=OPERATOR, facts=finished, **common).at(
        index + 1
    )
    yield Record(operation=Operation.REGISTERED, actor=OPERATOR, **common).at(index + 2)


def model(name: str, namespace: str, *, policy: str = "at-once") -> dict[str, Any]:
    """Write a Model that serves with nothing."""
    spec = builders.model(policy=policy, serving=[], stages={})["spec"]
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": API_VERSION, "kind": "Model", "metadata": metadata, "spec": spec}


def version(model: str, number: int, namespace: str) -> dict[str, Any]:
    """Write a version that nobody can bring: no gate of these policies reads it."""
    spec = builders.version(number)["spec"]
    del spec["registeredBy"]
    spec |= {"model": model}
    spec["artifact"] |= {"uri": f"s3://models/{namespace}/{model}/{number}/model.onnx"}
    metadata = {"name": f"{model}-{number}", "namespace": namespace}
    return {"apiVersion": API_VERSION, "kind": "ModelVersion", "metadata": metadata, "spec": spec}
