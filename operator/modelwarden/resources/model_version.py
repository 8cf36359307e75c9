"""ModelVersion: the record of one version, which never changes but for its notes."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar, TypeAlias

from pydantic import Field

from modelwarden.domain.consumers import How
from modelwarden.domain.stages import Stage
from modelwarden.resources.artifacts import Artifact, Signature
from modelwarden.resources.conditions import Conditions
from modelwarden.resources.objects import Column, Kind, Metadata, Object, Status, condition_column
from modelwarden.resources.people import Stamp, Trainer
from modelwarden.resources.rules import (
    Rule,
    all_or_none_of,
    exactly_one_of,
    immutable_fields,
    requires,
)
from modelwarden.resources.scalars import (
    NOT_BLANK,
    Amount,
    Commit,
    Count,
    Decimal,
    Digest,
    Label,
    LedgerIndex,
    ModelName,
    Namespace,
    Rationale,
    Seconds,
    Sentence,
    ShortText,
    Text,
    Time,
    Uri,
    VersionNumber,
)
from modelwarden.resources.shapes import Shape, listed, mapped

LongQuery: TypeAlias = Annotated[str, Field(max_length=8192)]
MetadataField: TypeAlias = Annotated[
    str, Field(pattern=r"^[a-z][A-Za-z0-9]*(\.[a-z][A-Za-z0-9]*)*$", min_length=1, max_length=128)
]


class DatasetRole(StrEnum):
    """What a data set was for."""

    TRAINING = "Training"
    VALIDATION = "Validation"
    TEST = "Test"
    HOLDOUT = "Holdout"
    CALIBRATION = "Calibration"
    REFERENCE = "Reference"


class Dataset(Shape):
    """Data that went into the version, and how to get the same data again."""

    name: Label
    """The data set's name."""
    role: DatasetRole
    """What it was for."""
    uri: Uri | None = None
    """Where it is."""
    version: ShortText | None = None
    """Which state of it was read."""
    digest: ShortText | None = None
    """What its store calls its content."""
    query: LongQuery | None = None
    """The query that selected the rows."""
    filters: LongQuery | None = None
    """What was left out."""
    sampling: Text | None = None
    """How rows were drawn, with the seed."""


class Code(Shape):
    """The code that trained the version."""

    repository: Uri
    """The repository."""
    commit: Commit
    """The commit, as 40 hex digits."""
    path: Text | None = None
    """The file or folder within it."""


class Environment(Shape):
    """Where the code ran."""

    image: Text | None = None
    """The container image, by digest."""
    packages_digest: Digest | None = None
    """The SHA-256 of the list of installed packages."""


class Feature(Shape):
    """A feature, as a feature store knows it."""

    name: Label
    """The feature."""
    store: Uri | None = None
    """The store."""
    version: ShortText | None = None
    """Its version there."""


class BaseModelReference(Shape):
    """A model that this one was trained from: one of ours, or one from elsewhere."""

    RULES: ClassVar = (
        exactly_one_of("uri", "model", message="a base model is either a uri, or a model of ours"),
        all_or_none_of("model", "version", message="a base model of ours needs model and version"),
        requires("namespace", "model", message="namespace is of a model of ours: name the model"),
    )

    namespace: Namespace | None = None
    """The namespace of the model, if not this one."""
    model: ModelName | None = None
    """The model."""
    version: VersionNumber | None = None
    """Its version."""
    uri: Uri | None = None
    """Where a model from elsewhere is."""


class Run(Shape):
    """The run in an experiment tracker."""

    system: Label
    """The tracker."""
    id: ShortText
    """The run's id there."""
    uri: Uri | None = None
    """Where it can be looked at."""


class Lineage(Shape):
    """What the version was made from."""

    datasets: Annotated[tuple[Dataset, ...], listed(at_most=64)] | None = None
    """The data."""
    code: Code | None = None
    """The code."""
    environment: Environment | None = None
    """Where the code ran."""
    features: Annotated[tuple[Feature, ...], listed(at_most=256)] | None = None
    """The features, as a feature store knows them."""
    base_models: Annotated[tuple[BaseModelReference, ...], listed(at_most=16)] | None = None
    """The models it was trained from."""
    run: Run | None = None
    """The run in an experiment tracker."""


class Metric(Shape):
    """One value that was measured."""

    name: Label
    """The metric."""
    value: Decimal
    """The value, as a decimal in quotes."""
    dataset: Label | None = None
    """The data set that it was measured on."""
    segment: (
        Annotated[
            Mapping[str, Annotated[str, Field(max_length=128)]], mapped(at_most=4, keys_at_most=128)
        ]
        | None
    ) = None
    """The part of the data, by attribute; without it, all of it."""
    samples: Count | None = None
    """How many samples it was measured on."""


class Cost(Shape):
    """An amount of money."""

    amount: Amount
    """The amount, as a decimal in quotes."""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", max_length=3)]
    """The currency's three letters."""


class Training(Shape):
    """What training took."""

    hardware: ShortText | None = None
    """The machine."""
    duration_seconds: Seconds | None = None
    """How long it took."""
    cost: Cost | None = None
    """What it cost."""


class NotApplicable(Shape):
    """A required field that this version cannot have, and why."""

    field: MetadataField
    """The field, such as lineage.features."""
    reason: Sentence
    """Why there is none."""


class Notes(Shape):
    """What people learn about a version later."""

    limitations: Annotated[tuple[Sentence, ...], listed(at_most=32)] | None = None
    """What it should not be used for, or was not tried on."""
    known_failure_modes: Annotated[tuple[Sentence, ...], listed(at_most=32)] | None = None
    """When it is known to be wrong."""
    tags: (
        Annotated[
            Mapping[str, Annotated[str, Field(max_length=256)]],
            mapped(at_most=64, keys_at_most=128),
        ]
        | None
    ) = None
    """Anything else; tags decide nothing."""


