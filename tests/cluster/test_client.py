"""The client, the lease, events and secrets against the real API server."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from modelwarden.cluster.access import (
    Action,
    Subject,
    review_access,
    review_own_access,
    who_am_i,
)
from modelwarden.cluster.answers import ApiError
from modelwarden.cluster.client import ApiClient, connect
from modelwarden.cluster.events import Event, post_event
from modelwarden.cluster.lease import Elector, Timing
from modelwarden.cluster.paths import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    EVENTS,
    JOBS,
    LEASES,
    NAMESPACES,
    PODS,
    SECRETS,
)
from modelwarden.cluster.secrets import fill_secret
from modelwarden.errors import LeadershipLostError
from tests.cluster.running import RunningCluster
from tests.waiting import eventually

pytestmark = pytest.mark.cluster

IMAGE = "registry.example/nothing@sha256:" + "0" * 64
FAST = Timing(duration=4.0, renew=2.0, retry=0.2)


@pytest.fixture
async def client(cluster: RunningCluster) -> AsyncIterator[ApiClient]:
    async with await connect(cluster.kubeconfig, cluster.admin) as client:
        yield client


def config_map(name: str, namespace: str, **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}, "data": data}


def deployment(name: str, namespace: str) -> dict[str, Any]:
    security = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container = {"name": "server", "image": IMAGE, "securityContext": security}
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [container]},
            },
        },
    }


def marks(name: str, namespace: str, **labels: str) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
    }


async def refused(call: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await call
    return caught.value


async def test_codes_are_ambiguous_and_reasons_are_not(client: ApiClient, namespace: str) -> None:
    first = await client.create(CONFIG_MAPS, config_map("a", namespace))
    stale = {"metadata": {"resourceVersion": first["metadata"]["resourceVersion"]}}
    await client.patch(CONFIG_MAPS, "a", stale | {"data": {"x": "1"}}, namespace=namespace)

    exists = await refused(client.create(CONFIG_MAPS, config_map("a", namespace)))
    conflict = await refused(
        client.patch(CONFIG_MAPS, "a", stale | {"data": {"x": "2"}}, namespace=namespace)
    )
    missing = await refused(client.get(CONFIG_MAPS, "b", namespace))
    invalid = await refused(client.create(CONFIG_MAPS, config_map("A!", namespace)))

    assert (exists.code, exists.is_already_exists) == (409, True)
    assert (conflict.code, conflict.is_conflict) == (409, True)
    assert (missing.is_not_found, invalid.is_invalid) == (True, True)


async def test_all_pages_are_read(client: ApiClient, namespace: str) -> None:
    names = [f"a{number}" for number in range(7)]
    for name in names:
        await client.create(CONFIG_MAPS, config_map(name, namespace, mine="yes"))

    items = await client.list(CONFIG_MAPS, namespace, limit=3)
    one = await client.list(CONFIG_MAPS, namespace, fields="metadata.name=a3")

    assert [item["metadata"]["name"] for item in items if "mine" in item["data"]] == names
    assert [item["metadata"]["name"] for item in one] == ["a3"]


async def test_labels_are_applied_once_and_released(client: ApiClient, namespace: str) -> None:
    await client.create(DEPLOYMENTS, deployment("serve", namespace))
    first = await client.apply(DEPLOYMENTS, marks("serve", namespace, model="fraud"))
    again = await client.apply(DEPLOYMENTS, marks("serve", namespace, model="fraud"))

    released = await client.apply(DEPLOYMENTS, marks("serve", namespace))

    # The Deployment's controller may write between the two; our own entry tells of our own writes.
    assert _written_by_us(first) == _written_by_us(again)
    assert "model" not in released["metadata"].get("labels", {})


def _written_by_us(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        entry for entry in found["metadata"]["managedFields"] if entry["manager"] == "modelwarden"
    ]


async def test_what_was_patched_is_not_released_with_what_was_applied(
    client: ApiClient, namespace: str
) -> None:
    await client.create(DEPLOYMENTS, deployment("serve", namespace))
    await client.apply(DEPLOYMENTS, marks("serve", namespace, model="fraud"))
    patch = {"metadata": {"labels": {"model": "other"}}}
    await client.patch(DEPLOYMENTS, "serve", patch, namespace=namespace)

    released = await client.apply(DEPLOYMENTS, marks("serve", namespace))

    assert released["metadata"]["labels"] == {"model": "other"}


async def test_the_conflict_of_two_managers_is_named(
    client: ApiClient, cluster: RunningCluster, namespace: str
) -> None:
    await client.create(DEPLOYMENTS, deployment("serve", namespace))
    cluster.kubectl(None, f"--namespace={namespace}", "label", "deployment/serve", "model=theirs")
    body = marks("serve", namespace, model="fraud")

    error = await refused(client.apply(DEPLOYMENTS, body))
    forced = await client.apply(DEPLOYMENTS, body, force=True)

    assert error.is_conflict
    assert ["kubectl-label" in sentence for sentence in error.conflicting_managers] == [True]
    assert forced["metadata"]["labels"]["model"] == "fraud"


async def test_another_uid_is_never_written_to(client: ApiClient, namespace: str) -> None:
    body = marks("serve", namespace, model="fraud")
    body["metadata"]["uid"] = "7a1e5c1e-0000-4000-8000-000000000000"

    error = await refused(client.apply(DEPLOYMENTS, body))

    assert error.is_conflict


async def test_a_field_that_the_schema_lacks_is_not_unavailability(
    client: ApiClient, namespace: str
) -> None:
    body = marks("serve", namespace) | {"spec": {"colour": "red"}}

    error = await refused(client.apply(DEPLOYMENTS, body))

    assert (type(error), error.code, error.reason) == (ApiError, 500, "")
    assert "field not declared in schema" in error.message


async def test_a_deleted_job_takes_its_pod_along(client: ApiClient, namespace: str) -> None:
    template = deployment("x", namespace)["spec"]["template"]
    template["spec"] |= {"restartPolicy": "Never"}
    spec = {"backoffLimit": 0, "template": template}
    body = {"metadata": {"name": "gate", "namespace": namespace}, "spec": spec}
    job = await client.create(JOBS, body)
    await _until_there_are(client, namespace, pods=1)

    wrong = await refused(client.delete(JOBS, "gate", namespace, uid="another"))
    await client.delete(JOBS, "gate", namespace, uid=job["metadata"]["uid"])

    await _until_there_are(client, namespace, pods=0)
    assert wrong.is_conflict


async def _until_there_are(client: ApiClient, namespace: str, *, pods: int) -> None:
    async with asyncio.timeout(40):
        while True:
            found = await client.list(PODS, namespace, labels="batch.kubernetes.io/job-name=gate")
            if len(found) == pods:
                return
            await asyncio.sleep(0.1)


async def test_a_caller_is_who_its_token_says(cluster: RunningCluster) -> None:
    async with await connect(cluster.kubeconfig, "scientist") as scientist:
        subject = await who_am_i(scientist)

    assert subject.username == "scientist@example.com"
    assert "system:authenticated" in subject.groups


async def test_rights_are_asked_for_others_and_for_oneself(
    client: ApiClient, cluster: RunningCluster, namespace: str
) -> None:
    approve = Action(
        verb="approve",
        group="modelwarden.io",
        resource="models",
        subresource="production",
        namespace=namespace,
        name="fraud",
    )
    rule = {
        "apiGroups": ["modelwarden.io"],
        "resources": ["models/production"],
        "verbs": ["approve"],
    }
    named = {"name": "approver", "namespace": namespace}
    rbac = "rbac.authorization.k8s.io"
    group = {"apiGroup": rbac, "kind": "Group", "name": "risk-reviewers"}
    role = {"apiGroup": rbac, "kind": "Role", "name": "approver"}
    cluster.apply(
        {"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": named, "rules": [rule]},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": named,
            "subjects": [group],
            "roleRef": role,
        },
    )
    reviewer = Subject(username="somebody@example.com", groups=("risk-reviewers",))

    member = await review_access(client, reviewer, approve)
    stranger = await review_access(client, Subject(username=reviewer.username), approve)
    async with await connect(cluster.kubeconfig, "reviewer") as caller:
        oneself = await review_own_access(caller, approve)

    assert (member.allowed, stranger.allowed, oneself.allowed) == (True, False, True)


async def test_a_binding_whose_role_is_gone_is_a_denial(
    client: ApiClient, cluster: RunningCluster, namespace: str
) -> None:
    rbac = "rbac.authorization.k8s.io"
    user = {"apiGroup": rbac, "kind": "User", "name": "somebody@example.com"}
    cluster.apply(
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "dangling", "namespace": namespace},
            "subjects": [user],
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "gone"},
        }
    )
    action = Action(verb="get", group="", resource="pods", namespace=namespace)

    access = await review_access(client, Subject(username="somebody@example.com"), action)

    assert (access.allowed, "not found" in access.reason) == (False, True)


async def test_an_event_is_posted_once_and_kubectl_shows_it(
    client: ApiClient, cluster: RunningCluster, namespace: str
) -> None:
    about = await client.create(DEPLOYMENTS, deployment("serve", namespace))
    event = Event(
        regarding=about,
        kind="Warning",
        reason="RolloutFailed",
        action="Promote",
        message="é" * 600,
        key="41",
    )

    for _ in range(2):
        await post_event(client, event, time="2026-11-24T08:00:00Z")

    posted = [
        found
        for found in await client.list(EVENTS, namespace)
        if found["regarding"]["uid"] == about["metadata"]["uid"]
        and found["reason"] == "RolloutFailed"
    ]
    assert [found["note"] for found in posted] == ["é" * 510 + "…"]
    shown = cluster.kubectl(None, f"--namespace={namespace}", "events", "--for=deployment/serve")
    assert "RolloutFailed" in shown


async def test_an_event_about_a_cluster_wide_object_is_accepted(
    client: ApiClient, namespace: str
) -> None:
    about = await client.get(NAMESPACES, namespace)
    event = Event(
        regarding=about,
        kind="Normal",
        reason="Seen",
        action="Look",
        message="It is there.",
        key="1",
    )

    await post_event(client, event, time="2026-11-24T08:00:00.5Z")


async def test_the_lease_goes_from_hand_to_hand_with_its_annotations(
    client: ApiClient, namespace: str
) -> None:
    one, two = (
        Elector(client, namespace=namespace, name="lease", identity=who, timing=FAST)
        for who in ("one", "two")
    )
    one.announce({"modelwarden.io/ledger-size": "1"})
    await one.acquire()
    holding = asyncio.create_task(one.hold())
    waiting = asyncio.create_task(two.acquire())
    one.announce({"modelwarden.io/ledger-size": "2"})
    await eventually(lambda: two.sees_a_leader)
    assert not waiting.done()

    holding.cancel()
    await one.release()

    await asyncio.wait_for(waiting, timeout=2)
    assert two.annotations == {"modelwarden.io/ledger-size": "2"}
    lease = await client.get(LEASES, "lease", namespace)
    assert (lease["spec"]["holderIdentity"], lease["spec"]["leaseTransitions"]) == ("two", 1)


async def test_a_lease_that_is_taken_by_force_is_lost(client: ApiClient, namespace: str) -> None:
    one = Elector(client, namespace=namespace, name="lease", identity="one", timing=FAST)
    await one.acquire()
    await client.patch(LEASES, "lease", {"spec": {"holderIdentity": "two"}}, namespace=namespace)

    with pytest.raises(LeadershipLostError, match="held by two"):
        await asyncio.wait_for(one.hold(), timeout=3)


async def test_a_secret_is_filled_by_the_first(client: ApiClient, namespace: str) -> None:
    await client.create(SECRETS, {"metadata": {"name": "key", "namespace": namespace}})

    def fill(value: bytes) -> Any:
        return fill_secret(client, namespace, "key", ("pem",), make=lambda: {"pem": value})

    filled = await asyncio.gather(fill(b"one"), fill(b"other"))

    assert filled[0] == filled[1]
