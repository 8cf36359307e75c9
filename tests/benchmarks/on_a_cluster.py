"""What needs a real cluster: admission, promotions, thousands of versions, a controller at rest."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from modelwarden.cluster.client import ApiClient
from modelwarden.cluster.paths import MODEL_POLICIES, MODEL_VERSIONS, MODELS
from tests.benchmarks.crowd import Crowd, version
from tests.benchmarks.laboratory import (
    Laboratory,
    cpu_seconds,
    holds,
    peak_megabytes,
    seconds_until,
)
from tests.benchmarks.measured import Measured, Number, median
from tests.cluster.arena import policy
from tests.cluster.controllers import HostController
from tests.cluster.installed import Installed
from tests.cluster.running import until

CREATED = 60
MANY, FEW, OTHERS = 5_000, 50, 100
EVENTS, OPERATIONS = 50, 20
REST_SECONDS = 30


def admission(lab: Laboratory) -> Iterator[Measured]:
    """Create versions with all admission of the chart, and then with none of it."""
    with lab.installed.cluster.namespace("admission") as namespace:
        _ = lab.controller
        checked = asyncio.run(_creations(lab, namespace, first=1))
        with _without_admission(lab.installed):
            free = asyncio.run(_creations(lab, namespace, first=1 + CREATED))
    yield Measured(
        "creating a ModelVersion with all admission, to none of it", checked, free, at_most=2.5
    )


async def _creations(lab: Laboratory, namespace: str, *, first: int) -> float:
    times = []
    async with await lab.client() as client:
        for number in range(first, first + CREATED):
            body = version("unknown", number, namespace)
            began = time.perf_counter()
            await client.create(MODEL_VERSIONS, body)
            times.append(time.perf_counter() - began)
    return median(times)


@contextmanager
def _without_admission(installed: Installed) -> Iterator[None]:
    """Take away every policy and webhook of the chart, and put them back."""
    cluster, kept = installed.cluster, []
    for kind in (
        "validatingadmissionpolicybindings",
        "validatingwebhookconfigurations",
        "mutatingwebhookconfigurations",
    ):
        ours = (kind, "--selector=app.kubernetes.io/name=modelwarden")
        for found in cluster.get(*ours)["items"]:
            metadata = {key: found["metadata"].get(key, {}) for key in ("labels", "annotations")}
            kept.append(found | {"metadata": metadata | {"name": found["metadata"]["name"]}})
        cluster.kubectl(None, "delete", *ours)
    try:
        yield
    finally:
        cluster.apply(*kept)


def crowd(lab: Laboratory) -> Iterator[Measured | Number]:
    """Start with ten thousand versions, and work with them there."""
    sizes = {"many": MANY} | {f"few-{number}": FEW for number in range(1, 1 + OTHERS)}
    with lab.installed.cluster.namespace("crowd") as namespace:
        people = Crowd(namespace, sizes)
        controller = lab.controller
        asyncio.run(_prepare(lab, people, controller))
        _start(controller)
        controller.stop()
        total = f"{sum(sizes.values()):,} versions"
        yield Number(f"controller start to synced, {total}", _start(controller), "s", at_most=10)
        pid = controller.pid
        yield Number(f"its memory at most, {total}", peak_megabytes(pid), "MB", at_most=250)
        before = cpu_seconds(pid)
        time.sleep(REST_SECONDS)
        used = 1000 * (cpu_seconds(pid) - before) / REST_SECONDS
        yield Number(f"CPU at rest, {total}, in thousandths of a core", used, "m")
        yield from asyncio.run(_operations(lab, people))
        controller.stop()


async def _prepare(lab: Laboratory, people: Crowd, controller: HostController) -> None:
    async with await lab.client("platform") as client:
        await client.apply(MODEL_POLICIES, policy())
        stored = await people.create(client)
    await people.record(controller.ledger, lab.ledger_key(), stored)


def _start(controller: HostController) -> float:
    """Start it, and wait until it has looked at everything; gives the seconds."""
    began = time.perf_counter()
    controller.start()
    until(lambda: _is_idle(controller), what="it is synced", within=900, every=0.02)
    return time.perf_counter() - began


def _is_idle(controller: HostController) -> bool:
    if not controller.is_ready():
        return False
    try:
        metrics = controller.metrics()
    except OSError:
        # It has no time to answer: it is not idle.
        return False
    return metrics["modelwarden_queue_depth"] == 0 and metrics["modelwarden_queue_busy"] == 0


async def _operations(lab: Laboratory, people: Crowd) -> list[Measured | Number]:
    async with await lab.client("platform") as client:
        events = [await _event(client, people, number) for number in range(EVENTS)]
        times = {}
        for name in ("many", "few-1"):
            first = people.sizes[name] + 1
            numbers = range(first, first + OPERATIONS)
            times[name, "registered"] = median(
                [await _registered(client, people, name, number) for number in numbers]
            )
            times[name, "in_production"] = median(
                [await _in_production(client, people, name, number) for number in numbers]
            )
    crowds = f"with {MANY:,} versions of the model, to {FEW}"
    return [
        Number("event to status, p50", 1000 * median(events), "ms", at_most=20),
        *(
            Measured(f"{words} {crowds}", times["many", what], times["few-1", what], at_most=1.1)
            for what, words in (("registered", "registering"), ("in_production", "promoting"))
        ),
    ]


async def _event(client: ApiClient, people: Crowd, number: int) -> float:
    patch = {"spec": {"description": f"Seen {number} times."}}
    began = time.perf_counter()
    edited = await client.patch(MODELS, "few-2", patch, namespace=people.namespace)
    generation = edited["metadata"]["generation"]
    return await seconds_until(
        lambda: client.get(MODELS, "few-2", people.namespace),
        lambda read: read["status"]["observedGeneration"] == generation,
        since=began,
    )


async def _registered(client: ApiClient, people: Crowd, name: str, number: int) -> float:
    began = time.perf_counter()
    await client.create(MODEL_VERSIONS, version(name, number, people.namespace))
    return await seconds_until(
        lambda: client.get(MODEL_VERSIONS, f"{name}-{number}", people.namespace),
        holds("Ready"),
        since=began,
    )


async def _in_production(client: ApiClient, people: Crowd, name: str, number: int) -> float:
    entry = {"version": number, "reason": f"Candidate {number}."}
    patch = {"spec": {"stages": {"production": entry}}}
    began = time.perf_counter()
    await client.patch(MODELS, name, patch, namespace=people.namespace)
    return await seconds_until(
        lambda: client.get(MODEL_VERSIONS, f"{name}-{number}", people.namespace),
        lambda read: read["status"].get("stage") == "Production",
        since=began,
    )
