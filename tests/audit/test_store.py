"""What every store promises, asked of each of them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from modelwarden.audit.directory import DirectoryStore
from modelwarden.audit.memory import Fault, MemoryStore
from modelwarden.audit.store import (
    EVIDENCE,
    LEDGER,
    NotStoredError,
    Store,
    evidence_key,
    is_key,
    ledger_key,
)
from modelwarden.errors import LedgerUnavailableError
from tests.audit.builders import sha256

CONTENT = evidence_key(sha256(b"content"))


@pytest.fixture(params=["directory", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return MemoryStore() if request.param == "memory" else DirectoryStore.open(tmp_path / "store")


def test_what_is_created_can_be_read(store: Store) -> None:
    assert store.put_if_absent(ledger_key(0), b"zero")

    assert store.read(ledger_key(0)) == b"zero"


def test_a_name_is_taken_once_and_for_ever(store: Store) -> None:
    store.put_if_absent(ledger_key(0), b"zero")

    assert not store.put_if_absent(ledger_key(0), b"other")
    assert not store.put_if_absent(ledger_key(0), b"zero")
    assert store.read(ledger_key(0)) == b"zero"


def test_names_are_listed_in_order_after_one_of_them(store: Store) -> None:
    for index in (10, 0, 2):
        store.put_if_absent(ledger_key(index), b"")

    assert list(store.list(LEDGER)) == [ledger_key(0), ledger_key(2), ledger_key(10)]
    assert list(store.list(LEDGER, ledger_key(0))) == [ledger_key(2), ledger_key(10)]
    assert list(store.list(LEDGER, ledger_key(1))) == [ledger_key(2), ledger_key(10)]
    assert list(store.list(LEDGER, ledger_key(10))) == []


def test_the_families_do_not_mix(store: Store) -> None:
    store.put_if_absent(ledger_key(0), b"zero")
    store.put_if_absent(CONTENT, b"content")

    assert list(store.list(LEDGER)) == [ledger_key(0)]
    assert list(store.list(EVIDENCE)) == [CONTENT]


def test_an_empty_store_lists_nothing(store: Store) -> None:
    assert list(store.list(LEDGER)) == []


def test_what_is_not_there_is_told_from_no_answer(store: Store) -> None:
    with pytest.raises(NotStoredError):
        store.read(ledger_key(0))


def test_of_many_that_create_the_same_name_one_wins(store: Store) -> None:
    start = threading.Barrier(8)

    def create(content: bytes) -> tuple[bytes, bool]:
        start.wait(timeout=30)
        return content, store.put_if_absent(ledger_key(0), content * 1000)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(create, [b"%d" % n for n in range(8)]))

    winners = [content for content, created in answers if created]
    assert len(winners) == 1
    assert store.read(ledger_key(0)) == winners[0] * 1000


@pytest.mark.parametrize(
    "name",
    [
        "ledger/1",
        "ledger/000000000000000000001",
        "ledger/0000000000000000000a",
        "ledger/" + "\u0661" * 20,
        "ledger/" + "0" * 20 + "\n",
        "evidence/" + "A" * 64,
        "evidence/" + "a" * 63,
        "snapshot/" + "0" * 20,
        "../ledger/" + "0" * 20,
        "",
    ],
)
def test_other_names_are_no_keys(name: str) -> None:
    assert not is_key(name)


def test_the_keys_of_both_families_are_keys() -> None:
    assert is_key(ledger_key(0))
    assert is_key(ledger_key(10**19))
    assert is_key(CONTENT)


@pytest.mark.parametrize("digest", ["", "a" * 64, "sha256:" + "a" * 63, "sha256:" + "/" * 64])
def test_evidence_is_named_by_a_digest_only(digest: str) -> None:
    with pytest.raises(ValueError, match="not a digest"):
        evidence_key(digest)


def test_a_planned_fault_befalls_one_put_in_its_turn() -> None:
    store = MemoryStore()
    store.plan(None, Fault.NOT_CREATED, Fault.LOST_ANSWER, Fault.ANSWERED_TAKEN)

    assert store.put_if_absent(ledger_key(0), b"0")
    with pytest.raises(LedgerUnavailableError):
        store.put_if_absent(ledger_key(1), b"1")
    with pytest.raises(LedgerUnavailableError):
        store.put_if_absent(ledger_key(2), b"2")
    assert not store.put_if_absent(ledger_key(3), b"3")
    assert store.put_if_absent(ledger_key(4), b"4")
    assert sorted(store.objects.values()) == [b"0", b"2", b"3", b"4"]


def test_another_writer_can_be_planned_just_before_a_put() -> None:
    store = MemoryStore()
    store.plan(lambda: store.put_if_absent(ledger_key(0), b"theirs"))

    assert not store.put_if_absent(ledger_key(0), b"ours")
    assert store.read(ledger_key(0)) == b"theirs"


def test_a_store_that_is_down_answers_nothing() -> None:
    store = MemoryStore()
    store.is_down = True

    with pytest.raises(LedgerUnavailableError):
        store.list(LEDGER)
    with pytest.raises(LedgerUnavailableError):
        store.read(ledger_key(0))
    with pytest.raises(LedgerUnavailableError):
        store.put_if_absent(ledger_key(0), b"")
    store.is_down = False
    assert list(store.list(LEDGER)) == []
