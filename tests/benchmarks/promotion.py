"""From the request to Production, told in how long the gate's own Job takes for itself."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelwarden.cli.ballots import Ballot, may_be_voted_on
from modelwarden.cluster.access import who_am_i
from modelwarden.cluster.client import ApiClient, JsonObject
from modelwarden.cluster.paths import (
    JOBS,
    MODEL_DECISIONS,
    MODEL_POLICIES,
    MODEL_TRANSITIONS,
    MODEL_VERSIONS,
    MODELS,
)
from modelwarden.domain import labels
from modelwarden.domain.digests import file_digest
from modelwarden.domain.identity import Caller
from modelwarden.domain.labels import API_VERSION
from tests import builders
from tests.benchmarks.crowd import model, version
from tests.benchmarks.laboratory import Laboratory, holds, seconds_until
from tests.benchmarks.measured import Measured, median
from tests.cluster.arena import model_file
from tests.cluster.example import Example
from tests.cluster.installed import GATES, STORE_SECRET

POLICY, NAME = "noop-job", "promoted"
ROUNDS = 7
VOTERS = ("owner", "reviewer")
PASSES = """
import os, pathlib
pathlib.Path(os.environ["MODELWARDEN_RESULT"]).write_text('{"outcome": "Passed"}')
"""


def promotion(lab: Laboratory) -> Iterator[Measured]:
    """Ask for versions one after another, and run the Job of each once more without a registry."""
    with lab.installed.cluster.namespace("promotion") as namespace:
        Example(lab.installed, namespace, lab.folder).set_up()
        _ = lab.controller
        lab.installed.secret(STORE_SECRET, namespace)
        artifact = _uploaded(lab, namespace)
        pairs = asyncio.run(_measured(lab, namespace, artifact))
    asked, alone = (median(times) for times in zip(*pairs, strict=True))
    yield Measured(
        "request to Production with a no-op Job, to that Job alone", asked, alone, at_most=1.0
    )


def _uploaded(lab: Laboratory, namespace: str) -> dict[str, str]:
    file: Path = model_file(lab.folder)
    uri = lab.installed.upload(file, f"{namespace}/{NAME}/model.onnx")
    return {"uri": uri, "digest": file_digest([file.read_bytes()])}


async def _measured(
    lab: Laboratory, namespace: str, artifact: dict[str, str]
) -> list[tuple[float, float]]:
    image = lab.installed.cluster.by_digest(lab.installed.images["validator"])
    lab.controller.start()
    async with _people(lab) as (platform, voters):
        await platform.apply(MODEL_POLICIES, _policy(image))
        await platform.create(MODELS, model(NAME, namespace, policy=POLICY))
        for number in range(1, 1 + ROUNDS):
            body = version(NAME, number, namespace)
            body["spec"]["artifact"] |= artifact
            await platform.create(MODEL_VERSIONS, body)
        race = Race(platform, voters, namespace)
        return [await race.run(number) for number in range(1, 1 + ROUNDS)]


@dataclass(frozen=True)
class Voter:
    """Somebody who approves whatever comes."""

    client: ApiClient
    caller: Caller

    async def approve(self, attempt: JsonObject) -> None:
        """Vote for an attempt."""
        ballot = Ballot(kind="Approve", attempt=attempt, rationale="Measured.", by=self.caller)
        await self.client.create(MODEL_DECISIONS, ballot.to_json())


@asynccontextmanager
async def _people(lab: Laboratory) -> AsyncIterator[tuple[ApiClient, list[Voter]]]:
    async with AsyncExitStack() as stack:
        voters = []
        for name in VOTERS:
            client = await stack.enter_async_context(await lab.client(name))
            me = await who_am_i(client)
            caller = Caller(username=me.username, uid=me.uid, groups=me.groups)
            voters.append(Voter(client, caller))
        yield await stack.enter_async_context(await lab.client("platform")), voters


@dataclass(frozen=True)
class Race:
    """The registry's whole way, and the same Job on its own."""

    client: ApiClient
    voters: list[Voter]
    namespace: str

    async def run(self, number: int) -> tuple[float, float]:
        """Give the seconds of both, one after the other so that neither disturbs the other."""
        await seconds_until(
            lambda: self._version(number), holds("Ready"), since=time.perf_counter()
        )
        began = time.perf_counter()
        await self._ask(number)
        job = await self._job(number, since=began)
        attempt = await self._voting(number, since=began)
        await asyncio.gather(*(voter.approve(attempt) for voter in self.voters))
        asked = await seconds_until(
            lambda: self._version(number),
            lambda read: read["status"].get("stage") == "Production",
            since=began,
        )
        return asked, await self._alone(job, f"alone-{number}")

    async def _await_registered(self, number: int) -> None:
        began = time.perf_counter()
        await seconds_until(lambda: self._version(number), holds("Ready"), since=began)

    async def _ask(self, number: int) -> None:
        entry = {"version": number, "reason": f"Release {number}."}
        patch = {"spec": {"stages": {"production": entry}}}
        await self.client.patch(MODELS, NAME, patch, namespace=self.namespace)

    async def _version(self, number: int) -> JsonObject:
        return await self.client.get(MODEL_VERSIONS, f"{NAME}-{number}", self.namespace)

    async def _job(self, number: int, *, since: float) -> JsonObject:
        """Wait for the gate's Job, and read it."""
        found: list[JsonObject] = []

        async def look() -> dict[str, Any]:
            jobs = await self.client.list(JOBS, GATES)
            found[:] = [job for job in jobs if _is_of(job, self.namespace, number)]
            return {}

        await seconds_until(look, lambda _: bool(found), since=since)
        return found[0]

    async def _voting(self, number: int, *, since: float) -> JsonObject:
        """Wait until votes are open."""
        name = f"{NAME}-{number}-production-1"
        read: list[JsonObject] = []

        async def look() -> dict[str, Any]:
            read[:] = [await self.client.get(MODEL_TRANSITIONS, name, self.namespace)]
            return {}

        await seconds_until(look, lambda _: may_be_voted_on(read[0]) is None, since=since)
        return read[0]

    async def _alone(self, job: JsonObject, name: str) -> float:
        """Create a Job like it, and wait until Kubernetes calls it complete."""
        pod = {**job["spec"]["template"]["spec"], "serviceAccountName": "default"}
        kept = ("backoffLimit", "activeDeadlineSeconds", "podReplacementPolicy")
        spec = {key: job["spec"][key] for key in kept if key in job["spec"]}
        body = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {**spec, "template": {"spec": pod}},
        }
        began = time.perf_counter()
        await self.client.create(JOBS, body)
        return await seconds_until(
            lambda: self.client.get(JOBS, name, self.namespace), holds("Complete"), since=began
        )


def _policy(image: str) -> JsonObject:
    noop = {
        "name": "noop",
        "job": {"image": image, "command": ["/opt/modelwarden/bin/python", "-c", PASSES]},
    }
    quality = {"name": "quality", "metrics": {}}
    approvals = {"owners": 1, "reviewers": 1, "expireAfterSeconds": 3600}
    steps = [
        {"to": "Registered", "gates": [quality]},
        {"to": "Staging", "gates": [quality]},
        {"to": "Production", "gates": [quality, noop], "approvals": approvals},
    ]
    written = builders.policy(POLICY)
    spec = {"allowedFormats": ["ONNX"], "steps": steps}
    return {**written, "apiVersion": API_VERSION, "spec": spec}


def _is_of(job: JsonObject, namespace: str, number: int) -> bool:
    notes = job["metadata"].get("annotations", {})
    attempt = f"{namespace}/{NAME}-{number}-production-1"
    return bool(notes.get(labels.TRANSITION) == attempt)
