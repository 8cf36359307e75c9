"""What the ledger says of each model: the fold's value, which everything else is a picture of."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple, Self

from modelwarden.domain.keyed import Grouped, Keyed
from modelwarden.domain.names import attempt_name
from modelwarden.domain.records import Actor
from modelwarden.domain.stages import Move, Stage


class ModelKey(NamedTuple):
    """A model's identity: its namespace and its name."""

    namespace: str
    name: str


class AttemptKey(NamedTuple):
    """What an attempt is about: a version and the stage it is to enter."""

    version: int
    target: Stage


class GateOutcome(StrEnum):
    """How a gate ended; Inconclusive is a fault of the infrastructure and never a pass."""

    PASSED = "Passed"
    FAILED = "Failed"
    INCONCLUSIVE = "Inconclusive"


class AttemptOutcome(StrEnum):
    """Where an attempt stands; only the first two are open."""

    OPEN = "Open"
    ROLLING_OUT = "RollingOut"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    REJECTED = "Rejected"
    SUPERSEDED = "Superseded"


class Certainty(StrEnum):
    """How sure an answer about serving is."""

    EXACT = "Exact"
    ROLLOUT_WINDOW = "RolloutWindow"
    DECLARED = "Declared"
    UNKNOWN = "Unknown"


@dataclass(frozen=True)
class Origin:
    """Where a result was measured: the attempt, and the record that tells of it."""

    attempt: str
    record: int


@dataclass(frozen=True, kw_only=True)
class GateState:
    """The last finished run of one gate of an attempt; `evidence` names its result by digest.

    It is final unless the run was inconclusive and another one follows. `key` names the question
    that it answers; `origin` is where the answer comes from, if it was not measured for this
    attempt.
    """

    name: str
    outcome: GateOutcome
    code: str
    sentence: str
    tries: int
    finished: str
    index: int
    evidence: str = ""
    final: bool = True
    checks: tuple[Mapping[str, str], ...] = ()
    log_tail: str = ""
    key: str = ""
    origin: Origin | None = None


@dataclass(frozen=True, kw_only=True)
class VoteState:
    """A vote that was counted; `roles` says as what."""

    decision: str
    uid: str
    kind: str
    actor: Actor
    person: str
    roles: tuple[str, ...]
    rationale: str
    time: str
    index: int


@dataclass(frozen=True, kw_only=True)
class AttemptState:
    """One attempt to move one version one step, as the records tell it.

    `retry` is the uid of the decision that had the attempt before it tried again; empty if none
    had. `evidence` is the digest that people voted on. `approvals` are the records of the votes
    that the commitment rested on; None before it. `put_back` is said of a rollout that came to
    nothing, `observed` is when the last of its pods was gone. `gates_early` are gates of later
    steps that a registration runs once it has passed.
    """

    name: str
    uid: str
    key: AttemptKey
    number: int
    kind: Move
    source: Stage | None
    request_id: str
    requester: Actor
    rationale: str
    subject: str
    spec: str
    gates_expected: tuple[str, ...]
    opened: str
    retry: str = ""
    gates_early: tuple[str, ...] = ()
    outcome: AttemptOutcome = AttemptOutcome.OPEN
    code: str = ""
    sentence: str = ""
    reopens: bool = False
    rollout_begun: str = ""
    deployments: tuple[str, ...] = ()
    ended: str = ""
    put_back: bool = False
    observed: str = ""
    gates: Mapping[str, GateState] = field(default_factory=dict)
    votes: tuple[VoteState, ...] = ()
    evidence: str = ""
    approvals: tuple[int, ...] | None = None
    indices: tuple[int, ...] = ()

    @property
    def may_have_served_until(self) -> str:
        """When the last pod of its rollout was seen to be gone; empty while it may answer."""
        return self.observed if self.put_back else self.ended

    @property
    def is_open(self) -> bool:
        """The attempt may still succeed."""
        return self.outcome in (AttemptOutcome.OPEN, AttemptOutcome.ROLLING_OUT)

    @property
    def decisive_votes(self) -> tuple[VoteState, ...]:
        """The votes that the commitment rested on; before it, every vote on record."""
        if self.approvals is None:
            return self.votes
        return tuple(vote for vote in self.votes if vote.index in self.approvals)

    @property
    def gates_of_the_step(self) -> Mapping[str, GateState]:
        """The recorded gates that decide about this attempt."""
        expected = self.gates_expected
        return {name: gate for name, gate in self.gates.items() if name in expected}

    @property
    def gates_finished(self) -> bool:
        """Every gate of the step has its last answer."""
        return self._have_finished(self.gates_expected)

    @property
    def measures(self) -> bool:
        """A registration has passed, and gates of later steps are still to be run for it."""
        done = self.outcome is AttemptOutcome.SUCCEEDED
        return done and not self._have_finished(self.gates_early)

    def _have_finished(self, names: tuple[str, ...]) -> bool:
        return all(name in self.gates and self.gates[name].final for name in names)


