"""SIGKILL before and after every effect of a promotion, a rollback and a demotion, one by one.

The controller runs as a process of this machine and ends itself at each effect, the first time
before it and the next time after it; it starts again until the work is done. And the same with the
API server gone at five places instead.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.cluster.controllers import (
    HostController,
    findings_of,
    instead_of_the_pod,
    jobs_seen,
    records_in,
    running,
)
from tests.cluster.disturbed import lines
from tests.cluster.example import MODEL, Example
from tests.cluster.installed import Installed
from tests.cluster.running import RefusedError, until

pytestmark = pytest.mark.skip(
    reason="not seen to pass yet with events killed on their own; the tests that follow an API "
    "server that was gone have lost their way to the store"
)

PHASES = ("promotion", "rollback", "demotion")
EVENTS = "POST events"
# Something was just written, or is about to be, and whoever has to know of it is not there.
PLACES = (
    "promotion: after POST modeltransitions",
    "rollback: before POST jobs",
    "promotion: after append RolloutBegun",
    "rollback: before PATCH deployments",
    "demotion: after append Demoted",
)


class End(NamedTuple):
    """Where the work ended; of gates that run side by side, any may be the first on record."""

    stages: list[str]
    carried: str
    records: list[tuple[str, int | None]]
    gates: list[tuple[str, str]]
    jobs: int
    flaws: list[str]


class Story:
    """A promotion, a rollback and a demotion, whatever becomes of the controller meanwhile."""

    def __init__(self, example: Example, controller: HostController) -> None:
        self.example, self.controller = example, controller

    @property
    def effects(self) -> Path:
        """Where the controller writes what it did."""
        return self.controller.folder / "effects"

    def tell(self) -> End:
        """Go through everything, and say where it ended."""
        namespace = self.example.namespace
        with jobs_seen(self.example.installed, namespace) as seen, running(self.controller):
            for number in (1, 2):
                self.register(number)
            self.promote(1)
            self.begin("promotion")
            self.promote(2)
            self.await_stage(1, "Archived")
            self.begin("rollback")
            self.edit(production={"version": 1, "reason": "Too many alarms."})
            self.await_stage(1, "Production")
            self.begin("demotion")
            staging = [entry for entry in self.staging() if entry["version"] != 2]
            self.edit(staging=staging, registered=[{"version": 2, "reason": "Look at it again."}])
            self.await_stage(2, "Registered")
            self.begin("quiet")
            return self.end(len(seen()))

    def register(self, number: int) -> None:
        """Register a version, and wait: of two at once either could be the first on record."""
        self.example.register(number)
        self.until(
            lambda: self.example.condition(number, "Validated") == "True",
            what=f"{number} is registered",
        )

    def promote(self, number: int) -> None:
        """Ask for Staging and Production, and approve."""
        self.ask("engineer", number, "--to=staging")
        self.await_stage(number, "Staging")
        self.ask("manager", number, "--to=production")
        self.until(
            lambda: "ApprovalsMissing" in self.example.waits_for(number), what="people may vote"
        )
        self.example.approve(number, "owner", "reviewer")
        self.await_stage(number, "Production")

    def ask(self, person: str, number: int, to: str) -> None:
        """Ask for a version to move up."""
        told = self.example.ask(
            person, "promote", MODEL, str(number), to, f"--reason=Release {number}."
        )
        if told.code:
            raise RefusedError(told.complaint)

    def begin(self, phase: str) -> None:
        """Let the effects from now on count as those of a phase."""
        self.until(self.is_settled, what="the Model is settled")
        (self.effects / "phase").write_text(phase)

    def edit(self, **stages: Any) -> None:
        """Edit the stages of the Model by hand, as a release manager does."""
        patch = json.dumps({"spec": {"stages": stages}})
        where = f"--namespace={self.example.namespace}"
        self.example.installed.cluster.kubectl(
            "manager", "patch", "model", MODEL, "--type=merge", f"--patch={patch}", where
        )

    def staging(self) -> list[dict[str, Any]]:
        """Read the entries for Staging."""
        entries: list[dict[str, Any]] = self.example.get("model")["spec"]["stages"]["staging"]
        return entries

    def until(self, claim: Callable[[], Any], *, what: str) -> None:
        """Wait, and end the API server wherever the controller waits for that."""

        def look() -> bool:
            self.leave_places()
            return bool(claim())

        until(look, what=what, within=240, every=0.1)

    def leave_places(self) -> None:
        """End the API server and let the controller go on, if it waits at a place."""
        left = lines(self.effects / "left")
        for place in lines(self.effects / "reached"):
            if place not in left:
                self.example.installed.cluster.kill_api_server()
                with (self.effects / "left").open("a") as opened:
                    opened.write(f"{place}\n")

    def await_stage(self, number: int, stage: str) -> None:
        """Wait until a version is in a stage."""
        self.until(lambda: self.example.stage(number) == stage, what=f"{number} is in {stage}")

    def is_settled(self) -> bool:
        """Say whether the Model is as it is written, its controller at work."""
        model = self.example.get("model")
        status = model["status"]
        settled = {c["type"]: c["status"] for c in status["conditions"]}["Settled"]
        is_current = status["observedGeneration"] == model["metadata"]["generation"]
        return settled == "True" and is_current and self.controller.is_ready()

    def end(self, jobs: int) -> End:
        """Say where everything ended, in the cluster and on record."""
        template = self.example.get("deployment", "fraud-api")["spec"]["template"]["metadata"]
        records = records_in(self.controller.ledger, self.example.namespace)
        gates = [record for record in records if record["operation"] == "GateFinished"]
        return End(
            stages=[self.example.stage(number) for number in (1, 2)],
            carried=template["labels"]["modelwarden.io/version"],
            records=[(r["operation"], r["version"]) for r in records if r not in gates],
            gates=sorted((gate["transition"], gate["facts"]["gate"]) for gate in gates),
            jobs=jobs,
            flaws=findings_of(self.example.installed, self.controller.ledger),
        )


@contextmanager
def story(operator: Installed, folder: Path, *words: str) -> Iterator[Story]:
    """Set the example up for a controller of this machine."""
    effects = folder / "effects"
    effects.mkdir(parents=True)
    controller = HostController(operator, folder, words=(f"--effects={effects}", *words))
    with ExitStack() as stack:
        stack.enter_context(instead_of_the_pod(operator))
        namespace = stack.enter_context(operator.cluster.namespace("disturbed"))
        example = Example(operator, namespace, folder)
        example.set_up()
        example.declare()
        yield Story(example, controller)


def of_phases(effects: Sequence[str]) -> set[str]:
    """Name the effects of the three phases."""
    return {line for line in effects if line.partition(":")[0] in PHASES}


@pytest.fixture(scope="module")
def undisturbed(
    operator: Installed, tmp_path_factory: pytest.TempPathFactory
) -> tuple[End, set[str]]:
    """Where it ends by itself, and every effect on the way."""
    with story(operator, tmp_path_factory.mktemp("undisturbed")) as told:
        return told.tell(), of_phases(lines(told.effects / "seen"))


def killed(operator: Installed, folder: Path, *words: str) -> tuple[End, set[str]]:
    """Where it ends when it is killed in every phase, and at which effects it was."""
    deadly = f"--deadly={','.join(PHASES)}"
    with story(operator, folder, "--again", deadly, *words) as told:
        return told.tell(), of_phases(lines(told.effects / "killed"))


def test_killed_before_and_after_every_effect_it_ends_in_the_same_place(
    operator: Installed, undisturbed: tuple[End, set[str]], tmp_path: Path
) -> None:
    end, effects = undisturbed
    at_all_end, at_all = killed(operator, tmp_path / "all")
    # Told last of everything, and once: nobody comes so far who is killed on the way.
    before_end, before = killed(operator, tmp_path / "before", f"--only=before {EVENTS}")
    after_end, after = killed(operator, tmp_path / "after", f"--only=after {EVENTS}")

    sides = {
        f"{phase}: {side} {name}"
        for phase, _, name in (effect.partition(": ") for effect in effects)
        for side in ("before", "after")
    }
    reached = at_all | before | after
    assert (at_all_end, before_end, after_end, sides - reached) == (end, end, end, set())


def test_with_the_api_server_gone_at_five_places_it_ends_in_the_same_place(
    operator: Installed, undisturbed: tuple[End, set[str]], tmp_path: Path
) -> None:
    end, _ = undisturbed
    with story(operator, tmp_path, "--again", f"--places={';'.join(PLACES)}") as told:
        restarted_end = told.tell()
        left = lines(told.effects / "left")

    assert (restarted_end, sorted(left)) == (end, sorted(PLACES))
