"""Making the cluster show what the ledger says: every write of the controller is here."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from modelwarden.cluster.answers import ApiError
from modelwarden.cluster.client import ApiClient
from modelwarden.cluster.paths import (
    DEPLOYMENTS,
    JOBS,
    MODEL_TRANSITIONS,
    MODEL_VERSIONS,
    MODELS,
    NETWORK_POLICIES,
)
from modelwarden.domain.facts import RunFacts, Snapshot, TransitionFacts
from modelwarden.domain.installation import GateLimits
from modelwarden.domain.labels import API_VERSION
from modelwarden.domain.opening import NewAttempt
from modelwarden.domain.projection import JobOrder, LabelOrder, Projection, StatusOrder
from modelwarden.domain.slots import Slots, granted
from modelwarden.domain.state import ModelKey
from modelwarden.settings import Gates
from modelwarden.workflows.brought_jobs import network_policy
from modelwarden.workflows.refusals import is_refusal
from modelwarden.workflows.run_facts import OF_GATES, running_jobs
from modelwarden.workflows.runs import job_manifest

_KINDS = {"Model": MODELS, "ModelVersion": MODEL_VERSIONS, "ModelTransition": MODEL_TRANSITIONS}


@dataclass(frozen=True, kw_only=True)
class Applier:
    """Writes; every effect may be repeated, and says who is in the way where one is.

    `refused` is told of each gate Job that the API server will not take.
    """

    client: ApiClient
    gates: Gates
    limits: GateLimits
    refused: Callable[[ModelKey, JobOrder, ApiError], None]
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def create_attempt(self, key: ModelKey, attempt: NewAttempt) -> None:
        """Create the ModelTransition; its spec is what will have decided."""
        body = {
            "apiVersion": API_VERSION,
            "kind": "ModelTransition",
            "metadata": {"name": attempt.name, "namespace": key.namespace},
            "spec": dict(attempt.spec),
        }
        await self._create(MODEL_TRANSITIONS, body)

    async def discard_attempt(self, key: ModelKey, transition: TransitionFacts) -> None:
        """Delete an attempt that no record names; by uid, so that it is no other one."""
        await self._delete(MODEL_TRANSITIONS, transition.name, key.namespace, uid=transition.uid)

    async def project(self, snapshot: Snapshot, projection: Projection) -> tuple[JobOrder, ...]:
        """Bring Jobs, labels and status to what they must be, in this order.

        Gives the Jobs that were not started, for others took the last places meanwhile.
        """
        # A result is only let go of once its record is there, which this picture was drawn from.
        for run in projection.finished:
            await self._delete_run(run)
        # What has gone has made room.
        late = await self._start_all(snapshot.key, projection.jobs)
        for label_order in projection.labels:
            await self._label(snapshot.key, label_order)
        for status in projection.statuses:
            await self.write_status(snapshot, status)
        return late

    async def _start_all(self, key: ModelKey, orders: tuple[JobOrder, ...]) -> tuple[JobOrder, ...]:
        """Create Jobs as far as there are places, counted again: other Models may be as far."""
        if not orders:
            return ()
        async with self.one_at_a_time:
            jobs = await self.client.list(JOBS, self.gates.namespace, labels=OF_GATES)
            claims = [order.claim for order in orders]
            places = granted(claims, Slots(running=running_jobs(jobs)), limits=self.limits)
            there = {job["metadata"]["name"] for job in jobs}
            for order in orders:
                if order.name in places:
                    await self._start(key, order)
        return tuple(o for o in orders if o.name not in places and o.name not in there)

    async def _start(self, key: ModelKey, order: JobOrder) -> None:
        """Create a gate's Job, after what lets its pod out; a refusal is told and stops nothing."""
        ways_out = network_policy(order, self.gates)
        try:
            if ways_out is not None:
                await self._create(NETWORK_POLICIES, ways_out)
            await self._create(JOBS, job_manifest(order, self.gates))
        except ApiError as error:
            if not is_refusal(error):
                raise
            self.refused(key, order, error)

    async def _delete_run(self, run: RunFacts) -> None:
        if not run.uid:
            # The API server never took it.
            return
        if run.has_ways_out:
            await self._delete(NETWORK_POLICIES, run.job, self.gates.namespace)
        await self._delete(JOBS, run.job, self.gates.namespace, uid=run.uid)

    async def _label(self, key: ModelKey, order: LabelOrder) -> None:
        """Apply our labels and annotations and nothing else, to the Deployment that was read."""
        wanted = order.wanted
        body: dict[str, Any] = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": order.deployment.name,
                "namespace": key.namespace,
                "uid": order.deployment.uid,
                "resourceVersion": order.deployment.resource_version,
                "labels": dict(wanted.labels),
                "annotations": dict(wanted.annotations),
            },
        }
        if wanted.template_labels:
            body["spec"] = {
                "template": {
                    "metadata": {
                        "labels": dict(wanted.template_labels),
                        "annotations": dict(wanted.template_annotations),
                    }
                }
            }
        await self.client.apply(DEPLOYMENTS, body, force=True)

    async def write_status(self, snapshot: Snapshot, order: StatusOrder) -> None:
        """Write a status where it differs, onto the object that was read."""
        if order.status == _status_before(snapshot, order):
            return
        await self.client.apply_status(
            _KINDS[order.kind],
            {
                "apiVersion": API_VERSION,
                "kind": order.kind,
                "metadata": {
                    "name": order.name,
                    "namespace": snapshot.key.namespace,
                    "uid": order.uid,
                    "resourceVersion": order.resource_version,
                },
                "status": order.status,
            },
        )

    async def _create(self, resource: Any, body: Mapping[str, Any]) -> None:
        try:
            await self.client.create(resource, dict(body))
        except ApiError as error:
            # A name is made from what it names: who was first made the same thing.
            if not error.is_already_exists:
                raise

    async def _delete(self, resource: Any, name: str, namespace: str, *, uid: str = "") -> None:
        try:
            await self.client.delete(resource, name, namespace, uid=uid)
        except ApiError as error:
            if not (error.is_not_found or error.is_conflict):
                raise


def _status_before(snapshot: Snapshot, order: StatusOrder) -> Mapping[str, Any]:
    if order.kind == "Model":
        return {} if snapshot.model is None else snapshot.model.status
    if order.kind == "ModelTransition":
        return snapshot.transitions[order.name].status
    return next(v.status for v in snapshot.versions.values() if v.name == order.name)
