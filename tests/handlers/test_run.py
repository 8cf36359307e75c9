import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from modelwarden.audit.ledger import Ledger
from modelwarden.cluster.paths import (
    CUSTOM_RESOURCE_DEFINITIONS,
    DEPLOYMENTS,
    JOBS,
    LEASES,
    MODEL_DECISIONS,
    MODEL_POLICIES,
    MODEL_TRANSITIONS,
    MODEL_VERSIONS,
    MODELS,
    PODS,
    SECRETS,
    Resource,
)
from modelwarden.domain.records import Actor, Operation, Record
from modelwarden.domain.state import LedgerState, ModelKey
from modelwarden.errors import LeadershipLostError, LedgerLostError, MisconfiguredError
from modelwarden.handlers.run import MISCONFIGURED, run_controller
from modelwarden.settings import Settings
from tests.fakes.api_server import FakeApiServer
from tests.handlers.conftest import Running, Start
from tests.waiting import eventually

FRAUD = ModelKey("risk", "fraud")
LABELS = {"modelwarden.io/model": "fraud", "modelwarden.io/attempt": "uid"}
NOTES = {"modelwarden.io/transition": "risk/fraud-1-staging-1"}


def stored(name: str, namespace: str = "risk", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


def gate(name: str) -> dict[str, Any]:
    metadata = {
        "name": name,
        "namespace": "modelwarden-gates",
        "labels": LABELS,
        "annotations": NOTES,
    }
    return {"metadata": metadata}


def annotations(server: FakeApiServer) -> dict[str, str]:
    lease = server.get(LEASES, "modelwarden-controller", "modelwarden-system")
    return dict(lease["metadata"].get("annotations") or {})


async def ready(running: Running) -> None:
    async with asyncio.timeout(10):
        while True:
            assert not running.task.done(), running.task.exception()
            await asyncio.sleep(0.02)
            if not list(running.controller.not_ready()):
                await running.controller._watchers.ready()
                return


async def watching(running: Running, server: FakeApiServer) -> None:
    """Wait until every kind has been listed, which is when it is watched."""
    await ready(running)
    kinds = {"models", "modelversions", "modeltransitions", "modeldecisions", "deployments"}
    wanted = kinds | {"pods", "jobs", "modelpolicies"}
    await eventually(lambda: {call.resource.plural for call in server.watches} >= wanted)


@pytest.mark.parametrize(
    ("resource", "body", "names"),
    [
        (MODELS, stored("fraud"), set()),
        (MODEL_VERSIONS, stored("fraud-1", model="fraud", version=1), {"fraud-1"}),
        (MODEL_TRANSITIONS, stored("t", model="fraud", version=1), {"fraud-1", "t"}),
        (MODEL_DECISIONS, stored("d", model="fraud", version=1), {"fraud-1"}),
        (
            DEPLOYMENTS,
            {"metadata": {"name": "api", "namespace": "risk", "labels": LABELS}},
            set(),
        ),
        (JOBS, gate("job"), {"fraud-1"}),
        (PODS, gate("pod"), {"fraud-1"}),
    ],
    ids=lambda value: value.plural if isinstance(value, Resource) else "",
)
async def test_a_change_leads_to_a_look_at_its_model(
    start: Start, server: FakeApiServer, resource: Resource, body: Any, names: set[str]
) -> None:
    async with start() as running:
        await watching(running, server)

        server.put(resource, body)

        await eventually(lambda: (FRAUD, frozenset(names)) in running.seen)


async def test_a_changed_policy_leads_to_a_look_at_every_model(
    start: Start, server: FakeApiServer
) -> None:
    server.put(MODELS, stored("fraud"))
    async with start() as running:
        await watching(running, server)
        await eventually(lambda: running.seen)
        running.seen.clear()

        server.put(MODEL_POLICIES, {"metadata": {"name": "standard"}})

        await eventually(lambda: (FRAUD, frozenset()) in running.seen)


async def test_the_start_looks_at_every_model_and_at_what_has_not_come_to_its_end(
    start: Start, server: FakeApiServer
) -> None:
    waiting = {"observedGeneration": 1}
    registering = {
        **waiting,
        "stage": "Registered",
        "conditions": [{"type": "Ready", "status": "Unknown"}],
    }
    settled = {**registering, "conditions": [{"type": "Ready", "status": "True"}]}
    for number, status in enumerate((settled, {}, waiting, registering), 1):
        version = stored(f"fraud-{number}", model="fraud", version=number)
        server.put(MODEL_VERSIONS, version | {"status": status})
    orphan = stored("fraud-5-staging-1", model="fraud", version=5)
    server.put(MODEL_TRANSITIONS, orphan)
    async with start() as running:
        await ready(running)
        await running.controller._sweeper.sweep()

        names = frozenset({"fraud-2", "fraud-3", "fraud-4", "fraud-5", "fraud-5-staging-1"})
        await eventually(lambda: (FRAUD, names) in running.seen)


async def test_the_ledger_begins_with_a_key_and_is_anchored_in_the_lease(
    start: Start, server: FakeApiServer, settings: Settings
) -> None:
    async with start() as running:
        await ready(running)
        await eventually(lambda: annotations(server).get("modelwarden.io/ledger-size") == "1")
        key = server.get(SECRETS, "modelwarden-ledger-key", "modelwarden-system")
        assert list(key["data"]) == ["ed25519.pem"]
        assert await running.ask("/readyz") == (200, "ok\n")
        _, text = await running.ask("/metrics")
        assert "modelwarden_ledger_size 1.0" in text
        assert "modelwarden_leader 1.0" in text


async def test_what_a_look_records_is_counted_and_anchored(
    start: Start, server: FakeApiServer
) -> None:
    review = Record(
        operation=Operation.REVIEW,
        time="2026-11-24T08:00:00Z",
        transaction="t",
        actor=Actor(username="owner@example.com"),
        namespace=FRAUD.namespace,
        model=FRAUD.name,
    )

    async def record(ledger: Ledger[LedgerState], key: ModelKey) -> None:
        if ledger.last_index(key) < 0:
            await ledger.append(key, [review], expected_last_index=-1)

    server.put(MODELS, stored("fraud"))
    async with start(record) as running:
        await ready(running)
        await eventually(lambda: annotations(server).get("modelwarden.io/ledger-size") == "2")
        _, text = await running.ask("/metrics")

    assert 'modelwarden_ledger_appends_total{operation="Review"} 1.0' in text


async def test_an_emptied_ledger_is_lost_and_the_process_stays(
    start: Start, server: FakeApiServer, settings: Settings
) -> None:
    server.put(MODELS, stored("fraud"))
    async with start() as running:
        await ready(running)
    shutil.rmtree(settings.ledger.directory)

    async with start() as running:
        await eventually(lambda: running.seen)
        status, text = await running.ask("/readyz")

        assert (status, text.partition(":")[0]) == (503, "LedgerLost")
        assert isinstance(running.problems[-1], LedgerLostError)
        assert await running.ask("/healthz") == (200, "ok\n")
        _, numbers = await running.ask("/metrics")
        assert 'modelwarden_ledger_problem{reason="LedgerLost"} 1.0' in numbers


async def test_a_lost_key_is_not_replaced(
    start: Start, server: FakeApiServer, settings: Settings
) -> None:
    async with start() as running:
        await ready(running)
    server.remove(SECRETS, "modelwarden-ledger-key", "modelwarden-system")
    key = {"name": "modelwarden-ledger-key", "namespace": "modelwarden-system"}
    server.put(SECRETS, {"metadata": key})

    async with start() as running:
        with pytest.raises(MisconfiguredError, match="restore the Secret"):
            await asyncio.wait_for(running.task, timeout=10)


async def test_a_stop_gives_the_lease_back(start: Start, server: FakeApiServer) -> None:
    async with start() as running:
        await watching(running, server)

        running.stop.set()
        await asyncio.wait_for(running.task, timeout=10)

    lease = server.get(LEASES, "modelwarden-controller", "modelwarden-system")
    assert lease["spec"]["holderIdentity"] == ""


async def test_a_lost_lease_ends_the_process(start: Start, server: FakeApiServer) -> None:
    async with start() as running:
        await ready(running)
        lease = server.get(LEASES, "modelwarden-controller", "modelwarden-system")

        server.put(LEASES, lease | {"spec": lease["spec"] | {"holderIdentity": "another"}})

        with pytest.raises(LeadershipLostError):
            await asyncio.wait_for(running.task, timeout=10)


async def test_old_definitions_are_refused(start: Start, server: FakeApiServer) -> None:
    server.remove(CUSTOM_RESOURCE_DEFINITIONS, "models.modelwarden.io")

    async with start() as running:
        with pytest.raises(MisconfiguredError, match=r"models\.modelwarden\.io"):
            await asyncio.wait_for(running.task, timeout=10)


def test_a_mistake_in_the_settings_has_its_own_exit_code(tmp_path: Path) -> None:
    assert run_controller(tmp_path / "none.yaml") == MISCONFIGURED
