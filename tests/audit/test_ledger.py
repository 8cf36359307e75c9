import asyncio
import threading
from dataclasses import replace
from typing import Any

import pytest
from typing_extensions import override

from modelwarden.audit.findings import FindingError, Flaw
from modelwarden.audit.ledger import Ledger
from modelwarden.audit.memory import Fault, MemoryStore
from modelwarden.audit.objects import MAX_RECORDS
from modelwarden.audit.store import LEDGER, evidence_key
from modelwarden.audit.verify import verify
from modelwarden.domain.canonical import digest_of
from modelwarden.domain.records import Operation, Record
from modelwarden.domain.state import ModelKey
from modelwarden.errors import (
    LedgerBrokenError,
    LedgerConflictError,
    LedgerLostError,
    LedgerNewerError,
    LedgerUnavailableError,
    MisconfiguredError,
)
from tests.audit.builders import (
    CHURN,
    FRAUD,
    SIGNER,
    THIEF,
    State,
    a_log,
    a_record,
    anchor_of,
    genesis,
    key_of,
    opened,
    remember,
    sha256,
    store_of,
)


def keys_of(store: MemoryStore) -> list[str]:
    return [key.removeprefix(LEDGER).lstrip("0") or "0" for key in store.list(LEDGER)]


async def append(
    ledger: Ledger[State], transaction: str, *, model: ModelKey = FRAUD, after: int | None = None
) -> tuple[Record, ...]:
    expected = ledger.last_index(model) if after is None else after
    return await ledger.append(
        model, [a_record(transaction, model=model)], expected_last_index=expected
    )


async def test_an_empty_store_begins_with_a_genesis_record() -> None:
    store = MemoryStore()

    ledger = await opened(store)

    (begin,) = ledger.records()
    facts = {"origin": ledger.origin, "key": SIGNER.key.text}
    assert begin == replace(genesis(), index=0, facts=facts)
    assert (ledger.size, ledger.state, keys_of(store)) == (1, ("0:begin",), ["0"])


async def test_every_ledger_has_an_origin_of_its_own() -> None:
    one, two = await opened(MemoryStore()), await opened(MemoryStore())

    assert one.origin != two.origin


async def test_a_ledger_begins_with_nothing_but_a_genesis_record() -> None:
    with pytest.raises(ValueError, match="genesis"):
        await Ledger.open(
            MemoryStore(), SIGNER, fold=lambda state, _: state, initial=None, genesis=a_record("t1")
        )


async def test_what_was_appended_is_there_after_opening_again() -> None:
    store = MemoryStore()
    first = await opened(store)
    await append(first, "t1")
    await append(first, "t2", model=CHURN)

    again = await opened(store)

    assert again.state == first.state == ("0:begin", "1:t1", "2:t2")
    assert again.anchor == first.anchor
    assert again.records() == first.records()


async def test_an_append_gives_its_records_placed() -> None:
    ledger = await opened(MemoryStore())
    records = [a_record("t1"), a_record("t1", operation=Operation.PROMOTED)]

    placed = await ledger.append(FRAUD, records, expected_last_index=-1)

    assert placed == (records[0].at(1), records[1].at(2))
    assert ledger.records(FRAUD) == placed
    assert ledger.last_index(FRAUD) == 2


async def test_the_records_of_one_append_lie_in_one_object() -> None:
    store = MemoryStore()
    ledger = await opened(store)

    await ledger.append(FRAUD, [a_record("t1")] * 3, expected_last_index=-1)
    await append(ledger, "t2")

    assert keys_of(store) == ["0", "1", "4"]


async def test_a_model_that_has_no_record_is_at_minus_one() -> None:
    ledger = await opened(MemoryStore())

    assert ledger.last_index(FRAUD) == -1
    assert ledger.records(FRAUD) == ()


async def test_what_is_remembered_is_what_was_written() -> None:
    ledger = await opened(store := MemoryStore())
    odd = a_record("t1", rationale="Pru\u0308fung", facts={"roles": ("owner", "reviewer")})

    (placed,) = await ledger.append(FRAUD, [odd], expected_last_index=-1)

    assert placed.rationale == "Pr\u00fcfung"
    assert placed.facts == {"roles": ["owner", "reviewer"]}
    assert (await opened(store)).records(FRAUD) == (placed,)


