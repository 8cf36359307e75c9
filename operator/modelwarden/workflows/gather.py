"""Reading every fact about one Model into one frozen value."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from modelwarden.cluster.access import Action, Subject, review_access
from modelwarden.cluster.answers import ApiError
from modelwarden.cluster.client import ApiClient
from modelwarden.cluster.paths import (
    CORE_EVENTS,
    DEPLOYMENTS,
    JOBS,
    MODEL_DECISIONS,
    MODEL_POLICIES,
    MODEL_TRANSITIONS,
    MODEL_VERSIONS,
    MODELS,
    PODS,
    REPLICA_SETS,
)
from modelwarden.domain import labels
from modelwarden.domain.automation import standing_requests
from modelwarden.domain.availability import is_due, versions_to_check
from modelwarden.domain.consumers import Consumers
from modelwarden.domain.decide import questions
from modelwarden.domain.facts import (
    Access,
    DecisionFacts,
    DeploymentFacts,
    ModelFacts,
    PolicyFacts,
    RunFacts,
    RunKey,
    RunState,
    Snapshot,
    TransitionFacts,
    VersionFacts,
)
from modelwarden.domain.leaving import still_leaving
from modelwarden.domain.movement import named_versions
from modelwarden.domain.names import attempt_name, version_name, version_of_attempt
from modelwarden.domain.opening import names_to_come, registrations_to_reopen
from modelwarden.domain.retention import archived_to_draw_again
from modelwarden.domain.retries import retries_at
from modelwarden.domain.reviews import REVIEW
from modelwarden.domain.runs import NOTICE_SECONDS
from modelwarden.domain.scribe import moment
from modelwarden.domain.slots import Slots
from modelwarden.domain.stages import Stage
from modelwarden.domain.state import AttemptKey, ModelKey, ModelState
from modelwarden.domain.uses import Uses
from modelwarden.domain.verdicts import Verdict, wait
from modelwarden.errors import MalformedObjectError, UnavailableError
from modelwarden.settings import Gates
from modelwarden.workflows.consumers import consumers_now
from modelwarden.workflows.facts import (
    decision_facts,
    deployment_facts,
    is_default,
    model_facts,
    policy_facts,
    transition_facts,
    version_facts,
)
from modelwarden.workflows.pods import with_pods
from modelwarden.workflows.run_facts import (
    OF_GATES,
    of_model,
    running_jobs,
    runs_by_key,
    with_events,
)
from modelwarden.workflows.uses import UsesFinder

ATTEMPTS_LOOKED_AT = 16
LOG_LINES = 20
# While a version is to rest, the cluster is looked through so often, and else so seldom.
USES_FRESH = timedelta(seconds=30)
USES_KEPT = timedelta(seconds=600)
CONSUMED_LOOKED_AT = 64

Malformed = Callable[[str, MalformedObjectError], None]


class _GateJobs(NamedTuple):
    runs: Mapping[RunKey, RunFacts]
    slots: Slots


@dataclass(frozen=True, kw_only=True)
class Gatherer:
    """Reads facts; `malformed` is told of objects that this release cannot read.

    `refused` gives the runs of a Model that the API server would not take, `slots` what a Model
    competes with for a place among those that run.
    """

    client: ApiClient
    gates: Gates
    clock: Callable[[], datetime]
    malformed: Malformed
    uses: UsesFinder
    refused: Callable[[ModelKey], Mapping[RunKey, RunFacts]]
    slots: Callable[[ModelKey, Mapping[str, str]], Slots]
    artifact_check_seconds: int

    async def snapshot(
        self, key: ModelKey, state: ModelState, *, touched: frozenset[str]
    ) -> Snapshot:
        """Read everything about a Model that the fold and the touched names point at."""
        model, policies, decided = await asyncio.gather(
            self._model(key), self.client.list(MODEL_POLICIES), self._decided(key, state)
        )
        policy = self._policy(model, policies)
        to_check = versions_to_check(state, policy, now=self.clock()) if model else ()
        uses = await self._uses(state)
        used = consumers_now(key, model, state=state, uses=uses)
        retried = retries_at(state, (raw["spec"] for raw in decided))
        numbers = (
            *_numbers(key, model, state=state, touched=touched, used=used),
            *sorted(retried),
            *archived_to_draw_again(model, policy, state),
            *to_check,
        )
        (versions, absent), gates, deployments, pods = await asyncio.gather(
            self._versions(key, dict.fromkeys(numbers)),
            self._jobs(key, state, checks=bool(to_check) and self._check_is_due(state, policy)),
            self._deployments(key, model, state=state),
            self._pods(key, state),
        )
        snapshot = Snapshot(
            now=self.clock(),
            key=key,
            model=model,
            versions=versions,
            transitions={},
            decisions=self._decisions(decided, state, numbers=frozenset(numbers)),
            runs=gates.runs,
            slots=gates.slots,
            deployments=deployments,
            policy=policy,
            consumers=consumers_now(
                key, model, state=state, uses=uses, deployments=deployments, pods=pods
            ),
            absent=absent,
        )
        names = _attempts(snapshot, state, numbers=numbers, touched=touched)
        transitions = await self._transitions(key, names)
        snapshot = replace(snapshot, transitions=transitions, now=self.clock())
        return replace(snapshot, access=await self._answers(questions(snapshot, state)))

    async def _model(self, key: ModelKey) -> ModelFacts | None:
        raw = await self.client.find(MODELS, key.name, key.namespace)
        return None if raw is None else model_facts(raw)

    async def _versions(
        self, key: ModelKey, numbers: Collection[int]
    ) -> tuple[dict[int, VersionFacts], frozenset[int]]:
        """Read the versions, and tell the numbers of those that are not there."""
        names = [version_name(key.name, number) for number in numbers]
        found = await asyncio.gather(
            *(self.client.find(MODEL_VERSIONS, name, key.namespace) for name in names)
        )
        absent = (n for n, raw in zip(numbers, found, strict=True) if raw is None)
        read = (self._read(version_facts, raw) for raw in found if raw is not None)
        versions = {version.number: version for version in read if version is not None}
        return versions, frozenset(absent)

    def _policy(
        self, model: ModelFacts | None, policies: Sequence[Mapping[str, Any]]
    ) -> PolicyFacts | Verdict:
        named = model.policy if model else ""
        chosen = [
            raw
            for raw in policies
            if (raw["metadata"]["name"] == named if named else is_default(raw))
        ]
        problem = _policy_problem(named, [raw["metadata"]["name"] for raw in chosen])
        if problem is not None:
            return problem
        read = self._read(policy_facts, chosen[0])
        return read or wait("PolicyNotReadable", f"Policy {named} cannot be read.")

    async def _decided(self, key: ModelKey, state: ModelState) -> Sequence[Mapping[str, Any]]:
        """List every decision about the Model; without an attempt there is nothing to decide."""
        if not state.attempts:
            return ()
        return await self.client.list(
            MODEL_DECISIONS, key.namespace, fields=f"spec.model={key.name}"
        )

    def _decisions(
        self, decided: Iterable[Mapping[str, Any]], state: ModelState, *, numbers: frozenset[int]
    ) -> tuple[DecisionFacts, ...]:
        """Read the decisions about attempts that are looked at; over the years they become many."""
        read = (
            self._read(decision_facts, raw)
            for raw in decided
            if _is_a_new_review(raw, state)
            or _is_about_what_is_looked_at(raw["spec"], state, numbers=numbers)
        )
        return tuple(decision for decision in read if decision is not None)

    def _check_is_due(self, state: ModelState, policy: PolicyFacts | Verdict) -> bool:
        every = self.artifact_check_seconds
        return is_due(state, policy, now=self.clock(), every_seconds=every)

    async def _jobs(self, key: ModelKey, state: ModelState, *, checks: bool) -> _GateJobs:
        """Read the gates' Jobs and the Model's pods; the Jobs of all where it may want a place."""
        own = f"{OF_GATES},{labels.MODEL}={key.name}"
        competes = checks or any((*state.open_attempts(), *state.measuring_attempts()))
        jobs, pods = await asyncio.gather(
            self.client.list(JOBS, self.gates.namespace, labels=OF_GATES if competes else own),
            self.client.list(PODS, self.gates.namespace, labels=own),
        )
        runs = runs_by_key(of_model(jobs, key.name), pods, namespace=key.namespace)
        told = {name: await self._with_its_words(run) for name, run in runs.items()}
        return _GateJobs(
            runs={**self.refused(key), **told},
            slots=self.slots(key, running_jobs(jobs)) if competes else Slots(),
        )

    async def _with_its_words(self, run: RunFacts) -> RunFacts:
        """Add what is said of a run elsewhere; it is a help, and nothing depends on it."""
        try:
            if run.state is RunState.FINISHED and run.pod and run.container:
                return replace(run, log_tail=await self._log(run))
            if self._is_stuck(run):
                return with_events(run, await self._events(run))
        except (ApiError, UnavailableError):
            return run
        return run

    def _is_stuck(self, run: RunFacts) -> bool:
        if run.state is not RunState.RUNNING or run.idle_since is None or run.reason:
            return False
        seconds = min(NOTICE_SECONDS, self.gates.start_seconds)
        return self.clock() >= run.idle_since + timedelta(seconds=seconds)

    async def _log(self, run: RunFacts) -> str:
        log = await self.client.logs(
            run.pod, self.gates.namespace, container=run.container, tail=LOG_LINES
        )
        return log[-4000:]

    async def _events(self, run: RunFacts) -> Sequence[Mapping[str, Any]]:
        about = f"involvedObject.name={run.pod or run.job}"
        return await self.client.list(CORE_EVENTS, self.gates.namespace, fields=about)

    async def _deployments(
        self, key: ModelKey, model: ModelFacts | None, *, state: ModelState
    ) -> dict[str, DeploymentFacts]:
        """Read what carries our label for this Model, and what the Model names to carry it."""
        ours = f"{labels.MODEL}={key.name}"
        labelled = await self.client.list(DEPLOYMENTS, key.namespace, labels=ours)
        found = {raw["metadata"]["name"]: deployment_facts(raw) for raw in labelled}
        named = {target.deployment for target in model.serving} if model else set()
        leaving = still_leaving(state)
        named |= set(leaving.served_by) if leaving else set()
        named |= {name for attempt in state.being_put_back() for name in attempt.deployments}
        others = await asyncio.gather(
            *(
                self.client.find(DEPLOYMENTS, name, key.namespace)
                for name in sorted(named - set(found))
            )
        )
        found |= {
            raw["metadata"]["name"]: deployment_facts(raw) for raw in others if raw is not None
        }
        if state.rollout() is None or not found:
            return found
        return await self._with_pods(key, found)

    async def _pods(self, key: ModelKey, state: ModelState) -> Sequence[Mapping[str, Any]] | None:
        """List the pods with our label for this Model, where a version waits for them to go."""
        leaving = still_leaving(state) is not None or state.being_put_back()
        if not (leaving or state.in_stage(Stage.RETIRING)):
            return None
        return await self.client.list(PODS, key.namespace, labels=f"{labels.MODEL}={key.name}")

    async def _uses(self, state: ModelState) -> Uses | None:
        """Look through the cluster where a version could be used; often only where one is to rest.

        What was found before a version left Production says nothing of it.
        """
        now, retiring = self.clock(), state.in_stage(Stage.RETIRING)
        if retiring:
            left = max(moment(state.versions[number].since) for number in retiring)
            return await self.uses.found(since=max(left, now - USES_FRESH))
        if not any(state.in_stage(stage) for stage in (Stage.STAGING, Stage.PRODUCTION)):
            return self.uses.last
        return await self.uses.found(since=now - USES_KEPT) or self.uses.last

    async def _with_pods(
        self, key: ModelKey, deployments: Mapping[str, DeploymentFacts]
    ) -> dict[str, DeploymentFacts]:
        """Read what the pods of a rollout say; without them it is only told less of."""
        ours = f"{labels.MODEL}={key.name}"
        try:
            replica_sets, pods = await asyncio.gather(
                self.client.list(REPLICA_SETS, key.namespace, labels=ours),
                self.client.list(PODS, key.namespace, labels=ours),
            )
        except (ApiError, UnavailableError):
            return dict(deployments)
        return {
            name: with_pods(deployment, replica_sets=replica_sets, pods=pods)
            for name, deployment in deployments.items()
        }

    async def _transitions(self, key: ModelKey, names: Iterable[str]) -> dict[str, TransitionFacts]:
        found = await asyncio.gather(
            *(self.client.find(MODEL_TRANSITIONS, name, key.namespace) for name in names)
        )
        read = (self._read(transition_facts, raw) for raw in found if raw is not None)
        return {transition.name: transition for transition in read if transition is not None}

    async def _answers(self, asked: Iterable[Access]) -> dict[Access, bool | None]:
        ordered = list(asked)
        answers = await asyncio.gather(*(self._answer(question) for question in ordered))
        return dict(zip(ordered, answers, strict=True))

    async def _answer(self, question: Access) -> bool | None:
        """Ask for each verb in turn; None where the API server could not say."""
        caller, right, key = question
        subject = Subject(username=caller.username, groups=caller.groups, uid=caller.uid)
        try:
            for verb in right.verbs:
                action = Action(
                    verb=verb,
                    group=right.group,
                    resource=right.resource,
                    subresource=right.subresource,
                    namespace=key.namespace,
                    name=right.name or key.name,
                )
                if (await review_access(self.client, subject, action)).allowed:
                    return True
        except (ApiError, UnavailableError):
            return None
        return False

    def _read(self, read: Callable[[Mapping[str, Any]], Any], raw: Mapping[str, Any]) -> Any:
        """Read an object, or leave it out and say so: one bad object never stops a Model."""
        try:
            return read(raw)
        except MalformedObjectError as error:
            self.malformed(f"{raw['kind']} {raw['metadata']['name']}", error)
            return None


def _is_a_new_review(raw: Mapping[str, Any], state: ModelState) -> bool:
    return raw["spec"]["decision"] == REVIEW and raw["metadata"]["uid"] not in state.reviews.seen


def _is_about_what_is_looked_at(
    spec: Mapping[str, Any], state: ModelState, *, numbers: frozenset[int]
) -> bool:
    attempt = state.attempts.get((spec.get("transition") or {}).get("name", ""))
    if attempt is None or attempt.is_open:
        return attempt is not None
    last = state.attempts_at(attempt.key)
    return attempt.key.version in numbers and attempt.number > last - ATTEMPTS_LOOKED_AT


def _policy_problem(named: str, found: list[str]) -> Verdict | None:
    if len(found) == 1:
        return None
    if named:
        return wait(
            "PolicyNotFound",
            f"ModelPolicy {named} does not exist.",
            "Apply it, or name another one in spec.policy.",
        )
    if not found:
        return wait(
            "NoPolicy",
            "The Model names no policy and none is marked as default.",
            "Apply one: kubectl apply -f examples/policies/standard.yaml",
        )
    return wait(
        "PolicyAmbiguous",
        f"Several policies are marked as default: {', '.join(sorted(found))}.",
        "Leave spec.default on one of them.",
    )


def _numbers(
    key: ModelKey,
    model: ModelFacts | None,
    *,
    state: ModelState,
    touched: frozenset[str],
    used: Consumers | None = None,
) -> tuple[int, ...]:
    """List the versions to look at: named, touched, under way, or in a stage that others see."""
    numbers = set(named_versions(model.stages)) if model else set()
    numbers |= {r.key.version for r in standing_requests(model, state)} if model else set()
    under_way = (*state.open_attempts(), *state.measuring_attempts())
    numbers |= {attempt.key.version for attempt in under_way}
    numbers |= set(registrations_to_reopen(state))
    numbers |= set(state.in_stage(Stage.STAGING)) | set(state.in_stage(Stage.RETIRING))
    if state.production is not None:
        numbers.add(state.production)
    # Even one that was archived: who uses it is told on it.
    numbers |= set(sorted(used or (), reverse=True)[:CONSUMED_LOOKED_AT]) & set(state.versions)
    for name in touched:
        prefix, _, number = name.rpartition("-")
        if prefix == key.name and number.isdigit():
            numbers.add(int(number))
        elif (about := version_of_attempt(key.name, name)) is not None:
            numbers.add(about)
    return tuple(sorted(numbers))


def _attempts(
    snapshot: Snapshot, state: ModelState, *, numbers: Iterable[int], touched: frozenset[str]
) -> tuple[str, ...]:
    """List the attempts to look at: the last ones at each key, and the ones to come.

    Where an attempt was superseded and the next one opened in one look, both have news to show;
    a status that somebody wiped is drawn again; and an attempt that ended because its version is
    gone is still there to say so.
    """
    names = {attempt.name for attempt in (*state.open_attempts(), *state.measuring_attempts())}
    for number in numbers:
        for target in Stage:
            last = state.attempts_at(AttemptKey(number, target))
            names |= {
                attempt_name(snapshot.key.name, number, target=target, number=each)
                for each in range(max(1, last + 1 - ATTEMPTS_LOOKED_AT), last + 1)
            }
    # One that nobody asks for any more may have been created just before a crash.
    unknown = {
        name
        for name in touched
        if name not in state.attempts and version_of_attempt(snapshot.key.name, name) is not None
    }
    return tuple(sorted(names | names_to_come(snapshot, state) | unknown))
