import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from modelwarden.admission.certificates import AUTHORITIES, CERTIFICATE
from modelwarden.admission.trust import CONFIGURATIONS, Trust, service_names
from modelwarden.cluster.client import ApiClient
from modelwarden.cluster.paths import SECRETS, VALIDATING_WEBHOOKS
from modelwarden.errors import UnavailableError
from modelwarden.settings import Gates, Settings
from tests.fakes.api_server import Call, FakeApiServer
from tests.fakes.store import RefusalError

SETTINGS = Settings(gates=Gates(image="gate:1"))
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
NAMESPACE, SECRET, NAME = "modelwarden-system", "modelwarden-webhook-tls", "modelwarden"


@pytest.fixture
async def server() -> AsyncIterator[FakeApiServer]:
    """An API server with what the chart installs."""
    async with FakeApiServer() as server:
        metadata = {"name": SECRET, "namespace": NAMESPACE}
        server.put(SECRETS, {"apiVersion": "v1", "kind": "Secret", "metadata": metadata})
        for resource in CONFIGURATIONS:
            server.put(resource, configuration(resource.kind))
        yield server


@pytest.fixture
async def client(server: FakeApiServer) -> AsyncIterator[ApiClient]:
    async with server.client() as client:
        yield client


def configuration(kind: str) -> dict[str, Any]:
    service = {"name": "modelwarden-webhook", "namespace": NAMESPACE, "path": "/x"}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": NAME},
        "webhooks": [{"name": "x.modelwarden.io", "clientConfig": {"service": service}}],
    }


def trust(client: ApiClient, now: datetime = BEGIN) -> Trust:
    return Trust(client, SETTINGS, clock=lambda: now)


def secret(server: FakeApiServer) -> dict[str, bytes]:
    data = server.get(SECRETS, SECRET, NAMESPACE)["data"]
    return {name: base64.b64decode(value) for name, value in data.items()}


def bundles(server: FakeApiServer) -> set[bytes]:
    return {
        base64.b64decode(webhook["clientConfig"]["caBundle"])
        for resource in CONFIGURATIONS
        for webhook in server.get(resource, NAME)["webhooks"]
    }


async def test_the_first_process_fills_the_secret_and_the_configurations(
    server: FakeApiServer, client: ApiClient
) -> None:
    mine = trust(client)
    assert list(mine.problems()) == ["The certificates were not read yet."]

    await mine.refresh()

    assert list(mine.problems()) == []
    assert bundles(server) == {secret(server)[AUTHORITIES]}


async def test_what_is_good_is_not_written_again(server: FakeApiServer, client: ApiClient) -> None:
    mine = trust(client)
    await mine.refresh()
    before = len(server.writes)

    await mine.refresh()
    await trust(client).refresh()

    assert len(server.writes) == before


async def test_two_processes_that_start_at_once_serve_the_same_authority(
    server: FakeApiServer, client: ApiClient
) -> None:
    one, other = trust(client), trust(client)

    await asyncio.gather(one.refresh(), other.refresh())

    assert [*one.problems(), *other.problems()] == []
    assert one._served == other._served == secret(server)[CERTIFICATE]
    assert bundles(server) == {secret(server)[AUTHORITIES]}


async def test_a_bundle_that_was_taken_out_is_put_back(
    server: FakeApiServer, client: ApiClient
) -> None:
    mine = trust(client)
    await mine.refresh()
    server.put(VALIDATING_WEBHOOKS, configuration("ValidatingWebhookConfiguration"))

    await mine.refresh()

    assert bundles(server) == {secret(server)[AUTHORITIES]}


async def test_a_configuration_that_is_gone_is_a_problem_until_it_is_back(
    server: FakeApiServer, client: ApiClient
) -> None:
    mine = trust(client)
    await mine.refresh()
    server.remove(VALIDATING_WEBHOOKS, NAME)

    await mine.refresh()

    assert list(mine.problems()) == [
        "There is no ValidatingWebhookConfiguration modelwarden: nothing is stamped."
    ]

    server.put(VALIDATING_WEBHOOKS, configuration("ValidatingWebhookConfiguration"))
    await mine.refresh()

    assert list(mine.problems()) == []


async def test_a_refused_patch_is_a_problem(server: FakeApiServer, client: ApiClient) -> None:
    def to_configurations(call: Call) -> bool:
        return call.method == "PATCH" and call.resource == VALIDATING_WEBHOOKS

    refusal = RefusalError(403, "Forbidden", "not yours")
    server.fail(where=to_configurations, answer=refusal, times=3)
    mine = trust(client)

    await mine.refresh()

    (problem,) = mine.problems()
    assert problem == (
        "ValidatingWebhookConfiguration modelwarden does not carry our authority yet: "
        "Forbidden: not yours"
    )


async def test_a_certificate_that_is_due_is_renewed_and_loaded(
    server: FakeApiServer, client: ApiClient
) -> None:
    await trust(client).refresh()
    before = secret(server)
    later = trust(client, BEGIN + timedelta(days=61))

    await later.refresh()

    after = secret(server)
    assert later._served == after[CERTIFICATE] != before[CERTIFICATE]
    assert after[AUTHORITIES] == before[AUTHORITIES]


async def test_an_api_server_that_is_gone_leaves_what_is_loaded(
    server: FakeApiServer, client: ApiClient
) -> None:
    mine = trust(client)
    await mine.refresh()
    server.is_down = True

    with pytest.raises(UnavailableError):
        await mine.refresh()

    assert list(mine.problems()) == []


def test_the_service_is_named_as_the_api_server_names_it() -> None:
    assert service_names("modelwarden-webhook", "system")[0] == "modelwarden-webhook.system.svc"
