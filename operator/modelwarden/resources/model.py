"""Model: who answers for it, what callers rely on, and which version should be in which stage."""

from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field

from modelwarden.domain.stages import Stage
from modelwarden.domain.state import Certainty
from modelwarden.resources.artifacts import ArtifactReference, Signature
from modelwarden.resources.conditions import Conditions, Obstacle
from modelwarden.resources.metric_rules import MetricRule
from modelwarden.resources.objects import Column, Kind, Metadata, Object, Status, condition_column
from modelwarden.resources.people import Stamp, Subject
from modelwarden.resources.rules import NO_SILENT_REMOVAL, Refusal, Rule, nowhere_twice, unique
from modelwarden.resources.scalars import (
    NOT_BLANK,
    Code,
    Count,
    Days,
    Digest,
    Label,
    LedgerIndex,
    LongText,
    ModelName,
    ObjectName,
    PolicyName,
    Rationale,
    Sentence,
    ShortText,
    Text,
    Time,
    Uid,
    Uri,
    VersionNumber,
)
from modelwarden.resources.shapes import Shape, keyed, listed


class Deployment(Shape):
    """A Deployment of the Model's namespace."""

    name: ObjectName
    """Its name."""


class ServingTarget(Shape):
    """A workload that gets the version of a stage, as labels and annotations of ours."""

    stage: Literal[Stage.PRODUCTION, Stage.STAGING]
    """Production, or Staging for the newest version there."""
    deployment: Deployment
    """The Deployment that serves."""


class Consumer(Shape):
    """Somebody who uses the model where the cluster cannot see it."""

    name: Label
    """What uses it."""
    kind: Code
    """What sort of thing that is, such as Dashboard, Service or Report."""
    uri: Uri | None = None
    """Where it is."""
    contact: ShortText | None = None
    """Whom to tell before the model changes."""


class Alias(Shape):
    """A name for a version that the team chose."""

    RULES: ClassVar = (
        Rule(
            "!(self.name in ['production', 'staging', 'champion', 'latest'])"
            " && !self.name.matches('^v[0-9]+$')",
            "production, staging, champion, latest and v<number> are derived: choose another name",
            Refusal.FORBIDDEN,
            field=".name",
        ),
    )

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$", min_length=1, max_length=40)]
    """The alias."""
    version: VersionNumber
    """The version it names."""


class Automation(Shape):
    """Each valid new version is asked into a stage, without anybody writing it."""

    to: Literal[Stage.STAGING]
    """The stage."""
    keep: Annotated[int, Field(ge=1, le=16)]
    """How many versions that nobody named stay there; older ones return to Registered."""


class Retention(Shape):
    """How long what is no longer used is kept."""

    archived_days: Days
    """How many days an archived version's record is kept."""


class StageEntry(Shape):
    """This version belongs in this stage, for this reason."""

    version: VersionNumber
    """The version's number."""
    reason: Sentence
    """Why; it goes into the ledger."""


class ProductionEntry(StageEntry):
    """The version that belongs in Production, and why."""

    RULES: ClassVar = (
        Rule(
            "self.version == oldSelf.version || self.reason != oldSelf.reason",
            "another version needs a reason of its own: change the reason too",
            field=".reason",
        ),
    )


class Stages(Shape):
    """Which version should be in which stage. Leaving an entry out asks for nothing: it stays."""

    RULES: ClassVar = nowhere_twice()

    production: ProductionEntry | None = None
    """The version that should be in Production."""
    staging: Annotated[tuple[StageEntry, ...], keyed("version", at_most=16)] | None = None
    """The versions that should be in Staging."""
    archived: Annotated[tuple[StageEntry, ...], keyed("version", at_most=32)] | None = None
    """The versions that should be archived; an entry may go once status shows it."""
    registered: Annotated[tuple[StageEntry, ...], keyed("version", at_most=16)] | None = None
    """The versions that should leave their stage and be kept."""


Part: TypeAlias = Annotated[
    str,
    Field(
        pattern=r"^(governed|serving|automation|stages\.production"
        r"|stages\.(production|staging|archived|registered)/[1-9][0-9]{0,5})$",
        min_length=1,
        max_length=32,
    ),
]


