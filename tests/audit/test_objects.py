import json
import unicodedata
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwarden.audit.findings import FindingError, Flaw
from modelwarden.audit.objects import (
    MAX_RECORD_BYTES,
    MAX_RECORDS,
    LedgerObject,
    record_bytes,
    seal,
    unseal,
)
from modelwarden.audit.store import MAX_BYTES
from modelwarden.domain.records import Actor, Operation, Record, StageMove
from modelwarden.domain.stages import Stage
from modelwarden.errors import LedgerNewerError
from tests.audit.builders import (
    ORIGIN,
    SIGNER,
    THIEF,
    a_record,
    an_object,
    compact,
    genesis_json,
    head_of,
    key_of,
)


def read(data: bytes) -> LedgerObject:
    return unseal(data, where=key_of(0), trusted=SIGNER.key)


def flaw_of(data: bytes) -> tuple[Flaw, int | None]:
    with pytest.raises(FindingError) as caught:
        read(data)
    return caught.value.finding.flaw, caught.value.finding.index


def sealed(*records: Record, previous: str | None = None) -> bytes:
    placed = [record.at(index) for index, record in enumerate(records, 7)]
    return seal(placed, origin=ORIGIN, previous=previous, signer=SIGNER)


def signed(record: dict[str, Any]) -> bytes:
    return an_object([record], first=7, previous=None)


def a_json_record(**changes: Any) -> dict[str, Any]:
    return {**a_record("t").at(7).to_json(), **changes}


def test_an_object_reads_back_as_it_was_sealed() -> None:
    first = a_record(
        "t",
        operation=Operation.PROMOTED,
        moves=(StageMove(version=2, source=None, target=Stage.REGISTERED),),
        evidence={"spec": "sha256:" + "0" * 64},
    )

    got = read(sealed(first, a_record("t"), previous="sha256:" + "1" * 64))

    assert got.records == (first.at(7), a_record("t").at(8))
    assert (got.head.origin, got.head.first, got.head.size) == (ORIGIN, 7, 9)
    assert (got.head.previous, got.head.key) == ("sha256:" + "1" * 64, SIGNER.key.text)


def test_the_bytes_are_those_that_the_format_describes() -> None:
    data = sealed(a_record("t"), a_record("t"), previous="sha256:" + "1" * 64)

    records = [a_record("t").at(7).to_json(), a_record("t").at(8).to_json()]
    assert data == an_object(records, first=7, previous="sha256:" + "1" * 64)


def test_the_digest_of_an_object_hangs_on_everything_but_its_signature() -> None:
    data = sealed(a_record("t"))

    assert read(data).head.digest == head_of(data)
    assert head_of(data) != head_of(sealed(a_record("u")))


def test_text_is_written_in_its_normal_form() -> None:
    composed, apart = "\u00e9", "e\u0301"

    assert sealed(a_record("t", rationale=apart)) == sealed(a_record("t", rationale=composed))
    assert read(sealed(a_record("t", rationale=apart))).records[0].rationale == composed


def test_a_mark_after_an_escaped_character_does_not_confuse_the_normal_form() -> None:
    rationale = 'first line\n\u0303second \\\u0301 "\u0338'

    assert read(sealed(a_record("t", rationale=rationale))).records[0].rationale == rationale


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
NAMES = TEXT.filter(lambda text: unicodedata.is_normalized("NFC", text))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def records(draw: st.DrawFn) -> Record:
    seconds = draw(st.datetimes()).isoformat(timespec="seconds")
    return Record(
        operation=draw(st.sampled_from(sorted(set(Operation) - {Operation.GENESIS}))),
        time=seconds + "Z",
        transaction=draw(TEXT.filter(bool)),
        actor=Actor(username=draw(TEXT), uid=draw(TEXT), groups=tuple(draw(st.lists(TEXT)))),
        namespace=draw(TEXT),
        model=draw(TEXT),
        version=draw(st.none() | st.integers(min_value=1)),
        rationale=draw(TEXT),
        evidence={"spec": "sha256:" + "a" * 64} if draw(st.booleans()) else {},
        uids={"Model": draw(TEXT)},
        facts={"what": draw(JSON)},
    )