async def test_another_model_coming_first_changes_nothing_but_the_place() -> None:
    store = MemoryStore()
    mine, other = await opened(store), await opened(store)
    await append(other, "theirs", model=CHURN)

    (placed,) = await append(mine, "mine")

    assert placed.index == 2
    assert mine.state == ("0:begin", "1:theirs", "2:mine")


async def test_the_same_model_coming_first_is_a_conflict() -> None:
    store = MemoryStore()
    mine, other = await opened(store), await opened(store)
    await append(other, "theirs")

    with pytest.raises(LedgerConflictError, match="fraud-detector is 1, the decision was made at"):
        await append(mine, "mine", after=-1)

    # What came first is known now, so that the next decision sees it.
    assert mine.state == ("0:begin", "1:theirs")
    (placed,) = await append(mine, "mine")
    assert placed.index == 2


async def test_a_decision_from_before_a_record_is_a_conflict() -> None:
    ledger = await opened(store := MemoryStore())
    await append(ledger, "t1")
    before = dict(store.objects)

    with pytest.raises(LedgerConflictError):
        await append(ledger, "t2", after=-1)
    assert store.objects == before


async def test_another_writer_between_reading_and_writing_is_read_and_rebased_over() -> None:
    store = MemoryStore()
    mine, other = await opened(store), await opened(store)
    loop = asyncio.get_running_loop()

    def come_first(transaction: str) -> None:
        coming = append(other, transaction, model=CHURN)
        asyncio.run_coroutine_threadsafe(coming, loop).result(timeout=30)

    store.plan(lambda: come_first("a"), None, lambda: come_first("b"), None)

    (placed,) = await append(mine, "mine")

    assert placed.index == 3
    assert mine.state == ("0:begin", "1:a", "2:b", "3:mine")
    assert verify(store, SIGNER.key, anchor=mine.anchor).ok


@pytest.mark.parametrize("fault", [Fault.LOST_ANSWER, Fault.ANSWERED_TAKEN])
async def test_a_lost_answer_is_recognised_as_the_own_success(fault: Fault) -> None:
    ledger = await opened(store := MemoryStore())
    store.plan(fault)

    (placed,) = await append(ledger, "t1")

    assert placed == a_record("t1").at(1)
    assert ledger.state == ("0:begin", "1:t1")
    assert keys_of(store) == ["0", "1"]


async def test_an_answer_lost_twice_is_found_by_the_next_append() -> None:
    ledger = await opened(store := MemoryStore())
    store.plan(Fault.LOST_ANSWER, Fault.LOST_ANSWER)
    with pytest.raises(LedgerUnavailableError):
        await append(ledger, "t1")
    assert ledger.state == ("0:begin",)

    # The same decision again, with the same transaction: it was committed all the time.
    (placed,) = await append(ledger, "t1")

    assert placed.index == 1
    assert keys_of(store) == ["0", "1"]


async def test_an_answer_lost_twice_is_a_conflict_for_another_decision() -> None:
    ledger = await opened(store := MemoryStore())
    store.plan(Fault.LOST_ANSWER, Fault.LOST_ANSWER)
    with pytest.raises(LedgerUnavailableError):
        await append(ledger, "t1")

    with pytest.raises(LedgerConflictError):
        await append(ledger, "t2", after=-1)
    assert ledger.state == ("0:begin", "1:t1")


async def test_a_call_that_failed_once_is_made_again() -> None:
    ledger = await opened(store := MemoryStore())
    store.plan(Fault.NOT_CREATED)

    await append(ledger, "t1")

    assert keys_of(store) == ["0", "1"]


