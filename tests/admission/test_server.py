"""The server over TLS on the loopback, with an API server in memory behind it."""

import asyncio
import base64
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from modelwarden.admission import trust
from modelwarden.admission.certificates import AUTHORITIES, renewed
from modelwarden.admission.server import serve
from modelwarden.admission.trust import CONFIGURATIONS, service_names
from modelwarden.cluster.paths import MODEL_TRANSITIONS, SECRETS
from modelwarden.metrics import Metrics
from modelwarden.settings import Gates, Http, Settings, Webhook
from tests.domain.edit_cases import spec, staged
from tests.fakes.api_server import FakeApiServer
from tests.waiting import eventually

from .requests import BY, UID, asked, patched
from .test_model_decisions import NAME, OWNER, SCIENTIST, attempt, decision
from .test_trust import NAMESPACE, SECRET, configuration

HOST = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Running:
    """A server that runs, and the API server behind it."""

    api: FakeApiServer
    session: aiohttp.ClientSession
    settings: Settings

    async def ask(self, path: str, body: Any) -> dict[str, Any]:
        """Ask as the API server does: under the service's name, trusting the bundle alone."""
        url = f"https://{HOST}:{self.settings.webhook.port}{path}"
        async with self.session.post(
            url, json=body, ssl=self._trusted(), server_hostname=self.names[0]
        ) as response:
            assert response.status == 200, await response.text()
            answer: dict[str, Any] = (await response.json())["response"]
            return answer

    async def state(self, path: str) -> tuple[int, str]:
        """Read the plain port."""
        url = f"http://{HOST}:{self.settings.http.port}{path}"
        async with self.session.get(url) as response:
            return response.status, await response.text()

    @property
    def names(self) -> tuple[str, ...]:
        return service_names(self.settings.webhook.service, NAMESPACE)

    def _trusted(self) -> ssl.SSLContext:
        webhooks = self.api.get(CONFIGURATIONS[0], "modelwarden")["webhooks"]
        bundle = base64.b64decode(webhooks[0]["clientConfig"]["caBundle"])
        return ssl.create_default_context(cadata=bundle.decode())


def free_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])