@settings(deadline=None)
@given(st.lists(records(), min_size=1, max_size=4))
def test_whatever_is_sealed_can_be_read_and_sealed_again_to_the_same_bytes(
    given_records: list[Record],
) -> None:
    data = sealed(*given_records)

    got = read(data)

    assert seal(got.records, origin=ORIGIN, previous=None, signer=SIGNER) == data


def test_a_batch_has_at_least_one_record_and_at_most_256() -> None:
    assert len(read(sealed(*[a_record("t")] * MAX_RECORDS)).records) == 256

    with pytest.raises(ValueError, match="1 to 256"):
        sealed(*[a_record("t")] * (MAX_RECORDS + 1))
    with pytest.raises(ValueError, match="1 to 256"):
        sealed()


def test_a_record_has_at_most_16_kib() -> None:
    room = MAX_RECORD_BYTES - len(record_bytes(a_record("t", rationale="").at(7)))

    assert len(record_bytes(a_record("t", rationale="x" * room).at(7))) == 16384
    with pytest.raises(ValueError, match="belongs into evidence"):
        record_bytes(a_record("t", rationale="x" * (room + 1)).at(7))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"time": "yesterday"}, "time"),
        ({"time": "2026-11-23T10:00:00+01:00"}, "time"),
        ({"time": "2026-02-30T10:00:00Z"}, "time"),
        ({"transaction": ""}, "transaction"),
        ({"version": True}, "version"),
        ({"evidence": {"spec": "md5:1"}}, "evidence"),
        ({"evidence": {"spec": "sha256:" + "A" * 64}}, "evidence"),
        ({"facts": {"auc": 0.9}}, "canonical JSON has no float"),
        ({"facts": {1: "one"}}, "a key must be text"),
        ({"facts": {"\u00e9": 1, "e\u0301": 2}}, "same text"),
        ({"uids": {"Model": 5}}, "uids"),
        ({"actor": Actor(username=None)}, "actor"),  # type: ignore[arg-type]
        ({"index": -1}, "index"),
    ],
)
def test_what_could_not_be_read_again_is_not_written(change: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        record_bytes(replace(a_record("t").at(7), **change))


@pytest.mark.parametrize("depth", [31, 1_000, 100_000])
def test_facts_are_nested_only_so_deep(depth: int) -> None:
    deep: Any = "core"
    for _ in range(depth):
        deep = [deep]

    with pytest.raises(ValueError, match=r"nested|facts"):
        record_bytes(a_record("t", facts={"deep": deep}).at(7))


def test_a_higher_format_is_newer_and_not_broken() -> None:
    data = an_object([genesis_json()], first=0, previous=None, format=2)

    with pytest.raises(LedgerNewerError, match=r"ledger/0{20} has format 2"):
        read(data)


def test_an_unknown_operation_is_newer_if_it_is_authentic() -> None:
    with pytest.raises(LedgerNewerError, match="record 7: this release does not know 'KeyRotated'"):
        read(signed(a_json_record(operation="KeyRotated")))


def test_an_unknown_operation_that_nobody_signed_is_an_alteration() -> None:
    altered = sealed(a_record("t")).replace(b'"Voted"', b'"Woted"')

    assert flaw_of(altered) == (Flaw.RECORDS_ALTERED, None)


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"null", b"[]", b"7", b'"text"', b"{}", b'{"format":true}', b'{"format":"1"}'],
)
def test_what_is_no_object_is_told_from_one_that_was_altered(data: bytes) -> None:
    assert flaw_of(data)[0] in (Flaw.UNREADABLE, Flaw.MALFORMED)


@pytest.mark.parametrize("data", [b"\xff\xfe", b"\xef\xbb\xbf{}", b"[" * 100_000, b"9" * 5_000])
def test_bytes_that_only_a_forger_writes_are_unreadable(data: bytes) -> None:
    assert flaw_of(data) == (Flaw.UNREADABLE, None)


