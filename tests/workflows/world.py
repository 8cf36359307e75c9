"""A small world around a Reconciler: the controllers that a cluster has, and people who vote."""

import contextlib
import copy
import itertools
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from modelwarden.audit.keys import create_key, load_signer
from modelwarden.audit.ledger import Ledger
from modelwarden.audit.memory import MemoryStore
from modelwarden.cluster.answers import ApiError
from modelwarden.cluster.paths import (
    DEPLOYMENTS,
    JOBS,
    MODEL_DECISIONS,
    MODEL_POLICIES,
    MODEL_TRANSITIONS,
    MODEL_VERSIONS,
    MODELS,
    PODS,
)
from modelwarden.domain.fold import fold
from modelwarden.domain.labels import API_VERSION
from modelwarden.domain.records import Actor, Operation, Record
from modelwarden.domain.scribe import timestamp
from modelwarden.domain.state import LedgerState, ModelKey
from modelwarden.errors import LedgerUnavailableError, ModelwardenError, UnavailableError
from modelwarden.metrics import Metrics
from modelwarden.resources.model import Model
from modelwarden.resources.model_transition import ModelTransition
from modelwarden.resources.model_version import ModelVersion
from modelwarden.settings import parse
from modelwarden.workflows.reconcile import Reconciler
from tests import builders
from tests.fakes.api_server import FakeApiServer

KEY = ModelKey(builders.NAMESPACE, builders.MODEL)
GATES = "modelwarden-gates"
SETTINGS = parse(
    """
gates: {image: validator@sha256:0, namespace: modelwarden-gates}
stores: [{name: models, uriPrefix: "s3://models/{namespace}/", secret: models}]
identity: {people: [{name: scientist@example.com, logins: [platform@example.com]}]}
"""
)
KINDS = {MODELS: Model, MODEL_VERSIONS: ModelVersion, MODEL_TRANSITIONS: ModelTransition}
PASS: dict[str, Any] = {"outcome": "Passed", "code": "ArtifactSound", "sentence": "It is sound."}


