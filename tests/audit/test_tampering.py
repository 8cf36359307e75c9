"""Every way to tamper with a chain, by somebody without the key and by somebody with it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

import pytest

from modelwarden.audit.anchor import Anchor
from modelwarden.audit.chain import sound_objects
from modelwarden.audit.findings import Flaw
from modelwarden.audit.store import evidence_key
from modelwarden.audit.verify import Verification, verify
from modelwarden.domain.records import Operation
from modelwarden.errors import LedgerBrokenError, LedgerLostError, LedgerNewerError
from tests.audit.builders import (
    ORIGIN,
    SIGNER,
    THIEF,
    a_log,
    a_record,
    an_object,
    anchor_of,
    genesis,
    genesis_json,
    head_of,
    key_of,
    opened,
    sha256,
    store_of,
)

Objects: TypeAlias = dict[str, bytes]
Place: TypeAlias = tuple[Flaw, str, int | None]

SPEC, RESULT = b'{"spec":1}', b'{"outcome":"Passed"}'


def at(minute: int) -> str:
    return f"2026-11-23T10:{minute:02d}:00Z"


BATCHES = [
    [
        a_record("t1", time=at(1), evidence={"spec": sha256(SPEC)}),
        a_record("t1", time=at(1)),
    ],
    [a_record("t2", time=at(2), rationale="Pr\u00fcfung bestanden")],
    [
        a_record("t3", time=at(3), evidence={"result": sha256(RESULT), "spec": sha256(SPEC)}),
        a_record("t4", time=at(3)),
        a_record("t4", time=at(3)),
    ],
    [a_record("t5", time=at(4))],
]
# Genesis is 0; then the objects 1 (two records), 3 (one), 4 (three) and 7 (one).
LAST = 7
SIZE = 8


def honest() -> Objects:
    evidence = {evidence_key(sha256(data)): data for data in (SPEC, RESULT)}
    return {**a_log(BATCHES), **evidence}


def check(objects: Mapping[str, bytes], anchor: Anchor | None = None) -> Verification:
    return verify(store_of(objects), SIGNER.key, anchor=anchor)


def places(result: Verification) -> list[Place]:
    return [(finding.flaw, finding.where, finding.index) for finding in result.findings]


def continued(objects: Objects, first: int, data: bytes) -> Objects:
    """Exchange the object at `first`, and whoever has the key signs all that follows anew."""
    kept = {key: old for key, old in objects.items() if key < key_of(first) or "evid" in key}
    kept[key_of(first)] = data
    size = json.loads(data)["head"]["size"]
    later = [key for key in sorted(objects) if "ledger/" in key and key > key_of(first)]
    for key in later:
        records = [
            {**record, "index": index}
            for index, record in enumerate(json.loads(objects[key])["records"], size)
        ]
        data = an_object(records, first=size, previous=head_of(data))
        kept[key_of(size)] = data
        size += len(records)
    return kept


def records_at(objects: Objects, first: int) -> list[dict[str, object]]:
    records: list[dict[str, object]] = json.loads(objects[key_of(first)])["records"]
    return records


def previous_at(objects: Objects, first: int) -> str:
    previous: str = json.loads(objects[key_of(first)])["head"]["previous"]
    return previous


def with_object(objects: Objects, first: int, data: bytes) -> Objects:
    return {**objects, key_of(first): data}


def resigned(objects: Objects, first: int, records: list[dict[str, object]]) -> bytes:
    return an_object(records, first=first, previous=previous_at(objects, first))


def test_an_untouched_ledger_verifies() -> None:
    objects = honest()

    assert check(objects, anchor_of(objects)) == Verification(
        findings=(),
        objects=5,
        records=SIZE,
        evidence=2,
        origin=ORIGIN,
        size=SIZE,
        head=head_of(objects[key_of(LAST)]),
        first_time=genesis().time,
        last_time=at(4),
        anchored=True,
    )


def without_a_key(objects: Objects) -> dict[str, tuple[Objects, list[Place]]]:
    """What anybody can do who may write to the store."""
    first, second, third = (objects[key_of(index)] for index in (1, 3, 4))
    edited = second.replace(b"bestanden", b"verfehlt!")
    swapped = {**objects, key_of(1): second, key_of(3): first}
    return {
        "a record edited": (
            with_object(objects, 3, edited),
            [(Flaw.RECORDS_ALTERED, key_of(3), None)],
        ),
        "an object dropped": (
            {key: data for key, data in objects.items() if key != key_of(3)},
            [(Flaw.GAP, key_of(4), None)],
        ),
        "the first object dropped": (
            {key: data for key, data in objects.items() if key != key_of(0)},
            [(Flaw.GAP, key_of(1), None)],
        ),
        "all objects dropped": (
            {key: data for key, data in objects.items() if "evidence" in key},
            [(Flaw.EMPTY, "", None)],
        ),
        "an object emptied": (
            with_object(objects, 3, b""),
            [(Flaw.UNREADABLE, key_of(3), None)],
        ),
        "an object cut short": (
            with_object(objects, 3, second[:-1]),
            [(Flaw.UNREADABLE, key_of(3), None)],
        ),
        "an object copied to the end": (
            with_object(objects, 8, second),
            [(Flaw.MISNAMED, key_of(8), None)],
        ),
        "an object copied into a gap between names": (
            with_object(objects, 2, second),
            [(Flaw.MISNAMED, key_of(2), None)],
        ),
        "an object copied over another": (
            with_object(objects, 4, second),
            [(Flaw.MISNAMED, key_of(4), None), (Flaw.GAP, key_of(7), None)],
        ),
        "two objects swapped": (
            swapped,
            [
                (Flaw.MISNAMED, key_of(1), None),
                (Flaw.MISNAMED, key_of(3), None),
                (Flaw.GAP, key_of(4), None),
            ],
        ),
        "an object signed with another key": (
            with_object(
                objects,
                3,
                an_object(
                    records_at(objects, 3),
                    first=3,
                    previous=previous_at(objects, 3),
                    signer=THIEF,
                ),
            ),
            [(Flaw.OTHER_KEY, key_of(3), None)],
        ),
        "an object appended with another key": (
            with_object(
                objects,
                8,
                an_object(
                    [a_record("t9", time=at(5)).at(8).to_json()],
                    first=8,
                    previous=head_of(objects[key_of(LAST)]),
                    signer=THIEF,
                ),
            ),
            [(Flaw.OTHER_KEY, key_of(8), None)],
        ),
        "the signature of another object": (
            with_object(
                objects,
                3,
                second.replace(
                    json.loads(second)["signature"].encode(),
                    json.loads(third)["signature"].encode(),
                ),
            ),
            [(Flaw.BAD_SIGNATURE, key_of(3), None)],
        ),
        "a name with wrong padding": (
            {**objects, "ledger/00003": second},
            [(Flaw.MALFORMED_NAME, "ledger/00003", None)],
        ),
        "a name with a sign": (
            {**objects, "ledger/+0000000000000000003": second},
            [(Flaw.MALFORMED_NAME, "ledger/+0000000000000000003", None)],
        ),
        "a name in other digits": (
            {**objects, "ledger/" + "\u0660" * 20: second},
            [(Flaw.MALFORMED_NAME, "ledger/" + "\u0660" * 20, None)],
        ),
        "an object renamed": (
            {
                **{key: data for key, data in objects.items() if key != key_of(3)},
                key_of(3)[:-1]: second,
            },
            [
                (Flaw.MALFORMED_NAME, key_of(3)[:-1], None),
                (Flaw.GAP, key_of(4), None),
            ],
        ),
        "a key twice": (
            with_object(objects, 3, second.replace(b'"version":2', b'"version":3,"version":2')),
            [(Flaw.DUPLICATE_KEY, key_of(3), None)],
        ),
        "other spelling": (
            with_object(objects, 3, second.replace(b":", b": ")),
            [(Flaw.NOT_CANONICAL, key_of(3), None)],
        ),
        "text not in its normal form": (
            with_object(objects, 3, second.replace("\u00fc".encode(), "u\u0308".encode())),
            [(Flaw.NOT_CANONICAL, key_of(3), None)],
        ),
        "a float": (
            with_object(objects, 3, second.replace(b'"version":2', b'"version":2.0')),
            [(Flaw.FLOAT, key_of(3), None)],
        ),
        "evidence dropped": (
            {key: data for key, data in objects.items() if key != evidence_key(sha256(SPEC))},
            [(Flaw.EVIDENCE_MISSING, evidence_key(sha256(SPEC)), 1)],
        ),
        "evidence exchanged": (
            {**objects, evidence_key(sha256(RESULT)): SPEC},
            [(Flaw.EVIDENCE_ALTERED, evidence_key(sha256(RESULT)), 4)],
        ),
        "another ledger's first object": (
            with_object(
                objects,
                0,
                an_object([genesis_json(origin="other")], first=0, previous=None)[:-2] + b'x"}',
            ),
            [(Flaw.BAD_SIGNATURE, key_of(0), None)],
        ),
    }


def with_the_key(objects: Objects) -> dict[str, tuple[Objects, list[Place]]]:
    """What a thief of the key can do, and does not hide unless all that follows is signed anew."""
    second = records_at(objects, 3)
    edited = [{**second[0], "rationale": "Something else."}]
    third = records_at(objects, 4)

    def spoiled(**changes: object) -> bytes:
        return resigned(objects, 3, [{**second[0], **changes}])

    def anew(**changes: object) -> Objects:
        return continued(objects, 3, spoiled(**changes))

    other_origin = an_object(
        second, first=3, previous=previous_at(objects, 3), head={"origin": "other"}
    )
    twice = [{**third[0], "index": 4}, {**third[1], "index": 5}, {**third[0], "index": 6}]
    newest = head_of(objects[key_of(LAST)])
    return {
        "an object exchanged": (
            with_object(objects, 3, resigned(objects, 3, edited)),
            [(Flaw.FORK, key_of(4), None)],
        ),
        "an object with a hash of its own": (
            with_object(objects, 3, an_object(second, first=3, previous=sha256(b""))),
            [(Flaw.FORK, key_of(3), None), (Flaw.FORK, key_of(4), None)],
        ),
        "a record inserted": (
            with_object(
                objects, 3, resigned(objects, 3, [*second, a_record("t9").at(4).to_json()])
            ),
            [
                (Flaw.TIME_BACKWARD, key_of(3), 4),
                (Flaw.OVERLAP, key_of(4), None),
            ],
        ),
        "a record removed from a batch": (
            with_object(objects, 4, resigned(objects, 4, third[:2])),
            [(Flaw.GAP, key_of(7), None)],
        ),
        "records reordered in a batch": (
            continued(objects, 4, resigned(objects, 4, twice)),
            [(Flaw.TRANSACTION_REPEATED, key_of(4), 6)],
        ),
        "a record with another's index": (
            anew(index=4),
            [(Flaw.WRONG_INDEX, key_of(3), 3)],
        ),
        "an object of another origin": (
            continued(objects, 3, other_origin),
            [(Flaw.OTHER_ORIGIN, key_of(3), None)],
        ),
        "time going backward": (
            anew(time=at(0)),
            [(Flaw.TIME_BACKWARD, key_of(3), 3)],
        ),
        "time going backward within a second": (
            with_object(
                with_object(
                    objects,
                    8,
                    an_object(
                        [
                            a_record("t8", time="2026-11-23T10:05:00.5Z").at(8).to_json(),
                            a_record("t9", time="2026-11-23T10:05:00.25Z").at(9).to_json(),
                        ],
                        first=8,
                        previous=newest,
                    ),
                ),
                LAST,
                objects[key_of(LAST)],
            ),
            [(Flaw.TIME_BACKWARD, key_of(8), 9)],
        ),
        "a transaction recorded twice": (
            anew(transaction="t1"),
            [(Flaw.TRANSACTION_REPEATED, key_of(3), 3)],
        ),
        "a transaction in two objects side by side": (
            with_object(
                objects,
                8,
                an_object([a_record("t5", time=at(4)).at(8).to_json()], first=8, previous=newest),
            ),
            [(Flaw.TRANSACTION_REPEATED, key_of(8), 8)],
        ),
        "a second genesis": (
            anew(operation="Genesis"),
            [(Flaw.GENESIS_MISPLACED, key_of(3), 3)],
        ),
        "no genesis": (
            continued(
                objects,
                0,
                an_object([a_record("begin", time=at(0)).at(0).to_json()], first=0, previous=None),
            ),
            [(Flaw.GENESIS_MISPLACED, key_of(0), 0)],
        ),
        "a genesis of another origin": (
            continued(
                objects, 0, an_object([genesis_json(origin="other")], first=0, previous=None)
            ),
            [(Flaw.GENESIS_MISPLACED, key_of(0), 0)],
        ),
        "a genesis that names another key": (
            continued(objects, 0, an_object([genesis_json(THIEF)], first=0, previous=None)),
            [(Flaw.GENESIS_MISPLACED, key_of(0), 0)],
        ),
        "a first object with something before it": (
            continued(objects, 0, an_object([genesis_json()], first=0, previous=sha256(b"before"))),
            [(Flaw.FORK, key_of(0), None)],
        ),
        "a record of 17 KiB": (
            anew(rationale="x" * 17 * 1024),
            [(Flaw.TOO_LARGE, key_of(3), 3)],
        ),
        "a batch of 257": (
            with_object(
                objects,
                8,
                an_object(
                    [a_record("t8", time=at(9)).at(8 + n).to_json() for n in range(257)],
                    first=8,
                    previous=newest,
                ),
            ),
            [(Flaw.TOO_LARGE, key_of(8), None)],
        ),
        "evidence that never was": (
            anew(evidence={"spec": sha256(b"never")}),
            [(Flaw.EVIDENCE_MISSING, evidence_key(sha256(b"never")), 3)],
        ),
        "an evidence path": (
            anew(evidence={"spec": "sha256:../../../etc/passwd"}),
            [(Flaw.MALFORMED, key_of(3), 3)],
        ),
        "a name that overlaps": (
            with_object(
                objects,
                5,
                an_object(
                    [{**third[1], "index": 5}, {**third[2], "index": 6}],
                    first=5,
                    previous=head_of(objects[key_of(4)]),
                ),
            ),
            [
                (Flaw.OVERLAP, key_of(5), None),
                (Flaw.TRANSACTION_REPEATED, key_of(5), 5),
                (Flaw.FORK, key_of(7), None),
            ],
        ),
    }


WITHOUT = without_a_key(honest())
WITH = with_the_key(honest())


@pytest.mark.parametrize("case", WITHOUT)
def test_tampering_without_the_key_is_found_at_its_place(case: str) -> None:
    objects, expected = WITHOUT[case]

    assert places(check(objects)) == expected


@pytest.mark.parametrize("case", WITH)
def test_tampering_with_the_key_is_found_at_its_place(case: str) -> None:
    objects, expected = WITH[case]

    assert places(check(objects)) == expected


ALL = {**WITHOUT, **WITH}
IN_THE_CHAIN = [
    case
    for case, (_, expected) in ALL.items()
    if expected[0][0] not in (Flaw.EVIDENCE_MISSING, Flaw.EVIDENCE_ALTERED, Flaw.EMPTY)
]


@pytest.mark.parametrize("case", IN_THE_CHAIN)
def test_nobody_folds_a_ledger_that_was_tampered_with(case: str) -> None:
    objects, expected = ALL[case]

    with pytest.raises(LedgerBrokenError) as caught:
        list(sound_objects(store_of(objects), SIGNER.key))
    assert f"({expected[0][0]})" in str(caught.value)


@pytest.mark.parametrize("case", IN_THE_CHAIN)
async def test_the_controller_does_not_open_a_ledger_that_was_tampered_with(case: str) -> None:
    objects, _ = ALL[case]

    with pytest.raises(LedgerBrokenError):
        await opened(store_of(objects))


def cut(objects: Objects, size: int) -> Objects:
    return {key: data for key, data in objects.items() if key < key_of(size) or "evid" in key}


@pytest.mark.parametrize("size", [7, 4, 3, 1])
def test_a_ledger_cut_short_is_sound_in_itself_and_behind_its_anchor(size: int) -> None:
    objects = honest()
    shorter = cut(objects, size)

    assert check(shorter).ok
    assert places(check(shorter, anchor_of(objects))) == [(Flaw.BEHIND_ANCHOR, "", None)]


@pytest.mark.parametrize("size", [7, 4, 3, 1, 0])
async def test_the_controller_calls_a_ledger_lost_that_was_cut_short(size: int) -> None:
    objects = honest()
    store = store_of(cut(objects, size))
    before = dict(store.objects)

    with pytest.raises(LedgerLostError):
        await opened(store, anchor=anchor_of(objects))
    assert store.objects == before


def rewritten() -> Objects:
    objects = honest()
    edited = [{**records_at(objects, 3)[0], "rationale": "It never happened."}]
    return continued(objects, 3, resigned(objects, 3, edited))


@pytest.mark.parametrize("anchored_at", [4, 7, 8])
def test_history_signed_anew_is_sound_in_itself_and_beside_its_anchor(anchored_at: int) -> None:
    anchor = anchor_of(cut(honest(), anchored_at))

    assert check(rewritten()).ok
    assert places(check(rewritten(), anchor)) == [(Flaw.BESIDE_ANCHOR, "", None)]


def test_the_same_records_in_other_objects_are_beside_the_anchor() -> None:
    evidence = {key: data for key, data in honest().items() if "evidence" in key}
    together = {**a_log([[record for batch in BATCHES for record in batch]]), **evidence}

    assert check(together).records == check(honest()).records
    assert places(check(together, anchor_of(honest()))) == [(Flaw.BESIDE_ANCHOR, "", None)]


async def test_the_controller_calls_a_ledger_lost_whose_history_was_signed_anew() -> None:
    with pytest.raises(LedgerLostError, match="first 7 records are not those"):
        await opened(store_of(rewritten()), anchor=anchor_of(cut(honest(), 7)))


def test_an_anchor_before_the_rewriting_does_not_know_of_it() -> None:
    assert check(rewritten(), anchor_of(cut(honest(), 3))).ok


def test_an_anchor_between_two_heads_fits_nothing() -> None:
    objects = honest()

    between = replace(anchor_of(objects), size=6)
    assert places(check(objects, between)) == [(Flaw.BESIDE_ANCHOR, "", None)]


def test_an_anchor_of_another_ledger_or_key_is_found() -> None:
    objects = honest()
    anchor = anchor_of(objects)

    assert places(check(objects, replace(anchor, origin="other"))) == [
        (Flaw.OTHER_ORIGIN, "", None)
    ]
    assert places(check(objects, replace(anchor, key=THIEF.key.text))) == [
        (Flaw.OTHER_KEY, "", None)
    ]


def test_a_whole_ledger_of_another_key_is_found_object_by_object() -> None:
    found = places(check(a_log(BATCHES, signer=THIEF)))

    assert found == [
        *[(Flaw.OTHER_KEY, key_of(first), None) for first in (0, 1, 3, 4, 7)],
        (Flaw.EMPTY, "", None),
    ]


def test_a_ledger_from_a_newer_release_is_found_and_not_called_broken() -> None:
    objects = honest()
    newer = resigned(objects, 3, [{**records_at(objects, 3)[0], "operation": "KeyRotated"}])
    objects = continued(objects, 3, newer)

    assert places(check(objects)) == [(Flaw.NEWER, key_of(3), None)]
    with pytest.raises(LedgerNewerError, match="KeyRotated"):
        list(sound_objects(store_of(objects), SIGNER.key))


def test_every_flaw_is_reported_and_not_only_the_first() -> None:
    objects = honest()
    objects[key_of(1)] = objects[key_of(1)].replace(b"report", b"rapport")
    objects[key_of(7)] = b"gone"
    del objects[evidence_key(sha256(RESULT))]
    objects["ledger/README"] = b"hello"

    assert places(check(objects, anchor_of(honest()))) == [
        (Flaw.RECORDS_ALTERED, key_of(1), None),
        (Flaw.EVIDENCE_MISSING, evidence_key(sha256(RESULT)), 4),
        (Flaw.UNREADABLE, key_of(7), None),
        (Flaw.MALFORMED_NAME, "ledger/README", None),
        (Flaw.BEHIND_ANCHOR, "", None),
    ]


def test_a_finding_says_since_when() -> None:
    objects = honest()
    objects[key_of(4)] = objects[key_of(4)].replace(b"report", b"rapport")

    assert [finding.since for finding in check(objects).findings] == [at(2)]


def flips(data: bytes) -> list[tuple[int, int]]:
    return [(byte, bit) for byte in range(len(data)) for bit in range(8)]


def flipped(data: bytes, byte: int, bit: int) -> bytes:
    return data[:byte] + bytes([data[byte] ^ (1 << bit)]) + data[byte + 1 :]


def small_log() -> Objects:
    records = [
        a_record("t1", time=at(1), rationale="ok"),
        a_record("t2", time=at(2), rationale="gr\u00fcn", operation=Operation.RETRACTED),
    ]
    return a_log([[record] for record in records])


@pytest.mark.parametrize("first", [0, 1, 2])
def test_every_single_flipped_bit_is_found_at_its_object(first: int) -> None:
    objects = small_log()
    data = objects[key_of(first)]

    for byte, bit in flips(data):
        result = check(with_object(objects, first, flipped(data, byte, bit)))
        where = {finding.where for finding in result.findings}
        assert where == {key_of(first)}, (byte, bit, result.findings)


def test_no_flipped_bit_is_ever_folded() -> None:
    objects = small_log()
    data = objects[key_of(2)]

    for byte, bit in flips(data):
        store = store_of(with_object(objects, 2, flipped(data, byte, bit)))
        with pytest.raises((LedgerBrokenError, LedgerNewerError)):
            list(sound_objects(store, SIGNER.key))


def test_every_flipped_bit_of_evidence_is_found() -> None:
    objects = honest()
    key = evidence_key(sha256(SPEC))

    for byte, bit in flips(SPEC):
        found = places(check({**objects, key: flipped(SPEC, byte, bit)}))
        assert found == [(Flaw.EVIDENCE_ALTERED, key, 1)]


@pytest.mark.parametrize("end", ["front", "back"])
def test_every_byte_more_or_less_is_found(end: str) -> None:
    objects = small_log()
    spoil: list[Callable[[bytes], bytes]] = [
        (lambda data: data[1:]) if end == "front" else (lambda data: data[:-1]),
        *[
            (lambda data, more=bytes([byte]): more + data)
            if end == "front"
            else (lambda data, more=bytes([byte]): data + more)
            for byte in range(256)
        ],
    ]

    for change in spoil:
        found = places(check(with_object(objects, 1, change(objects[key_of(1)]))))
        assert {where for _, where, _ in found} == {key_of(1)}
