"""A ledger that was written once and is read by every release: what is on disk is a promise."""

import json
from pathlib import Path

from modelwarden.audit.anchor import Anchor
from modelwarden.audit.chain import sound_objects
from modelwarden.audit.directory import DirectoryReader
from modelwarden.audit.keys import trust
from modelwarden.audit.objects import seal
from modelwarden.audit.verify import verify
from modelwarden.domain.records import Operation
from tests.audit.builders import SIGNER

FORMAT_1 = Path(__file__).parents[1] / "data" / "ledger-1"
ANCHOR = Anchor.from_json(json.loads((FORMAT_1 / "anchor.json").read_text()))


def test_a_ledger_of_format_1_verifies() -> None:
    result = verify(DirectoryReader(FORMAT_1), trust(ANCHOR.key), anchor=ANCHOR)

    assert (result.findings, result.objects, result.records, result.evidence) == ((), 3, 4, 1)


def test_a_ledger_of_format_1_says_what_it_said() -> None:
    objects = list(sound_objects(DirectoryReader(FORMAT_1), trust(ANCHOR.key)))

    assert [(r.index, r.operation, r.version, r.time) for o in objects for r in o.records] == [
        (0, Operation.GENESIS, None, "2026-11-23T09:00:00Z"),
        (1, Operation.REQUESTED, 2, "2026-11-23T10:00:00Z"),
        (2, Operation.PROMOTED, 2, "2026-11-23T10:05:00.25Z"),
        (3, Operation.ROLLOUT_OBSERVED, None, "2026-11-23T10:05:00.25Z"),
    ]
    assert [(move.version, move.source, move.target) for move in objects[2].records[0].moves] == [
        (1, "Production", "Retiring"),
        (2, "Staging", "Production"),
    ]


def test_format_1_is_written_as_it_was_written() -> None:
    for read in sound_objects(DirectoryReader(FORMAT_1), trust(ANCHOR.key)):
        head = read.head
        again = seal(read.records, origin=head.origin, previous=head.previous, signer=SIGNER)
        assert again == (FORMAT_1 / f"ledger/{head.first:020d}").read_bytes()