@dataclass
class Clock:
    """A clock that moves when told, and a little each time it is read."""

    now: datetime = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Tell the time."""
        self.now += timedelta(milliseconds=5)
        return self.now


@dataclass
class World:
    """An API server, a ledger, a Reconciler and whatever else makes things happen."""

    server: FakeApiServer
    store: MemoryStore = field(default_factory=MemoryStore)
    clock: Clock = field(default_factory=Clock)
    key: str = field(default_factory=create_key)
    gate_result: dict[str, Any] = field(default_factory=lambda: dict(PASS))
    allowed: Any = None
    metrics: Metrics = field(default_factory=Metrics.create)

    @classmethod
    def of(cls, server: FakeApiServer) -> Self:
        """Put a policy, a Model and its Deployment into an empty cluster."""
        world = cls(server)
        server.clock = lambda: world.clock.now
        server.put(MODEL_POLICIES, builders.policy())
        server.put(MODELS, builders.model())
        server.put(DEPLOYMENTS, builders.deployment())
        world.roll_out()
        return world

    def copied_onto(self, server: FakeApiServer) -> Self:
        """Begin another world where this one is, on another server."""
        server.store = copy.deepcopy(self.server.store, {id(self.server): server})
        return replace(
            self,
            server=server,
            store=MemoryStore(dict(self.store.objects)),
            clock=replace(self.clock),
            metrics=Metrics.create(),
        )

    async def ledger(self) -> Ledger[LedgerState]:
        """Open the ledger as a starting controller does."""
        genesis = Record(
            operation=Operation.GENESIS,
            time=timestamp(self.clock()),
            transaction="genesis",
            actor=Actor(username="operator"),
        )
        return await Ledger.open(
            self.store, load_signer(self.key), fold=fold, initial=LedgerState(), genesis=genesis
        )

    @contextlib.asynccontextmanager
    async def controller(self) -> AsyncIterator[Reconciler]:
        """Start a controller."""
        async with self.server.client() as client:
            yield Reconciler(
                client=client,
                ledger=await self.ledger(),
                settings=SETTINGS,
                metrics=self.metrics,
                clock=self.clock,
            )

    async def look(self, *touched: str) -> float | None:
        """Start a controller and let it look once; what it writes is what the schema takes."""
        async with self.controller() as controller:
            again = await controller.reconcile(KEY, frozenset(touched))
        self.check_statuses()
        return again

    def check_statuses(self) -> list[str]:
        """Read every object with its status as the API server's schema would; name them."""
        return [
            str(kind.parse(found).kind)
            for resource, kind in KINDS.items()
            for found in self.server.all(resource, builders.NAMESPACE)
        ]

    async def settle(self, *touched: str, rounds: int = 12) -> None:
        """Let controllers and the cluster take turns until nothing changes."""
        for _ in range(rounds):
            before = (dict(self.store.objects), self.server.store.version)
            await self.look(*touched)
            self.run_gates()
            self.roll_out()
            if before == (dict(self.store.objects), self.server.store.version):
                return
        raise AssertionError(f"not settled after {rounds} rounds")

    async def settle_through_faults(self, *touched: str) -> None:
        """Settle as above, with a controller that is started again whenever it dies."""
        for _ in range(60):
            try:
                await self.settle(*touched)
            except (UnavailableError, LedgerUnavailableError, ApiError, ModelwardenError):
                self.server.recover()
                continue
            return
        raise AssertionError("not settled")

    def run_gates(self) -> None:
        """Run every gate Job as a kubelet would: the pod ends, its message stays."""
        for job in self.server.all(JOBS, GATES):
            self._end_pod(job, _terminated(job, self.gate_result))

    def kill_gates(self) -> None:
        """End the pod of every gate Job before it could say anything."""
        for job in self.server.all(JOBS, GATES):
            self._end_pod(job, {"name": "validate", "state": {"terminated": {"exitCode": 137}}})

    def delete_gates(self) -> None:
        """Delete every gate Job; its pods are still ending."""
        for job in self.server.all(JOBS, GATES):
            left = [_copy(pod) for pod in self.server.all(PODS, GATES)]
            self.server.remove(JOBS, job["metadata"]["name"], GATES)
            for pod in left:
                self.server.put(PODS, pod)

    def _end_pod(self, job: dict[str, Any], ended: dict[str, Any]) -> None:
        name, uid = job["metadata"]["name"], job["metadata"]["uid"]
        owner = {"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": uid}
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"{name}-{uid[:5]}",
                "namespace": GATES,
                "labels": job["metadata"]["labels"],
                "ownerReferences": [{**owner, "controller": True}],
            },
            "spec": {},
            "status": {"containerStatuses": [ended]},
        }
        self.server.put(PODS, pod)

    def roll_out(self) -> None:
        """Roll every Deployment out as its controller would."""
        for live in self.server.all(DEPLOYMENTS, builders.NAMESPACE):
            replicas = live["spec"].get("replicas", 1)
            live["status"] = {
                "observedGeneration": live["metadata"].get("generation", 1),
                "replicas": replicas,
                "updatedReplicas": replicas,
                "readyReplicas": replicas,
                "availableReplicas": replicas,
                "conditions": [
                    {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}
                ],
            }
            self.server.put(DEPLOYMENTS, live)

    def register(self, number: int = 1, **spec: Any) -> None:
        """Register a version."""
        self.server.put(MODEL_VERSIONS, builders.version(number, **spec))

    def ask(self, request: str, surface: dict[str, Any], *parts: str, **stamp: Any) -> None:
        """Edit the stages surface as one request, stamped as admission stamps it."""
        model = self.server.get(MODELS, builders.MODEL, builders.NAMESPACE)
        authors = [
            {**item, "of": [part for part in item["of"] if part not in parts]}
            for item in model["spec"].get("authors", [])
        ]
        kept = [item for item in authors if item["of"]]
        model["spec"] |= {
            "stages": surface,
            "authors": [*kept, builders.author(request, *parts, **stamp)],
        }
        self.server.put(MODELS, model)

    def vote(self, attempt: str, by: dict[str, Any], kind: str = "Approve", **spec: Any) -> None:
        """Vote as a person does who has looked at the attempt."""
        transition = self.transition(attempt)
        status = transition.get("status", {})
        self.clock.now += timedelta(seconds=2)
        number = next(_NUMBERS)
        said = {
            "model": builders.MODEL,
            "version": transition["spec"]["version"],
            "stage": transition["spec"]["to"],
            "transition": {"name": attempt, "uid": transition["metadata"]["uid"]},
            "decision": kind,
            "reviewed": {
                "subjectDigest": transition["spec"]["subjectDigest"],
                "policyDigest": transition["spec"].get("policy", {}).get("digest", builders.DIGEST),
                "evidenceDigest": status.get("evidenceDigest", builders.DIGEST),
            },
            "rationale": "Looked at it.",
            "by": by,
            **spec,
        }
        self.server.put(
            MODEL_DECISIONS,
            {
                "apiVersion": API_VERSION,
                "kind": "ModelDecision",
                "metadata": {
                    "name": f"vote-{number}",
                    "namespace": builders.NAMESPACE,
                    "creationTimestamp": timestamp(self.clock.now),
                },
                "spec": {name: value for name, value in said.items() if value is not None},
            },
        )

    def transition(self, name: str) -> dict[str, Any]:
        """Read an attempt."""
        return self.server.get(MODEL_TRANSITIONS, name, builders.NAMESPACE)

    def model(self) -> dict[str, Any]:
        """Read the Model."""
        return self.server.get(MODELS, builders.MODEL, builders.NAMESPACE)

    def stage(self, number: int) -> str:
        """Read the stage that a version's status shows."""
        name = f"{builders.MODEL}-{number}"
        found = self.server.get(MODEL_VERSIONS, name, builders.NAMESPACE)
        return str(found.get("status", {}).get("stage", ""))

    def carried(self, name: str = "fraud-api") -> dict[str, str]:
        """Read what the pods of a Deployment carry of ours."""
        live = self.server.get(DEPLOYMENTS, name, builders.NAMESPACE)
        labels = live["spec"]["template"]["metadata"].get("labels", {})
        return {key: value for key, value in labels.items() if key.startswith("modelwarden.io/")}

    def records(self) -> list[tuple[str, str]]:
        """List what the ledger holds: operations, each with the attempt."""
        return [(record["operation"], record["transition"]) for record in self.ledger_records()]

    def ledger_records(self) -> list[dict[str, Any]]:
        """Read every record of the ledger."""
        found: list[dict[str, Any]] = []
        for name in sorted(self.store.objects):
            if name.startswith("ledger/"):
                found += json.loads(self.store.objects[name])["records"]
        return found

    def version_condition(self, number: int, kind: str) -> tuple[str, str]:
        """Read a condition of a version: its status and reason."""
        name = f"{builders.MODEL}-{number}"
        found = self.server.get(MODEL_VERSIONS, name, builders.NAMESPACE)
        return _condition(found, kind)

    def attempt_condition(self, name: str, kind: str) -> tuple[str, str]:
        """Read a condition of an attempt: its status and reason."""
        return _condition(self.transition(name), kind)

    def condition(self, kind: str) -> tuple[str, str]:
        """Read a condition of the Model: its status and reason."""
        return _condition(self.model(), kind)

    def picture(self) -> list[Any]:
        """Everything that the controller writes into the cluster, without the names of versions."""
        kinds = (MODELS, MODEL_VERSIONS, MODEL_TRANSITIONS)
        status = [
            (kind.plural, found["metadata"]["name"], _timeless(found.get("status", {})))
            for kind in kinds
            for found in self.server.all(kind, builders.NAMESPACE)
        ]
        return [*status, self.carried(), len(self.server.all(JOBS, GATES))]


