"""Everything a decision may look at, gathered at one time and frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from modelwarden.domain.consumers import Consumers
from modelwarden.domain.identity import Caller
from modelwarden.domain.pod_words import PodFacts
from modelwarden.domain.rights import Right
from modelwarden.domain.slots import Slots
from modelwarden.domain.stages import Move, Stage
from modelwarden.domain.state import ModelKey
from modelwarden.domain.uses import Declared
from modelwarden.domain.verdicts import Verdict


class SubjectKind(StrEnum):
    """Whom a manifest names: one login or a group of them."""

    USER = "User"
    GROUP = "Group"


@dataclass(frozen=True)
class Subject:
    """A person or a group, as a manifest names them."""

    kind: SubjectKind
    name: str


@dataclass(frozen=True)
class StageEntry:
    """One line of the stages surface: this version belongs here, for this reason."""

    version: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class DesiredStages:
    """What the stages surface of a Model says; absence means stay."""

    production: StageEntry | None = None
    staging: tuple[StageEntry, ...] = ()
    archived: tuple[StageEntry, ...] = ()
    registered: tuple[StageEntry, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AuthorItem:
    """One request that changed parts of a Model, and by whom."""

    id: str
    by: Caller
    of: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SegmentRule:
    """A bound that must hold in every segment of one kind."""

    by: str
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    min_samples: int = 0


@dataclass(frozen=True, kw_only=True)
class FairnessRule:
    """A bound on how far groups may differ: the lowest value over the highest one."""

    by: str
    min_ratio: Decimal
    min_samples: int = 0


@dataclass(frozen=True, kw_only=True)
class MetricRule:
    """What a metric must reach, in total, in each segment and between groups."""

    name: str
    higher_is_better: bool = True
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    critical: bool = False
    segments: tuple[SegmentRule, ...] = ()
    fairness: FairnessRule | None = None


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One measured value; a segment names the part of the data it was measured on."""

    name: str
    value: Decimal
    dataset: str = ""
    segment: Mapping[str, str] = field(default_factory=dict)
    samples: int | None = None


@dataclass(frozen=True, kw_only=True)
class ServingTarget:
    """A Deployment that gets the version of a stage."""

    stage: Stage
    deployment: str


@dataclass(frozen=True)
class Automation:
    """Each new version is asked into a stage; so many that nobody named stay there."""

    to: Stage
    keep: int


# What of a Model is frozen into its attempts: a change of it supersedes them.
FROZEN = ("owners", "reviewers", "affectsPeople", "metrics", "contract")


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """A Model as it was read. `governed` is the stored JSON of what its attempts freeze.

    `declared` is that of everything whose change is recorded: what governs it, and what serves.
    """

    uid: str
    resource_version: str
    generation: int
    owners: tuple[Subject, ...]
    reviewers: tuple[Subject, ...]
    policy: str
    affects_people: bool
    metrics: tuple[MetricRule, ...]
    serving: tuple[ServingTarget, ...]
    stages: DesiredStages
    authors: tuple[AuthorItem, ...]
    governed: Mapping[str, Any]
    declared: Mapping[str, Any] = field(default_factory=dict)
    review_every_days: int | None = None
    automation: Automation | None = None
    archived_days: int | None = None
    aliases: Mapping[str, int] = field(default_factory=dict)
    consumers: tuple[Declared, ...] = ()
    status: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """The bytes of a version: where they are and what they must be."""

    uri: str
    digest: str
    format: str
    size_bytes: int | None = None


@dataclass(frozen=True, kw_only=True)
class VersionFacts:
    """A ModelVersion as it was read. `spec` is the stored JSON, for what is judged by presence."""

    name: str
    uid: str
    resource_version: str
    generation: int
    number: int
    subject: str
    artifact: Artifact
    metrics: tuple[Metric, ...]
    trained_by: tuple[Subject, ...]
    registered_by: Caller | None
    spec: Mapping[str, Any]
    label: str = ""
    limitations: tuple[str, ...] = ()
    known_failure_modes: tuple[str, ...] = ()
    status: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class GateSpec:
    """A gate of a policy's step: its name, what it claims, and its settings as stored.

    `kind` is the claim; a gate that claims nothing and only runs a Job is of kind `job`.
    """

    name: str
    kind: str
    settings: Mapping[str, Any]
    applies_to_people_only: bool = False

    @property
    def job(self) -> Mapping[str, Any] | None:
        """The Job that the policy brings to measure with; None where none is brought."""
        nested = self.settings.get(self.kind)
        own = nested.get("job") if isinstance(nested, Mapping) else None
        return self.settings.get("job") or own

    @property
    def runs_early(self) -> bool:
        """Whether the gate runs right after the registration, before its step is asked for."""
        return self.settings.get("runAt") == "Registration"


@dataclass(frozen=True, kw_only=True)
class EarlyGate:
    """A gate that runs right after the registration, and the stage whose step asks for it."""

    step: Stage
    gate: GateSpec


