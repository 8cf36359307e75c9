"""Whoever waits for a place is woken when there is one, and nobody waits behind the broken."""

from modelwarden.domain.installation import GateLimits
from modelwarden.domain.slots import Claim, Slots
from modelwarden.domain.state import ModelKey
from modelwarden.workflows.gate_queue import GateQueue

FIRST, SECOND, THIRD = (ModelKey("risk", name) for name in ("first", "second", "third"))


def claim(job: str, asked: int = 0) -> Claim:
    return Claim(asked=str(asked), namespace="risk", job=job)


class Woken:
    """A queue with room for one gate, and the Models that it woke."""

    def __init__(self) -> None:
        self.keys: list[ModelKey] = []
        self.queue = GateQueue(GateLimits(per_namespace=1, in_all=1), self.keys.append)

    def waits(self, key: ModelKey, *claims: Claim) -> None:
        """Let a look at a Model end with claims that found no place."""
        self.queue.slots(key, {"running": "risk"})
        self.queue.settle(key, waits=claims, started=(), ended=set())


def test_a_model_competes_with_what_others_wait_for_and_not_with_itself() -> None:
    woken = Woken()
    woken.waits(FIRST, claim("a"))
    woken.waits(SECOND, claim("b"))

    assert woken.queue.slots(FIRST, {"x": "risk"}) == Slots(
        running={"x": "risk"}, waiting=(claim("b"),)
    )


def test_while_no_place_is_free_nobody_is_woken() -> None:
    woken = Woken()

    woken.waits(FIRST, claim("a"))
    woken.waits(SECOND, claim("b"))

    assert woken.keys == []


def test_where_a_gate_ends_the_first_in_line_is_woken() -> None:
    woken = Woken()
    woken.waits(FIRST, claim("a", asked=2))
    woken.waits(SECOND, claim("b", asked=1))

    woken.queue.settle(THIRD, waits=(), started=(), ended={"running"})

    assert woken.keys == [SECOND]


def test_a_place_that_is_taken_again_at_once_wakes_nobody() -> None:
    woken = Woken()
    woken.waits(FIRST, claim("a"))

    woken.queue.settle(THIRD, waits=(), started=(claim("c"),), ended={"running"})

    assert woken.keys == []


def test_a_model_that_waits_no_more_lets_the_next_one_through() -> None:
    woken = Woken()
    woken.waits(FIRST, claim("a", asked=1))
    woken.waits(SECOND, claim("b", asked=2))
    woken.queue.slots(FIRST, {})

    woken.queue.settle(FIRST, waits=(), started=(), ended=set())

    assert woken.keys == [SECOND]


def test_a_model_that_cannot_be_looked_at_holds_up_nobody() -> None:
    woken = Woken()
    woken.waits(FIRST, claim("a", asked=1))
    woken.waits(SECOND, claim("b", asked=2))
    woken.queue.slots(FIRST, {})

    woken.queue.forget(FIRST)

    assert woken.keys == [SECOND]


def test_to_forget_who_never_waited_wakes_nobody() -> None:
    woken = Woken()
    woken.waits(FIRST, claim("a"))
    woken.queue.slots(SECOND, {})

    woken.queue.forget(SECOND)

    assert woken.keys == []
