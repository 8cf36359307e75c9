"""A whole installation without a server: objects in dicts, the real rules, a ledger in a list.

Everything that a controller would do is done by the real functions in the order of a real look;
every record is checked when it is written, as an auditor would check it who trusts nothing.
"""

import copy
import functools
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from modelwarden.audit.objects import record_bytes
from modelwarden.domain import authors, labels
from modelwarden.domain.attempts_told import condition, is_open
from modelwarden.domain.automation import standing_requests
from modelwarden.domain.availability import versions_to_check
from modelwarden.domain.consumers import Consumer, Consumers, How
from modelwarden.domain.decide import Plan, decide, questions
from modelwarden.domain.facts import (
    Access,
    DeploymentFacts,
    PolicyFacts,
    RunFacts,
    RunKey,
    RunState,
    Snapshot,
)
from modelwarden.domain.fold import fold, fold_all
from modelwarden.domain.gate_results import EXIT_CODES
from modelwarden.domain.governance import governance_differs
from modelwarden.domain.identity import Caller, canonical
from modelwarden.domain.names import version_name
from modelwarden.domain.projection import JobOrder, LabelOrder, Projection, StatusOrder, project
from modelwarden.domain.records import Operation, Record, StageMove
from modelwarden.domain.rights import DECISION_PARTS
from modelwarden.domain.rollouts import carried, carries, deployment_is_free, version_for
from modelwarden.domain.scribe import Scribe, moment
from modelwarden.domain.stages import Move, Stage, is_above
from modelwarden.domain.state import AttemptOutcome, GateOutcome, LedgerState, ModelState
from modelwarden.domain.verdicts import Verdict, wait
from modelwarden.handlers import sweeper
from modelwarden.resources.model import Model
from modelwarden.resources.model_transition import ModelTransition
from modelwarden.resources.model_version import ModelVersion
from modelwarden.workflows import facts, gather
from tests import builders
from tests.domain.builders import IDENTITY, INSTALLATION, KEY, NOW

# From nothing to Production in one look there are fewer steps than this.
MOST_STEPS = 32
KINDS = {"Model": Model, "ModelVersion": ModelVersion, "ModelTransition": ModelTransition}
NO_POLICY = wait("NoPolicy", "There is none.")
MADE_IT = frozenset({"scientist@example.com"})

Raw = dict[str, Any]


class CrashError(Exception):
    """The controller is gone."""


