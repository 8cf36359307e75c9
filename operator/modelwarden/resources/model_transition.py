"""ModelTransition: one attempt to move one version one step, with all that decides it, frozen."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from modelwarden.domain.stages import Move, Stage
from modelwarden.resources.artifacts import ArtifactFormat, Signature
from modelwarden.resources.conditions import Conditions, Unmet
from modelwarden.resources.gates import Gate
from modelwarden.resources.metric_rules import MetricRule
from modelwarden.resources.model_decision import DecisionKind, PolicyReference
from modelwarden.resources.model_policy import BelowFloor
from modelwarden.resources.model_version import MetadataField
from modelwarden.resources.objects import Column, Kind, Metadata, Object, Status
from modelwarden.resources.people import Stamp, Subject
from modelwarden.resources.rules import Rule, immutable, requires
from modelwarden.resources.scalars import (
    AttemptNumber,
    Code,
    Days,
    Digest,
    Label,
    LedgerIndex,
    LongText,
    ModelName,
    Name,
    ObjectName,
    Rationale,
    ShortText,
    Text,
    Time,
    Uid,
    VersionNumber,
)
from modelwarden.resources.shapes import Shape, keyed, listed
from modelwarden.resources.steps import PolicyStep


class RequestEntry(Shape):
    """What was asked, as it was written."""

    part: Annotated[str, Field(pattern=r"^[a-z./0-9]+$", min_length=1, max_length=32)] | None = None
    """The part of the Model that asked, such as stages.production; none for a registration."""
    version: VersionNumber
    """The version that was named."""
    reason: Rationale | None = None
    """Why."""


class Retried(Shape):
    """The decision that had the attempt before this one tried again."""

    decision: ObjectName
    """The ModelDecision."""
    uid: Uid
    """Its uid."""
    by: Stamp
    """Who had it tried again; who asked stays the requester."""


class Request(Shape):
    """The request that the attempt answers."""

    id: Uid
    """The id of the author's item; of a registration, the uid of the version."""
    entry: RequestEntry
    """What was asked."""
    author: Stamp | None = None
    """Who asked; without it, nobody known."""
    retry: Retried | None = None
    """The Retry that opened the attempt; without it, the request itself did."""


class Champion(Shape):
    """The version in Production when the attempt opened."""

    version: VersionNumber
    """Its number."""
    subject_digest: Digest
    """What it is."""


class ExclusionReason(StrEnum):
    """Why a person may not vote on an attempt."""

    TRAINER = "Trainer"
    REGISTRANT = "Registrant"
    POLICY_EDITOR = "PolicyEditor"


class Excluded(Shape):
    """A person whose votes on this attempt do not count."""

    name: Annotated[str, Field(min_length=1, max_length=512)]
    """The login."""
    because: Annotated[ExclusionReason, Field(alias="as")]
    """What the person did."""


class EarlyGates(Shape):
    """The gates of one later step that run right after the registration."""

    to: Literal[Stage.STAGING, Stage.PRODUCTION]
    """The stage whose step asks for them."""
    gates: Annotated[tuple[Gate, ...], listed(at_most=16, at_least=1)]
    """The gates."""