async def test_a_store_that_is_down_leaves_nothing_half_done() -> None:
    ledger = await opened(store := MemoryStore())
    before = (ledger.state, ledger.anchor, ledger.records(), dict(store.objects))
    store.is_down = True

    with pytest.raises(LedgerUnavailableError):
        await append(ledger, "t1")
    with pytest.raises(LedgerUnavailableError):
        await ledger.refresh()

    assert (ledger.state, ledger.anchor, ledger.records(), dict(store.objects)) == before


async def test_after_an_outage_it_goes_on_by_itself() -> None:
    ledger = await opened(store := MemoryStore())
    store.is_down = True
    with pytest.raises(LedgerUnavailableError):
        await append(ledger, "t1")
    store.is_down = False

    await append(ledger, "t1")

    assert ledger.state == ("0:begin", "1:t1")
    assert verify(store, SIGNER.key, anchor=ledger.anchor).ok


async def test_everybody_who_waits_together_hears_of_an_outage_at_once() -> None:
    ledger = await opened(store := MemoryStore())
    # Two calls for the first, who came alone; two for all the others together.
    store.plan(*[Fault.NOT_CREATED] * 4)
    models = [ModelKey("risk", f"m{n}") for n in range(5)]

    answers = await asyncio.gather(
        *(append(ledger, f"t{model.name}", model=model) for model in models),
        return_exceptions=True,
    )

    assert [type(answer) for answer in answers] == [LedgerUnavailableError] * 5
    assert ledger.state == ("0:begin",)
    await append(ledger, "t1")


async def test_a_name_that_is_taken_by_nothing_is_no_answer() -> None:
    class Liar(MemoryStore):
        @override
        def put_if_absent(self, key: str, data: bytes) -> bool:
            return key == key_of(0) and super().put_if_absent(key, data)

    ledger = await opened(Liar())

    with pytest.raises(LedgerUnavailableError, match="shows nothing there"):
        await append(ledger, "t1")
    assert ledger.size == 1


async def test_a_transaction_is_committed_once() -> None:
    ledger = await opened(store := MemoryStore())
    first = await append(ledger, "t1")
    await append(ledger, "t2")

    assert await append(ledger, "t1", after=-1) == first
    assert ledger.state == ("0:begin", "1:t1", "2:t2")
    assert keys_of(store) == ["0", "1", "2"]


async def test_two_writers_with_the_same_transaction_commit_it_once() -> None:
    store = MemoryStore()
    one, two = await opened(store), await opened(store)

    first = await append(one, "t1")
    second = await append(two, "t1")

    assert first == second
    assert keys_of(store) == ["0", "1"]


async def test_a_transaction_belongs_to_one_model() -> None:
    ledger = await opened(MemoryStore())
    await append(ledger, "t1")

    with pytest.raises(ValueError, match="another model's transaction"):
        await append(ledger, "t1", model=CHURN)


@pytest.mark.parametrize(
    ("records", "why"),
    [
        ([], "1 to 256"),
        ([a_record("t1")] * (MAX_RECORDS + 1), "1 to 256"),
        ([a_record("t1"), a_record("t2")], "one transaction"),
        ([a_record("t1", model=CHURN)], "has a record of another model"),
        ([a_record("t1", rationale="x" * 17_000)], "belongs into evidence"),
        ([a_record("t1", time="now")], "time"),
        ([a_record("t1", operation=Operation.GENESIS)], "one genesis record"),
    ],
)
async def test_what_the_ledger_does_not_take_is_refused_before_anything_is_written(
    records: list[Record], why: str
) -> None:
    ledger = await opened(store := MemoryStore())
    before = dict(store.objects)

    with pytest.raises(ValueError, match=why):
        await ledger.append(FRAUD, records, expected_last_index=-1)
    assert store.objects == before
    await append(ledger, "t1")


async def test_what_does_not_fold_is_never_written() -> None:
    ledger = await opened(store := MemoryStore())
    before = dict(store.objects)

    with pytest.raises(ArithmeticError):
        await ledger.append(FRAUD, [a_record("t1", rationale="cannot be")], expected_last_index=-1)
    assert store.objects == before