@dataclass(frozen=True, kw_only=True)
class ApprovalRule:
    """How many distinct people must approve, until when a vote counts, and who may not vote."""

    owners: int
    reviewers: int
    expire_after_seconds: int | None
    exclude: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PolicyStep:
    """What guards one step. `stored` is the JSON that an attempt freezes."""

    to: Stage
    gates: tuple[GateSpec, ...]
    approvals: ApprovalRule | None
    soak_seconds: int
    rollout_timeout_seconds: int
    stored: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class RollbackRule:
    """When Production may go back without the whole step, who approves, and who looks later."""

    approvals: Mapping[str, Any] = field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    within_days: int | None = None
    review_within_days: int | None = None


@dataclass(frozen=True, kw_only=True)
class PolicyFacts:
    """The policy that governs a Model now.

    `automation_up_to` is the highest stage for which versions may be asked without anybody writing
    it; None where they may not.
    """

    name: str
    digest: str
    steps: Mapping[Stage, PolicyStep]
    allowed_formats: tuple[str, ...]
    required_metadata: tuple[str, ...]
    below_floor_reason: str
    stored: Mapping[str, Any]
    rollback: RollbackRule = RollbackRule()
    automation_up_to: Stage | None = None
    archived_days: int | None = None


@dataclass(frozen=True, kw_only=True)
class TransitionFacts:
    """A ModelTransition as it was read: the frozen attempt. `spec` is its stored JSON."""

    name: str
    uid: str
    resource_version: str
    generation: int
    digest: str
    spec: Mapping[str, Any]
    requester: AuthorItem
    owners: tuple[Subject, ...]
    reviewers: tuple[Subject, ...]
    metrics: tuple[MetricRule, ...]
    excluded: Mapping[str, str]
    policy: str
    policy_digest: str
    allowed_formats: tuple[str, ...]
    required_metadata: tuple[str, ...]
    step: PolicyStep
    early: tuple[EarlyGate, ...] = ()
    status: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> Move:
        """What the step is called."""
        return Move(self.spec["kind"])


@dataclass(frozen=True, kw_only=True)
class DecisionFacts:
    """A ModelDecision as it was read: one act of one person.

    `transition` is empty for the Review of a Model.
    """

    name: str
    uid: str
    created: datetime
    kind: str
    stage: Stage
    transition: str
    transition_uid: str
    subject_digest: str
    policy_digest: str
    evidence_digest: str
    rationale: str
    by: Caller | None
    retracts: str = ""


class RunState(StrEnum):
    """Where a run of a gate is."""

    RUNNING = "Running"
    FINISHED = "Finished"


class RunKey(NamedTuple):
    """One run of one gate of one attempt."""

    attempt: str
    gate: str
    tries: int


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """A gate Job and its pod. `message` and `exit_code` are what the container left.

    `reason` and `detail` are a word and a sentence of Kubernetes' about what ended the run, or
    keeps it from running; there is none about a run that had its say. `idle_since` is since when
    no container of it runs, as long as one is still to begin. `has_ways_out` where a network
    policy of its own opens some.
    """

    job: str
    uid: str
    inputs_digest: str
    state: RunState
    idle_since: datetime | None = None
    reason: str = ""
    detail: str = ""
    message: str = ""
    exit_code: int | None = None
    pod: str = ""
    container: str = ""
    log_tail: str = ""
    has_ways_out: bool = False


@dataclass(frozen=True, kw_only=True)
class DeploymentFacts:
    """A Deployment as it was read: what it carries of ours, and how far its rollout is.

    `pods` are those of its newest template, which are read only while a version is rolled out;
    `not_created` is what the API server said where it let no more be made.
    """

    name: str
    uid: str
    resource_version: str
    generation: int
    observed_generation: int
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    template_labels: Mapping[str, str]
    template_annotations: Mapping[str, str]
    replicas: int
    current: int
    updated: int
    ready: int
    available: int
    terminating: int
    progressing: str = ""
    progressing_message: str = ""
    paused: bool = False
    min_ready_seconds: int = 0
    not_created: str = ""
    pods: tuple[PodFacts, ...] = ()


class Access(NamedTuple):
    """A question to the API server: has this login one of these verbs on this model?"""

    caller: Caller
    right: Right
    key: ModelKey


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The facts about one Model at one time.

    `versions` holds the ones its stages name and the ones that were touched, `absent` the numbers
    of those that were looked for and are not there. `policy` is a verdict where none governs.
    `access` holds the answers the API server gave; None where it gave none.
    `consumers` is None where nobody looked for any; what was looked for and not found is empty.
    `slots` tells which gates run, of any Model, and which wait.
    """

    now: datetime
    key: ModelKey
    model: ModelFacts | None
    versions: Mapping[int, VersionFacts]
    transitions: Mapping[str, TransitionFacts]
    decisions: tuple[DecisionFacts, ...]
    runs: Mapping[RunKey, RunFacts]
    deployments: Mapping[str, DeploymentFacts]
    policy: PolicyFacts | Verdict
    access: Mapping[Access, bool | None] = field(default_factory=dict)
    consumers: Consumers | None = None
    absent: frozenset[int] = frozenset()
    slots: Slots = field(default_factory=Slots)