_NUMBERS = itertools.count(1)


def _copy(found: dict[str, Any]) -> dict[str, Any]:
    kept = ("name", "namespace", "labels", "ownerReferences")
    return {**found, "metadata": {key: found["metadata"][key] for key in kept}}


def _condition(found: dict[str, Any], kind: str) -> tuple[str, str]:
    conditions = found["status"]["conditions"]
    return next((c["status"], c["reason"]) for c in conditions if c["type"] == kind)


def _terminated(job: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    container = job["spec"]["template"]["spec"]["containers"][0]
    task = json.loads(next(e["value"] for e in container["env"] if e["name"] == "MODELWARDEN_GATE"))
    artifact = task["artifact"]
    message = {
        "format": 1,
        "gate": task["gate"],
        "subject": {"uri": artifact["uri"], "digest": artifact["digest"]},
        "checks": [],
        "facts": {},
        "startedAt": "2026-11-24T12:00:00Z",
        "endedAt": "2026-11-24T12:00:01Z",
        **answer,
    }
    exit_code = {"Passed": 0, "Failed": 1, "Inconclusive": 2}[answer["outcome"]]
    return {
        "name": "validate",
        "state": {"terminated": {"exitCode": exit_code, "message": json.dumps(message)}},
    }


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        timed = ("lastTransitionTime", "since", "time", "from", "to", "at", "finishedAt")
        return {k: _timeless(v) for k, v in value.items() if k not in timed}
    if isinstance(value, list):
        return [_timeless(item) for item in value]
    return value