class Moved(NamedTuple):
    """A version came into a stage: when, by which record, and by which attempt."""

    stage: Stage
    time: str
    record: int
    transition: str = ""


@dataclass(frozen=True, kw_only=True)
class NotesState:
    """What people noted of a version, by digest; `warnings` is the part that votes rest on.

    `by` and `index` tell its last change; before any, they are empty and -1.
    """

    digest: str
    warnings: str
    by: str = ""
    index: int = -1


@dataclass(frozen=True, kw_only=True)
class CheckState:
    """The last check of an artifact that was registered: its number, and when it ended.

    `available` is what the last one that could tell found, with its words; None before any.
    `in_vain` counts those since then that could not tell, `problem` says why the last of them.
    """

    number: int
    time: str
    available: bool | None = None
    code: str = ""
    sentence: str = ""
    in_vain: int = 0
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class VersionState:
    """Where one version is, and what it is by digest; `valid` once its registration passed.

    `uid` is that of its object; empty while it has none. `notes` is None if they are not recorded.
    `spent_request` names the request for Staging that was used up when another version replaced
    this one. `check` is None while its artifact was not looked at again.
    """

    number: int
    subject: str
    stage: Stage
    since: str
    index: int
    artifact_uri: str
    artifact_digest: str
    registrant: Actor
    uid: str
    label: str = ""
    valid: bool = False
    was_superseded: bool = False
    spent_request: str = ""
    history: tuple[Moved, ...] = ()
    notes: NotesState | None = None
    check: CheckState | None = None


@dataclass(frozen=True, kw_only=True)
class ServingInterval:
    """A version served from a time to a time; empty `end` means still.

    `window_start` is when the rollout that led here began: until `start` both may have served.
    `left` is when it was withdrawn, where `served_by` names the Deployments that may go on.
    """

    version: int
    start: str
    end: str
    certainty: Certainty
    index: int
    window_start: str = ""
    left: str = ""
    served_by: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class Versions(Grouped[int, VersionState]):
    """The versions of a model by number; `highest` is 0 where there is none."""

    highest: int = 0

    @staticmethod
    def groups(value: VersionState) -> frozenset[str]:
        """Group by stage, who has not passed registration, and who was ever in Staging.

        Registered ones are in no group of their own: most versions stay there.
        """
        names = set() if value.stage is Stage.REGISTERED else {value.stage.value}
        if not value.valid:
            names.add(UNREGISTERED)
        if any(moved.stage is Stage.STAGING for moved in value.history):
            names.add(EVER_STAGED)
        return frozenset(names)

    def put(self, key: int, value: VersionState) -> Self:
        """Answer the versions with this one among them."""
        after = super().put(key, value)
        return after if key <= self.highest else replace(after, highest=key)


@dataclass(frozen=True, eq=False, repr=False)
class Attempts(Grouped[str, AttemptState]):
    """The attempts of a model by name, oldest first."""

    @staticmethod
    def groups(value: AttemptState) -> frozenset[str]:
        """Group those that may still succeed, that measure, and whose rollout ever began."""
        names = {OPEN} if value.is_open else set()
        if value.measures:
            names.add(MEASURING)
        if value.rollout_begun:
            names.add(ROLLED_OUT)
        if value.put_back and not value.observed:
            names.add(PUT_BACK)
        return frozenset(names)


UNREGISTERED = "Unregistered"
EVER_STAGED = "EverStaged"
OPEN = "Open"
MEASURING = "Measuring"
ROLLED_OUT = "RolledOut"
PUT_BACK = "PutBack"