async def test_what_does_not_fold_harms_nobody_who_waits_beside_it() -> None:
    ledger = await opened(MemoryStore())
    impossible = [a_record("t1", rationale="cannot be")]

    answers = await asyncio.gather(
        append(ledger, "t0", model=ModelKey("risk", "first")),
        ledger.append(FRAUD, impossible, expected_last_index=-1),
        append(ledger, "t2", model=CHURN),
        return_exceptions=True,
    )

    assert [type(answer) for answer in answers] == [tuple, ArithmeticError, tuple]
    assert ledger.state == ("0:begin", "1:t0", "2:t2")


async def test_what_does_not_fold_after_what_came_first_is_never_written() -> None:
    def only_at_one(state: State, record: Record) -> State:
        if record.transaction == "t1" and record.index != 1:
            raise ArithmeticError("this cannot be")
        return remember(state, record)

    store = MemoryStore()
    start: State = ()
    mine = await Ledger.open(store, SIGNER, fold=only_at_one, initial=start, genesis=genesis())
    other = await opened(store)
    await append(other, "theirs", model=CHURN)

    with pytest.raises(ArithmeticError):
        await append(mine, "t1")
    assert keys_of(store) == ["0", "1"]
    assert mine.state == ("0:begin", "1:theirs")


async def test_a_signer_that_signs_wrongly_writes_nothing() -> None:
    store = MemoryStore()
    await opened(store)
    ledger = await opened(store, signer=replace(SIGNER, sign=THIEF.sign))

    with pytest.raises(LedgerBrokenError, match="BadSignature"):
        await append(ledger, "t1")
    assert keys_of(store) == ["0"]


async def test_time_stands_still_rather_than_going_back() -> None:
    ledger = await opened(store := MemoryStore())
    times = ["2026-11-23T12:00:00Z", "2026-11-23T11:00:00Z", "2026-11-23T12:00:00.5Z"]

    for number, time in enumerate(times):
        record = a_record(f"t{number}", time=time)
        await ledger.append(FRAUD, [record], expected_last_index=ledger.last_index(FRAUD))

    assert [record.time for record in ledger.records(FRAUD)] == [times[0], times[0], times[2]]
    assert verify(store, SIGNER.key).ok


async def test_those_who_wait_together_are_written_together() -> None:
    class Slow(MemoryStore):
        gate = threading.Event()
        puts = 0

        @override
        def put_if_absent(self, key: str, data: bytes) -> bool:
            self.puts += 1
            if key == key_of(1):
                assert self.gate.wait(timeout=30)
            return super().put_if_absent(key, data)

    store = Slow()
    ledger = await opened(store)
    models = [ModelKey("risk", f"m{n:03d}") for n in range(300)]
    appends = [
        asyncio.ensure_future(append(ledger, f"t{n}", model=model))
        for n, model in enumerate(models)
    ]
    await asyncio.sleep(0)
    # The first has gone to the store alone; all others have come while it is there.
    store.gate.set()
    await asyncio.gather(*appends)

    assert sorted(record.transaction for record in ledger.records()[1:]) == sorted(
        f"t{n}" for n in range(300)
    )
    # Genesis, then as few objects as 300 records fit into.
    assert store.puts <= 4
    assert verify(store, SIGNER.key, anchor=ledger.anchor).records == 301


async def test_of_two_that_decided_at_the_same_record_one_wins() -> None:
    ledger = await opened(MemoryStore())

    answers = await asyncio.gather(
        append(ledger, "t1", after=-1), append(ledger, "t2", after=-1), return_exceptions=True
    )

    assert [type(answer) for answer in answers] == [tuple, LedgerConflictError]
    assert ledger.state == ("0:begin", "1:t1")


