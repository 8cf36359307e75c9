import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from modelwarden.audit.directory import DirectoryReader, DirectoryStore
from modelwarden.audit.store import (
    EVIDENCE,
    LEDGER,
    MAX_BYTES,
    NotStoredError,
    evidence_key,
    ledger_key,
)
from modelwarden.audit.verify import verify
from modelwarden.errors import LedgerUnavailableError, MisconfiguredError
from tests.audit import crashing
from tests.audit.builders import FRAUD, SIGNER, a_record, opened, sha256

FIRST = ledger_key(0)


def everything(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def crash(root: Path, content: str, count: int) -> int:
    done = subprocess.run(
        [sys.executable, crashing.__file__, str(root), FIRST, content, str(count)],
        env={**os.environ, "PYTHONPATH": "operator"},
        check=False,
        timeout=60,
    )
    return done.returncode


def test_a_crash_at_any_call_leaves_the_whole_object_or_none(tmp_path: Path) -> None:
    seen, count, code = set(), 0, -signal.SIGKILL
    while code == -signal.SIGKILL:
        count += 1
        root = tmp_path / str(count)
        DirectoryStore.open(root)
        code = crash(root, "content", count)
        visible = everything(root / "ledger")
        assert visible in ({}, {FIRST.removeprefix(LEDGER): b"content"}), count

        # The next process finds a clean folder, and its put has the one right answer.
        store = DirectoryStore.open(root)
        assert everything(root) == {f"{LEDGER}{name}": data for name, data in visible.items()}
        assert store.put_if_absent(FIRST, b"content") == (visible == {})
        assert everything(root) == {FIRST: b"content"}
        seen.add(bool(visible))

    assert code == 0
    assert seen == {True, False}
    # Opening and creating take some forty steps; far fewer would mean that they were not counted.
    assert count > 30


def test_a_folder_is_made_with_its_families(tmp_path: Path) -> None:
    store = DirectoryStore.open(tmp_path / "deep" / "store")

    assert list(store.list(LEDGER)) == []
    assert list(store.list(EVIDENCE)) == []


def test_opening_again_keeps_what_is_there(tmp_path: Path) -> None:
    DirectoryStore.open(tmp_path).put_if_absent(FIRST, b"zero")

    assert DirectoryStore.open(tmp_path).read(FIRST) == b"zero"


def test_leftovers_of_a_crash_are_cleaned_and_never_listed(tmp_path: Path) -> None:
    store = DirectoryStore.open(tmp_path)
    (tmp_path / "tmp" / "half").write_bytes(b"hal")
    listed = [*store.list(LEDGER), *store.list(EVIDENCE)]

    DirectoryStore.open(tmp_path)

    assert listed == []
    assert everything(tmp_path) == {}


def test_a_writer_whose_temporary_file_was_cleaned_away_has_created_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = DirectoryStore.open(tmp_path)
    link = os.link

    def cleaned_before(source: Path, target: Path) -> None:
        source.unlink()
        link(source, target)

    monkeypatch.setattr(os, "link", cleaned_before)

    with pytest.raises(LedgerUnavailableError):
        store.put_if_absent(FIRST, b"zero")
    assert everything(tmp_path) == {}


def test_objects_are_not_writable(tmp_path: Path) -> None:
    DirectoryStore.open(tmp_path).put_if_absent(FIRST, b"zero")

    assert (tmp_path / FIRST).stat().st_mode & 0o222 == 0


@pytest.mark.parametrize("key", ["ledger/1", "tmp/x", "../x", "evidence/" + "A" * 64])
def test_only_keys_of_the_families_are_created(tmp_path: Path, key: str) -> None:
    store = DirectoryStore.open(tmp_path)

    with pytest.raises(ValueError, match="not an object of the ledger"):
        store.put_if_absent(key, b"")


def test_what_no_reader_would_take_is_not_created(tmp_path: Path) -> None:
    store = DirectoryStore.open(tmp_path)

    with pytest.raises(ValueError, match="not an object of the ledger"):
        store.put_if_absent(FIRST, b"x" * (MAX_BYTES + 1))


BEFORE_THE_LINK = [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS]


@pytest.mark.parametrize("number", BEFORE_THE_LINK)
def test_a_disk_that_fails_before_the_link_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    store = DirectoryStore.open(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing(number))
        with pytest.raises(LedgerUnavailableError, match=os.strerror(number)):
            store.put_if_absent(FIRST, b"zero")

    assert everything(tmp_path) == {}
    assert store.put_if_absent(FIRST, b"zero")


def test_a_link_whose_folder_was_not_synced_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = DirectoryStore.open(tmp_path)
    sync = os.fsync

    def sync_files_only(file: int) -> None:
        if stat.S_ISDIR(os.fstat(file).st_mode):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        sync(file)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", sync_files_only)
        for _ in range(2):
            # The second time the name is taken; whether that lasts is as unknown as before.
            with pytest.raises(LedgerUnavailableError):
                store.put_if_absent(FIRST, b"zero")

    assert not store.put_if_absent(FIRST, b"zero")


def failing(number: int) -> object:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def test_a_file_that_grows_too_large_for_the_disk_is_never_visible(tmp_path: Path) -> None:
    store = DirectoryStore.open(tmp_path)

    # The kernel cuts the write short, as it does on a full disk.
    code = f"""
import resource
from pathlib import Path
from modelwarden.audit.directory import DirectoryStore
from modelwarden.errors import LedgerUnavailableError
store = DirectoryStore.open(Path({str(tmp_path)!r}))
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    store.put_if_absent({FIRST!r}, b"x" * 5000)
except LedgerUnavailableError:
    raise SystemExit(7)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": "operator"},
        check=False,
        timeout=60,
    )

    assert done.returncode == 7
    assert everything(tmp_path) == {}
    assert store.put_if_absent(FIRST, b"x" * 5000)


def test_a_folder_that_went_away_is_no_answer(tmp_path: Path) -> None:
    store = DirectoryStore.open(tmp_path / "store")
    (tmp_path / "store").rename(tmp_path / "elsewhere")

    with pytest.raises(LedgerUnavailableError):
        store.list(LEDGER)
    with pytest.raises(LedgerUnavailableError):
        store.put_if_absent(FIRST, b"zero")


def test_a_file_in_place_of_the_folder_is_no_answer(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("not a folder")

    with pytest.raises(LedgerUnavailableError):
        DirectoryStore.open(tmp_path / "store")


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS])
def test_a_filesystem_without_hard_links_is_refused_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(os, "link", failing(number))

    with pytest.raises(MisconfiguredError, match="hard links"):
        DirectoryStore.open(tmp_path)


def test_a_filesystem_that_replaces_what_is_there_is_refused_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", lambda source, target: source.replace(target))

    with pytest.raises(MisconfiguredError, match="taken twice"):
        DirectoryStore.open(tmp_path)


def test_a_filesystem_that_cannot_sync_is_no_answer_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", failing(errno.EIO))

    with pytest.raises(LedgerUnavailableError):
        DirectoryStore.open(tmp_path)


def test_a_reader_changes_nothing(tmp_path: Path) -> None:
    store = DirectoryStore.open(tmp_path)
    store.put_if_absent(FIRST, b"zero")
    (tmp_path / "tmp" / "half").write_bytes(b"hal")
    before = everything(tmp_path)

    reader = DirectoryReader(tmp_path)
    reader.list(LEDGER)
    reader.read(FIRST)

    assert everything(tmp_path) == before


def test_a_copy_without_evidence_lacks_it_and_is_no_error(tmp_path: Path) -> None:
    DirectoryStore.open(tmp_path)
    (tmp_path / "evidence").rmdir()

    with pytest.raises(NotStoredError):
        DirectoryReader(tmp_path).read(evidence_key(sha256(b"content")))


def test_what_is_no_plain_file_is_not_read(tmp_path: Path) -> None:
    DirectoryStore.open(tmp_path)
    secret = tmp_path / "secret"
    secret.write_text("of somebody else")
    (tmp_path / ledger_key(0)).symlink_to(secret)
    os.mkfifo(tmp_path / ledger_key(1))
    (tmp_path / ledger_key(2)).mkdir()

    for index in range(3):
        with pytest.raises(NotStoredError):
            DirectoryReader(tmp_path).read(ledger_key(index))


def test_of_an_endless_object_only_the_beginning_is_read(tmp_path: Path) -> None:
    DirectoryStore.open(tmp_path)
    with (tmp_path / FIRST).open("wb") as file:
        file.truncate(MAX_BYTES * 100)

    assert len(DirectoryReader(tmp_path).read(FIRST)) == MAX_BYTES + 1


def test_names_of_any_kind_are_listed_for_whoever_verifies(tmp_path: Path) -> None:
    DirectoryStore.open(tmp_path)
    Path(os.fsdecode(bytes(tmp_path) + b"/ledger/\xff\x1b[2J")).touch()

    result = verify(DirectoryReader(tmp_path), SIGNER.key)

    assert [finding.place for finding in result.findings] == [
        "ledger/\\udcff\\x1b[2J",
        "ledger",
    ]


async def test_a_ledger_in_a_folder_outlives_its_process(tmp_path: Path) -> None:
    first = await opened(DirectoryStore.open(tmp_path))
    digest = await first.put_evidence({"spec": 1})
    await first.append(FRAUD, [a_record("t1", evidence={"spec": digest})], expected_last_index=-1)

    again = await opened(DirectoryStore.open(tmp_path), anchor=first.anchor)

    assert again.state == ("0:begin", "1:t1")
    assert again.anchor == first.anchor
    assert verify(DirectoryReader(tmp_path), SIGNER.key, anchor=first.anchor).ok