@dataclass(frozen=True, kw_only=True)
class Governance:
    """What governs a model, by digest: each field of it, and its policy.

    `uid` is that of the Model; empty while there is none. `by` is who last changed a field.
    """

    uid: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    by: str = ""
    policy: str = ""


@dataclass(frozen=True, kw_only=True)
class OwedReview:
    """A rollback that somebody else than who asked for it is to review, and by when."""

    attempt: str
    version: int
    requester: str
    due: str


@dataclass(frozen=True, kw_only=True)
class Reviews:
    """When a model was last reviewed, by which decisions, and which reviews are owed."""

    last: str = ""
    seen: frozenset[str] = frozenset()
    owed: tuple[OwedReview, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ModelState:
    """Everything the ledger says of one model."""

    key: ModelKey
    versions: Versions = field(default_factory=Versions)
    attempts: Attempts = field(default_factory=Attempts)
    latest: Keyed[AttemptKey, str] = field(default_factory=Keyed)
    production: int | None = None
    intervals: tuple[ServingInterval, ...] = ()
    governance: Governance = field(default_factory=Governance)
    reviews: Reviews = field(default_factory=Reviews)
    last_index: int = -1
    last_time: str = ""

    def stage_of(self, version: int) -> Stage | None:
        """Say where a version is; None for one that was never recorded."""
        known = self.versions.get(version)
        return None if known is None else known.stage

    def in_stage(self, stage: Stage) -> tuple[int, ...]:
        """List the versions in a stage, lowest number first."""
        if stage is Stage.REGISTERED:
            return tuple(sorted(n for n, known in self.versions.items() if known.stage is stage))
        return tuple(sorted(self.versions.group(stage)))

    def latest_attempt(self, key: AttemptKey) -> AttemptState | None:
        """Find the newest attempt at a key."""
        name = self.latest.get(key)
        return None if name is None else self.attempts[name]

    def attempts_of(self, key: AttemptKey) -> tuple[AttemptState, ...]:
        """List all attempts at a key, oldest first."""
        names = (
            attempt_name(self.key.name, key.version, target=key.target, number=number)
            for number in range(1, self.attempts_at(key) + 1)
        )
        return tuple(self.attempts[name] for name in names if name in self.attempts)

    def registration(self, version: int) -> AttemptState | None:
        """Find the newest attempt to register a version; it may come back to Registered later."""
        attempts = self.attempts_of(AttemptKey(version, Stage.REGISTERED))
        return next((a for a in reversed(attempts) if a.kind is Move.REGISTER), None)

    def attempts_at(self, key: AttemptKey) -> int:
        """Count the attempts at a key; the next one gets the next number."""
        latest = self.latest_attempt(key)
        return 0 if latest is None else latest.number

    def open_attempts(self) -> tuple[AttemptState, ...]:
        """List the attempts that may still succeed, oldest first."""
        return tuple(self.attempts[name] for name in self.attempts.group(OPEN))

    def measuring_attempts(self) -> tuple[AttemptState, ...]:
        """List the registrations for which gates of later steps are still to be run."""
        return tuple(self.attempts[name] for name in self.attempts.group(MEASURING))

    def being_put_back(self) -> tuple[AttemptState, ...]:
        """List the attempts whose rollout came to nothing, and of which pods may be left."""
        return tuple(self.attempts[name] for name in self.attempts.group(PUT_BACK))

    def rollout(self) -> AttemptState | None:
        """Find the attempt whose rollout has begun and not ended."""
        rolling = (a for a in self.open_attempts() if a.outcome is AttemptOutcome.ROLLING_OUT)
        return next(rolling, None)


@dataclass(frozen=True, kw_only=True)
class LedgerState:
    """Everything the ledger says, model by model."""

    origin: str = ""
    size: int = 0
    last_time: str = ""
    starts: tuple[tuple[str, str], ...] = ()
    models: Keyed[ModelKey, ModelState] = field(default_factory=Keyed)

    def model(self, key: ModelKey) -> ModelState:
        """Find a model's state; an unknown model has an empty one."""
        return self.models.get(key) or ModelState(key=key)
