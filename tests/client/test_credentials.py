import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from modelwarden.cluster import credentials
from modelwarden.cluster.client import ApiClient
from modelwarden.cluster.credentials import Credentials, Token, find_credentials, from_kubeconfig
from modelwarden.cluster.paths import NAMESPACES
from modelwarden.errors import MisconfiguredError


def kubeconfig(
    folder: Path, user: dict[str, Any], *, server: str = "http://api:6443", namespace: str = "risk"
) -> Path:
    file = folder / "config"
    context = {"cluster": "c", "user": "u", "namespace": namespace}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "one",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "contexts": [
            {"name": "one", "context": context},
            {"name": "two", "context": {"cluster": "c"}},
        ],
        "users": [{"name": "u", "user": user}],
    }
    file.write_text(yaml.safe_dump(content))
    return file


def exec_plugin(folder: Path) -> dict[str, Any]:
    script = folder / "plugin.py"
    script.write_text(
        "import json, pathlib\n"
        f"token = pathlib.Path({str(folder / 'token')!r}).read_text()\n"
        "print(json.dumps({'apiVersion': 'client.authentication.k8s.io/v1',"
        " 'kind': 'ExecCredential', 'status': {'token': token}}))\n"
    )
    return {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": sys.executable,
        "args": [str(script)],
        "interactiveMode": "Never",
    }


async def test_a_context_names_server_namespace_and_token(tmp_path: Path) -> None:
    file = kubeconfig(tmp_path, {"token": "abc"})

    found = await from_kubeconfig(str(file))

    assert (found.server, found.namespace, await found.token.header()) == (
        "http://api:6443",
        "risk",
        "Bearer abc",
    )


async def test_another_context_can_be_chosen(tmp_path: Path) -> None:
    found = await find_credentials(kubeconfig(tmp_path, {"token": "abc"}), "two")

    assert (found.namespace, await found.token.header()) == ("default", None)


async def test_an_unknown_context_is_said_by_name(tmp_path: Path) -> None:
    with pytest.raises(MisconfiguredError, match="three"):
        await find_credentials(kubeconfig(tmp_path, {"token": "abc"}), "three")


@pytest.mark.parametrize(
    "user",
    [
        lambda folder: {"tokenFile": str(folder / "token")},
        lambda folder: {"exec": exec_plugin(folder)},
    ],
    ids=["tokenFile", "exec"],
)
async def test_a_token_from_outside_is_read_again_when_it_is_refused(
    tmp_path: Path, user: Callable[[Path], dict[str, Any]]
) -> None:
    (tmp_path / "token").write_text("first\n")
    found = await from_kubeconfig(str(kubeconfig(tmp_path, user(tmp_path))))
    first = await found.token.header()
    (tmp_path / "token").write_text("second\n")

    renewed = await found.token.renewed(first)

    assert (first, renewed, await found.token.header()) == ("Bearer first", True, "Bearer second")


async def test_a_token_is_read_again_once_a_minute() -> None:
    times = iter([0.0, 30.0, 59.9, 60.0, 60.0, 60.0])
    values = iter(["a", "b"])

    async def read() -> str:
        return next(values)

    token = Token(read, clock=lambda: next(times))

    assert [await token.header() for _ in range(4)] == ["a", "a", "a", "b"]


async def test_a_pods_token_may_end_in_a_newline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("abc\n")
    (tmp_path / "namespace").write_text("modelwarden-system")
    monkeypatch.setattr(credentials, "ACCOUNT", tmp_path)
    monkeypatch.setattr(credentials, "_load_pod", _Pod)
    monkeypatch.delenv("KUBECONFIG", raising=False)

    found = await find_credentials()

    assert (found.server, found.namespace, await found.token.header()) == (
        "http://10.0.0.1",
        "modelwarden-system",
        "Bearer abc",
    )


async def test_a_refused_call_is_made_again_with_the_new_token() -> None:
    values = iter(["Bearer old", "Bearer new"])
    seen: list[tuple[str, str]] = []

    async def read() -> str:
        return next(values)

    async def answer(request: web.Request) -> web.Response:
        seen.append((request.headers["Authorization"], await request.text()))
        return web.json_response({}, status=401 if len(seen) == 1 else 200)

    async with Serving(answer) as url, ApiClient(_of(url, Token(read))) as client:
        await client.create(NAMESPACES, {"metadata": {"name": "a"}})

    body = '{"metadata": {"name": "a"}}'
    assert seen == [("Bearer old", body), ("Bearer new", body)]


class _Pod:
    host = "http://10.0.0.1"


def _of(url: str, token: Token) -> Credentials:
    return Credentials(server=url, token=token)


class Serving:
    def __init__(self, answer: Callable[[web.Request], Any]) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        self._runner = web.AppRunner(app)

    async def __aenter__(self) -> str:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def __aexit__(self, *_: object) -> None:
        await asyncio.shield(self._runner.cleanup())