@pytest.fixture
async def running(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    monkeypatch.setattr(trust, "EVERY_SECONDS", 0.2)
    settings = Settings(
        gates=Gates(image="gate:1"),
        webhook=Webhook(port=free_port(), address=HOST),
        http=Http(port=free_port(), address=HOST),
    )
    async with FakeApiServer() as api, aiohttp.ClientSession() as session, api.client() as client:
        metadata = {"name": SECRET, "namespace": NAMESPACE}
        api.put(SECRETS, {"apiVersion": "v1", "kind": "Secret", "metadata": metadata})
        for resource in CONFIGURATIONS:
            api.put(resource, configuration(resource.kind))
        stop = asyncio.Event()
        serving = asyncio.create_task(serve(client, settings, metrics=Metrics.create(), stop=stop))
        server = Running(api=api, session=session, settings=settings)
        await _ready(server)
        yield server
        stop.set()
        await serving


async def _ready(server: Running) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                status, _ = await server.state("/readyz")
            except aiohttp.ClientConnectorError:
                status = 0
            if status == 200:
                return
            await asyncio.sleep(0.02)


async def test_a_change_is_stamped(running: Running) -> None:
    answer = await running.ask("/mutate", asked("Model", staged(staging=(1,)), old=staged()))

    mine = {"id": UID, "by": BY, "of": ["stages.staging/1"]}
    assert answer["allowed"] is True
    assert patched(answer) == [{"op": "add", "path": "/spec/authors", "value": [mine]}]


async def test_the_vote_of_the_trainer_is_refused_with_a_sentence(running: Running) -> None:
    running.api.put(MODEL_TRANSITIONS, stored())
    body = decision(transition={"name": NAME, "uid": _uid(running)})

    answer = await running.ask("/validate", asked("ModelDecision", body, by=SCIENTIST))

    assert answer["allowed"] is False
    assert answer["status"] == {
        "code": 403,
        "reason": "Forbidden",
        "message": "scientist@example.com trained fraud 1 and may not approve it. "
        "Ask another owner or reviewer.",
    }


async def test_the_vote_of_an_owner_is_admitted(running: Running) -> None:
    running.api.put(MODEL_TRANSITIONS, stored())
    body = decision(transition={"name": NAME, "uid": _uid(running)})

    answer = await running.ask("/validate", asked("ModelDecision", body, by=OWNER))

    assert answer == {"uid": UID, "allowed": True}


def stored() -> dict[str, Any]:
    return {**attempt(), "metadata": {"name": NAME, "namespace": "risk"}}


def _uid(running: Running) -> str:
    return str(running.api.get(MODEL_TRANSITIONS, NAME, "risk")["metadata"]["uid"])


@pytest.mark.parametrize("path", ["/mutate", "/validate"])
async def test_the_operator_is_let_through_untouched(running: Running, path: str) -> None:
    by = {"username": running.settings.operator.account, "groups": []}

    for kind in ("Model", "ModelVersion", "ModelDecision", "ModelTransition", "Pod"):
        answer = await running.ask(path, asked(kind, {}, by=by))

        assert answer == {"uid": UID, "allowed": True}


async def test_other_kinds_and_subresources_are_let_through_untouched(running: Running) -> None:
    for body in (asked("Pod", {}), asked("Model", staged(1), old=staged(), subresource="status")):
        assert await running.ask("/mutate", body) == {"uid": UID, "allowed": True}


async def test_a_malformed_object_is_refused_with_the_path_of_the_field(running: Running) -> None:
    answer = await running.ask("/validate", asked("ModelPolicy", {"steps": 7}))

    assert answer["allowed"] is False
    assert answer["status"]["message"].startswith("spec.")


@pytest.mark.parametrize("kind", ["Model", "ModelVersion", "ModelDecision"])
@pytest.mark.parametrize("written", [None, "text", [], 7], ids=str)
async def test_what_has_no_spec_to_stamp_is_left_to_the_schema(
    running: Running, kind: str, written: Any
) -> None:
    body = asked(kind, {})
    body["request"]["object"]["spec"] = written

    answer = await running.ask("/mutate", body)

    assert (answer["allowed"], patched(answer)) == (True, [])


async def test_a_large_request_is_read(running: Running) -> None:
    old = spec(description="x" * 4_000_000)

    answer = await running.ask("/mutate", asked("Model", spec(description="y"), old=old))

    assert answer["allowed"] is True


async def test_what_is_no_review_is_a_400(running: Running) -> None:
    url = f"https://{HOST}:{running.settings.webhook.port}/mutate"
    for body in (b"", b"not json", b"{}", b"[" * 100_000):
        async with running.session.post(
            url, data=body, ssl=running._trusted(), server_hostname=running.names[0]
        ) as response:
            assert response.status == 400


async def test_nothing_is_written_while_answering(running: Running) -> None:
    before = len(running.api.writes)

    await running.ask("/mutate", asked("Model", staged(1), old=staged()))
    await running.ask("/validate", asked("ModelDecision", decision(), by=OWNER))

    assert len(running.api.writes) == before


async def test_answers_are_counted_by_kind_outcome_and_code(running: Running) -> None:
    await running.ask("/mutate", asked("Model", staged(1), old=staged()))
    await running.ask("/validate", asked("ModelDecision", decision(), by=OWNER))

    _, numbers = await running.state("/metrics")

    name = "modelwarden_admission_requests_total"
    for labels in (
        'code="Stamped",kind="Model",operation="UPDATE",outcome="Allow"',
        'code="AttemptUnknown",kind="ModelDecision",operation="CREATE",outcome="Deny"',
    ):
        assert f"{name}{{{labels}}} 1.0" in numbers


async def test_a_new_certificate_is_served_without_a_restart(running: Running) -> None:
    """Put there by another process: it is loaded at the next look, and old connections live on."""
    await running.ask("/mutate", asked("Pod", {}))
    before = running.api.get(CONFIGURATIONS[0], "modelwarden")["webhooks"]
    made = renewed({}, running.names, now=datetime.now(UTC))
    assert made is not None
    metadata = {"name": SECRET, "namespace": NAMESPACE}
    data = {name: base64.b64encode(value).decode() for name, value in made.items()}
    running.api.put(
        SECRETS, {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}
    )

    def configured() -> Any:
        return running.api.get(CONFIGURATIONS[0], "modelwarden")["webhooks"]

    await eventually(lambda: configured() != before)

    assert base64.b64decode(configured()[0]["clientConfig"]["caBundle"]) == made[AUTHORITIES]
    await running.ask("/mutate", asked("Pod", {}))