class ModelTransitionSpec(Shape):
    """Everything that decides the attempt, frozen when it opened."""

    RULES: ClassVar = (
        immutable(message="an attempt is frozen: what decides it never changes"),
        Rule(
            "(self.kind == 'Register') != has(self.from)",
            "only a registration comes from nowhere",
            field=".from",
        ),
        Rule(
            "!has(self.from) || self.from != self.to",
            "an attempt leads to another stage",
            field=".to",
        ),
        requires("step", "policy", message="a step belongs to a policy"),
    )

    model: ModelName
    """The model."""
    version: VersionNumber
    """The version."""
    kind: Move
    """What the step is called."""
    source: Annotated[Stage | None, Field(alias="from")] = None
    """The stage it leaves; none for a registration."""
    to: Stage
    """The stage it enters."""
    attempt: AttemptNumber
    """Which attempt this is for this version and stage."""
    request: Request
    """The request that it answers."""
    subject_digest: Digest
    """What the version is: its stored spec without stamped fields and notes."""
    policy: PolicyReference | None = None
    """The policy, with its content."""
    step: PolicyStep | None = None
    """The policy's step; none for a step that a policy does not guard."""
    early: Annotated[tuple[EarlyGates, ...], listed(at_most=2)] | None = None
    """The gates of later steps that run right after a registration, as evidence for them."""
    review_within_days: Days | None = None
    """Within how many days another person must look at a rollback; none for any other step."""
    allowed_formats: Annotated[tuple[ArtifactFormat, ...], listed(at_most=16)] | None = None
    """The policy's formats."""
    required_metadata: Annotated[tuple[MetadataField, ...], listed(at_most=32)] | None = None
    """The policy's required metadata."""
    below_floor: BelowFloor | None = None
    """The policy's statement that it asks for less than the floor."""
    owners: Annotated[tuple[Subject, ...], listed(at_most=32)]
    """The Model's owners."""
    reviewers: Annotated[tuple[Subject, ...], listed(at_most=32)] | None = None
    """The Model's reviewers."""
    affects_people: bool
    """Whether the model's answers affect people."""
    metrics: Annotated[tuple[MetricRule, ...], listed(at_most=64)] | None = None
    """The Model's rules for metrics."""
    contract: Signature | None = None
    """The Model's contract."""
    champion: Champion | None = None
    """The version in Production; without it, none was."""
    excluded: Annotated[tuple[Excluded, ...], listed(at_most=64)] | None = None
    """Whose votes do not count, and why."""


class GateOutcome(StrEnum):
    """Where a gate is; Inconclusive is a fault of the infrastructure and never a pass."""

    PENDING = "Pending"
    RUNNING = "Running"
    PASSED = "Passed"
    FAILED = "Failed"
    INCONCLUSIVE = "Inconclusive"


class Check(Shape):
    """One thing that a gate looked at."""

    name: Label
    """What was looked at."""
    outcome: GateOutcome
    """Whether it was as it must be."""
    observed: Text | None = None
    """What was found."""
    expected: Text | None = None
    """What must be."""


class GateStatus(Shape):
    """How one gate went."""

    name: Name
    """The gate."""
    step: Stage | None = None
    """The stage whose step asks for it, if that is not this attempt's: then it runs early, and
    decides nothing here."""
    outcome: GateOutcome
    """Where it is."""
    code: Code | None = None
    """What was found, in one word for machines."""
    message: Text | None = None
    """What was found, in a sentence."""
    evidence: Digest | None = None
    """The result, in the ledger's evidence."""
    job: Annotated[str, Field(max_length=127)] | None = None
    """The Job of the last try, as namespace/name."""
    tries: Annotated[int, Field(ge=0, le=1000)] | None = None
    """How often it was tried."""
    started_at: Time | None = None
    """When the last try began."""
    finished_at: Time | None = None
    """When it ended."""
    ledger_index: LedgerIndex | None = None
    """The record that says so."""
    checks: Annotated[tuple[Check, ...], listed(at_most=32)] | None = None
    """What it looked at."""
    log_tail: LongText | None = None
    """The end of its log, if it failed."""


class Capacity(StrEnum):
    """As what a vote counts."""

    OWNER = "Owner"
    REVIEWER = "Reviewer"


class CountedVote(Shape):
    """A vote that counts."""

    decision: ObjectName
    """The ModelDecision."""
    kind: DecisionKind
    """What was decided."""
    by: Annotated[str, Field(max_length=512)]
    """Who decided."""
    capacity: Annotated[Capacity | None, Field(alias="as")] = None
    """As what it counts; a person counts once."""
    group: ShortText | None = None
    """The group through which the person is an owner or reviewer."""
    at: Time | None = None
    """When."""
    ledger_index: LedgerIndex | None = None
    """The record of it."""