@dataclass
class LittleWorld:
    """The facts, the ledger, and whoever acts on them."""

    now: datetime = NOW
    model: Raw | None = None
    policy: PolicyFacts | Verdict = NO_POLICY
    versions: dict[int, Raw] = field(default_factory=dict)
    transitions: dict[str, Raw] = field(default_factory=dict)
    decisions: list[Raw] = field(default_factory=list)
    runs: dict[RunKey, RunFacts] = field(default_factory=dict)
    deployments: dict[str, DeploymentFacts] = field(default_factory=dict)
    pods: dict[str, frozenset[int]] = field(default_factory=dict)
    asked_down: set[int] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    unanswered: bool = False
    blind: bool = False
    touched: set[str] = field(default_factory=set)
    records: list[Record] = field(default_factory=list)
    ledger: LedgerState = field(default_factory=LedgerState)
    crash_after: int | None = None
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def state(self) -> ModelState:
        """What the ledger says of the model."""
        return self.ledger.model(KEY)

    # What people and machines do.

    def put_model(self, by: Raw = builders.OWNER, **spec: Any) -> None:
        """Create the Model, or change its spec without an edit of its stages."""
        if self.model is None:
            self.model = self._new({**builders.model(), "spec": {}}, builders.MODEL)
            spec = {**builders.model()["spec"], **spec}
        self._change({**self.model["spec"], **spec}, by)

    def edit(self, surface: Mapping[str, Any], by: Raw, *, stamped: bool = True) -> None:
        """Edit the stages as one request, stamped by the real rule of admission."""
        if self.model is None:
            return
        old = self.model["spec"]
        if _asks_down(self.state.production, old.get("stages", {}), surface):
            self.asked_down.add(self.state.production or 0)
        self._change({**old, "stages": dict(surface)}, by, stamped=stamped)

    def _change(self, new: Raw, by: Raw, *, stamped: bool = True) -> None:
        assert self.model is not None
        old = self.model["spec"]
        if stamped:
            shown = self.model.get("status", {}).get("stages")
            items = authors.stamp(
                old, new, shown, caller=Caller.from_json(by), request_id=self._id("request")
            )
            new |= {} if items is None else {"authors": items}
        if new != old:
            self.model["spec"] = new
            self.model["metadata"]["generation"] += 1

    def register(self, number: int, **spec: Any) -> None:
        """Create a version; creation is the lock on its number."""
        if number not in self.versions:
            raw = builders.version(number, **spec)
            self.versions[number] = self._new(raw, raw["metadata"]["name"])
            self.touched.add(raw["metadata"]["name"])

    def vote(self, name: str, by: Raw | None, kind: str, **reviewed: str) -> None:
        """Decide about an attempt, having looked at what its status says."""
        attempt = self.transitions.get(name)
        if attempt is None:
            return
        spec = attempt["spec"]
        evidence = attempt.get("status", {}).get("evidenceDigest", builders.DIGEST)
        about = {
            "subjectDigest": spec["subjectDigest"],
            "policyDigest": spec.get("policy", {}).get("digest", builders.DIGEST),
            "evidenceDigest": evidence,
        }
        self.now += timedelta(seconds=1)
        raw = self._new(
            {
                "apiVersion": builders.API_VERSION,
                "kind": "ModelDecision",
                "metadata": {"namespace": KEY.namespace},
                "spec": {
                    "model": KEY.name,
                    "version": spec["version"],
                    "stage": DECISION_PARTS[spec["to"]].title(),
                    "transition": {"name": name, "uid": attempt["metadata"]["uid"]},
                    "decision": kind,
                    "reviewed": {**about, **reviewed},
                    "rationale": "Looked at it.",
                    **({} if by is None else {"by": by}),
                },
            },
            f"decision-{next(self.numbers)}",
        )
        raw["metadata"]["creationTimestamp"] = self.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        self.decisions.append(raw)

    def review(self, by: Raw | None) -> None:
        """Review the Model, of no attempt of it."""
        raw = self._new(
            {
                "apiVersion": builders.API_VERSION,
                "kind": "ModelDecision",
                "metadata": {"namespace": KEY.namespace},
                "spec": {
                    "model": KEY.name,
                    "stage": "Production",
                    "decision": "Review",
                    "rationale": "Looked at it.",
                    **({} if by is None else {"by": by}),
                },
            },
            f"decision-{next(self.numbers)}",
        )
        raw["metadata"]["creationTimestamp"] = self.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        self.decisions.append(raw)

    def finish_jobs(self, outcome: str) -> None:
        """End every gate Job that runs, as its pod or its node would."""
        for key, run in self.runs.items():
            if run.state is RunState.RUNNING:
                self.runs[key] = _ended(run, outcome, digest=builders.DIGEST)

    def roll(self, **changes: Any) -> None:
        """Move every Deployment on: by default its rollout ends."""
        for name, live in self.deployments.items():
            done = {
                "observed_generation": live.generation,
                "current": live.replicas,
                "updated": live.replicas,
                "ready": live.replicas,
                "available": live.replicas,
                "progressing": "NewReplicaSetAvailable",
            }
            self.deployments[name] = replace(live, **{**done, **changes})
        self.pods = {
            name: _pods_of(live, self.pods.get(name, frozenset()))
            for name, live in self.deployments.items()
        }

    # What a controller does.

    def look(self) -> Plan:
        """Look once: decide and record until nothing is left, then draw the picture."""
        for _ in range(MOST_STEPS):
            snapshot = self.snapshot()
            self.touched |= {version.name for version in snapshot.versions.values()}
            plan = self._decide(snapshot)
            if plan.is_empty:
                self._draw(snapshot, plan)
                self.sweep()
                return plan
            self._carry_out(plan)
        raise AssertionError(f"not settled after {MOST_STEPS} steps")

    def sweep(self) -> None:
        """Forget what was touched, but for what a starting controller would find."""
        unsettled = (
            raw for raw in self.versions.values() if not sweeper._is_settled(raw, now=self.now)
        )
        opened = (raw["spec"] for raw in self.transitions.values() if is_open(raw))
        self.touched = {raw["metadata"]["name"] for raw in unsettled} | {
            version_name(KEY.name, spec["version"]) for spec in opened
        }

    def settle(self) -> None:
        """Let the cluster and the controller take turns until nothing changes any more."""
        for _ in range(MOST_STEPS):
            before = (len(self.records), dict(self.deployments), dict(self.runs))
            self.look()
            self.finish_jobs("Passed")
            self.roll()
            if before == (len(self.records), self.deployments, self.runs):
                return
        raise AssertionError(f"still changing after {MOST_STEPS} turns")

    def snapshot(self) -> Snapshot:
        """Gather the facts, by the real rules of what to look at."""
        model = None if self.model is None else _facts(self.model)
        touched = frozenset(self.touched)
        named = gather._numbers(KEY, model, state=self.state, touched=touched)
        numbers = {*named, *versions_to_check(self.state, self.policy, now=self.now)}
        found = Snapshot(
            now=self.now,
            key=KEY,
            model=model,
            versions={
                number: _facts(self.versions[number])
                for number in numbers
                if number in self.versions
            },
            transitions={},
            decisions=self._votes(),
            runs=dict(self.runs),
            deployments=dict(self.deployments),
            policy=self.policy,
            consumers=None if self.blind else self._consumers(),
            absent=frozenset(number for number in numbers if number not in self.versions),
        )
        names = gather._attempts(found, self.state, numbers=numbers, touched=touched)
        found = replace(
            found,
            transitions={
                name: _facts(self.transitions[name]) for name in names if name in self.transitions
            },
        )
        access = {asked: self._answer(asked) for asked in questions(found, self.state)}
        return replace(found, access=access)

    def _consumers(self) -> Consumers:
        found: dict[int, tuple[Consumer, ...]] = {}
        for name, numbers in self.pods.items():
            for number in numbers:
                pod = Consumer("Pod", KEY.namespace, f"{name}-{number}", How.LABEL)
                found[number] = (*found.get(number, ()), pod)
        return found

    def _votes(self) -> tuple[Any, ...]:
        found = [_read(json.dumps(raw)) for raw in self.decisions]
        return tuple(decision for decision in found if decision is not None)

    def _answer(self, asked: Access) -> bool | None:
        assert asked.caller.username, "nobody unnamed is asked about"
        return None if self.unanswered else asked.caller.username not in self.refused

    def _decide(self, snapshot: Snapshot) -> Plan:
        scribe = Scribe(
            key=KEY,
            now=self.now,
            transaction=self._id("transaction"),
            operator="operator",
            build="0.1.0",
        )
        return decide(snapshot, self.state, scribe=scribe, installation=INSTALLATION)

    def _carry_out(self, plan: Plan) -> None:
        if plan.records:
            self._effect(lambda: self._append(plan.records))
        for transition in plan.discard:
            self._effect(functools.partial(self.transitions.pop, transition.name))
        for attempt in plan.create:
            raw = {
                "apiVersion": builders.API_VERSION,
                "kind": "ModelTransition",
                "metadata": {"namespace": KEY.namespace},
                "spec": json.loads(json.dumps(attempt.spec)),
            }
            new = self._new(raw, attempt.name)
            self._effect(functools.partial(self.transitions.setdefault, attempt.name, new))

    def _append(self, records: tuple[Record, ...]) -> None:
        for record in records:
            # As the ledger does: its time stands still rather than go back.
            time = max(record.time, self.ledger.last_time)
            placed = replace(record, index=len(self.records), time=time)
            record_bytes(placed)
            before = self.state
            self.ledger = fold(self.ledger, placed)
            self.records.append(placed)
            _check(placed, self.records, before=before, after=self.state)
            self._check_it_was_asked_for(placed)
            self._check_the_comparison(placed, before)

    def _check_the_comparison(self, record: Record, before: ModelState) -> None:
        """Whatever was compared with Production was compared with what it replaces."""
        attempt = before.attempts.get(record.transition)
        if attempt is None or record.operation is not Operation.ROLLOUT_BEGUN:
            return
        frozen = self.transitions[record.transition]["spec"]
        if any("champion" in gate for gate in frozen["step"]["gates"]):
            assert frozen.get("champion", {}).get("version") == before.production

    def _draw(self, snapshot: Snapshot, plan: Plan) -> None:
        projection = self._project(snapshot, plan)
        _check_projection(projection, self._project(_bare(snapshot), plan))
        for order in projection.jobs:
            self._effect(functools.partial(self._start, order))
        for label in projection.labels:
            self._effect(functools.partial(self._label, label))
        for status in projection.statuses:
            self._effect(functools.partial(self._show, status))
        for run in projection.finished:
            self._effect(functools.partial(self._delete, run))
        self._check_at_rest(governed=governance_differs(snapshot, self.state) is None)

    def _project(self, snapshot: Snapshot, plan: Plan) -> Projection:
        return project(snapshot, self.state, holds=plan.holds, installation=INSTALLATION)

    def _start(self, order: JobOrder) -> None:
        started = RunFacts(
            job=order.name,
            uid=self._id("job"),
            inputs_digest=order.inputs_digest,
            state=RunState.RUNNING,
        )
        self.runs.setdefault(order.run, started)

    def _label(self, order: LabelOrder) -> None:
        live, wanted = self.deployments[order.deployment.name], order.wanted
        kept = {key: value for key, value in live.labels.items() if not _is_ours(key)}
        pods = dict(wanted.template_labels)
        self.deployments[live.name] = replace(
            live,
            labels={**kept, **wanted.labels},
            annotations=dict(wanted.annotations),
            template_labels=pods,
            template_annotations=dict(wanted.template_annotations),
            generation=live.generation + (pods != live.template_labels),
        )

    def _show(self, order: StatusOrder) -> None:
        found = self._object(order.kind, order.name)
        assert found["metadata"]["uid"] == order.uid
        if found.get("status") == order.status:
            return
        found["status"] = order.status
        KINDS[order.kind].parse(found)

    def _object(self, kind: str, name: str) -> Raw:
        if kind == "Model":
            assert self.model is not None
            return self.model
        if kind == "ModelTransition":
            return self.transitions[name]
        return next(v for v in self.versions.values() if v["metadata"]["name"] == name)

    def _delete(self, run: RunFacts) -> None:
        self.runs = {key: found for key, found in self.runs.items() if found.uid != run.uid}

    def _effect(self, carry_out: Callable[[], Any]) -> None:
        """Carry out one effect, or die just before it."""
        if self.crash_after is not None:
            self.crash_after -= 1
            if self.crash_after < 0:
                self.crash_after = None
                raise CrashError
        carry_out()

    def _check_at_rest(self, *, governed: bool) -> None:
        """After a look, everything shows what the ledger says; what is not governed is let be."""
        for number, raw in self.versions.items():
            known = self.state.versions.get(number)
            if known is None or known.subject != _facts(raw).subject:
                continue
            ready = condition(raw, "Ready")["status"]
            assert (raw["status"]["stage"], ready == "True") == (known.stage, known.valid)
        for name, raw in self.transitions.items():
            attempt = self.state.attempts.get(name)
            if attempt is not None and attempt.key.version in self.versions:
                shown = condition(raw, "Succeeded")["status"]
                assert shown == _SHOWN.get(attempt.outcome, "False"), name
        if self.model is None:
            return
        if governed:
            self._check_what_is_open(self.model["spec"].get("stages", {}))
        stages = self.model["status"].get("stages", {})
        shown = stages.get("production", {}).get("version")
        assert shown == self.state.production
        read = _facts(self.model)
        for target in read.serving:
            live = self.deployments.get(target.deployment)
            wanted = carried(KEY, version_for(target, self.state), stage=target.stage)
            if (
                governed
                and live is not None
                and deployment_is_free(live, live.name, key=KEY).allows
            ):
                ours = {key for key in live.labels if _is_ours(key)}
                assert carries(live, wanted) or not ours
        named = {target.deployment for target in read.serving}
        stamped = any(authors.SERVING in item.of for item in read.authors)
        taken_out = [
            live for name, live in self.deployments.items() if stamped and name not in named
        ]
        assert not any(live.labels.get(labels.MODEL) == KEY.name for live in taken_out)

    def _check_it_was_asked_for(self, record: Record) -> None:
        """Production is emptied only where its own line was removed, and nothing rests in use."""
        if record.operation is Operation.WITHDRAWN:
            assert self.model is not None
            assert "production" not in self.model["spec"].get("stages", {})
            assert record.version in self.asked_down
        if record.operation is Operation.ARCHIVED and not record.transition:
            assert not any(record.version in numbers for numbers in self.pods.values())
        self.asked_down -= {m.version for m in record.moves if m.target is Stage.PRODUCTION}

    def _check_what_is_open(self, surface: Raw) -> None:
        """Whatever is under way is asked for; a rollout goes on while another version waits."""
        wanted = surface.get("production", {}).get("version")
        named = {
            place: {entry["version"] for entry in surface.get(place, ())}
            for place in ("staging", "registered", "archived")
        }
        standing = {r.key for r in standing_requests(_facts(self.model or {}), self.state)}
        for attempt in self.state.open_attempts():
            number, target = attempt.key
            if attempt.rollout_begun:
                assert wanted not in (None, self.state.production)
            elif target is Stage.PRODUCTION:
                assert number == wanted
            elif target is Stage.STAGING:
                assert number in {*named["staging"], wanted} or attempt.key in standing
            elif target is not Stage.REGISTERED:
                assert number in named["archived"]
            elif attempt.kind is not Move.REGISTER:
                assert number in named["registered"] or attempt.key in standing

    def _id(self, kind: str) -> str:
        return f"{kind}-{next(self.numbers)}"

    def _new(self, raw: Raw, name: str) -> Raw:
        new = copy.deepcopy(raw)
        new["metadata"] = {
            **new["metadata"],
            "name": name,
            "uid": self._id("uid"),
            "resourceVersion": "1",
            "generation": 1,
        }
        return new