class Author(Shape):
    """One request that changed parts of the Model, and by whom."""

    id: Uid
    """The request's uid."""
    by: Stamp
    """Who sent it."""
    of: Annotated[tuple[Part, ...], listed(at_most=160, at_least=1)]
    """The parts that it changed and nobody changed since."""


class ModelSpec(Shape):
    """What people want of a model."""

    RULES: ClassVar = (
        unique(
            "serving",
            by="deployment.name",
            message="two entries for one Deployment",
            optional=True,
        ),
    )

    display_name: Annotated[str, Field(pattern=NOT_BLANK, min_length=1, max_length=256)] | None = (
        None
    )
    """The name for people; it may change and have spaces."""
    description: LongText | None = None
    """What the model is for."""
    owners: Annotated[tuple[Subject, ...], keyed("kind", "name", at_most=32, at_least=1)]
    """Who answers for the model."""
    reviewers: Annotated[tuple[Subject, ...], keyed("kind", "name", at_most=32)] | None = None
    """Who reviews it independently."""
    policy: PolicyName | None = None
    """The ModelPolicy that governs it; without it, the one marked as default."""
    affects_people: bool
    """Whether its answers affect people; then fairness must be evaluated."""
    contract: Signature | None = None
    """What callers rely on."""
    metrics: Annotated[tuple[MetricRule, ...], keyed("name", at_most=64)] | None = None
    """What its metrics must reach; a policy says which must have a rule."""
    serving: Annotated[tuple[ServingTarget, ...], listed(at_most=16)] | None = None
    """The workloads that serve it."""
    consumers: Annotated[tuple[Consumer, ...], keyed("name", at_most=64)] | None = None
    """Who uses it where the cluster cannot see it."""
    aliases: Annotated[tuple[Alias, ...], keyed("name", at_most=32)] | None = None
    """Names for versions that the team chose."""
    automation: Automation | None = None
    """What is asked for each new version without anybody writing it, if the policy allows."""
    retention: Retention | None = None
    """How long what is no longer used is kept; never shorter than the policy says."""
    review_every_days: Days | None = None
    """How often somebody must review the model in Production."""
    stages: Stages | None = None
    """Which version should be in which stage."""
    authors: Annotated[tuple[Author, ...], listed(at_most=160)] | None = None
    """Who last changed each part; stamped by admission, to be left out of every manifest."""


class ProductionStatus(Shape):
    """The version in Production."""

    version: VersionNumber
    """Its number."""
    artifact: ArtifactReference
    """Its bytes."""
    since: Time
    """Since when."""
    ledger_index: LedgerIndex
    """The record that put it there."""


class RollbackTarget(Shape):
    """A version that Production may go back to without the whole step."""

    version: VersionNumber
    """Its number."""
    until: Time | None = None
    """Until when; without an end for the one superseded last."""


class StagesStatus(Shape):
    """Which version is in which stage, as the ledger says."""

    production: ProductionStatus | None = None
    """The version in Production, if there is one."""
    staging: Annotated[tuple[VersionNumber, ...], listed(at_most=64)] | None = None
    """The versions in Staging."""
    retiring: Annotated[tuple[VersionNumber, ...], listed(at_most=64)] | None = None
    """The versions that left Production and may still be used."""
    archived: Annotated[tuple[VersionNumber, ...], listed(at_most=512)] | None = None
    """The archived versions, the last 512."""
    rollback_to: Annotated[tuple[RollbackTarget, ...], listed(at_most=64)] | None = None
    """The versions that Production may go back to without the whole step."""


class ServingInterval(Shape):
    """A version served from one time to another."""

    version: VersionNumber
    """The version."""
    start: Annotated[Time, Field(alias="from")]
    """Since when."""
    end: Annotated[Time | None, Field(alias="to")] = None
    """Until when; without it, still."""
    certainty: Certainty
    """How sure that is: measured, within a rollout, declared only, or not known."""
    ledger_index: LedgerIndex
    """The record that says so."""


