import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from modelwarden.audit import endpoint
from modelwarden.audit.anchor import Anchor
from modelwarden.audit.chain import sound_objects
from modelwarden.audit.memory import MemoryStore
from modelwarden.audit.remote import RemoteReader
from modelwarden.audit.store import (
    EVIDENCE,
    LEDGER,
    MAX_BYTES,
    NotStoredError,
    evidence_key,
    ledger_key,
)
from modelwarden.audit.verify import verify
from modelwarden.errors import LedgerUnavailableError
from tests.audit.builders import (
    SIGNER,
    a_log,
    a_record,
    anchor_of,
    key_of,
    sha256,
    store_of,
)

CONTENT = b"\x00content\xff"
OBJECTS = {
    **a_log([[a_record("t1", evidence={"spec": sha256(CONTENT)})], [a_record("t2")] * 2]),
    evidence_key(sha256(CONTENT)): CONTENT,
}
ANCHOR = anchor_of(OBJECTS)


@contextmanager
def a_loop() -> Iterator[Callable[[Coroutine[Any, Any, Any]], Any]]:
    """An event loop in a thread of its own, for the readers under test are blocking."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield lambda work: asyncio.run_coroutine_threadsafe(work, loop).result(timeout=30)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=30)
        loop.close()


@contextmanager
def serving(store: MemoryStore, anchor: Anchor | None) -> Iterator[str]:
    """The endpoint on a port of loopback; gives its address."""
    runner = web.AppRunner(endpoint.application(store, anchor=lambda: anchor))

    async def start() -> str:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    with a_loop() as run:
        yield run(start())
        run(runner.cleanup())


@pytest.fixture
def store() -> MemoryStore:
    return store_of(OBJECTS)


@pytest.fixture
def served(store: MemoryStore) -> Iterator[str]:
    with serving(store, ANCHOR) as address:
        yield address


@pytest.fixture
def remote(served: str) -> Iterator[RemoteReader]:
    reader = RemoteReader(served, timeout=30)
    yield reader
    reader.close()


async def got(
    served: str, path: str, method: str = "GET", **headers: str
) -> tuple[int, str, bytes]:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, served + path, headers=headers) as response,
    ):
        return response.status, response.content_type, await response.read()


async def got_json(served: str, path: str) -> Any:
    async with aiohttp.ClientSession() as session, session.get(served + path) as response:
        assert response.status == 200
        return await response.json()


async def test_the_root_says_what_the_ledger_is(served: str) -> None:
    assert await got_json(served, "/") == {
        "format": 1,
        "origin": ANCHOR.origin,
        "size": 4,
        "head": ANCHOR.head,
        "publicKey": SIGNER.key.text,
    }


async def test_the_keys_are_listed_after_an_index(served: str) -> None:
    assert await got_json(served, "/ledger") == {"keys": [key_of(0), key_of(1), key_of(2)]}
    assert await got_json(served, "/ledger?after=0") == {"keys": [key_of(1), key_of(2)]}
    assert await got_json(served, "/ledger?after=1") == {"keys": [key_of(2)]}
    assert await got_json(served, "/ledger?after=2") == {"keys": []}


async def test_objects_and_evidence_are_given_byte_by_byte(served: str) -> None:
    assert await got(served, "/" + key_of(1)) == (200, "application/json", OBJECTS[key_of(1)])
    assert await got(served, "/" + evidence_key(sha256(CONTENT))) == (
        200,
        "application/octet-stream",
        CONTENT,
    )


@pytest.mark.parametrize(
    "path",
    [
        "/" + key_of(9),
        "/" + evidence_key(sha256(b"never")),
        "/ledger/0",
        "/evidence/..%2fledger%2f" + "0" * 20,
        "/" + evidence_key(sha256(CONTENT)).upper(),
        "/evidence",
        "/ed25519.pem",
        "/ledger/..%2f..%2fetc%2fpasswd",
    ],
)
async def test_what_is_not_in_the_ledger_is_not_found(served: str, path: str) -> None:
    assert (await got(served, path))[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/", "/ledger", "/" + key_of(1), "/" + key_of(9)])
async def test_nothing_can_be_written(
    served: str, store: MemoryStore, method: str, path: str
) -> None:
    status, _, _ = await got(served, path, method)

    assert status == 405
    assert store.objects == OBJECTS


@pytest.mark.parametrize("host", ["ledger.example.com", "169.254.169.254", "127.0.0.1.nip.io", ""])
async def test_a_page_in_somebodys_browser_cannot_read_along(served: str, host: str) -> None:
    status, _, body = await got(served, "/" + key_of(1), Host=host)

    assert status in (400, 403)
    assert body != OBJECTS[key_of(1)]


@pytest.mark.parametrize("host", ["localhost:8089", "127.0.0.1:9", "[::1]:8089", "localhost"])
async def test_every_port_of_loopback_may_be_forwarded(served: str, host: str) -> None:
    assert (await got(served, "/" + key_of(1), Host=host))[0] == 200


async def test_a_store_that_is_down_is_said_to_be_so(served: str, store: MemoryStore) -> None:
    store.is_down = True

    for path in ("/ledger", "/" + key_of(1)):
        assert await got(served, path) == (503, "text/plain", b"The store is down.\n")


async def test_a_ledger_that_is_not_open_shows_its_objects_all_the_same() -> None:
    with serving(store_of(OBJECTS), None) as served:
        assert (await got(served, "/"))[0] == 503
        assert (await got(served, "/" + key_of(1)))[0] == 200


def test_a_remote_ledger_verifies_like_its_store(remote: RemoteReader, store: MemoryStore) -> None:
    assert remote.anchor() == ANCHOR
    assert verify(remote, SIGNER.key, anchor=ANCHOR) == verify(store, SIGNER.key, anchor=ANCHOR)
    assert verify(remote, SIGNER.key, anchor=ANCHOR).ok


def test_a_remote_ledger_is_read_as_its_store_is(remote: RemoteReader, store: MemoryStore) -> None:
    assert list(sound_objects(remote, SIGNER.key)) == list(sound_objects(store, SIGNER.key))


@pytest.mark.parametrize("name", ["5", "0" * 19, "1" * 21, "x y&z=/..", "\udcff", "\u0660" * 20])
def test_odd_names_are_seen_through_the_endpoint_too(
    remote: RemoteReader, store: MemoryStore, name: str
) -> None:
    store.objects[LEDGER + name] = b"?"

    assert verify(remote, SIGNER.key) == verify(store, SIGNER.key)
    assert not verify(remote, SIGNER.key).ok


def test_many_keys_come_page_by_page(
    remote: RemoteReader, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "PAGE", 2)

    assert list(remote.list(LEDGER)) == [key_of(0), key_of(1)]
    assert list(remote.list(LEDGER, key_of(1))) == [key_of(2)]
    assert verify(remote, SIGNER.key, anchor=ANCHOR).ok


def test_what_is_not_there_is_not_stored(remote: RemoteReader) -> None:
    for key in (key_of(9), evidence_key(sha256(b"never")), "ledger/9", "../etc/passwd"):
        with pytest.raises(NotStoredError):
            remote.read(key)


def test_the_endpoint_lists_no_evidence(remote: RemoteReader) -> None:
    with pytest.raises(ValueError, match="ledger only"):
        remote.list(EVIDENCE)


def test_an_outage_is_no_answer_and_passes(remote: RemoteReader, store: MemoryStore) -> None:
    store.is_down = True
    with pytest.raises(LedgerUnavailableError, match="503"):
        remote.read(key_of(0))
    store.is_down = False

    assert remote.read(key_of(0)) == OBJECTS[key_of(0)]


def test_a_server_that_is_gone_is_no_answer() -> None:
    with serving(store_of(OBJECTS), ANCHOR) as served:
        reader = RemoteReader(served, timeout=30)
        reader.read(key_of(0))

    with pytest.raises(LedgerUnavailableError, match="did not answer"):
        reader.read(key_of(0))
    reader.close()


@pytest.mark.parametrize(
    "address", ["https://127.0.0.1:1", "127.0.0.1:1", "http://", "http://127.0.0.1:1/path", ""]
)
def test_an_address_is_a_host_and_a_port(address: str) -> None:
    with pytest.raises(ValueError, match="http://host:port"):
        RemoteReader(address)


@contextmanager
def answering(
    body: bytes, *, status: int = 200, length: int | None = None
) -> Iterator[RemoteReader]:
    """A server that says this to everything, and a reader of it."""
    size = len(body) if length is None else length
    answer = f"HTTP/1.1 {status} So\r\nContent-Length: {size}\r\n\r\n".encode() + body

    async def answer_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async def start() -> asyncio.Server:
        return await asyncio.start_server(answer_one, "127.0.0.1", 0)

    async def stop(server: asyncio.Server) -> None:
        server.close()

    with a_loop() as run:
        server = run(start())
        reader = RemoteReader(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", timeout=30)
        yield reader
        reader.close()
        run(stop(server))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"\xff",
        b"[]",
        b"{}",
        b'{"keys":5}',
        b"[" * 100_000,
        b'{"format":2,"size":1}',
    ],
)
def test_what_answers_otherwise_is_no_ledger(body: bytes) -> None:
    with answering(body) as reader:
        with pytest.raises(LedgerUnavailableError, match="no ledger"):
            reader.anchor()
        with pytest.raises(LedgerUnavailableError, match="no ledger"):
            reader.list(LEDGER)


@pytest.mark.parametrize(
    "keys",
    [
        [key_of(1), key_of(0)],
        [key_of(1), key_of(1)],
        ["evidence/x"],
        [ledger_key(0)],
    ],
)
def test_keys_that_would_lead_in_circles_are_no_answer(keys: list[str]) -> None:
    listed = "{" + f'"keys": {keys}'.replace("'", '"') + "}"
    with answering(listed.encode()) as reader, pytest.raises(LedgerUnavailableError, match="order"):
        reader.list(LEDGER, key_of(0))


def test_an_answer_cut_short_is_no_answer() -> None:
    with answering(b"half", length=8) as reader, pytest.raises(LedgerUnavailableError):
        reader.read(key_of(0))


def test_an_endless_answer_is_cut_and_found_too_large() -> None:
    with answering(b"x" * (MAX_BYTES + 100)) as reader:
        assert len(reader.read(key_of(0))) == MAX_BYTES + 1
        assert len(reader.read(key_of(0))) == MAX_BYTES + 1


@pytest.mark.parametrize("status", [301, 401, 500])
def test_another_status_is_no_answer(status: int) -> None:
    with (
        answering(b"\x1b[2J", status=status) as reader,
        pytest.raises(LedgerUnavailableError, match=rf"{status}: b'\\x1b\[2J'"),
    ):
        reader.read(key_of(0))
