"""Who this process is for the API server, and how it proves it.

The official client reads kubeconfig files and the pod's own account; the connection is ours.
"""

import asyncio
import os
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp

from modelwarden import __version__
from modelwarden.errors import MisconfiguredError

# Projected tokens live an hour and are replaced long before: once a minute is soon enough.
REREAD_SECONDS = 60.0
CONNECT_SECONDS = 10.0
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")

ReadHeader = Callable[[], Awaitable[str | None]]


class Token:
    """The value of the Authorization header, read again once a minute and after a refusal."""

    def __init__(self, read: ReadHeader, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._clock = clock
        self._value: str | None = None
        self._read_at: float | None = None
        self._reading = asyncio.Lock()

    async def header(self) -> str | None:
        """Give the header's value; None for who proves itself by certificate."""
        if self._is_stale():
            async with self._reading:
                if self._is_stale():
                    self._value = await self._read()
                    self._read_at = self._clock()
        return self._value

    async def renewed(self, refused: str | None) -> bool:
        """Say whether another value than the refused one is to be had."""
        if self._value == refused:
            self._read_at = None
        return await self.header() != refused

    def _is_stale(self) -> bool:
        return self._read_at is None or self._clock() - self._read_at >= REREAD_SECONDS


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """One server, the way to it and the proof of who asks; `namespace` is the default one."""

    server: str
    token: Token
    namespace: str = "default"
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    server_name: str | None = None
    proxy: str | None = None

    def open_session(self, *, total_seconds: float | None = None) -> aiohttp.ClientSession:
        """Open connections that carry the proof; without a total, a watch may last for ever.

        The environment is not trusted: looking for a netrc file and proxies at each call costs
        more than the call.
        """
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=True if self.tls is None else self.tls, limit=32),
            timeout=aiohttp.ClientTimeout(total=total_seconds, sock_connect=CONNECT_SECONDS),
            headers={"User-Agent": f"modelwarden/{__version__}"},
            middlewares=(self._authorize,),
            proxy=self.proxy,
            trust_env=False,
        )

    async def _authorize(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        header = await self.token.header()
        response = await handler(self._proved(request, header))
        if response.status == HTTPStatus.UNAUTHORIZED and await self.token.renewed(header):
            response.release()
            response = await handler(self._proved(request, await self.token.header()))
        return response

    def _proved(self, request: aiohttp.ClientRequest, header: str | None) -> aiohttp.ClientRequest:
        request.server_hostname = self.server_name
        if header is not None:
            request.headers["Authorization"] = header
        return request


async def find_credentials(
    kubeconfig: Path | None = None, context: str | None = None
) -> Credentials:
    """Take the named kubeconfig, else KUBECONFIG, else the pod's account, else the user's own file.

    MisconfiguredError when there is none or it cannot be read.
    """
    named = str(kubeconfig) if kubeconfig else os.environ.get("KUBECONFIG", "")
    if named or context:
        return await from_kubeconfig(named or _own_file(), context)
    if (ACCOUNT / "token").is_file():
        return await from_pod()
    return await from_kubeconfig(_own_file())


async def from_kubeconfig(paths: str, context: str | None = None) -> Credentials:
    """Read one kubeconfig, or several joined by colons; its token is read again like any other."""

    async def read() -> str | None:
        configuration, _ = await _load_kubeconfig(paths, context)
        return _authorization(configuration)

    configuration, loaded = await _load_kubeconfig(paths, context)
    return Credentials(
        server=configuration.host.rstrip("/"),
        token=Token(read),
        namespace=loaded.current_context["context"].get("namespace") or "default",
        tls=_tls(configuration),
        server_name=configuration.tls_server_name,
        proxy=configuration.proxy,
    )


async def from_pod() -> Credentials:
    """Read the service account that the kubelet projects into the pod."""

    async def read() -> str | None:
        # The file may end in a newline, which no header may contain.
        token = await asyncio.to_thread((ACCOUNT / "token").read_text)
        return f"Bearer {token.strip()}"

    configuration = _load_pod()
    namespace = ACCOUNT / "namespace"
    return Credentials(
        server=configuration.host.rstrip("/"),
        token=Token(read),
        namespace=namespace.read_text().strip() if namespace.is_file() else "default",
        tls=_tls(configuration),
    )


def _own_file() -> str:
    return str(Path.home() / ".kube" / "config")


async def _load_kubeconfig(paths: str, context: str | None) -> tuple[Any, Any]:
    # Imported here because it takes most of a second, which `--help` need not wait for.
    from kubernetes.aio.client import Configuration
    from kubernetes.aio.config import ConfigException, load_kube_config

    configuration = Configuration()
    _require_a_file(paths)
    try:
        loader = await load_kube_config(
            config_file=paths,
            context=context,
            client_configuration=configuration,
            persist_config=False,
        )
    except (ConfigException, OSError, ValueError) as error:
        raise MisconfiguredError(f"kubeconfig: {error}") from error
    return configuration, loader


def _require_a_file(paths: str) -> None:
    # The official client only warns, and fails later with a traceback.
    if not any(Path(path).expanduser().is_file() for path in paths.split(os.pathsep) if path):
        raise MisconfiguredError(f"kubeconfig: there is no file {paths}")


def _load_pod() -> Any:
    from kubernetes.aio.client import Configuration
    from kubernetes.aio.config import ConfigException, load_incluster_config

    configuration = Configuration()
    try:
        load_incluster_config(client_configuration=configuration)
    except ConfigException as error:
        raise MisconfiguredError(f"service account: {error}") from error
    return configuration


def _authorization(configuration: Any) -> str | None:
    value = configuration.api_key.get("BearerToken")
    return value.strip() if value else None


def _tls(configuration: Any) -> ssl.SSLContext | None:
    if not configuration.host.startswith("https"):
        return None
    tls = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    if configuration.cert_file:
        tls.load_cert_chain(configuration.cert_file, keyfile=configuration.key_file)
    if not configuration.verify_ssl:
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
    return tls