class DiscardedVote(Shape):
    """A vote that does not count, and why."""

    decision: ObjectName
    """The ModelDecision."""
    by: Annotated[str, Field(max_length=512)] | None = None
    """Who decided."""
    reason: Code
    """Why not, in one word for machines."""
    message: Text
    """Why not, in a sentence."""


class Votes(Shape):
    """What people decided."""

    counted: Annotated[tuple[CountedVote, ...], listed(at_most=32)] | None = None
    """The votes that count."""
    discarded: Annotated[tuple[DiscardedVote, ...], listed(at_most=64)] | None = None
    """The votes that do not."""


class TransitionSummary(Shape):
    """The columns of `kubectl get modeltransitions`."""

    gates: ShortText | None = None
    """How many gates have passed, such as 2/3."""
    approvals: ShortText | None = None
    """How many approvals there are, such as 1/2."""
    outcome: ShortText | None = None
    """Open, RollingOut, Succeeded, Failed, Rejected or Superseded."""


class ModelTransitionStatus(Status):
    """How the attempt goes, as the ledger says: a picture, written by the operator alone."""

    summary: TransitionSummary | None = None
    """The same in words."""
    gates: Annotated[tuple[GateStatus, ...], keyed("name", at_most=64)] | None = None
    """How each gate went."""
    evidence_digest: Digest | None = None
    """All results with the version's limitations: what a vote is about."""
    votes: Votes | None = None
    """What people decided."""
    unmet: Annotated[tuple[Unmet, ...], listed(at_most=32)] | None = None
    """Everything that holds the attempt back."""
    ledger: Annotated[tuple[LedgerIndex, ...], listed(at_most=128)] | None = None
    """The records about it, the last 128."""
    conditions: Conditions | None = None
    """Validated, Approved, Rejected, RolledOut, Succeeded, Ready, Reconciling, Stalled."""


class ModelTransition(Object):
    """One attempt to move one version one step, registration included; written by the operator."""

    KIND: ClassVar = Kind(
        name="ModelTransition",
        plural="modeltransitions",
        short="mdt",
        immutable=True,
        columns=(
            Column(name="Kind", path=".spec.kind", description="What the step is called."),
            Column(name="From", path=".spec.from", description="The stage it leaves."),
            Column(name="To", path=".spec.to", description="The stage it enters."),
            Column(name="Gates", path=".status.summary.gates", description="Gates passed."),
            Column(
                name="Approvals", path=".status.summary.approvals", description="Approvals given."
            ),
            Column(name="Outcome", path=".status.summary.outcome", description="How far it came."),
            Column(
                name="Reason",
                path='.status.conditions[?(@.type=="Succeeded")].reason',
                description="Why, in one word.",
            ),
            Column(
                name="Requester",
                path=".spec.request.author.username",
                description="Who asked.",
            ),
            Column(
                name="Message",
                path='.status.conditions[?(@.type=="Succeeded")].message',
                description="Why, in a sentence.",
                wide=True,
            ),
        ),
        selectable=(
            ".spec.model",
            ".spec.version",
            ".spec.kind",
            ".spec.to",
            ".spec.policy.name",
            ".spec.subjectDigest",
        ),
    )
    RULES: ClassVar = (
        Rule(
            "self.metadata.name == '%s-%d-%s-%d'.format("
            "[self.spec.model, self.spec.version, self.spec.to.lowerAscii(), self.spec.attempt])",
            "metadata.name must be <model>-<version>-<to>-<attempt>",
        ),
    )

    metadata: Metadata
    """The object's metadata."""
    spec: ModelTransitionSpec
    """Everything that decides the attempt."""
    status: ModelTransitionStatus = ModelTransitionStatus()
    """How it goes, as the ledger says; written by the operator."""