class ModelVersionSpec(Shape):
    """The record of a version."""

    model: ModelName
    """The model it is a version of."""
    version: VersionNumber
    """Its number, never used again; gaps are fine."""
    label: Label | None = None
    """A name that describes it."""
    artifact: Artifact
    """Its bytes."""
    signature: Signature | None = None
    """What it takes and gives."""
    lineage: Lineage | None = None
    """What it was made from."""
    hyperparameters: (
        Annotated[
            Mapping[str, Annotated[str, Field(max_length=1024)]],
            mapped(at_most=256, keys_at_most=128),
        ]
        | None
    ) = None
    """The settings of the training, all as text."""
    metrics: Annotated[tuple[Metric, ...], listed(at_most=512)] | None = None
    """What was measured, in total and by segment."""
    training: Training | None = None
    """What training took."""
    trained_by: Annotated[tuple[Trainer, ...], listed(at_most=16)] | None = None
    """The people answerable for the training code; their votes do not count."""
    not_applicable: Annotated[tuple[NotApplicable, ...], listed(at_most=32)] | None = None
    """Required fields that it cannot have, and why."""
    registered_by: Stamp | None = None
    """Who registered it; stamped by admission, to be left out of every manifest."""
    notes: Notes | None = None
    """What people learn later; the one part that may change."""
    notes_by: Stamp | None = None
    """Who last changed the notes; stamped by admission, to be left out of every manifest."""


class VersionConsumer(Shape):
    """What uses a version now."""

    kind: Label
    """What sort of thing that is, such as Deployment."""
    name: Annotated[str, Field(pattern=NOT_BLANK, min_length=1, max_length=256)]
    """Its name."""
    namespace: Namespace | None = None
    """Its namespace, if not the version's."""
    how: How | None = None
    """How that shows; what is only declared lies outside of the cluster."""
    detail: ShortText | None = None
    """What more is known."""
    ready: Count | None = None
    """How many of its pods are ready with this version."""


class HistoryEntry(Shape):
    """One move of the version."""

    time: Time
    """When."""
    source: Annotated[Stage | None, Field(alias="from")] = None
    """From where; without it, the version was recorded."""
    to: Stage
    """To where."""
    by: ShortText | None = None
    """Who asked for it."""
    reason: Rationale | None = None
    """Why."""
    ledger_index: LedgerIndex
    """The record that says so."""


class ModelVersionStatus(Status):
    """Where the version is, as the ledger says: a picture, written by the operator alone."""

    stage: Stage | None = None
    """Where it is; without it, it is not recorded yet."""
    since: Time | None = None
    """Since when."""
    consumers: Annotated[tuple[VersionConsumer, ...], listed(at_most=50)] | None = None
    """What uses it: the first of them."""
    consumers_found: Count | None = None
    """How many use it in all."""
    history: Annotated[tuple[HistoryEntry, ...], listed(at_most=10)] | None = None
    """Its last ten moves; the ledger has all."""
    retained_until: Time | None = None
    """Until when it is kept, archived; without it, its deletion is not held back by that."""
    ledger_index: LedgerIndex | None = None
    """The record up to which this picture goes."""
    conditions: Conditions | None = None
    """Ready, MetadataComplete, Validated, ArtifactAvailable, InUse, ConsumedAfterArchive."""


_MAY_CHANGE = frozenset({"notes", "notesBy"})


class ModelVersion(Object):
    """One version of a model: its bytes by digest, and how they came to be."""

    KIND: ClassVar = Kind(
        name="ModelVersion",
        plural="modelversions",
        short="mdv",
        immutable=True,
        columns=(
            Column(name="Label", path=".spec.label", description="The name that describes it."),
            Column(name="Stage", path=".status.stage", description="Where it is."),
            Column(
                name="Since",
                path=".status.since",
                description="Since when it is there.",
                type="date",
            ),
            condition_column("Validated"),
            condition_column("InUse"),
            condition_column("Ready"),
            Column(
                name="Reason",
                path='.status.conditions[?(@.type=="Ready")].reason',
                description="Why it is registered or not, in one word.",
                wide=True,
            ),
            Column(
                name="Format", path=".spec.artifact.format", description="Its format.", wide=True
            ),
            Column(
                name="Trained By",
                path=".spec.trainedBy[0].name",
                description="Who answers for the training code.",
                wide=True,
            ),
            Column(
                name="Registered By",
                path=".spec.registeredBy.username",
                description="Who registered it.",
                wide=True,
            ),
            Column(
                name="Digest", path=".spec.artifact.digest", description="Its bytes.", wide=True
            ),
        ),
        selectable=(
            ".spec.model",
            ".spec.version",
            ".spec.label",
            ".spec.artifact.digest",
            ".spec.artifact.uri",
            ".status.stage",
        ),
    )
    RULES: ClassVar = (
        Rule(
            "self.metadata.name == '%s-%d'.format([self.spec.model, self.spec.version])",
            "metadata.name must be <spec.model>-<spec.version>: creating it takes the number",
        ),
        *immutable_fields(
            [field for field in ModelVersionSpec.field_names() if field not in _MAY_CHANGE],
            of="spec",
            message="{field} is part of the record and never changes: register a new version",
        ),
    )

    metadata: Metadata
    """The object's metadata."""
    spec: ModelVersionSpec
    """The record."""
    status: ModelVersionStatus = ModelVersionStatus()
    """Where it is, as the ledger says; written by the operator."""
