import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from modelwarden.audit.chain import Chain, later, sound_objects
from modelwarden.audit.directory import DirectoryReader, DirectoryStore
from modelwarden.audit.findings import Finding, FindingError, Flaw
from modelwarden.audit.memory import MemoryStore
from modelwarden.audit.store import evidence_key
from modelwarden.audit.verify import MAX_FINDINGS, verify
from modelwarden.errors import LedgerUnavailableError
from tests.audit.builders import (
    ORIGIN,
    SIGNER,
    THIEF,
    a_log,
    a_record,
    anchor_of,
    genesis,
    head_of,
    key_of,
    sha256,
    store_of,
)


def test_a_genesis_alone_verifies() -> None:
    objects = a_log([])

    result = verify(store_of(objects), SIGNER.key)

    assert result.ok
    assert result.to_json() == {
        "ok": True,
        "findings": [],
        "objects": 1,
        "records": 1,
        "evidence": 0,
        "origin": ORIGIN,
        "size": 1,
        "head": head_of(objects[key_of(0)]),
        "firstTime": genesis().time,
        "lastTime": genesis().time,
        "anchored": False,
    }


def test_an_empty_store_does_not_verify() -> None:
    result = verify(MemoryStore(), SIGNER.key)

    assert not result.ok
    assert result.findings == (
        Finding(
            flaw=Flaw.EMPTY,
            where="",
            sentence="No object could be read: there is nothing to verify.",
        ),
    )


def test_a_finding_says_what_where_and_since_when() -> None:
    objects = a_log([[a_record("t1")], [a_record("t2")]])
    objects[key_of(2)] = objects[key_of(2)].replace(b"report", b"rapport")

    (finding,) = verify(store_of(objects), SIGNER.key).findings

    assert finding.to_json() == {
        "flaw": "RecordsAltered",
        "where": key_of(2),
        "index": None,
        "sentence": "Its records are not those that were signed.",
        "since": "2026-11-23T10:00:00Z",
    }
    assert finding.text == (
        f"{key_of(2)}: Its records are not those that were signed. (RecordsAltered)"
    )


def test_a_finding_about_a_record_names_its_index() -> None:
    finding = Finding(flaw=Flaw.WRONG_INDEX, where=key_of(1), index=2, sentence="It is elsewhere.")

    assert finding.place == f"{key_of(1)}, record 2"
    assert str(FindingError(finding)) == f"{key_of(1)}, record 2: It is elsewhere. (WrongIndex)"


def test_text_of_a_forger_cannot_act_on_a_screen() -> None:
    escape = "\x1b[2J\u202e"
    forged = [a_record("t1"), a_record(escape), a_record("t1")]
    objects = {**a_log([forged]), "ledger/" + escape: b""}

    texts = [finding.text for finding in verify(store_of(objects), SIGNER.key).findings]

    assert len(texts) == 2
    assert all(text.isascii() and text.isprintable() for text in texts)


@pytest.mark.parametrize("place", ["head", "record", "top", "origin", "evidence", "field"])
def test_no_sentence_of_any_finding_repeats_control_characters(place: str) -> None:
    escape = "\x1b[2J"
    objects = a_log([[a_record("t1", evidence={escape: sha256(b"gone")})]])
    value = json.loads(objects[key_of(1)])
    if place == "head":
        value["head"][escape] = 1
    elif place == "record":
        value["records"][0][escape] = 1
    elif place == "top":
        value[escape] = 1
    elif place == "origin":
        value["head"]["origin"] = escape
    elif place == "field":
        value["records"][0]["operation"] = escape
    objects[key_of(1)] = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()

    result = verify(store_of(objects), SIGNER.key)

    assert result.findings
    assert all(finding.text.isprintable() for finding in result.findings)


def test_evidence_is_read_once_however_often_it_is_named() -> None:
    digest = sha256(b"spec")
    objects = a_log([[a_record(f"t{n}", evidence={"spec": digest})] for n in range(5)])
    objects[evidence_key(digest)] = b"spec"
    read: list[str] = []

    class Noting(MemoryStore):
        @override
        def read(self, key: str) -> bytes:
            read.append(key)
            return super().read(key)

    result = verify(Noting(objects), SIGNER.key)

    assert (result.ok, result.evidence) == (True, 1)
    assert read.count(evidence_key(digest)) == 1


