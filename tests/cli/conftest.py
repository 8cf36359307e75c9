"""kubectl model against an API server in memory, with a real controller and stamps on what people
write."""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias
from uuid import uuid4

import pytest
import yaml
from typer.testing import CliRunner
from typing_extensions import override

from modelwarden.cli.main import app
from modelwarden.cluster.client import MERGE_PATCH
from modelwarden.cluster.paths import MODEL_DECISIONS, MODEL_VERSIONS, MODELS
from modelwarden.domain.authors import stamp
from modelwarden.domain.identity import Caller
from tests import builders
from tests.fakes.api_server import Call, FakeApiServer
from tests.fakes.store import JsonObject, merged
from tests.workflows.world import World

PEOPLE: Mapping[str, Mapping[str, Any]] = {
    "scientist": builders.SCIENTIST,
    "manager": builders.MANAGER,
    "owner": builders.OWNER,
    "reviewer": builders.REVIEWER,
}
GOLDEN = Path(__file__).parent.parent / "data" / "cli"


@dataclass(frozen=True)
class Result:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


Run: TypeAlias = Callable[..., Coroutine[Any, Any, Result]]


class StampingApiServer(FakeApiServer):
    """Stamps what people write, as the webhook does."""

    @override
    def _patched(self, call: Call) -> JsonObject:
        if call.resource != MODELS or call.subresource or call.content_type != MERGE_PATCH:
            return super()._patched(call)

        def change(live: JsonObject) -> JsonObject:
            new = merged(live, call.body)
            stages = live.get("status", {}).get("stages")
            caller = Caller.from_json(call.user)
            authors = stamp(live["spec"], new["spec"], stages, caller=caller, request_id=_id())
            return new if authors is None else new | {"spec": new["spec"] | {"authors": authors}}

        return self.store.patch(
            call.resource,
            (call.namespace, call.name),
            change,
            manager=call.query["fieldManager"],
            dry_run="dryRun" in call.query,
        )

    @override
    def _carry_out(self, call: Call) -> JsonObject | str:
        if call.method == "GET" and call.resource == MODELS and call.name:
            return self._with_keepers(call)
        field = {MODEL_VERSIONS: "registeredBy", MODEL_DECISIONS: "by"}.get(call.resource)
        if call.method == "POST" and field is not None:
            call.body["spec"][field] = dict(call.user)
        return super()._carry_out(call)

    def _with_keepers(self, call: Call) -> JsonObject:
        """Say which managers keep the stages, as `managedFields` does."""
        place = (call.namespace, call.name)
        found = self.store.get(call.resource, place)
        owned = self.store._entry(call.resource, place).ownership.owned
        found["metadata"]["managedFields"] = [
            {"manager": manager[0], "fieldsV1": {"f:spec": {"f:stages": {}}}}
            for manager, paths in owned.items()
            if manager[0] and any(path[:2] == ("spec", "stages") for path in paths)
        ]
        return found


@pytest.fixture
async def server() -> AsyncIterator[FakeApiServer]:
    async with StampingApiServer() as server:
        server.users |= PEOPLE
        yield server


@pytest.fixture
def world(server: FakeApiServer) -> World:
    """Put a model into the cluster; what happens to it lies in the past of whoever looks."""
    world = World.of(server)
    world.clock.now = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
    return world


@pytest.fixture
def kubeconfig(server: FakeApiServer, tmp_path: Path) -> Path:
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(kubeconfig_of(server.url)))
    return path


@pytest.fixture
def cli(kubeconfig: Path) -> Run:
    """Run a command with somebody's login, in the namespace of the builders."""

    async def run(
        *words: str, login: str = "manager", env: Mapping[str, str] | None = None
    ) -> Result:
        given = {**os.environ, "KUBECONFIG": str(kubeconfig), **(env or {})}
        command = [*words, "--context", login]
        result = await asyncio.to_thread(CliRunner().invoke, app, command, env=given)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Result(result.exit_code, result.stdout, result.stderr)

    return run


def kubeconfig_of(url: str) -> dict[str, Any]:
    contexts = [
        {"name": name, "context": {"cluster": "c", "user": name, "namespace": builders.NAMESPACE}}
        for name in PEOPLE
    ]
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": name, "user": {"token": name}} for name in PEOPLE],
        "contexts": contexts,
        "current-context": "manager",
    }


def timeless(text: str) -> str:
    """Write a fixed text for every time and age; columns keep their places."""
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>", text)
    text = re.sub(r"just now|\d+ (second|minute|hour|day)s? ago", "<ago>", text)
    text = re.sub(r"(?<= )\d+[smhd] +", "<age>   ", text)
    text = re.sub(r"vote-\d+|(?<=-production-)[0-9a-f]{5}", "<decision>", text)
    return re.sub(r"sha256:[0-9a-f]{64}", "<digest>", text)


def golden(name: str) -> str:
    """Read what is to be printed, times aside."""
    return (GOLDEN / name).read_text(encoding="utf-8")


def _id() -> str:
    return str(uuid4())