def _asks_down(version: int | None, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether an edit asks the version in Production to leave it for nothing."""
    if version is None or "production" in new:
        return False
    was = {entry["version"]: entry for entry in old.get("staging", ())}
    lists = {
        place: {entry["version"]: entry for entry in new.get(place, ())}
        for place in ("staging", "registered", "archived")
    }
    named = version in lists["registered"] or version in lists["archived"]
    again = version in lists["staging"] and lists["staging"][version] != was.get(version)
    return old.get("production", {}).get("version") == version or named or again


def _pods_of(live: DeploymentFacts, before: frozenset[int]) -> frozenset[int]:
    """Say which versions the pods of a Deployment run: the old ones until all are replaced."""
    number = live.template_labels.get(labels.MODEL_VERSION)
    new = frozenset() if number is None or live.replicas == 0 else frozenset({int(number)})
    replaced = live.generation == live.observed_generation and live.current == live.updated
    return new if replaced and live.terminating == 0 else before | new


def _is_ours(label: str) -> bool:
    return label.startswith("modelwarden.io/")


_SHOWN = {
    AttemptOutcome.OPEN: "Unknown",
    AttemptOutcome.ROLLING_OUT: "Unknown",
    AttemptOutcome.SUCCEEDED: "True",
}


def _ended(run: RunFacts, outcome: str, *, digest: str) -> RunFacts:
    if outcome == "Lost":
        return replace(run, state=RunState.FINISHED, reason="Evicted", detail="The node went away.")
    if outcome == "Killed":
        return replace(run, state=RunState.FINISHED, exit_code=137)
    message = {
        "format": 1,
        "gate": "artifact",
        "subject": {"uri": "s3://models/risk/fraud/1/model.onnx", "digest": digest},
        "outcome": outcome,
        "code": "ArtifactSound" if outcome == "Passed" else "ArtifactBroken",
        "sentence": "It is as it is.",
        "checks": [],
        "facts": {},
        "startedAt": "2026-11-24T12:00:00Z",
        "endedAt": "2026-11-24T12:00:01Z",
    }
    return replace(
        run,
        state=RunState.FINISHED,
        message=json.dumps(message),
        exit_code=EXIT_CODES[GateOutcome(outcome)],
    )


_READERS: Mapping[str, Callable[[Raw], Any]] = {
    "Model": facts.model_facts,
    "ModelVersion": facts.version_facts,
    "ModelTransition": facts.transition_facts,
    "ModelDecision": facts.decision_facts,
}


@functools.lru_cache(maxsize=4096)
def _read(text: str) -> Any:
    """Read an object once for each of its contents: it takes longer than deciding about it."""
    raw = json.loads(text)
    return _READERS[raw["kind"]](raw)


def _facts(raw: Raw) -> Any:
    text = json.dumps({name: value for name, value in raw.items() if name != "status"})
    return replace(_read(text), status=raw.get("status", {}))


def _bare(snapshot: Snapshot) -> Snapshot:
    """Leave out every status: what was drawn before must not matter."""
    return replace(
        snapshot,
        model=None if snapshot.model is None else replace(snapshot.model, status={}),
        versions={n: replace(v, status={}) for n, v in snapshot.versions.items()},
        transitions={n: replace(t, status={}) for n, t in snapshot.transitions.items()},
    )


def _check_projection(drawn: Projection, again: Projection) -> None:
    """Status is a function of facts and ledger; only the times of changes outlive a picture."""
    assert _essence(drawn) == _essence(again)


def _essence(projection: Projection) -> Any:
    return (
        [(order.name, order.run, order.inputs_digest) for order in projection.jobs],
        projection.finished,
        projection.labels,
        [(o.kind, o.name, o.uid, _timeless(o.status)) for o in projection.statuses],
        projection.look_again,
    )


def _timeless(status: Raw) -> Raw:
    conditions = [
        {name: value for name, value in condition.items() if name != "lastTransitionTime"}
        for condition in status.get("conditions", ())
    ]
    return {**status, "conditions": conditions}


# What an auditor asks of every record, from the records alone.


def _check(record: Record, records: list[Record], *, before: ModelState, after: ModelState) -> None:
    in_production = [n for n, v in after.versions.items() if v.stage is Stage.PRODUCTION]
    assert len(in_production) <= 1
    assert after.production == (in_production[0] if in_production else None)
    assert len([a for a in after.attempts.values() if a.is_open and a.rollout_begun]) <= 1
    assert _stages_told(records) == {n: v.stage for n, v in after.versions.items()}
    assert all(_is_a_way(record, move) for move in record.moves)
    if before.production is not None and record.operation is not Operation.WITHDRAWN:
        assert after.production is not None
    if record.operation is Operation.ROLLED_BACK:
        _check_it_may_return(record, records)
    match record.operation:
        case Operation.REQUESTED:
            _check_no_loop(record, before)
        case (
            Operation.REGISTERED
            | Operation.ROLLOUT_BEGUN
            | Operation.PROMOTED
            | Operation.ROLLED_BACK
        ):
            _check_no_gate_was_skipped(record, records)
            _check_it_was_rolled_out(record, records)
        case Operation.GATE_FINISHED if "origin" in record.facts:
            _check_it_was_measured(record, records)
        case Operation.REVIEW:
            assert record.uids["decision"] not in before.reviews.seen
            assert before.production is not None or before.reviews.owed
        case Operation.VOTED | Operation.RETRACTED:
            assert not before.attempts[record.transition].rollout_begun
    if record.transition and record.operation is not Operation.REQUESTED:
        # The last gate, or a rejection, ends an attempt together with what was recorded with it.
        together = record.operation in (Operation.VOTED, Operation.GATE_FINISHED)
        assert together or before.attempts[record.transition].is_open


_LEAVING: Mapping[Operation, frozenset[Stage]] = {
    Operation.PROMOTED: frozenset({Stage.RETIRING, Stage.REGISTERED}),
    Operation.ROLLED_BACK: frozenset({Stage.RETIRING, Stage.STAGING}),
    Operation.WITHDRAWN: frozenset({Stage.RETIRING, Stage.STAGING, Stage.REGISTERED}),
}


def _is_a_way(record: Record, move: StageMove) -> bool:
    """Say whether a record of this kind may move a version so."""
    if move.source is Stage.PRODUCTION:
        return move.target in _LEAVING.get(record.operation, ())
    match record.operation:
        case Operation.PROMOTED:
            return is_above(move.target, move.source)
        case Operation.ROLLED_BACK:
            return move.target is Stage.PRODUCTION
        case Operation.DEMOTED:
            return (move.source, move.target) == (Stage.STAGING, Stage.REGISTERED)
        case Operation.ARCHIVED:
            # By the operator itself only from Retiring, and by people only from elsewhere.
            return move.target is Stage.ARCHIVED and bool(record.transition) is (
                move.source is not Stage.RETIRING
            )
        case _:
            return False


def _check_it_may_return(record: Record, records: list[Record]) -> None:
    """The last time that the version left Production, another one had replaced it."""
    left = [
        earlier.operation
        for earlier in records
        for move in earlier.moves
        if move.version == record.version and move.source is Stage.PRODUCTION
    ]
    assert left[-1] is Operation.PROMOTED


def _stages_told(records: list[Record]) -> dict[int, Stage]:
    """Follow the stages by the moves alone."""
    told: dict[int, Stage] = {}
    for record in records:
        if record.operation is Operation.REQUESTED and record.version is not None:
            told.setdefault(record.version, Stage.REGISTERED)
        for move in record.moves:
            assert told[move.version] is move.source
            told[move.version] = move.target
    return told


def _asked(record: Record, records: list[Record]) -> Record:
    return next(
        r
        for r in records
        if r.operation is Operation.REQUESTED and r.transition == record.transition
    )


def _check_no_gate_was_skipped(record: Record, records: list[Record]) -> None:
    own = [r for r in records if r.transition == record.transition]
    asked = _asked(record, records)
    last = {r.facts["gate"]: r for r in own if r.operation is Operation.GATE_FINISHED}
    assert asked.facts["gates"]
    assert all(
        name in last and last[name].facts["outcome"] == "Passed" and last[name].facts["final"]
        for name in asked.facts["gates"]
    )
    if asked.facts["to"] == "Production" and asked.facts["kind"] != "Rollback":
        begun = [r for r in own if r.operation is Operation.ROLLOUT_BEGUN]
        _check_the_quorum(begun[0] if begun else record, own)


def _check_it_was_measured(record: Record, records: list[Record]) -> None:
    """What was taken over was measured, of the same content, as an answer to the same question."""
    origin = record.facts["origin"]
    measured = records[origin["record"]]
    assert (measured.transition, "origin" in measured.facts) == (origin["attempt"], False)
    assert measured.facts["final"]
    assert measured.facts["outcome"] != "Inconclusive"
    same = ("gate", "key", "outcome", "code")
    assert [record.facts[name] for name in same] == [measured.facts[name] for name in same]
    assert (record.subject, record.evidence) == (measured.subject, measured.evidence)


def _check_the_quorum(commitment: Record, own: list[Record]) -> None:
    """One owner and one reviewer approved, two people, and neither of them made the version."""
    until = [r for r in own if r.index < commitment.index]
    gone = {r.facts["vote"] for r in until if r.operation is Operation.RETRACTED}
    votes = [
        r
        for r in until
        if r.operation is Operation.VOTED
        and r.facts["vote"] == "Approve"
        and r.uids["decision"] not in gone
    ]
    named = {approval["index"] for approval in commitment.facts["approvals"]}
    counted = [vote for vote in votes if vote.index in named]
    people = {canonical(vote.actor.username, IDENTITY) for vote in counted}
    roles = {role for vote in counted for role in vote.facts["roles"]}
    assert len(counted) == len(named)
    assert len(people) >= 2
    assert roles == {"Owner", "Reviewer"}
    assert not people & MADE_IT
    evidence = {vote.facts["evidenceDigest"] for vote in counted}
    assert evidence == {commitment.facts["evidenceDigest"]}


def _check_no_loop(record: Record, before: ModelState) -> None:
    """One request opens one attempt, and another one where a change superseded it or by a Retry."""
    at_key = [
        attempt
        for attempt in before.attempts.values()
        if attempt.key == (record.version, record.facts["to"])
    ]
    earlier = [a for a in at_key if a.request_id == record.facts["requestId"]]
    if "retry" in record.facts:
        assert record.facts["retry"]["of"] == max(at_key, key=lambda a: a.number).name
        assert record.facts["retry"]["uid"] not in {a.retry for a in at_key}
    else:
        assert all(attempt.reopens for attempt in earlier)
    assert record.facts["to"] != "Production" or before.rollout() is None


def _check_it_was_rolled_out(record: Record, records: list[Record]) -> None:
    """Exactly what was approved when the rollout began is in Production when it ends."""
    if _asked(record, records).facts["to"] != "Production":
        return
    if record.operation not in (Operation.PROMOTED, Operation.ROLLED_BACK):
        return
    begun = [
        found
        for found in records
        if found.operation is Operation.ROLLOUT_BEGUN and found.transition == record.transition
    ]
    assert begun or record.facts["certainty"] == "Declared"
    for name in ("approvals", "evidenceDigest"):
        assert all(record.facts[name] == found.facts[name] for found in begun)


def check_the_past(world: LittleWorld) -> None:
    """Whoever reads the records from the start comes to the same state, in the order of time."""
    assert fold_all(LedgerState(), world.records) == world.ledger
    times = [moment(record.time) for record in world.records]
    assert times == sorted(times)