def test_evidence_that_no_record_names_is_nobodys_concern() -> None:
    objects = {**a_log([]), evidence_key(sha256(b"spec")): b"left behind by a crash"}

    assert verify(store_of(objects), SIGNER.key).ok


def test_a_ledger_that_is_wrong_from_end_to_end_is_not_read_to_the_end() -> None:
    batches = [[a_record(f"t{n}")] for n in range(MAX_FINDINGS + 50)]
    objects = a_log(batches, signer=THIEF)

    result = verify(store_of(objects), SIGNER.key)

    assert len(result.findings) == MAX_FINDINGS + 1
    assert result.findings[-1].flaw is Flaw.GAVE_UP
    assert {finding.flaw for finding in result.findings[:-1]} == {Flaw.OTHER_KEY}


def test_a_reader_that_does_not_answer_is_no_finding() -> None:
    store = store_of(a_log([]))
    store.is_down = True

    with pytest.raises(LedgerUnavailableError):
        verify(store, SIGNER.key)


def test_an_object_that_goes_away_while_it_is_read_is_a_gap() -> None:
    class Forgetful(MemoryStore):
        @override
        def read(self, key: str) -> bytes:
            self.objects.pop(key_of(1), None)
            return super().read(key)

    objects = a_log([[a_record("t1")], [a_record("t2")]])

    result = verify(Forgetful(objects), SIGNER.key)

    assert [(finding.flaw, finding.where) for finding in result.findings] == [(Flaw.GAP, key_of(1))]


def test_a_copy_of_a_folder_verifies_like_the_folder(tmp_path: Path) -> None:
    store = DirectoryStore.open(tmp_path / "store")
    objects = a_log([[a_record("t1", evidence={"spec": sha256(b"spec")})]])
    objects[evidence_key(sha256(b"spec"))] = b"spec"
    for key, data in objects.items():
        store.put_if_absent(key, data)
        copy = tmp_path / "copy" / key
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(data)

    copied = verify(DirectoryReader(tmp_path / "copy"), SIGNER.key, anchor=anchor_of(objects))

    assert copied.ok
    assert copied == verify(store, SIGNER.key, anchor=anchor_of(objects))


def test_records_are_read_one_object_after_the_other() -> None:
    objects = a_log([[a_record(f"t{n}", rationale="x" * 10_000)] for n in range(300)])
    store = store_of(objects)
    tracemalloc.start()
    try:
        for _ in sound_objects(store, SIGNER.key):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    # All records together are three million bytes.
    assert peak < 500_000


def test_the_first_flaw_stops_whoever_folds_while_reading() -> None:
    objects = a_log([[a_record("t1")], [a_record("t2")], [a_record("t3")]])
    objects[key_of(2)] = b""
    seen: list[int] = []

    with pytest.raises(FindingError, match="Unreadable"):
        seen.extend(read.head.first for read in sound_objects(store_of(objects), SIGNER.key))

    assert seen == [0, 1]


def test_a_chain_that_lost_track_takes_the_next_object_at_its_word() -> None:
    objects = a_log([[a_record("t1")], [a_record("t2")], [a_record("t3")]])
    read = list(sound_objects(store_of(objects), SIGNER.key))
    chain = Chain()
    chain.add(read[0])
    chain.lose_track()

    assert chain.flaws(key_of(3), read[3]) == []
    chain.add(read[3])
    assert (chain.size, chain.head) == (4, read[3].head.digest)


TIMES = [
    "2026-11-23T09:59:59Z",
    "2026-11-23T10:00:00Z",
    "2026-11-23T10:00:00.05Z",
    "2026-11-23T10:00:00.1Z",
    "2026-11-23T10:00:00.100001Z",
    "2026-11-23T10:00:01Z",
]


@settings(deadline=None)
@given(st.integers(0, len(TIMES) - 1), st.integers(0, len(TIMES) - 1))
def test_the_later_of_two_times_is_found_however_exact_they_are(one: int, two: int) -> None:
    assert later(TIMES[one], TIMES[two]) == TIMES[max(one, two)]


def test_of_two_spellings_of_one_moment_the_second_is_taken() -> None:
    assert later("2026-11-23T10:00:00Z", "2026-11-23T10:00:00.0Z") == "2026-11-23T10:00:00.0Z"
    assert later("2026-11-23T10:00:00.0Z", "2026-11-23T10:00:00Z") == "2026-11-23T10:00:00Z"
    assert later("", "2026-11-23T10:00:00Z") == "2026-11-23T10:00:00Z"