@pytest.mark.parametrize("number", [b"1.5", b"1e0", b"-0.0", b"NaN", b"Infinity", b"-Infinity"])
def test_numbers_that_are_not_whole_are_named(number: bytes) -> None:
    data = sealed(a_record("t")).replace(b'"version":2', b'"version":' + number)

    assert flaw_of(data) == (Flaw.FLOAT, None)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b" " + data,
        lambda data: data + b"\n",
        lambda data: data.replace(b'":', b'": ', 1),
        lambda data: data.replace(b"owner", b"\\u006fwner", 1),
        lambda data: data.replace(b'"version":2', b'"version":-0'),
        lambda data: b'{"head"' + data.split(b',"head"')[1][:-1] + b',"format":1}',
        lambda data: data.replace(b"report.", "re\u0301port.".encode()),
        lambda data: data.replace(b"report.", b"\\ud800"),
    ],
    ids=["before", "after", "within", "escape", "minus-zero", "order", "not-nfc", "surrogate"],
)
def test_the_same_content_spelled_otherwise_is_not_canonical(spoil: Any) -> None:
    assert flaw_of(spoil(sealed(a_record("t")))) == (Flaw.NOT_CANONICAL, None)


@pytest.mark.parametrize(
    ("key", "twice"),
    [
        ("format", b'{"format":1,"format":1,'),
        ("version", b'"version":3,"version":2'),
        ("first", b'"first":7,"first":7'),
    ],
)
def test_a_key_that_is_there_twice_is_named(key: str, twice: bytes) -> None:
    once = {"format": b'{"format":1,', "version": b'"version":2', "first": b'"first":7'}[key]
    data = sealed(a_record("t")).replace(once, twice, 1)

    with pytest.raises(FindingError, match=f"The key '{key}' is there twice") as caught:
        read(data)
    assert caught.value.finding.flaw is Flaw.DUPLICATE_KEY


@pytest.mark.parametrize(
    "head",
    [
        {"first": "7"},
        {"first": True},
        {"first": -1},
        {"size": 10**19},
        {"previous": 5},
        {"origin": ""},
        {"origin": None},
        {"records": None},
        {"extra": 1},
    ],
    ids=str,
)
def test_a_head_has_the_fields_of_its_format_and_no_others(head: dict[str, Any]) -> None:
    data = an_object([a_json_record()], first=7, previous=None, head=head)

    assert flaw_of(data) == (Flaw.MALFORMED, None)


@pytest.mark.parametrize(
    "top",
    [{"extra": 1}, {"records": {}}, {"signature": 5}, {"head": []}, {"format": 0}],
    ids=str,
)
def test_an_object_has_the_fields_of_its_format_and_no_others(top: dict[str, Any]) -> None:
    value = {**json.loads(sealed(a_record("t"))), **top}

    assert flaw_of(compact(value)) == (Flaw.MALFORMED, None)


@pytest.mark.parametrize("name", sorted(a_json_record()))
def test_a_signed_record_without_one_of_its_fields_is_malformed(name: str) -> None:
    record = {key: value for key, value in a_json_record().items() if key != name}

    assert flaw_of(signed(record)) == (Flaw.MALFORMED, 7)


@pytest.mark.parametrize(
    "change",
    [
        {"surplus": 1},
        {"operation": 5},
        {"time": 5},
        {"time": "2026-11-23 10:00:00Z"},
        {"version": "2"},
        {"version": True},
        {"moves": {}},
        {"moves": [{"version": 1, "from": None, "to": "Limbo"}]},
        {"moves": [{"version": True, "from": None, "to": "Staging"}]},
        {"moves": [{"version": 1, "from": None, "to": "Staging", "by": "x"}]},
        {"moves": [[]]},
        {"actor": "owner@example.com"},
        {"actor": {"username": "owner@example.com"}},
        {"actor": {"username": "o", "uid": "", "groups": [1], "groupsDigest": ""}},
        {"evidence": []},
        {"evidence": {"spec": 5}},
        {"evidence": {"spec": "sha256:../../etc"}},
        {"uids": {"Model": None}},
        {"facts": []},
        {"index": "7"},
        {"index": True},
    ],
    ids=str,
)
def test_a_signed_record_of_another_shape_is_malformed(change: dict[str, Any]) -> None:
    assert flaw_of(signed(a_json_record(**change))) == (Flaw.MALFORMED, 7)


