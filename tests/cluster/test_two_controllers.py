"""Two controllers that both write, on one ledger: never two versions in Production.

The Lease is switched off: both decide about the same facts at the same time, and only the ledger's
conditional append stands between them.
"""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.cluster.arena import Arena
from tests.cluster.controllers import (
    HostController,
    findings_of,
    instead_of_the_pod,
    records_in,
    running,
)
from tests.cluster.disturbed import lines
from tests.cluster.installed import Installed
from tests.cluster.running import TooLateError

MODELS = 5
ROUNDS_OF_PROMOTIONS = 10
ROUNDS_AGAINST_ROLLBACK = 4
ROUNDS = ROUNDS_OF_PROMOTIONS + ROUNDS_AGAINST_ROLLBACK
VERSIONS = 2 * ROUNDS_OF_PROMOTIONS + ROUNDS_AGAINST_ROLLBACK


class Outcome(NamedTuple):
    """What went wrong; nothing, where all is as it must be."""

    two_in_status: list[Any]
    two_on_record: list[Any]
    other_labels: list[str]
    not_told: list[str]
    lost: list[str]
    flaws: list[str]
    stuck: list[str]


NOTHING = Outcome([], [], [], [], [], [], [])


class Race:
    """Models that all race at once, under two controllers of one ledger."""

    def __init__(self, installed: Installed, arena: Arena, *, folder: Path) -> None:
        self.installed, self.arena = installed, arena
        self.folder = folder
        self.controllers: tuple[HostController, ...] = ()
        self.other_labels: list[str] = []

    @property
    def ledger(self) -> Path:
        """The ledger of both."""
        return self.controllers[0].ledger

    @contextmanager
    def between(self, *words: str) -> Iterator[None]:
        """Have everything registered by one, then let another one write as well."""
        self.controllers = tuple(
            HostController(self.installed, self.folder, name=name, words=words)
            for name in ("first", "second")
        )
        for each in self.controllers:
            each.words = (*words, f"--written={_written(each)}")
        first, second = self.controllers
        with running(first):
            self.arena.set_up(self.folder / "file")
            with running(second):
                yield

    def go(self) -> list[str]:
        """Let all models race at the same time; gives the rounds that did not come to rest."""
        with ThreadPoolExecutor(MODELS) as pool:
            racing = [pool.submit(self.run, model) for model in self.arena.names]
            while wait(racing, timeout=1).not_done:
                if self.lost():
                    # Whoever wrote what is gone has told of it already: nothing mends that.
                    self.arena.call_off()
        return [words for model in racing for words in model.result()]

    def lost(self) -> list[str]:
        """Name the objects of the ledger that one of the two had written, and that are others."""
        told = [line.split() for each in self.controllers for line in lines(_written(each))]
        return [key for key, digest in told if self._digest_of(key) not in ("", digest)]

    def _digest_of(self, key: str) -> str:
        # While one object takes the place of another there is none.
        with suppress(FileNotFoundError):
            return hashlib.sha256((self.ledger / key).read_bytes()).hexdigest()
        return ""

    def run(self, model: str) -> list[str]:
        """Go through all rounds of one model; gives the round that did not come to rest, if any."""
        arena, fresh = self.arena, iter(self.arena.numbers)
        before = current = 0
        for round_ in range(ROUNDS):
            # What was just replaced may come back at once; two that never served go all the way.
            back = round_ >= ROUNDS_OF_PROMOTIONS
            wishes = (before if back else next(fresh), next(fresh))
            try:
                asked = [(each, f"Round {round_}: {each}.") for each in wishes]
                generation = arena.ask_at_once(model, *asked)
                before, current = current, arena.await_rest(model, since=generation)
            except TooLateError as late:
                return [f"{model}, round {round_}: {late}"]
            if not current:
                return [f"{model}, round {round_}: called off"]
            if arena.carried(model, expected=current) != str(current):
                self.other_labels.append(f"{model}, round {round_}")
        return []

    def outcome(self, stuck: list[str]) -> Outcome:
        """Look everywhere for what must never be."""
        return Outcome(
            two_in_status=self.arena.two_in_production(),
            two_on_record=two_on_record(records_in(self.ledger, self.arena.namespace)),
            other_labels=self.other_labels,
            not_told=self.arena.without_an_end() if not stuck else [],
            lost=self.lost(),
            flaws=findings_of(self.installed, self.ledger),
            stuck=stuck,
        )

    def conflicts(self) -> list[bool]:
        """Say for each controller whether the other one was faster at least once."""
        name = "modelwarden_ledger_conflicts_total"
        return [controller.metrics()[name] > 0 for controller in self.controllers]


def _written(controller: HostController) -> Path:
    return controller.folder / f"{controller.name}.written"


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


@pytest.fixture
def race(operator: Installed, tmp_path: Path) -> Iterator[Race]:
    """Some models in a namespace of their own, watched."""
    with ExitStack() as stack:
        stack.enter_context(instead_of_the_pod(operator))
        namespace = stack.enter_context(operator.cluster.namespace("race"))
        arena = Arena(operator, namespace, models=MODELS, versions=VERSIONS)
        stack.enter_context(arena.watched())
        yield Race(operator, arena, folder=tmp_path)


def test_of_two_writers_neither_ever_makes_a_second_version_production(race: Race) -> None:
    with race.between():
        stuck = race.go()
        found, conflicts = race.outcome(stuck), race.conflicts()

    assert (found, conflicts) == (NOTHING, [True, True])


def test_without_the_condition_of_an_append_the_same_race_is_lost(race: Race) -> None:
    with race.between("--unconditional"):
        stuck = race.go()
        found = race.outcome(stuck)

    # That it takes long would prove nothing.
    assert found._replace(stuck=[]) != NOTHING
