"""The few calls to an API server that need no client library."""

import http.client
import json
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class UnavailableError(Exception):
    """The API server did not answer, or answered that it cannot now."""


@dataclass(frozen=True, kw_only=True)
class Api:
    """An API server, and the certificate files to speak to it with."""

    host: str
    authority: Path
    certificate: Path
    key: Path
    port: int = 6443

    def get(self, path: str) -> Any:
        """The object at the path."""
        return self._call("GET", path)

    def create(self, path: str, body: dict[str, Any]) -> Any:
        """Creates the object; one that is there already is left as it is."""
        return self._call("POST", path, body)

    def delete(self, path: str) -> Any:
        """Deletes the object; one that is gone already is fine."""
        return self._call("DELETE", path)

    def is_ready(self) -> bool:
        """True once every start-up hook is done; the body alone says "ok" too early."""
        try:
            self._call("GET", "/readyz")
        except UnavailableError:
            return False
        return True

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        context = ssl.create_default_context(cafile=str(self.authority))
        context.load_cert_chain(self.certificate, self.key)
        connection = http.client.HTTPSConnection(self.host, self.port, timeout=10, context=context)
        try:
            headers = {"Content-Type": "application/json", "Accept": "application/json"}
            connection.request(method, path, json.dumps(body) if body else None, headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as failure:
            raise UnavailableError(f"{method} {path}: {failure}") from failure
        finally:
            connection.close()
        there_already = (method, response.status) in {("POST", 409), ("DELETE", 404)}
        if response.status >= 300 and not there_already:
            raise UnavailableError(f"{method} {path}: {response.status} {content[:300]!r}")
        return json.loads(content) if content.startswith(b"{") else content


def eventually(claim: Callable[[], bool], *, within: float, every: float = 0.1) -> bool:
    """True as soon as the claim holds, False if it does not within that many seconds."""
    deadline = time.monotonic() + within
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True