def test_a_record_that_is_no_object_is_malformed() -> None:
    assert flaw_of(an_object([[]], first=7, previous=None)) == (Flaw.MALFORMED, 7)


def test_a_record_knows_its_place() -> None:
    data = an_object([a_json_record(), a_json_record(index=9)], first=7, previous=None)

    assert flaw_of(data) == (Flaw.WRONG_INDEX, 8)


def test_a_signed_batch_of_257_and_an_empty_one_are_refused() -> None:
    many = [a_json_record(index=index) for index in range(7, 7 + 257)]

    assert flaw_of(an_object(many, first=7, previous=None)) == (Flaw.TOO_LARGE, None)
    assert flaw_of(an_object([], first=7, previous=None)) == (Flaw.TOO_LARGE, None)


def test_a_signed_record_of_17_kib_is_refused() -> None:
    large = a_json_record(rationale="x" * 17 * 1024)

    assert flaw_of(signed(large)) == (Flaw.TOO_LARGE, 7)


def test_an_object_beyond_every_bound_is_refused_before_it_is_parsed() -> None:
    assert flaw_of(b"[" * (MAX_BYTES + 1)) == (Flaw.TOO_LARGE, None)


def test_a_size_that_does_not_fit_the_records_is_refused() -> None:
    data = an_object([a_json_record()], first=7, previous=None, head={"size": 9})

    assert flaw_of(data) == (Flaw.MALFORMED, None)


def test_only_the_pinned_key_counts() -> None:
    data = an_object([a_json_record()], first=7, previous=None, signer=THIEF)

    assert flaw_of(data) == (Flaw.OTHER_KEY, None)


def test_naming_the_pinned_key_does_not_help_another() -> None:
    named = {"key": SIGNER.key.text}
    data = an_object([a_json_record()], first=7, previous=None, signer=THIEF, head=named)

    assert flaw_of(data) == (Flaw.BAD_SIGNATURE, None)


@pytest.mark.parametrize("signature", ["", "AAAA", "A" * 86 + "==", "not base64", "A" * 85 + "B=="])
def test_a_signature_that_is_none_is_bad(signature: str) -> None:
    data = an_object([a_json_record()], first=7, previous=None, signature=signature)

    assert flaw_of(data) == (Flaw.BAD_SIGNATURE, None)


def test_a_signature_has_one_spelling() -> None:
    data = sealed(a_record("t"))
    text = json.loads(data)["signature"]
    # The last character but the padding carries two bits; the other four say nothing.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = text[:-3] + alphabet[alphabet.index(text[-3]) + 1] + "=="

    assert flaw_of(data.replace(text.encode(), other.encode())) == (Flaw.BAD_SIGNATURE, None)


def test_records_that_were_exchanged_under_a_signature_are_found() -> None:
    data = sealed(a_record("t"))

    assert flaw_of(data.replace(b"Approve", b"Reject!")) == (Flaw.RECORDS_ALTERED, None)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_and_never_crash_the_reader(data: bytes) -> None:
    with pytest.raises((FindingError, LedgerNewerError)):
        read(data)


@settings(deadline=None)
@given(JSON, st.sampled_from(["format", "head", "records", "signature"]))
def test_arbitrary_json_in_any_place_is_refused(value: Any, place: str) -> None:
    honest = json.loads(sealed(a_record("t")))
    if value == honest[place]:
        return

    with pytest.raises((FindingError, LedgerNewerError)):
        read(compact({**honest, place: value}))


@settings(deadline=None)
@given(JSON, st.sampled_from(sorted(a_json_record())))
def test_an_arbitrary_signed_value_in_any_field_is_read_as_it_is_or_refused(
    value: Any, name: str
) -> None:
    data = signed(a_json_record(**{name: value}))

    try:
        got = read(data)
    except (FindingError, LedgerNewerError):
        return
    assert compact(got.records[0].to_json()) == compact(json.loads(data)["records"][0])
