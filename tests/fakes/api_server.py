"""A Kubernetes API server in memory, which can be made to fail at any request.

async with FakeApiServer() as server:
    server.put(MODELS, {...})
    async with server.client() as client: ...
    server.fail(when="after", where=lambda call: call.is_write)
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias
from urllib.parse import unquote

from aiohttp import web

from modelwarden.cluster import paths
from modelwarden.cluster.client import APPLY_PATCH, JSON_PATCH, ApiClient
from modelwarden.cluster.credentials import Credentials, Token
from modelwarden.cluster.paths import Resource
from tests.fakes.store import (
    JsonObject,
    RefusalError,
    Store,
    matches_fields,
    matches_labels,
    merged,
    patched,
)

RESOURCES = tuple(value for value in vars(paths).values() if isinstance(value, Resource))
ANONYMOUS = {"username": "system:anonymous", "groups": ["system:unauthenticated"], "uid": ""}

AccessReview: TypeAlias = Callable[[JsonObject], bool]
Where: TypeAlias = Callable[["Call"], bool]


@dataclass(frozen=True)
class Call:
    """One request: what it does, to what, with what."""

    method: str
    resource: Resource
    namespace: str
    name: str
    subresource: str
    query: Mapping[str, str]
    body: Any
    content_type: str
    user: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_write(self) -> bool:
        """Say whether it changes an object (a review changes none)."""
        return self.method != "GET" and not self.resource.plural.endswith("reviews")

    @property
    def site(self) -> str:
        """Name the effect, as a sentence about crashes would."""
        what = "/".join(filter(None, (self.resource.plural, self.subresource)))
        return f"{self.method} {what} {self.namespace}/{self.name or self._name_in_body}"

    @property
    def _name_in_body(self) -> str:
        metadata = (self.body or {}).get("metadata", {}) if isinstance(self.body, dict) else {}
        return str(metadata.get("name") or metadata.get("generateName") or "")


@dataclass
class _Fault:
    where: Where
    when: Literal["before", "after"]
    times: int
    answer: RefusalError | None
    stay_down: bool


class FakeApiServer:
    """An API server on the loopback; objects, access reviews, watches, and faults on demand."""

    def __init__(self, *, review: AccessReview = lambda _: True) -> None:
        self.clock: Callable[[], datetime] | None = None
        self.store = Store(now=self._time)
        self.review = review
        self.users: dict[str, Mapping[str, Any]] = {}
        self.calls: list[Call] = []
        self.watches: list[Call] = []
        self.logs: dict[tuple[str, str], str] = {}
        self.is_down = False
        self._faults: list[_Fault] = []
        self._changed = asyncio.Condition()
        self._runner: web.AppRunner | None = None
        self.url = ""

    def _time(self) -> datetime:
        return datetime.now(UTC) if self.clock is None else self.clock()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def credentials(self, login: str = "operator") -> Credentials:
        """Give the credentials of one caller; its token is its login, or a key of `users`."""

        async def read() -> str:
            return f"Bearer {login}"

        return Credentials(server=self.url, token=Token(read))

    def client(self, login: str = "operator") -> ApiClient:
        """Open a client of one caller."""
        return ApiClient(self.credentials(login))

    def put(self, resource: Resource, body: JsonObject) -> JsonObject:
        """Place an object, status included, as if others had made it; an old one is replaced."""
        metadata = body["metadata"]
        place = (metadata.get("namespace", "") if resource.namespaced else "", metadata["name"])
        try:
            self.store.get(resource, place)
        except RefusalError:
            self.store.create(resource, body, "others")
        else:
            content = {name: value for name, value in body.items() if name != "metadata"}
            given = {name: metadata[name] for name in ("labels", "annotations") if name in metadata}
            self.store.patch(
                resource,
                place,
                lambda live: live | content | {"metadata": live["metadata"] | given},
            )
        if "status" in body:
            self.store.patch(
                resource,
                place,
                lambda live: live | {"status": body["status"]},
                subresource="status",
            )
        self._wake()
        return self.store.get(resource, place)

    def get(self, resource: Resource, name: str, namespace: str = "") -> JsonObject:
        """Read an object without a request."""
        return self.store.get(resource, (namespace, name))

    def all(self, resource: Resource, namespace: str = "") -> Sequence[JsonObject]:
        """Read all objects of a kind without a request."""
        return list(self.store.list(resource, namespace))

    def remove(self, resource: Resource, name: str, namespace: str = "") -> None:
        """Delete an object as if others had done it."""
        self.store.delete(resource, (namespace, name))
        self._wake()

    def fail(
        self,
        *,
        where: Where = lambda _: True,
        when: Literal["before", "after"] = "before",
        times: int = 1,
        answer: RefusalError | None = None,
        stay_down: bool = False,
    ) -> None:
        """Fail the next requests that match: unanswered or, `before`, with the given answer.

        `after` means that the request was carried out and its answer is lost.
        """
        self._faults.append(_Fault(where, when, times, answer, stay_down))

    def fail_write(
        self, number: int, *, when: Literal["before", "after"], stay_down: bool = True
    ) -> None:
        """Lose the server at the given write, counted from 0 and from now."""
        left = iter(range(number + 1))
        last: list[int] = []

        def is_it(call: Call) -> bool:
            if call.is_write:
                last.append(next(left, -1))
            return call.is_write and last[-1] == number

        self.fail(where=is_it, when=when, stay_down=stay_down)

    def recover(self) -> None:
        """Answer again, and forget what was to fail."""
        self.is_down = False
        self._faults.clear()

    @property
    def writes(self) -> list[str]:
        """The sites of all writes so far, in order."""
        return [call.site for call in self.calls if call.is_write]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if self.is_down:
            return _hang_up(request)
        discovery = _discovery(request.path)
        if discovery is not None:
            return web.json_response(discovery)
        try:
            call = await self._read(request)
        except RefusalError as refusal:
            return _status(refusal)
        if call.query.get("watch") == "true":
            self.watches.append(call)
            return await self._watch(request, call)
        self.calls.append(call)
        # A fault is asked about each request once, so that it can count.
        fault = next((fault for fault in self._faults if fault.where(call)), None)
        if fault is not None:
            self._use(fault)
            if fault.when == "before":
                return _status(fault.answer) if fault.answer else _hang_up(request)
        response = self._respond(call)
        async with self._changed:
            self._changed.notify_all()
        return _hang_up(request) if fault is not None else response

    def _use(self, fault: _Fault) -> None:
        fault.times -= 1
        self.is_down = fault.stay_down
        if fault.times <= 0:
            self._faults.remove(fault)

    def _respond(self, call: Call) -> web.Response:
        try:
            answer = self._carry_out(call)
        except RefusalError as refusal:
            return _status(refusal)
        if isinstance(answer, str):
            return web.Response(text=answer)
        return web.json_response(answer, status=201 if call.method == "POST" else 200)

    async def _read(self, request: web.Request) -> Call:
        header = request.headers.get("Authorization", "")
        token = header.removeprefix("Bearer ")
        user = self.users.get(token) or {"username": token, "groups": [], "uid": ""}
        resource, namespace, name, subresource = _parse(request.path)
        text = await request.text()
        return Call(
            method=request.method,
            resource=resource,
            namespace=namespace,
            name=name,
            subresource=subresource,
            query=dict(request.query),
            body=json.loads(text) if text else None,
            content_type=request.content_type,
            user=user if token else ANONYMOUS,
        )

    def _carry_out(self, call: Call) -> JsonObject | str:
        match call.method:
            case "GET" if call.subresource == "log":
                return self.logs.get((call.namespace, call.name), "")
            case "GET" if call.name:
                return self.store.get(call.resource, (call.namespace, call.name))
            case "GET":
                return self._page(call)
            case "POST" if call.resource.plural.endswith("reviews"):
                return self._reviewed(call)
            case "POST":
                body = _placed(call)
                manager = call.query.get("fieldManager", str(call.user["username"]))
                dry_run = "dryRun" in call.query
                return self.store.create(call.resource, body, manager, dry_run=dry_run)
            case "PATCH":
                return self._patched(call)
            case "DELETE":
                uid = ((call.body or {}).get("preconditions") or {}).get("uid", "")
                return self.store.delete(call.resource, (call.namespace, call.name), uid=uid)
            case _:
                raise RefusalError(405, "MethodNotAllowed", call.method)

    def _patched(self, call: Call) -> JsonObject:
        dry_run = "dryRun" in call.query
        manager = call.query.get("fieldManager", str(call.user["username"]))
        if call.content_type == APPLY_PATCH:
            return self.store.apply(
                call.resource,
                _placed(call),
                manager,
                force=call.query.get("force") == "true",
                subresource=call.subresource,
                dry_run=dry_run,
            )
        change = patched if call.content_type == JSON_PATCH else merged
        return self.store.patch(
            call.resource,
            (call.namespace, call.name),
            lambda live: change(live, call.body),
            manager=manager,
            subresource=call.subresource,
            dry_run=dry_run,
        )

    def _page(self, call: Call) -> JsonObject:
        found = [
            item
            for item in self.store.list(call.resource, call.namespace)
            if matches_labels(item, call.query.get("labelSelector", ""))
            and matches_fields(item, call.query.get("fieldSelector", ""))
        ]
        first = int(call.query.get("continue") or 0)
        last = first + int(call.query.get("limit") or len(found))
        metadata = {"resourceVersion": str(self.store.version)}
        if last < len(found):
            metadata["continue"] = str(last)
        return {
            "apiVersion": call.resource.api_version,
            "kind": f"{call.resource.kind}List",
            "metadata": metadata,
            "items": found[first:last],
        }

    def _reviewed(self, call: Call) -> JsonObject:
        if call.resource == paths.SELF_SUBJECT_REVIEWS:
            return {**call.body, "status": {"userInfo": dict(call.user)}}
        spec = dict(call.body["spec"])
        if call.resource == paths.SELF_SUBJECT_ACCESS_REVIEWS:
            spec = {"user": call.user["username"], "groups": call.user["groups"]} | spec
        return {**call.body, "status": {"allowed": self.review(spec)}}

    async def _watch(self, request: web.Request, call: Call) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_type = "application/json"
        await response.prepare(request)
        since = int(call.query.get("resourceVersion") or self.store.version)
        sent = next(
            (n for n, change in enumerate(self.store.changes) if change.version > since),
            len(self.store.changes),
        )
        while not self.is_down:
            for change in self.store.changes[sent:]:
                sent += 1
                if change.resource == call.resource and matches_labels(
                    change.object, call.query.get("labelSelector", "")
                ):
                    event = {"type": change.type, "object": change.object}
                    await response.write(json.dumps(event).encode() + b"\n")
            async with self._changed:
                await self._changed.wait_for(partial(self._is_newer, sent))
        return response

    def _is_newer(self, sent: int) -> bool:
        return len(self.store.changes) > sent

    def _wake(self) -> None:
        async def notify() -> None:
            async with self._changed:
                self._changed.notify_all()

        self._waking = asyncio.ensure_future(notify())


def _parse(path: str) -> tuple[Resource, str, str, str]:
    parts = [unquote(part) for part in path.strip("/").split("/")]
    group, version, rest = ("", parts[1], parts[2:])
    if parts[0] == "apis":
        group, version, rest = parts[1], parts[2], parts[3:]
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
    for resource in RESOURCES:
        if (resource.group, resource.version, resource.plural) == (group, version, rest[0]):
            name, subresource = ([*rest[1:], "", ""])[:2]
            return resource, namespace, name, subresource
    raise RefusalError(404, "NotFound", f"the server could not find the requested resource: {path}")


def _placed(call: Call) -> JsonObject:
    metadata = dict(call.body.get("metadata") or {})
    metadata |= {"namespace": call.namespace} if call.namespace else {}
    metadata |= {"name": call.name} if call.name else {}
    return {**call.body, "metadata": metadata}


def _discovery(path: str) -> JsonObject | None:
    # /apis/<group>/<version> is the longest; every other request is about objects.
    if path.count("/") > 3:
        return None
    versions = {(resource.group, resource.version) for resource in RESOURCES}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        return {"kind": "APIGroupList", "groups": [_group(*one) for one in versions if one[0]]}
    for group, version in versions:
        if path == (f"/apis/{group}/{version}" if group else f"/api/{version}"):
            return {
                "kind": "APIResourceList",
                "groupVersion": f"{group}/{version}" if group else version,
                "resources": [
                    _described(one)
                    for one in RESOURCES
                    if (one.group, one.version) == (group, version)
                ],
            }
    return None


def _group(group: str, version: str) -> JsonObject:
    described = {"groupVersion": f"{group}/{version}", "version": version}
    return {"name": group, "versions": [described], "preferredVersion": described}


def _described(resource: Resource) -> JsonObject:
    return {
        "name": resource.plural,
        "singularName": resource.kind.lower(),
        "kind": resource.kind,
        "namespaced": resource.namespaced,
        "verbs": ["create", "delete", "get", "list", "patch", "update", "watch"],
    }


def _status(refusal: RefusalError) -> web.Response:
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": refusal.code,
        "reason": refusal.reason,
        "message": str(refusal),
        "details": refusal.details,
    }
    return web.json_response(body, status=refusal.code)


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
