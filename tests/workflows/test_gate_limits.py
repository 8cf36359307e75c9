"""No more gates run than may, whoever asks; the others wait in words, and follow in their order."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from modelwarden.cluster.answers import ApiError
from modelwarden.cluster.paths import (
    JOBS,
    MODEL_TRANSITIONS,
    MODEL_VERSIONS,
    MODELS,
    NETWORK_POLICIES,
    PODS,
)
from modelwarden.domain import labels
from modelwarden.domain.names import job_name
from modelwarden.domain.state import ModelKey
from modelwarden.settings import parse
from modelwarden.workflows.leftovers import close_forgotten_ways
from modelwarden.workflows.reconcile import Reconciler
from tests import builders
from tests.fakes.api_server import Call, FakeApiServer
from tests.fakes.store import RefusalError
from tests.workflows.world import GATES, KEY, World

OTHER = ModelKey(builders.NAMESPACE, "churn")


@dataclass
class Busy:
    """A world in which one gate may run at a time, with one controller and who it woke."""

    world: World
    controller: Reconciler
    woken: list[ModelKey] = field(default_factory=list)

    async def look(self, key: ModelKey, *touched: str) -> float | None:
        return await self.controller.reconcile(key, frozenset(touched))

    def jobs(self) -> list[str]:
        """Name the Models whose gates run."""
        found = self.world.server.all(JOBS, GATES)
        return [job["metadata"]["labels"][labels.MODEL] for job in found]

    def waits(self, attempt: str) -> list[tuple[str, str]]:
        found = self.world.server.get(MODEL_TRANSITIONS, attempt, builders.NAMESPACE)
        unmet = found["status"].get("unmet", [])
        return [(item["code"], item["message"]) for item in unmet]


@pytest.fixture
async def busy() -> AsyncIterator[Busy]:
    settings = parse(
        """
        gates: {image: validator@sha256:0, maxPerNamespace: 1, maxInAll: 2}
        stores: [{name: models, uriPrefix: "s3://models/{namespace}/", secret: models}]
        """
    )
    async with FakeApiServer() as server, server.client() as client:
        world = World.of(server)
        woken: list[ModelKey] = []
        controller = Reconciler(
            client=client,
            ledger=await world.ledger(),
            settings=settings,
            metrics=world.metrics,
            clock=world.clock,
            wake=woken.append,
        )
        model = builders.model(serving=[])
        server.put(MODELS, model | {"metadata": model["metadata"] | {"name": OTHER.name}})
        yield Busy(world, controller, woken)


def register_other(busy: Busy) -> None:
    """Register a version of the second Model."""
    record = builders.version(1, model=OTHER.name)
    record["metadata"] |= {"name": f"{OTHER.name}-1"}
    busy.world.server.put(MODEL_VERSIONS, record)


async def test_what_finds_no_place_waits_and_says_for_what(busy: Busy) -> None:
    busy.world.register(1)
    await busy.look(KEY, "fraud-detector-1")
    register_other(busy)

    again = await busy.look(OTHER, "churn-1")

    assert busy.jobs() == [KEY.name]
    assert busy.waits("churn-1-registered-1") == [
        (
            "GateQueued",
            "Gate artifact waits for its turn: for namespace risk as many run as may at once (1).",
        )
    ]
    assert again == 60.0


async def test_where_a_gate_ends_the_one_that_waits_is_woken_and_starts(busy: Busy) -> None:
    busy.world.register(1)
    await busy.look(KEY, "fraud-detector-1")
    register_other(busy)
    await busy.look(OTHER, "churn-1")
    busy.world.run_gates()

    await busy.look(KEY)
    woken = list(busy.woken)
    await busy.look(OTHER)

    assert (woken, busy.jobs()) == ([OTHER], [OTHER.name])


async def test_versions_of_one_model_take_turns_in_the_order_in_which_they_were_asked(
    busy: Busy,
) -> None:
    for number in (1, 2, 3):
        busy.world.register(number)
        await busy.look(KEY, f"fraud-detector-{number}")
    order = []
    for _ in range(3):
        (job,) = busy.world.server.all(JOBS, GATES)
        order.append(job["metadata"]["annotations"][labels.TRANSITION].partition("/")[2])
        busy.world.run_gates()
        await busy.look(KEY)

    assert order == [f"fraud-detector-{number}-registered-1" for number in (1, 2, 3)]
    assert busy.jobs() == []


async def test_two_models_that_are_looked_at_together_take_one_place(busy: Busy) -> None:
    busy.world.register(1)
    register_other(busy)
    await asyncio.gather(busy.look(KEY, "fraud-detector-1"), busy.look(OTHER, "churn-1"))

    assert len(busy.jobs()) == 1


async def test_a_model_that_cannot_be_looked_at_lets_the_next_one_through(busy: Busy) -> None:
    def reads_it(call: Call) -> bool:
        return call.resource == MODELS and call.name == OTHER.name

    busy.world.register(1)
    await busy.look(KEY, "fraud-detector-1")
    register_other(busy)
    await busy.look(OTHER, "churn-1")
    busy.world.register(2)
    await busy.look(KEY, "fraud-detector-2")
    broken = RefusalError(500, "InternalError", "boom")
    busy.world.server.fail(where=reads_it, answer=broken, times=100)
    with contextlib.suppress(ApiError):
        await busy.look(OTHER)
    busy.world.run_gates()

    await busy.look(KEY)

    assert busy.jobs() == [KEY.name]


async def test_an_end_without_a_look_that_needs_places_wakes_all_the_same(busy: Busy) -> None:
    busy.world.register(1)
    await busy.look(KEY, "fraud-detector-1")
    register_other(busy)
    await busy.look(OTHER, "churn-1")
    busy.world.gate_result = {"outcome": "Failed", "code": "Broken", "sentence": "It is broken."}
    busy.world.run_gates()

    await busy.look(KEY)

    assert busy.woken == [OTHER]


def stranger(busy: Busy, name: str, attempt: str) -> dict[str, Any]:
    """Place a gate Job of an attempt that no record asked for."""
    job = busy.world.server.all(JOBS, GATES)[0]
    metadata = job["metadata"]
    notes = metadata["annotations"] | {labels.TRANSITION: f"risk/{attempt}"}
    copy = {
        **job,
        "metadata": {
            "name": name,
            "namespace": GATES,
            "labels": metadata["labels"],
            "annotations": notes,
        },
    }
    return busy.world.server.put(JOBS, copy)


async def test_a_job_that_no_record_asked_for_is_removed_if_its_name_is_one_of_ours(
    busy: Busy,
) -> None:
    busy.world.register(1)
    await busy.look(KEY, "fraud-detector-1")
    origin = (await busy.world.ledger()).origin
    ours = job_name(origin, KEY.namespace, attempt="gone-1", gate="artifact", tries=1)
    stranger(busy, ours, "gone-1")
    stranger(busy, "mw-of-another-ledger", "gone-2")

    await busy.look(KEY)

    left = {job["metadata"]["name"] for job in busy.world.server.all(JOBS, GATES)}
    assert ours not in left
    assert "mw-of-another-ledger" in left


def way_out(busy: Busy, name: str, age: int) -> None:
    """Place a network policy of a gate, so many seconds old."""
    busy.world.clock.now -= timedelta(seconds=age)
    busy.world.server.put(
        NETWORK_POLICIES,
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {
                "name": name,
                "namespace": GATES,
                "labels": {labels.MANAGED_BY: labels.FIELD_MANAGER, labels.ATTEMPT: "uid"},
            },
            "spec": {},
        },
    )
    busy.world.clock.now += timedelta(seconds=age)


async def test_a_way_out_whose_job_is_gone_for_long_is_closed(busy: Busy) -> None:
    busy.world.register(1)
    await busy.look(KEY, "fraud-detector-1")
    (job,) = busy.world.server.all(JOBS, GATES)
    way_out(busy, job["metadata"]["name"], age=9000)
    way_out(busy, "mw-forgotten", age=601)
    way_out(busy, "mw-being-made", age=599)

    async with busy.world.server.client() as client:
        await close_forgotten_ways(client, GATES, now=busy.world.clock.now)

    left = {found["metadata"]["name"] for found in busy.world.server.all(NETWORK_POLICIES, GATES)}
    assert left == {job["metadata"]["name"], "mw-being-made"}


async def test_a_gate_whose_pod_has_ended_keeps_its_place_until_it_is_recorded(busy: Busy) -> None:
    busy.world.register(1)
    await busy.look(KEY, "fraud-detector-1")
    busy.world.run_gates()
    register_other(busy)

    await busy.look(OTHER, "churn-1")

    assert busy.jobs() == [KEY.name]
    assert len(busy.world.server.all(PODS, GATES)) == 1
