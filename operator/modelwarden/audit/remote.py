"""A reader of the read-only endpoint: the ledger through a port-forward."""

import http.client
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from modelwarden.audit.anchor import Anchor
from modelwarden.audit.store import LEDGER, MAX_BYTES, NotStoredError, is_key
from modelwarden.errors import LedgerUnavailableError

# Large enough for a page of keys.
_MAX_ANSWER = MAX_BYTES


class RemoteReader:
    """A ledger behind `http://host:port`; keeps one connection, so one thread at a time."""

    def __init__(self, address: str, *, timeout: float = 30.0) -> None:
        parts = urlsplit(address)
        if parts.scheme != "http" or parts.hostname is None or parts.path not in ("", "/"):
            raise ValueError(f"not an address of the form http://host:port: {address!r}")
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def anchor(self) -> Anchor:
        """Ask what the ledger is now; it vouches for nothing, an anchor kept elsewhere does."""
        try:
            return Anchor.from_json(self._json("/"))
        except (KeyError, TypeError, ValueError) as error:
            raise LedgerUnavailableError("What answered is no ledger.") from error

    def list(self, prefix: str, after: str = "") -> Sequence[str]:
        """Name the next keys of the ledger after one key, in order."""
        if prefix != LEDGER:
            raise ValueError("the endpoint lists the ledger only")
        try:
            keys = self._json(f"/ledger?after={quote(after, safe='', errors='surrogateescape')}")
            names = [str(key) for key in keys["keys"]]
        except (KeyError, TypeError, ValueError) as error:
            raise LedgerUnavailableError("What answered is no ledger.") from error
        # Keys out of order could go on for ever.
        for earlier, key in zip([after, *names], names, strict=False):
            if not key > earlier or not key.startswith(prefix):
                raise LedgerUnavailableError("The ledger's keys came out of order.")
        return names

    def read(self, key: str) -> bytes:
        """Read one object."""
        if not is_key(key):
            raise NotStoredError(key)
        return self._get("/" + key)

    def _json(self, path: str) -> dict[str, Any]:
        try:
            value = json.loads(self._get(path))
        except RecursionError as error:
            raise ValueError("nested too deep") from error
        if not isinstance(value, dict):
            raise ValueError("not an object")
        return value

    def _get(self, path: str) -> bytes:
        try:
            return self._answer(path)
        except (OSError, http.client.HTTPException):
            # The connection may have been idle for too long: once more on a new one.
            self._connection.close()
        try:
            return self._answer(path)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise LedgerUnavailableError(f"The ledger did not answer: {error}") from error

    def _answer(self, path: str) -> bytes:
        self._connection.request("GET", path)
        response = self._connection.getresponse()
        body = response.read(_MAX_ANSWER + 1)
        if response.status == http.client.NOT_FOUND:
            raise NotStoredError(path)
        if not response.isclosed():
            self._connection.close()
            if len(body) <= _MAX_ANSWER:
                raise http.client.IncompleteRead(body)
        if response.status != http.client.OK:
            raise LedgerUnavailableError(f"The ledger answered {response.status}: {body[:200]!a}")
        return body
