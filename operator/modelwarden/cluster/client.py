"""One call to the API server, and the verbs made of it."""

import json
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

import aiohttp

from modelwarden.cluster.answers import ApiError, error_of
from modelwarden.cluster.credentials import Credentials, find_credentials
from modelwarden.cluster.paths import PODS, Resource
from modelwarden.domain.labels import FIELD_MANAGER
from modelwarden.errors import UnavailableError

JsonObject: TypeAlias = dict[str, Any]
# Told of each call: the method, the status code (0 for no answer) and the seconds it took.
Observe: TypeAlias = Callable[[str, int, float], None]

TOTAL_SECONDS = 30.0
PAGE = 500
# A list that is forgotten while it is read is read again; a fourth time is a broken server.
LIST_ATTEMPTS = 3

JSON = "application/json"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
# The body may be JSON, which is YAML, if it is written as `body_bytes` does.
APPLY_PATCH = "application/apply-patch+yaml"
_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


def body_bytes(body: object) -> bytes:
    """Write a body so that it is the same as JSON and as YAML.

    YAML knows no escape of two halves for what lies beyond the first 65,536 characters, and takes
    some others for the end of a line, or not at all, unless they are escaped.
    """
    written = json.dumps(body, ensure_ascii=False)
    return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", written).encode()