class GoverningPolicy(Shape):
    """The policy that governs the model now."""

    name: PolicyName
    """Its name."""
    digest: Digest
    """Its content."""
    below_floor: Rationale | None = None
    """Why it asks for less than the floor, if it does."""


class UnmetOfVersion(Shape):
    """One claim that holds a version of the model back."""

    version: VersionNumber
    """The version."""
    to: Stage
    """The stage it is asked into."""
    outcome: Obstacle
    """Wait: time or people may meet it. Deny: it stays as it is until somebody acts."""
    code: Code
    """Which claim, in one word for machines."""
    message: Sentence
    """What was found, in a sentence."""
    next_step: Text | None = None
    """What to do about it."""


class ModelSummary(Shape):
    """The columns of `kubectl get models`."""

    production: ShortText | None = None
    """The version in Production, with its label."""
    staging: ShortText | None = None
    """The versions in Staging."""
    waiting: ShortText | None = None
    """What is asked for and not done, with the reason."""


class NamedVersion(Shape):
    """What a name means now."""

    name: Annotated[str, Field(min_length=1, max_length=40)]
    """The name: one that the team chose, or production, staging, champion or latest."""
    version: VersionNumber
    """The version it means."""


class ModelStatus(Status):
    """What the ledger says of the model: a picture, written by the operator alone."""

    summary: ModelSummary | None = None
    """The same in words."""
    stages: StagesStatus | None = None
    """Which version is in which stage."""
    serving: Annotated[tuple[ServingInterval, ...], listed(at_most=50)] | None = None
    """What served when, the last 50 intervals; the ledger has all."""
    policy: GoverningPolicy | None = None
    """The policy that governs the model now."""
    unmet: Annotated[tuple[UnmetOfVersion, ...], listed(at_most=64)] | None = None
    """Everything that holds back what the stages ask for and no attempt is open for."""
    aliases: Annotated[tuple[NamedVersion, ...], keyed("name", at_most=64)] | None = None
    """What every name of a version means now; v<number> means its number."""
    retention: Retention | None = None
    """How long archived versions are kept: as the Model or its policy says, the longer counts."""
    versions: Count | None = None
    """How many versions are recorded."""
    latest_version: VersionNumber | None = None
    """The highest number recorded."""
    next_version: VersionNumber | None = None
    """The number to register next."""
    ledger_index: LedgerIndex | None = None
    """The record up to which this picture goes."""
    conditions: Conditions | None = None
    """Ready, Reconciling, Stalled, Settled, ReviewOverdue."""


class ModelMetadata(Metadata):
    """The metadata of a Model; its name is part of other names."""

    name: ModelName
    """The model's name."""


class Model(Object):
    """A machine-learning model: who answers for it, and which version should be in which stage."""

    KIND: ClassVar = Kind(
        name="Model",
        plural="models",
        short="mdl",
        columns=(
            Column(
                name="Production",
                path=".status.summary.production",
                description="The version in Production.",
            ),
            Column(
                name="Since",
                path=".status.stages.production.since",
                description="Since when it is there.",
                type="date",
            ),
            Column(
                name="Staging",
                path=".status.summary.staging",
                description="The versions in Staging.",
            ),
            Column(
                name="Latest",
                path=".status.latestVersion",
                description="The highest number recorded.",
                type="integer",
            ),
            condition_column("Ready"),
            condition_column("Settled"),
            Column(
                name="Waiting",
                path=".status.summary.waiting",
                description="What is asked for and not done.",
            ),
            Column(
                name="Policy",
                path=".status.policy.name",
                description="The policy that governs it.",
                wide=True,
            ),
            Column(
                name="Affects People",
                path=".spec.affectsPeople",
                description="Whether its answers affect people.",
                type="boolean",
                wide=True,
            ),
        ),
        selectable=(".spec.policy", ".spec.affectsPeople"),
    )
    RULES: ClassVar = NO_SILENT_REMOVAL

    metadata: ModelMetadata
    """The object's metadata."""
    spec: ModelSpec
    """What people want."""
    status: ModelStatus = ModelStatus()
    """What is, as the ledger says; written by the operator."""
