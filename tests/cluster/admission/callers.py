"""Requests to an API server in the name of anybody: an administrator impersonates them."""

import base64
import http.client
import json
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from modelwarden.domain.identity import Caller

OPERATOR = "system:serviceaccount:modelwarden-system:modelwarden-controller"
GROUP = "/apis/modelwarden.io/v1alpha1"
MERGE = "application/merge-patch+json"
EVERYBODY = "system:authenticated"


class RefusedError(Exception):
    """The API server did not do it; `code` is HTTP's and the message is what it said."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Server:
    """One connection to an API server, as the administrator of a kubeconfig."""

    def __init__(self, kubeconfig: Mapping[str, Any], context: str) -> None:
        chosen = _named(kubeconfig, "contexts", context)["context"]
        place = urlsplit(_named(kubeconfig, "clusters", chosen["cluster"])["cluster"]["server"])
        trust = _named(kubeconfig, "clusters", chosen["cluster"])["cluster"]
        login = _named(kubeconfig, "users", chosen["user"])["user"]
        ssl_context = ssl.create_default_context(
            cadata=_decoded(trust["certificate-authority-data"]).decode()
        )
        with tempfile.TemporaryDirectory() as folder:
            files = (Path(folder) / "certificate", Path(folder) / "key")
            for file, kind in zip(
                files, ("client-certificate-data", "client-key-data"), strict=True
            ):
                file.write_bytes(_decoded(login[kind]))
            ssl_context.load_cert_chain(*files)
        self._connection = http.client.HTTPSConnection(
            place.hostname or "", place.port, timeout=30, context=ssl_context
        )

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        headers: list[tuple[str, str]],
        content_type: str = "application/json",
        **query: str,
    ) -> Any:
        """Make one request; RefusedError for every answer that is not a success."""
        self._connection.putrequest(method, f"{path}?{urlencode(query)}" if query else path)
        content = json.dumps(body).encode() if body is not None else b""
        for name, value in (
            ("Content-Type", content_type),
            ("Accept", "application/json"),
            ("Content-Length", str(len(content))),
            *headers,
        ):
            self._connection.putheader(name, value)
        self._connection.endheaders(content)
        response = self._connection.getresponse()
        answer = response.read()
        if response.status >= 300:
            raise RefusedError(response.status, _message(answer))
        return json.loads(answer)


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody with groups who speaks to the server; without a name, the administrator."""

    server: Server
    username: str = ""
    groups: tuple[str, ...] = field(default=())

    def named(self, username: str, *groups: str) -> "Person":
        """Somebody else on the same connection."""
        return replace(self, username=username, groups=groups)

    @property
    def caller(self) -> Caller:
        """The person as the API server stamps them."""
        groups = self.groups if EVERYBODY in self.groups else (*self.groups, EVERYBODY)
        return Caller(username=self.username, groups=groups)

    def get(self, path: str) -> Any:
        """Read."""
        return self._call("GET", path)

    def create(self, path: str, body: Mapping[str, Any], *, dry_run: bool = False) -> Any:
        """Create in a collection."""
        return self._call("POST", path, body, **_dry(wanted=dry_run))

    def put(self, path: str, body: Mapping[str, Any], *, dry_run: bool = False) -> Any:
        """Replace one object."""
        return self._call("PUT", path, body, **_dry(wanted=dry_run))

    def merge(self, path: str, body: Mapping[str, Any], *, dry_run: bool = False) -> Any:
        """Change some fields of one object."""
        return self._call("PATCH", path, body, content_type=MERGE, **_dry(wanted=dry_run))

    def write(self, method: str, path: str, body: Mapping[str, Any], *, dry_run: bool) -> Any:
        """Write as kubectl does: what no schema knows is refused, not left out."""
        query = {**_dry(wanted=dry_run), "fieldValidation": "Strict"}
        return self._call(method, path, body, **query)

    def delete(self, path: str, *, dry_run: bool = False) -> Any:
        """Delete one object or a collection."""
        return self._call("DELETE", path, **_dry(wanted=dry_run))

    def _call(self, method: str, path: str, body: Any = None, **options: str) -> Any:
        headers = [("Impersonate-User", self.username)] if self.username else []
        headers += [("Impersonate-Group", group) for group in self.groups]
        return self.server.call(method, path, body, headers=headers, **options)


def _dry(*, wanted: bool) -> dict[str, str]:
    return {"dryRun": "All"} if wanted else {}


def _named(kubeconfig: Mapping[str, Any], kind: str, name: str) -> Any:
    return next(entry for entry in kubeconfig[kind] if entry["name"] == name)


def _decoded(text: str) -> bytes:
    return base64.b64decode(text)


def _message(answer: bytes) -> str:
    try:
        return str(json.loads(answer)["message"])
    except (ValueError, KeyError):
        return answer.decode(errors="replace")
