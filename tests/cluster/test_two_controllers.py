"""Two controllers that both write, on one ledger: never two versions in Production.

The Lease is switched off: both decide about the same facts at the same time, and only the ledger's
conditional append stands between them.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.cluster.arena import NUMBERS, Arena
from tests.cluster.controllers import (
    HostController,
    findings_of,
    instead_of_the_pod,
    records_in,
    running,
)
from tests.cluster.installed import Installed
from tests.cluster.running import TooLateError

MODELS = 5
ROUNDS_OF_PROMOTIONS = 10
ROUNDS_AGAINST_ROLLBACK = 4


class Outcome(NamedTuple):
    """What went wrong; nothing, where all is as it must be."""

    two_in_status: list[Any]
    two_on_record: list[Any]
    other_labels: list[str]
    not_told: list[str]
    flaws: list[str]
    stuck: list[str]


NOTHING = Outcome([], [], [], [], [], [])


@contextmanager
def two_controllers(installed: Installed, folder: Path, *words: str) -> Iterator[Path]:
    """Run two that both write; gives their ledger."""
    first, second = (
        HostController(installed, folder, name=name, words=words) for name in ("first", "second")
    )
    with instead_of_the_pod(installed), running(first, second):
        yield first.ledger


def race_all(arena: Arena) -> list[str]:
    """Let all models race at the same time; gives the rounds that did not come to rest."""
    with ThreadPoolExecutor(len(arena.models)) as pool:
        told = pool.map(lambda model: race(arena, model), arena.models)
        return [words for of_model in told for words in of_model]


def race(arena: Arena, model: str) -> list[str]:
    """Go through all rounds of one model; gives the rounds that did not come to rest."""
    stuck = []
    arena.ask(model, 1, "The first one.")
    current = arena.await_rest(model)
    for round_ in range(ROUNDS_OF_PROMOTIONS):
        others = [number for number in NUMBERS if number != current]
        wishes = [(number, f"Round {round_}: {number}.") for number in others]
        try:
            arena.ask_at_once(model, *wishes)
            before, current = current, arena.await_rest(model)
        except TooLateError as late:
            return [*stuck, f"{model}, round {round_}: {late}"]
    for round_ in range(ROUNDS_AGAINST_ROLLBACK):
        newest = next(number for number in NUMBERS if number not in (current, before))
        try:
            arena.ask_at_once(
                model, (before, f"Back, round {round_}."), (newest, f"On, round {round_}.")
            )
            before, current = current, arena.await_rest(model)
        except TooLateError as late:
            return [*stuck, f"{model}, back, round {round_}: {late}"]
    return stuck


def outcome(arena: Arena, installed: Installed, ledger: Path, stuck: list[str]) -> Outcome:
    """Look everywhere for what must never be."""
    at_rest = {model: str(arena.await_rest(model)) for model in arena.models} if not stuck else {}
    return Outcome(
        two_in_status=arena.two_in_production(),
        two_on_record=two_on_record(records_in(ledger, arena.namespace)),
        other_labels=[model for model, number in at_rest.items() if arena.carried(model) != number],
        not_told=[
            attempt["metadata"]["name"] for attempt in arena.attempts() if not has_ended(attempt)
        ],
        flaws=findings_of(installed, ledger),
        stuck=stuck,
    )


def two_on_record(records: list[dict[str, Any]]) -> list[tuple[str, list[int]]]:
    """Move versions as the records say, and list where two of a model were in Production."""
    where: dict[str, dict[int, str]] = {}
    found = []
    for record in records:
        stages = where.setdefault(record["model"], {})
        for move in record["moves"]:
            stages[move["version"]] = move["to"]
        there = [number for number, stage in stages.items() if stage == "Production"]
        if len(there) > 1:
            found.append((record["model"], there))
    return found


def has_ended(attempt: dict[str, Any]) -> bool:
    """Say whether an attempt says how it ended, with a reason and a sentence."""
    conditions = {c["type"]: c for c in attempt.get("status", {}).get("conditions", ())}
    succeeded = conditions.get("Succeeded", {})
    return bool(succeeded.get("status") in ("True", "False") and succeeded.get("message"))


def test_of_two_writers_neither_ever_makes_a_second_version_production(
    operator: Installed, namespace: str, tmp_path: Path
) -> None:
    arena = Arena(operator.cluster, namespace, models=MODELS)
    with two_controllers(operator, tmp_path) as ledger, arena.watched():
        arena.set_up()
        with ThreadPoolExecutor(MODELS) as pool:
            stuck = [
                words for told in pool.map(lambda m: race(arena, m), arena.models) for words in told
            ]
        found = outcome(arena, operator, ledger, stuck)

    assert found == NOTHING


def test_without_the_condition_of_an_append_the_same_race_is_lost(
    operator: Installed, namespace: str, tmp_path: Path
) -> None:
    arena = Arena(operator.cluster, namespace, models=MODELS)
    with two_controllers(operator, tmp_path, "--unconditional") as ledger, arena.watched():
        try:
            arena.set_up()
            with ThreadPoolExecutor(MODELS) as pool:
                stuck = [
                    w for told in pool.map(lambda m: race(arena, m), arena.models) for w in told
                ]
        except TooLateError as late:
            stuck = [str(late)]
        found = outcome(arena, operator, ledger, stuck)

    assert found != NOTHING
