"""Ways out of the gates namespace whose Job is gone: closed by the sweep."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from modelwarden.cluster.answers import ApiError
from modelwarden.cluster.client import ApiClient
from modelwarden.cluster.paths import JOBS, NETWORK_POLICIES
from modelwarden.domain.scribe import moment
from modelwarden.workflows.run_facts import OF_GATES

# A policy is made just before its Job: one that is older and has none never will.
YOUNG_SECONDS = 600


async def close_forgotten_ways(client: ApiClient, namespace: str, *, now: datetime) -> None:
    """Delete the network policies of gates that have been without their Job for long."""
    policies = await client.list(NETWORK_POLICIES, namespace, labels=OF_GATES)
    if not policies:
        return
    jobs = {job["metadata"]["name"] for job in await client.list(JOBS, namespace, labels=OF_GATES)}
    for policy in policies:
        if policy["metadata"]["name"] not in jobs and _is_old(policy, now):
            await _delete(client, policy["metadata"])


def _is_old(policy: Mapping[str, Any], now: datetime) -> bool:
    made = policy["metadata"].get("creationTimestamp")
    return bool(made) and moment(made) < now - timedelta(seconds=YOUNG_SECONDS)


async def _delete(client: ApiClient, metadata: Mapping[str, Any]) -> None:
    try:
        await client.delete(
            NETWORK_POLICIES, metadata["name"], metadata["namespace"], uid=metadata["uid"]
        )
    except ApiError as error:
        if not (error.is_not_found or error.is_conflict):
            raise
