"""How many gates run at once, and in which order the others follow."""

import pytest

from modelwarden.domain.installation import GateLimits
from modelwarden.domain.slots import Claim, Slots, granted, why_not

LIMITS = GateLimits(per_namespace=2, in_all=3)


def claim(job: str, *, asked: int = 0, namespace: str = "risk") -> Claim:
    return Claim(asked=f"2026-11-24T12:00:{asked:02}Z", namespace=namespace, job=job)


def running(**owners: str) -> dict[str, str]:
    return owners


CASES: dict[str, tuple[list[Claim], Slots, set[str]]] = {
    "nothing runs": ([claim("a"), claim("b")], Slots(), {"a", "b"}),
    "one namespace gets no more than its share": (
        [claim("a", asked=1), claim("b", asked=2), claim("c", asked=3)],
        Slots(),
        {"a", "b"},
    ),
    "its running gates count": ([claim("a"), claim("b")], Slots(running=running(x="risk")), {"a"}),
    "those of others count for all": (
        [claim("a"), claim("b")],
        Slots(running=running(x="other", y="other")),
        {"a"},
    ),
    "all places are taken": (
        [claim("a")],
        Slots(running=running(x="other", y="other", z="third")),
        set(),
    ),
    "more run than may": (
        [claim("a")],
        Slots(running={str(n): "other" for n in range(9)}),
        set(),
    ),
    "who asked first comes first": (
        [claim("a", asked=2)],
        Slots(running=running(x="other", y="third"), waiting=(claim("b", asked=1),)),
        {"b"},
    ),
    "who asked later waits its turn": (
        [claim("a", asked=1)],
        Slots(running=running(x="other", y="third"), waiting=(claim("b", asked=2),)),
        {"a"},
    ),
    "of one time the name decides": (
        [claim("b")],
        Slots(running=running(x="other", y="third"), waiting=(claim("a"),)),
        {"a"},
    ),
    "a namespace that is full holds up nobody else": (
        [claim("a", asked=9, namespace="other")],
        Slots(running=running(x="risk", y="risk"), waiting=(claim("b", asked=1),)),
        {"a"},
    ),
    "what runs already needs no place": (
        [claim("x")],
        Slots(running=running(x="risk")),
        set(),
    ),
}


@pytest.mark.parametrize(("claims", "slots", "names"), CASES.values(), ids=CASES)
def test_a_gate_starts_where_there_is_room_for_it(
    claims: list[Claim], slots: Slots, names: set[str]
) -> None:
    assert granted(claims, slots, limits=LIMITS) == names


@pytest.mark.parametrize(
    ("slots", "said"),
    [
        (
            Slots(running=running(x="risk", y="risk")),
            "for namespace risk as many run as may at once (2)",
        ),
        (Slots(running=running(x="risk", y="other", z="third")), "as many run as may at once (3)"),
        (Slots(waiting=(claim("b"),)), "others were asked for before it"),
    ],
    ids=["its namespace", "all", "others"],
)
def test_what_waits_says_for_what(slots: Slots, said: str) -> None:
    assert why_not(claim("a", asked=1), slots, limits=LIMITS).startswith(said)


def test_a_place_is_free_when_its_job_is_gone() -> None:
    slots = Slots(running=running(x="risk", y="risk"))

    assert slots.without(["x", "z"]) == Slots(running=running(y="risk"))


def test_every_claim_gets_its_turn() -> None:
    waiting = [claim(f"job-{n}", asked=n % 7, namespace=f"team-{n % 5}") for n in range(40)]
    started: list[str] = []
    runs: dict[str, str] = {}
    while waiting:
        names = granted(waiting, Slots(running=runs), limits=LIMITS)
        assert names
        started += sorted(names)
        runs = {c.job: c.namespace for c in waiting if c.job in names}
        waiting = [c for c in waiting if c.job not in names]
        runs = dict(list(runs.items())[1:])

    assert sorted(started) == sorted(f"job-{n}" for n in range(40))