class Held(MemoryStore):
    """A store that holds every append but the first until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()
        self.go_on = threading.Event()

    @override
    def put_if_absent(self, key: str, data: bytes) -> bool:
        if key != key_of(0):
            self.reached.set()
            assert self.go_on.wait(timeout=30)
        return super().put_if_absent(key, data)


async def held(
    ledger: Ledger[State], store: Held, *, model: ModelKey = FRAUD
) -> asyncio.Future[tuple[Record, ...]]:
    """Start an append and wait until it is at the store."""
    leader = asyncio.ensure_future(append(ledger, "t1", model=model))
    await asyncio.to_thread(store.reached.wait, 30)
    return leader


async def test_one_who_gives_up_takes_nobody_along() -> None:
    ledger = await opened(store := Held())
    leader = await held(ledger, store)
    follower = asyncio.ensure_future(append(ledger, "t2", model=CHURN))
    await asyncio.sleep(0)

    leader.cancel()
    store.go_on.set()
    await asyncio.wait([leader])
    (placed,) = await follower

    # The leader's thread went on: its record may have come first, and then it was read.
    assert leader.cancelled()
    assert placed.transaction == "t2"
    assert verify(store, SIGNER.key, anchor=ledger.anchor).ok
    await ledger.refresh()
    assert (await opened(store)).state == ledger.state


async def test_one_who_gives_up_while_waiting_is_not_written() -> None:
    ledger = await opened(store := Held())
    leader = await held(ledger, store)
    waiting = asyncio.ensure_future(append(ledger, "t2", model=CHURN))
    await asyncio.sleep(0)

    waiting.cancel()
    await asyncio.wait([waiting])
    store.go_on.set()
    await leader
    await append(ledger, "t3")

    assert ledger.state == ("0:begin", "1:t1", "2:t3")


async def test_of_two_that_wait_with_the_same_decision_one_wins() -> None:
    ledger = await opened(store := Held())
    leader = await held(ledger, store, model=CHURN)
    waiting = asyncio.gather(
        append(ledger, "t2", after=-1), append(ledger, "t3", after=-1), return_exceptions=True
    )
    await asyncio.sleep(0)

    store.go_on.set()
    await leader
    answers = await waiting

    assert [type(answer) for answer in answers] == [tuple, LedgerConflictError]
    assert ledger.state == ("0:begin", "1:t1", "2:t2")


async def test_of_two_models_that_wait_with_the_same_transaction_one_is_wrong() -> None:
    ledger = await opened(store := Held())
    leader = await held(ledger, store)
    waiting = asyncio.gather(
        append(ledger, "t2", model=CHURN),
        append(ledger, "t3", model=ModelKey("risk", "other")),
        append(ledger, "t2", model=ModelKey("risk", "third")),
        return_exceptions=True,
    )
    await asyncio.sleep(0)

    store.go_on.set()
    await leader
    answers = await waiting

    assert [type(answer) for answer in answers] == [tuple, tuple, ValueError]
    assert ledger.state == ("0:begin", "1:t1", "2:t2", "3:t3")


async def test_who_was_written_is_told_so_although_those_behind_were_not() -> None:
    ledger = await opened(store := Held())
    leader = await held(ledger, store, model=CHURN)
    models = [FRAUD, ModelKey("risk", "other")]
    waiting = asyncio.gather(
        *(
            ledger.append(model, [a_record(f"t{n}", model=model)] * 200, expected_last_index=-1)
            for n, model in enumerate(models, 2)
        ),
        return_exceptions=True,
    )
    await asyncio.sleep(0)

    # The two do not fit into one object; the second one meets an outage.
    store.plan(None, None, Fault.NOT_CREATED, Fault.NOT_CREATED)
    store.go_on.set()
    await leader
    answers = await waiting

    assert [type(answer) for answer in answers] == [tuple, LedgerUnavailableError]
    assert (ledger.size, keys_of(store)) == (202, ["0", "1", "2"])


async def test_refreshing_reads_what_another_writer_appended() -> None:
    store = MemoryStore()
    mine, other = await opened(store), await opened(store)
    first = await append(other, "t1")
    second = await append(other, "t2")

    assert await mine.refresh() == (*first, *second)
    assert await mine.refresh() == ()
    assert mine.anchor == other.anchor


async def test_refreshing_asks_for_one_name_and_not_for_all() -> None:
    ledger = await opened(store := MemoryStore())
    for number in range(5):
        await append(ledger, f"t{number}")
    read: list[str] = []
    honest = store.read

    def noted(key: str) -> bytes:
        read.append(key)
        return honest(key)

    store.read = noted  # type: ignore[method-assign]

    await ledger.refresh()

    assert read == [key_of(6)]


async def test_what_another_writer_appended_is_verified_before_it_is_believed() -> None:
    store = MemoryStore()
    ledger = await opened(store)
    store.objects[key_of(1)] = a_log([[a_record("t1")]])[key_of(1)]
    before = (ledger.state, ledger.anchor)

    with pytest.raises(LedgerBrokenError, match=r"OtherOrigin|Fork"):
        await ledger.refresh()
    with pytest.raises(LedgerBrokenError, match=r"OtherOrigin|Fork"):
        await append(ledger, "t2")
    assert (ledger.state, ledger.anchor) == before


async def test_an_old_object_under_the_next_name_leads_nobody_in_circles() -> None:
    store = MemoryStore()
    ledger = await opened(store)
    await append(ledger, "t1")
    store.objects[key_of(2)] = store.objects[key_of(1)]

    with pytest.raises(LedgerBrokenError, match="Misnamed"):
        await asyncio.wait_for(ledger.refresh(), 30)


async def test_what_another_writer_folds_and_this_one_cannot_is_not_taken_in() -> None:
    store = MemoryStore()
    ledger = await opened(store)
    bold = await Ledger.open(
        store, SIGNER, fold=lambda state, _: state, initial=None, genesis=genesis()
    )
    await bold.append(FRAUD, [a_record("t1", rationale="cannot be")], expected_last_index=-1)
    before = (ledger.state, ledger.anchor, ledger.records())

    for _ in range(2):
        with pytest.raises(ArithmeticError):
            await ledger.refresh()
    assert (ledger.state, ledger.anchor, ledger.records()) == before


async def test_two_that_begin_at_once_have_one_ledger() -> None:
    store = MemoryStore()

    one, two = await asyncio.gather(opened(store, begin="a"), opened(store, begin="b"))

    assert one.anchor == two.anchor
    assert one.state == two.state


@pytest.mark.parametrize("fault", Fault)
async def test_a_fault_at_the_beginning_leaves_one_beginning(fault: Fault) -> None:
    store = MemoryStore()
    store.plan(fault)

    ledger = await opened(store)

    assert (ledger.size, keys_of(store)) == (1, ["0"])
    assert (await opened(store)).anchor == ledger.anchor


async def test_a_store_that_is_down_at_the_beginning_begins_nothing() -> None:
    store = MemoryStore()
    store.is_down = True

    with pytest.raises(LedgerUnavailableError):
        await opened(store)
    assert store.objects == {}


async def test_an_emptied_store_is_lost_and_nothing_begins_anew() -> None:
    anchor = (await opened(MemoryStore())).anchor
    emptied = MemoryStore()

    with pytest.raises(LedgerLostError, match="has 0 records, its anchor knows 1"):
        await opened(emptied, anchor=anchor)
    assert emptied.objects == {}


async def test_a_ledger_ahead_of_its_anchor_opens() -> None:
    ledger = await opened(store := MemoryStore())
    anchor = ledger.anchor
    await append(ledger, "t1")

    again = await opened(store, anchor=anchor)

    assert again.size == 2
    again.check(ledger.anchor)


async def test_a_ledger_behind_its_anchor_is_lost() -> None:
    ledger = await opened(store := MemoryStore())
    await append(ledger, "t1")
    del store.objects[key_of(1)]

    with pytest.raises(LedgerLostError, match="has 1 records, its anchor knows 2"):
        await opened(store, anchor=ledger.anchor)


async def test_another_ledger_is_lost_even_if_it_is_longer() -> None:
    anchor = (await opened(MemoryStore())).anchor
    other = await opened(store := MemoryStore())
    await append(other, "t1")

    with pytest.raises(LedgerLostError, match="origin"):
        await opened(store, anchor=anchor)


async def test_another_key_than_the_anchors_is_for_the_platform_team() -> None:
    ledger = await opened(store := MemoryStore())

    with pytest.raises(MisconfiguredError, match="restore the Secret"):
        await opened(store, signer=THIEF, anchor=ledger.anchor)


async def test_a_ledger_of_another_key_is_not_opened() -> None:
    await opened(store := MemoryStore())

    with pytest.raises(LedgerBrokenError, match="OtherKey"):
        await opened(store, signer=THIEF)


async def test_a_ledger_from_a_newer_release_is_not_opened() -> None:
    objects = a_log([[a_record("t1").at(1).to_json() | {"operation": "KeyRotated"}]])

    with pytest.raises(LedgerNewerError, match="KeyRotated"):
        await opened(store_of(objects))


async def test_a_running_ledger_notices_that_it_is_beside_an_anchor() -> None:
    ledger = await opened(MemoryStore())
    anchor = ledger.anchor

    ledger.check(anchor)
    for change in ({"size": 2}, {"origin": "other"}, {"head": sha256(b"")}, {"size": 0}):
        with pytest.raises(LedgerLostError):
            ledger.check(replace(anchor, **change))


async def test_the_anchor_is_the_newest_head() -> None:
    store = store_of(a_log([[a_record("t1")], [a_record("t2"), a_record("t2")]]))

    ledger = await opened(store, anchor=anchor_of(store.objects))

    assert ledger.anchor == anchor_of(store.objects)
    assert (ledger.size, ledger.head) == (4, ledger.anchor.head)


async def test_evidence_is_kept_under_its_digest() -> None:
    ledger = await opened(store := MemoryStore())
    spec: dict[str, Any] = {"b": [1, "zwei"], "a": None}

    digest = await ledger.put_evidence(spec)

    assert digest == digest_of(spec)
    assert await ledger.read_evidence(digest) == b'{"a":null,"b":[1,"zwei"]}'
    assert store.objects[evidence_key(digest)] == b'{"a":null,"b":[1,"zwei"]}'


async def test_evidence_of_any_bytes_is_kept_as_they_are() -> None:
    ledger = await opened(MemoryStore())

    digest = await ledger.put_evidence(b"\x00\xff")

    assert digest == sha256(b"\x00\xff")
    assert await ledger.read_evidence(digest) == b"\x00\xff"


async def test_evidence_may_be_kept_twice() -> None:
    ledger = await opened(MemoryStore())

    assert await ledger.put_evidence({"a": 1}) == await ledger.put_evidence({"a": 1})


@pytest.mark.parametrize("fault", Fault)
async def test_a_fault_while_keeping_evidence_is_no_loss(fault: Fault) -> None:
    ledger = await opened(store := MemoryStore())
    store.plan(fault)

    digest = await ledger.put_evidence(b"content")

    assert await ledger.read_evidence(digest) == b"content"


async def test_evidence_that_cannot_be_kept_is_said_to_be_so() -> None:
    ledger = await opened(store := MemoryStore())
    store.is_down = True

    with pytest.raises(LedgerUnavailableError):
        await ledger.put_evidence(b"content")
    with pytest.raises(LedgerUnavailableError):
        await ledger.read_evidence(sha256(b"content"))


async def test_evidence_that_is_missing_or_altered_is_not_given() -> None:
    ledger = await opened(store := MemoryStore())
    digest = await ledger.put_evidence(b"content")

    store.objects[evidence_key(digest)] = b"other"
    with pytest.raises(FindingError) as altered:
        await ledger.read_evidence(digest)
    del store.objects[evidence_key(digest)]
    with pytest.raises(FindingError) as missing:
        await ledger.read_evidence(digest)

    assert altered.value.finding.flaw is Flaw.EVIDENCE_ALTERED
    assert missing.value.finding.flaw is Flaw.EVIDENCE_MISSING


async def test_the_event_loop_goes_on_while_the_store_is_slow() -> None:
    ledger = await opened(store := Held())
    waiting = asyncio.ensure_future(append(ledger, "t1"))

    # A loop that is blocked by the held store could not let it go.
    await asyncio.to_thread(store.reached.wait, 30)
    store.go_on.set()

    assert len(await asyncio.wait_for(waiting, 30)) == 1