class ApiClient:
    """The API server, as one caller sees it.

    Every verb raises ApiError for a refusal and UnavailableError when there was no answer; after
    the latter a write may have happened.
    """

    def __init__(self, credentials: Credentials, *, observe: Observe | None = None) -> None:
        self.credentials = credentials
        self._observe = observe or _ignore
        self._session = credentials.open_session(total_seconds=TOTAL_SECONDS)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Drop the connections."""
        await self._session.close()

    async def get(self, resource: Resource, name: str, namespace: str = "") -> JsonObject:
        """Read one object."""
        return await self._json("GET", resource.path(namespace, name))

    async def find(self, resource: Resource, name: str, namespace: str = "") -> JsonObject | None:
        """Read one object; None when it is not there."""
        try:
            return await self.get(resource, name, namespace)
        except ApiError as error:
            if error.is_not_found:
                return None
            raise

    async def pages(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        labels: str = "",
        fields: str = "",
        limit: int = PAGE,
    ) -> AsyncIterator[Sequence[JsonObject]]:
        """Read a collection page by page; an error that `is_gone` means: begin again."""
        query = {"limit": str(limit)}
        query |= {"labelSelector": labels} if labels else {}
        query |= {"fieldSelector": fields} if fields else {}
        while True:
            page = await self._json("GET", resource.path(namespace), query=query)
            yield page.get("items") or ()
            place = page["metadata"].get("continue")
            if not place:
                return
            query["continue"] = place

    async def list(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        labels: str = "",
        fields: str = "",
        limit: int = PAGE,
    ) -> Sequence[JsonObject]:
        """Read a whole collection; of built-in kinds the items have no apiVersion and kind."""
        for attempt in range(1, LIST_ATTEMPTS + 1):
            items: list[JsonObject] = []
            try:
                async for page in self.pages(
                    resource, namespace, labels=labels, fields=fields, limit=limit
                ):
                    items.extend(page)
            except ApiError as error:
                if not error.is_gone or attempt == LIST_ATTEMPTS:
                    raise
            else:
                return items
        raise AssertionError("the last attempt returns or raises")

    async def create(
        self, resource: Resource, body: JsonObject, *, dry_run: bool = False
    ) -> JsonObject:
        """Create the object; its own metadata says where."""
        namespace, _ = _place_of(body)
        path = resource.path(namespace)
        return await self._json("POST", path, query=_dry_run(wanted=dry_run), body=body)

    async def apply(
        self,
        resource: Resource,
        body: JsonObject,
        *,
        force: bool = False,
        subresource: str = "",
        dry_run: bool = False,
    ) -> JsonObject:
        """Own exactly the fields of the body (server-side apply), as field manager `modelwarden`.

        Without force, a field of another manager is a conflict, and nothing is written. A
        resourceVersion or uid in the metadata must be that of the stored object. A field that the
        schema does not have is an ApiError of code 500 without a reason: repeating it is no use.
        """
        namespace, name = _place_of(body)
        query = {"fieldManager": FIELD_MANAGER, "force": "true" if force else "false"}
        return await self._json(
            "PATCH",
            resource.path(namespace, name, subresource),
            query=query | _dry_run(wanted=dry_run),
            body=body,
            content_type=APPLY_PATCH,
        )

    async def apply_status(self, resource: Resource, body: JsonObject) -> JsonObject:
        """Own exactly the fields of the body's status, which nobody else may write.

        The server does not check a uid here: send the resourceVersion, or a new object of the same
        name gets the status of the old one.
        """
        return await self.apply(resource, body, force=True, subresource="status")

    async def patch(
        self,
        resource: Resource,
        name: str,
        patch: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        namespace: str = "",
        subresource: str = "",
        dry_run: bool = False,
    ) -> JsonObject:
        """Change an object: by merge for an object, by operations (JSON Patch) for a list.

        A merge with `metadata.resourceVersion` is a compare-and-swap. What is patched is owned
        apart from what is applied, and no later apply takes it back.
        """
        return await self._json(
            "PATCH",
            resource.path(namespace, name, subresource),
            query={"fieldManager": FIELD_MANAGER} | _dry_run(wanted=dry_run),
            body=patch,
            content_type=MERGE_PATCH if isinstance(patch, Mapping) else JSON_PATCH,
        )

    async def delete(
        self, resource: Resource, name: str, namespace: str = "", *, uid: str = ""
    ) -> None:
        """Delete an object and what it owns; with a uid only that very object, else a conflict.

        Deleting a Job without a propagation policy would leave its pods behind.
        """
        options: JsonObject = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "propagationPolicy": "Background",
        }
        if uid:
            options["preconditions"] = {"uid": uid}
        await self._json("DELETE", resource.path(namespace, name), body=options)

    async def logs(self, name: str, namespace: str, *, container: str = "", tail: int = 100) -> str:
        """Read the last lines that a pod's container wrote."""
        query = {"tailLines": str(tail)} | ({"container": container} if container else {})
        answer = await self.request("GET", PODS.path(namespace, name, "log"), query=query)
        return answer.decode(errors="replace")

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        content_type: str = JSON,
    ) -> bytes:
        """Make one call and give the bytes of the answer."""
        began, code = time.monotonic(), 0
        try:
            async with self._session.request(
                method,
                self.credentials.server + path,
                params=query,
                data=None if body is None else body_bytes(body),
                headers={"Accept": "application/json", "Content-Type": content_type},
            ) as response:
                data = await response.read()
                code = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            why = str(error) or type(error).__name__
            raise UnavailableError(
                f"{method} {path}: the API server did not answer: {why}"
            ) from error
        finally:
            self._observe(method, code, time.monotonic() - began)
        if code >= HTTPStatus.BAD_REQUEST:
            raise error_of(code, data, response.headers.get("Retry-After"))
        return data

    async def _json(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        content_type: str = JSON,
    ) -> JsonObject:
        data = await self.request(method, path, query=query, body=body, content_type=content_type)
        try:
            answer = json.loads(data)
        except ValueError as error:
            raise UnavailableError(f"{method} {path}: the answer is not JSON") from error
        if not isinstance(answer, dict):
            raise UnavailableError(f"{method} {path}: the answer is not an object")
        return answer


async def connect(
    kubeconfig: Path | None = None, context: str | None = None, *, observe: Observe | None = None
) -> ApiClient:
    """Find the credentials of this process and open a client with them."""
    return ApiClient(await find_credentials(kubeconfig, context), observe=observe)


def _place_of(body: Mapping[str, Any]) -> tuple[str, str]:
    metadata = body["metadata"]
    return metadata.get("namespace", ""), metadata.get("name", "")


def _dry_run(*, wanted: bool) -> dict[str, str]:
    return {"dryRun": "All"} if wanted else {}


def _ignore(_method: str, _code: int, _seconds: float) -> None:
    pass
