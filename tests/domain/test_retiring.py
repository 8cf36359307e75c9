"""A retiring version goes to rest by itself, as soon as nothing uses it."""

from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from modelwarden.domain.consumers import Consumer, How
from modelwarden.domain.facts import Snapshot
from modelwarden.domain.records import Operation
from modelwarden.domain.retiring import archived, held_from_the_archive, may_rest
from modelwarden.domain.stages import Move, Stage
from modelwarden.domain.state import ModelState
from tests.domain.builders import (
    NOW_TEXT,
    SCRIBE,
    attempt,
    author,
    interval,
    model,
    move,
    snapshot,
    stages,
    state,
)

API = Consumer("Deployment", "batch", "scorer", How.ANNOTATION)
RETIRING = state({1: Stage.RETIRING})
RETURNING = attempt(1, kind=Move.ROLLBACK)
WRITTEN = model(stages=stages(archived=(1,)))
ASKED_BACK = model(stages=stages(staging=(1,)), authors=(author("r5", "stages.staging/1"),))


class Row(NamedTuple):
    facts: Snapshot
    after: ModelState
    code: str


def looked(**changes: Any) -> Snapshot:
    return snapshot(**{"consumers": {}, **changes})


ROWS = {
    "nobody looked": Row(snapshot(), RETIRING, "ConsumersUnknown"),
    "somebody uses it": Row(looked(consumers={1: (API,)}), RETIRING, "StillConsumed"),
    "nobody uses it": Row(looked(), RETIRING, "NotConsumed"),
    "it is asked elsewhere": Row(looked(model=ASKED_BACK), RETIRING, "AskedElsewhere"),
    "an attempt to bring it back is open": Row(
        looked(), replace(RETIRING, attempts=state({}, RETURNING).attempts), "AskedElsewhere"
    ),
    "it was withdrawn and may still answer": Row(
        looked(),
        replace(RETIRING, intervals=(interval(1, left=NOW_TEXT, served_by=("fraud-api",)),)),
        "StillServing",
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_retiring_version_rests_once_nothing_uses_it(row: Row) -> None:
    found = may_rest(1, row.facts, state=row.after)

    assert found.code == row.code
    assert bool(archived(row.facts, row.after, scribe=SCRIBE)) is found.allows


@pytest.mark.parametrize(
    ("facts", "reason"),
    [(looked(model=WRITTEN), "archive 1"), (looked(), "no consumer is left")],
    ids=["as written", "nothing written"],
)
def test_the_record_gives_the_written_reason_or_that_no_consumer_is_left(
    facts: Snapshot, reason: str
) -> None:
    (record,) = archived(facts, RETIRING, scribe=SCRIBE)

    assert (record.operation, record.rationale, record.moves, record.transition) == (
        Operation.ARCHIVED,
        reason,
        (move(1, Stage.RETIRING, Stage.ARCHIVED),),
        "",
    )


def test_nothing_rests_where_the_model_is_gone() -> None:
    assert archived(looked(model=None), RETIRING, scribe=SCRIBE) == ()


def test_only_what_somebody_wants_in_the_archive_is_held_from_it() -> None:
    used = {1: (API,)}

    found = [
        [verdict.code for _, verdict in held_from_the_archive(facts, RETIRING)]
        for facts in (
            looked(model=WRITTEN, consumers=used),
            looked(consumers=used),
            looked(model=None, consumers=used),
            looked(model=WRITTEN),
        )
    ]

    assert found == [["StillConsumed"], [], [], []]
