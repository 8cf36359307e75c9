"""Whatever people, clusters and crashes do, in any order, some things never happen.

The rules are those of the product; `little_world` checks every record when it is written.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as some
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from modelwarden.domain.verdicts import wait
from modelwarden.workflows.facts import policy_facts
from tests import builders
from tests.builders import MANAGER, OWNER, REVIEWER, SCIENTIST
from tests.domain.builders import deployment
from tests.domain.little_world import CrashError, LittleWorld, check_the_past

numbers = some.integers(1, 3)
BOTH = {**OWNER, "groups": ["risk-reviewers"]}
ANOTHER_LOGIN = {"username": "platform@example.com", "uid": "p", "groups": ["risk-reviewers"]}
PIPELINE = {"username": "system:serviceaccount:risk:pipeline", "uid": "s", "groups": []}
voters = some.sampled_from([OWNER, REVIEWER, SCIENTIST, BOTH, ANOTHER_LOGIN, PIPELINE, None])
OTHER_DIGEST = "sha256:" + "9" * 64
EPOCH = "1970-01-01T00:00:00Z"
DEPLOYMENTS = ("fraud-api", "fraud-shadow")
COUPLES = ((REVIEWER, OWNER), (OWNER, ANOTHER_LOGIN), (OWNER,), (BOTH,), (BOTH, PIPELINE))
QUALITIES: dict[str, dict[str, Any]] = {
    "good": {},
    "below its rules": {"metrics": [{"name": "auc", "value": "0.5"}]},
    "without lineage": {"lineage": {}},
    "trained by nobody": {"trainedBy": []},
    "nobody registered it": {"registeredBy": {"username": ""}},
    "elsewhere": {
        "artifact": {"uri": "s3://other/m.onnx", "digest": builders.DIGEST, "format": "ONNX"}
    },
}
GOVERNED: dict[str, dict[str, Any]] = {
    "owners": {"owners": [{"kind": "User", "name": "other@example.com"}]},
    "the same owners": {"owners": builders.model()["spec"]["owners"]},
    "two owners": {"owners": [{"kind": "Group", "name": "risk-reviewers"}]},
    "stricter": {"metrics": [{"name": "auc", "min": "0.99"}]},
    "as strict as before": {"metrics": builders.model()["spec"]["metrics"]},
    "people": {"affectsPeople": True},
    "no people": {"affectsPeople": False},
    "automated": {"automation": {"to": "Staging", "keep": 1}},
    "automated for two": {"automation": {"to": "Staging", "keep": 2}},
    "often": {"reviewEveryDays": 1},
    "without a Deployment": {"serving": []},
    "with a shadow": {
        "serving": [
            {"stage": "Production", "deployment": {"name": "fraud-api"}},
            {"stage": "Staging", "deployment": {"name": "fraud-shadow"}},
        ]
    },
}
ROLLS: dict[str, dict[str, Any]] = {
    "done": {},
    "half": {"updated": 1},
    "unseen": {"observed_generation": 0},
    "stuck": {"progressing": "ProgressDeadlineExceeded"},
    "paused": {"paused": True},
    "resumed": {"paused": False},
    "scaled to nothing": {"replicas": 0, "current": 0, "updated": 0, "available": 0},
    "scaled up": {"replicas": 2},
    "old pods": {"terminating": 1},
}


def policy(rollback: dict[str, Any] | None = None, **step: Any) -> Any:
    raw = builders.policy()
    raw["spec"]["steps"][2] |= step
    raw["spec"]["automation"] = {"maxStage": "Staging"}
    raw["spec"] |= {} if rollback is None else {"rollback": rollback}
    return policy_facts(raw)


POLICIES = {
    "standard": policy(),
    "soaking": policy(soakSeconds=600),
    "expiring": policy(
        approvals={
            "owners": 1,
            "reviewers": 1,
            "exclude": ["Trainer", "Registrant"],
            "expireAfterSeconds": 600,
        }
    ),
    "back within a day": policy({"withinDays": 1, "reviewWithinDays": 3}),
    "somebody lets it back": policy({"approvals": {"owners": 1, "exclude": ["Trainer"]}}),
    "nobody asked": policy(approvals={"owners": 0, "reviewers": 0}),
    "comparing": policy(
        gates=[
            {"name": "quality", "metrics": {}},
            {"name": "beside", "champion": {"maxDrop": "0.01"}, "runAt": "Registration"},
            {"name": "still-there", "artifact": {}, "runAt": "Registration"},
        ]
    ),
    "without automation": replace(policy(), automation_up_to=None),
    "gone": wait("NoPolicy", "There is none."),
}


def _nth(named: Mapping[Any, Any], nth: int) -> Any:
    names = sorted(named)
    return names[-1 - nth % len(names)] if names else None


def _delete_a_version(world: LittleWorld, nth: int) -> None:
    world.versions.pop(_nth(world.versions, nth), None)


def _make_a_version_again(world: LittleWorld, nth: int) -> None:
    number = _nth(world.versions, nth)
    if number is not None:
        world.versions.pop(number)
        world.register(number, **({"label": "other"} if nth % 2 else {}))


def _delete_an_attempt(world: LittleWorld, nth: int) -> None:
    world.transitions.pop(_nth(world.transitions, nth), None)


def _ask_nobody(world: LittleWorld, nth: int) -> None:
    """Somebody writes into a frozen attempt that nobody is to be asked."""
    name = _nth(world.transitions, nth)
    step = {} if name is None else world.transitions[name]["spec"].get("step", {})
    if "approvals" in step:
        altered = {**step, "approvals": {"owners": 0, "reviewers": 0}}
        world.transitions[name]["spec"]["step"] = altered


def _wipe_all_status(world: LittleWorld, _: int) -> None:
    for raw in _touched_objects(world):
        raw.pop("status", None)


def _forge_all_status(world: LittleWorld, _: int) -> None:
    lies = [
        {"type": kind, "status": status, "reason": "Forged", "lastTransitionTime": EPOCH}
        for kind, status in (("Ready", "True"), ("Succeeded", "True"), ("Stalled", "False"))
    ]
    for raw in _touched_objects(world):
        raw["status"] = {"evidenceDigest": OTHER_DIGEST, "stage": "Staging", "conditions": lies}


def _touched_objects(world: LittleWorld) -> list[dict[str, Any]]:
    """A change of a version, or of an attempt of it, is announced to the controller."""
    world.touched |= {raw["metadata"]["name"] for raw in world.versions.values()}
    found = [*world.versions.values(), *world.transitions.values()]
    return found if world.model is None else [*found, world.model]


def _delete_the_model(world: LittleWorld, nth: int) -> None:
    """It stays away, or is made again at once: as it was, or otherwise."""
    spec = {} if world.model is None else dict(world.model["spec"])
    world.model = None
    if nth % 3:
        spec.pop("authors", None)
        world.put_model(**{**spec, **(GOVERNED["two owners"] if nth % 3 == 2 else {})})


def _lose_the_runs(world: LittleWorld, _: int) -> None:
    world.runs.clear()


def _put_foreign_jobs(world: LittleWorld, _: int) -> None:
    world.runs = {k: replace(run, inputs_digest="another") for k, run in world.runs.items()}


def _replace_a_deployment(world: LittleWorld, nth: int) -> None:
    """It is deleted, made again, or taken by another model."""
    name = DEPLOYMENTS[nth % 2]
    world.deployments.pop(name, None)
    if nth > 1:
        labels = {"modelwarden.io/model": "churn"} if nth > 3 else {}
        world.deployments[name] = deployment(name, labels=labels)


def _lose_the_authorizer(world: LittleWorld, nth: int) -> None:
    world.unanswered = bool(nth % 2)


def _lose_sight_of_pods(world: LittleWorld, nth: int) -> None:
    world.blind = bool(nth % 2)


def _delete_the_votes(world: LittleWorld, _: int) -> None:
    world.decisions.clear()


# What guards are there to prevent, and what nobody can.
MISHAPS: dict[str, Callable[[LittleWorld, int], None]] = {
    "a version is deleted": _delete_a_version,
    "a version is made again": _make_a_version_again,
    "an attempt is deleted": _delete_an_attempt,
    "an attempt is altered": _ask_nobody,
    "all status is gone": _wipe_all_status,
    "all status is forged": _forge_all_status,
    "the Model is deleted": _delete_the_model,
    "gate Jobs are gone": _lose_the_runs,
    "gate Jobs judge something else": _put_foreign_jobs,
    "a Deployment is replaced": _replace_a_deployment,
    "nobody reviews rights": _lose_the_authorizer,
    "votes are gone": _delete_the_votes,
    "nobody lists pods": _lose_sight_of_pods,
}

TWO_SERVED: tuple[Callable[["Lifecycle"], None], ...] = (
    lambda it: it.release(1),
    lambda it: it.approve((OWNER, REVIEWER)),
    lambda it: it.roll("done"),
    lambda it: it.release(2),
    lambda it: it.approve((OWNER, REVIEWER)),
    lambda it: it.roll("done"),
)

BEGINNINGS: dict[str, tuple[Callable[["Lifecycle"], None], ...]] = {
    "nothing": (),
    "people are awaited": (lambda it: it.release(1),),
    "who trained it has approved by another login": (
        lambda it: it.release(1),
        lambda it: it.approve((OWNER, ANOTHER_LOGIN)),
    ),
    "somebody asks nobody": (
        lambda it: it.release(1),
        lambda it: it.suffer("an attempt is altered", 2),
    ),
    "the first version is rolled out": (
        lambda it: it.release(1),
        lambda it: it.approve((OWNER, REVIEWER)),
    ),
    "the first version serves": (
        lambda it: it.release(1),
        lambda it: it.approve((OWNER, REVIEWER)),
        lambda it: it.roll("done"),
    ),
    "the second version is rolled out": (
        lambda it: it.release(1),
        lambda it: it.approve((OWNER, REVIEWER)),
        lambda it: it.roll("done"),
        lambda it: it.release(2),
        lambda it: it.approve((OWNER, REVIEWER)),
    ),
    "the second version serves": TWO_SERVED,
    "it is rolled back": (
        *TWO_SERVED,
        lambda it: it.change_one_s_mind(1),
        lambda it: it.roll("done"),
    ),
    "the second version replaced the first one in Staging": (
        lambda it: it.govern("automated"),
        lambda it: it.register(1, "good"),
        lambda it: it.register(2, "good"),
    ),
    "it is withdrawn": (*TWO_SERVED, lambda it: it.withdraw("registered")),
}


class Lifecycle(RuleBasedStateMachine):
    """People, clusters and crashes in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.world = LittleWorld()
        self.words = 0
        self.surfaces: list[dict[str, Any]] = []

    @initialize(
        policy=some.sampled_from(["standard", "standard", "soaking", "expiring", "comparing"]),
        begun=some.sampled_from(list(BEGINNINGS)),
    )
    def install(self, *, policy: str, begun: str) -> None:
        """Begin in the middle of something."""
        self.world.put_model(**GOVERNED["with a shadow"])
        self.world.policy = POLICIES[policy]
        self.world.deployments = {name: deployment(name) for name in DEPLOYMENTS}
        for step in BEGINNINGS[begun]:
            step(self)

    def ask(self, production: int | None, staging: set[int], by: Any, **more: Any) -> None:
        """Edit the stages; what is new or moved has a reason of its own."""
        self.words += 1
        old = (self.world.model or {}).get("spec", {}).get("stages", {})
        surface: dict[str, Any] = {}
        places = {"staging": staging, "registered": more.get("registered", set())}
        places["archived"] = more.get("archived", set())
        for place, wanted in places.items():
            kept = {entry["version"]: entry for entry in old.get(place, ())}
            fresh = {"reason": f"reason {self.words}"}
            surface[place] = [kept.get(n, {"version": n, **fresh}) for n in sorted(wanted)]
        if production is not None:
            same = old.get("production", {}).get("version") == production
            entry = {"version": production, "reason": f"reason {self.words}"}
            surface["production"] = old["production"] if same else entry
        self.surfaces.append(old)
        self.world.edit(surface, by, stamped=more.get("stamped", True))

    def named(self) -> dict[str, Any]:
        """Give what the stages say, to be changed in one place."""
        stages = (self.world.model or {}).get("spec", {}).get("stages", {})
        places = ("staging", "archived", "registered")
        named = {p: {entry["version"] for entry in stages.get(p, ())} for p in places}
        return {"production": stages.get("production", {}).get("version"), **named}

    def put(self, number: int, place: str) -> None:
        """Name a version in one place and in no other."""
        named = self.named()
        for other in ("staging", "archived", "registered"):
            named[other] = named[other] - {number} | ({number} if other == place else set())
        if named["production"] == number:
            named["production"] = None
        self.ask(named.pop("production"), named.pop("staging"), MANAGER, **named)

    def look(self, *, crash_after: int | None = None) -> None:
        self.world.crash_after = crash_after
        try:
            self.world.look()
        except CrashError:
            self.world.sweep()
        finally:
            self.world.crash_after = None

    @rule(number=numbers, quality=some.sampled_from(sorted(QUALITIES)))
    def register(self, number: int, quality: str) -> None:
        self.world.register(number, **QUALITIES[quality])

    @rule(number=numbers)
    def release(self, number: int) -> None:
        """What most people do most of the time."""
        self.world.register(number)
        self.ask(number, {1, number}, MANAGER)
        self.world.settle()

    @rule(
        production=some.none() | numbers,
        staging=some.sets(numbers),
        archived=some.sets(numbers, max_size=1),
        registered=some.sets(numbers, max_size=1),
        stamped=some.sampled_from([True, True, True, False]),
    )
    def edit(self, *, stamped: bool, production: int | None, **places: set[int]) -> None:
        archived = places["archived"] - {production}
        registered = places["registered"] - archived - {production}
        staging = places["staging"] - archived - registered
        self.ask(
            production, staging, MANAGER, archived=archived, registered=registered, stamped=stamped
        )

    @rule(production=some.none() | numbers)
    def change_one_s_mind(self, production: int | None) -> None:
        self.ask(production, {1, 2}, MANAGER)

    @rule(number=numbers, place=some.sampled_from(["registered", "archived", "staging"]))
    def move_down(self, number: int, place: str) -> None:
        """Demote it, archive it, or ask it back into Staging."""
        self.put(number, place)

    @rule(place=some.sampled_from(["registered", "archived", "staging"]))
    def withdraw(self, place: str) -> None:
        """Take the version out of Production that is there."""
        self.world.settle()
        if self.world.state.production is not None:
            self.put(self.world.state.production, place)
        self.look()

    @rule(nth=some.integers(0, 3))
    def roll_back(self, nth: int) -> None:
        """Ask for one of the versions that may come back, as status shows them."""
        self.look()
        stages = (self.world.model or {}).get("status", {}).get("stages", {})
        back = [target["version"] for target in stages.get("rollbackTo", ())]
        if back:
            number = back[nth % len(back)]
            self.ask(number, self.named()["staging"], MANAGER)
            self.world.settle()

    @rule()
    def cancel(self) -> None:
        """Name what is in Production again, or nothing."""
        self.ask(self.world.state.production, self.named()["staging"], MANAGER)

    @rule(nth=some.integers(0, 2))
    def revert(self, nth: int) -> None:
        """Write the stages as they were some edits ago, as a revert in Git does."""
        if len(self.surfaces) > nth:
            self.world.edit(self.surfaces[-1 - nth], MANAGER)

    @rule(
        people=some.sampled_from([*COUPLES, (OWNER, REVIEWER), (OWNER, REVIEWER)]),
        wrong=some.sampled_from(["", "", "evidenceDigest"]),
    )
    def approve(self, people: tuple[Any, ...], wrong: str = "") -> None:
        """They look at what is open, and approve; the controller looks too."""
        self.world.settle()
        reviewed = {wrong: OTHER_DIGEST} if wrong else {}
        for attempt in self.world.state.open_attempts():
            for person in people:
                self.world.vote(attempt.name, person, "Approve", **reviewed)
        self.look()

    @rule(
        by=voters,
        kind=some.sampled_from(["Approve", "Approve", "Reject", "Retract"]),
        nth=some.integers(0, 3),
        wrong=some.sampled_from(["", "", "subjectDigest", "policyDigest", "evidenceDigest"]),
    )
    def vote(self, by: Any, kind: str, nth: int, wrong: str) -> None:
        attempts = [attempt.name for attempt in self.world.state.open_attempts()]
        if attempts:
            reviewed = {wrong: OTHER_DIGEST} if wrong else {}
            self.world.vote(attempts[-1 - nth % len(attempts)], by, kind, **reviewed)

    @rule(by=voters)
    def review(self, by: Any) -> None:
        self.world.review(by)

    @rule(by=voters, nth=some.integers(0, 3))
    def retry(self, by: Any, nth: int) -> None:
        ended = [a.name for a in self.world.state.attempts.values() if not a.is_open]
        if ended:
            name = ended[-1 - nth % len(ended)]
            self.world.vote(name, by, "Retry")
            self.world.touched.add(name.rsplit("-", 2)[0])

    @rule(
        outcome=some.sampled_from(["Passed", "Passed", "Failed", "Inconclusive", "Lost", "Killed"])
    )
    def finish_jobs(self, outcome: str) -> None:
        self.look()
        self.world.finish_jobs(outcome)

    @rule(how=some.sampled_from(sorted(ROLLS)))
    def roll(self, how: str) -> None:
        self.world.roll(**ROLLS[how])
        self.look()

    @rule(what=some.sampled_from(sorted(GOVERNED)))
    def govern(self, what: str) -> None:
        if self.world.model is not None:
            self.world.put_model(**GOVERNED[what])

    @rule(number=numbers, words=some.sampled_from(["", "Not for merchants."]))
    def note(self, number: int, words: str) -> None:
        raw = self.world.versions.get(number)
        if raw is not None:
            raw["spec"]["notes"] = {"limitations": [words] if words else []}
            raw["spec"]["notesBy"] = OWNER
            raw["metadata"]["generation"] += 1
            self.world.touched.add(raw["metadata"]["name"])

    @rule(seconds=some.sampled_from([1, 60, 700, 4000, -4000]))
    def let_time_pass(self, seconds: int) -> None:
        self.world.now += timedelta(seconds=seconds)

    @rule(
        change=some.sampled_from(sorted(POLICIES)) | some.sampled_from([MANAGER, OWNER, REVIEWER])
    )
    def administer(self, change: Any) -> None:
        """Another policy governs, or somebody loses a right or gets it back."""
        if isinstance(change, str):
            self.world.policy = POLICIES[change]
        else:
            self.world.refused ^= {change["username"]}

    @rule(mishap=some.sampled_from(list(MISHAPS)), nth=some.integers(0, 5))
    def suffer(self, mishap: str, nth: int) -> None:
        MISHAPS[mishap](self.world, nth)

    @rule()
    def see(self) -> None:
        self.look()

    @rule(effects=some.integers(0, 25))
    def die(self, effects: int) -> None:
        self.look(crash_after=effects)

    def teardown(self) -> None:
        self.world.settle()
        before = len(self.world.records)
        plan = self.world.look()
        assert plan.is_empty
        assert len(self.world.records) == before
        check_the_past(self.world)


def test_whatever_happens_no_gate_is_skipped_and_one_version_at_most_is_in_production() -> None:
    run_state_machine_as_test(
        Lifecycle,
        settings=settings(
            max_examples=200,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
            phases=set(Phase) - {Phase.explain},
        ),
    )
