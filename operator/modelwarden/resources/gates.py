"""Gates as a policy writes them: one claim each, and the Job that measures where one is needed."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar, TypeAlias

from pydantic import Field

from modelwarden.resources.rules import (
    Rule,
    any_of,
    at_most_one_of,
    exactly_one_of,
    excludes,
    requires,
)
from modelwarden.resources.scalars import Amount, Count, Name, Namespace, ObjectName, Ratio
from modelwarden.resources.shapes import IntOrString, Shape, listed, mapped

Argument: TypeAlias = Annotated[str, Field(max_length=4096)]
Port: TypeAlias = Annotated[int, Field(ge=1, le=65535)]
_QUANTITY = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$"
Quantity: TypeAlias = Annotated[
    Annotated[int, Field(ge=0)] | Annotated[str, Field(pattern=_QUANTITY, max_length=32)],
    IntOrString(pattern=_QUANTITY, at_most=32),
]
Quantities: TypeAlias = Annotated[Mapping[str, Quantity], mapped(at_most=8, keys_at_most=128)]


class EnvironmentVariable(Shape):
    """One variable in the Job's environment."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", min_length=1, max_length=128)]
    """The variable."""
    value: Argument
    """Its value."""


class JobSecret(Shape):
    """A Secret of the gates namespace that the Job may read."""

    name: ObjectName
    """The Secret."""
    mount_path: (
        Annotated[str, Field(pattern=r"^/[A-Za-z0-9._/-]+$", min_length=2, max_length=256)] | None
    ) = None
    """The folder in which its keys are files; without it they are environment variables."""


class JobResources(Shape):
    """What the Job's container asks for and may use."""

    requests: Quantities | None = None
    """What the scheduler reserves."""
    limits: Quantities | None = None
    """What the container may not exceed."""


class Egress(Shape):
    """A place the Job may open connections to, besides the artifact store."""

    RULES: ClassVar = (
        exactly_one_of("cidr", "namespace", message="say either cidr or namespace"),
        Rule(
            "!has(self.cidr) || isCIDR(self.cidr)",
            "cidr must be a range of addresses, such as 10.0.0.0/8",
            field=".cidr",
        ),
    )

    cidr: (
        Annotated[str, Field(pattern=r"^[0-9a-fA-F.:]+/[0-9]{1,3}$", min_length=1, max_length=43)]
        | None
    ) = None
    """A range of addresses."""
    namespace: Namespace | None = None
    """A namespace of the cluster, with all its pods."""
    ports: Annotated[tuple[Port, ...], listed(at_most=8, at_least=1)]
    """The TCP ports."""


class GateJob(Shape):
    """What a gate runs: an image by digest, in the gates namespace, with no rights and no token.

    The pod runs as user 65532 on a read-only file system; /tmp may be written. An init container of
    ours brings the artifact and checks its digest: the image needs no client of a store. It finds
    the artifact at $MODELWARDEN_ARTIFACT, and in $MODELWARDEN_GATE what it is about, as JSON: gate,
    claim, namespace, model, version, artifact, signature, metrics (the Model's rules), contract,
    and for a claim about it champion (the version in Production: its number, URI and digest).
    It writes one JSON object of less than 4,096 bytes to $MODELWARDEN_RESULT
    (/dev/termination-log): outcome (Passed, Failed or Inconclusive), code (one CamelCase word),
    sentence, checks (name, outcome, observed, expected) and metrics (as a ModelVersion records
    them). Without an outcome the checks decide, or the gate's claim about the metrics. It exits
    with 0 whatever the outcome; another exit code, or no result, is a failure.
    """

    image: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]*@sha256:[0-9a-f]{64}$",
            min_length=1,
            max_length=512,
        ),
    ]
    """The image, by digest: a tag may name something else tomorrow."""
    command: Annotated[tuple[Argument, ...], listed(at_most=64, at_least=1)] | None = None
    """What to run; without it, what the image runs."""
    args: Annotated[tuple[Argument, ...], listed(at_most=64)] | None = None
    """The arguments of the command."""
    env: Annotated[tuple[EnvironmentVariable, ...], listed(at_most=64)] | None = None
    """Environment variables."""
    secrets: Annotated[tuple[JobSecret, ...], listed(at_most=16)] | None = None
    """Secrets of the gates namespace."""
    resources: JobResources | None = None
    """What the container asks for and may use."""
    node_selector: (
        Annotated[
            Mapping[str, Annotated[str, Field(max_length=63)]], mapped(at_most=16, keys_at_most=317)
        ]
        | None
    ) = None
    """The labels of the nodes it may run on."""
    egress: Annotated[tuple[Egress, ...], listed(at_most=16)] | None = None
    """Where it may connect to, besides the artifact store; needs a network plugin that enforces."""
    deadline_seconds: Annotated[int, Field(ge=1, le=604_800)] | None = None
    """How long it may take from when a node takes its pod; else the installation's setting."""


class ArtifactGate(Shape):
    """The artifact is there, has its digest and is what its format says; nothing in it is run."""


class ContractGate(Shape):
    """What the file takes and gives fits the Model's contract and the version in Production."""


class MetricsGate(Shape):
    """Every rule of Model.spec.metrics holds, and every critical metric has one."""


class ChampionGate(Shape):
    """No critical metric is worse than that of the version in Production by more than allowed.

    Compared are the total and each segment that the metric's rule names, on every data set that
    both versions have. A value that one of the two lacks fails the gate; while nothing is in
    Production, it passes. A new version in Production begins the open attempts again.
    """

    max_drop: Amount
    """How much worse a critical metric may be, as a decimal in quotes: below for one of which more
    is better, above for one of which less is."""


class BenchmarkGate(Shape):
    """The model answers fast enough."""

    p95_milliseconds: Annotated[int, Field(ge=1, le=3_600_000)]
    """The time within which 95 of 100 requests are answered."""
    requests: Annotated[int, Field(ge=1, le=1_000_000)]
    """How many requests are sent."""


class FairnessGate(Shape):
    """Every fairness rule of Model.spec.metrics holds, and at least this strictly.

    Compared are the segments by the rule's attribute alone, on each data set by itself. A Model
    without such a rule, a metric with fewer than two groups and a group with too few samples fail.
    """

    min_ratio: Ratio
    """The least ratio of the lowest group's value to the highest group's, from "0" to "1"; a rule
    of the Model may ask for more."""
    min_samples: Count | None = None
    """The least number of samples with which a group says anything; a rule of the Model may ask
    for more. Without it, what the rule says."""


class ReproductionGate(Shape):
    """Training again as the lineage says gives the same metrics."""

    tolerance: Amount
    """How far a metric may be from the recorded one, as a decimal in quotes."""
    job: GateJob
    """What trains again."""


class DataQualityGate(Shape):
    """The training data is sound, as the Job of the gate measures it."""


class RunAt(StrEnum):
    """When a gate runs, if not when its step is asked for."""

    REGISTRATION = "Registration"


class When(StrEnum):
    """Which models a gate is for, if not all."""

    AFFECTS_PEOPLE = "AffectsPeople"


CLAIMS = (
    "artifact",
    "contract",
    "metrics",
    "champion",
    "benchmark",
    "fairness",
    "reproduction",
    "dataQuality",
)


class Gate(Shape):
    """One claim that must hold before a version takes a step."""

    RULES: ClassVar = (
        at_most_one_of(*CLAIMS, message=f"a gate makes one claim: {', '.join(CLAIMS)}"),
        any_of(
            *CLAIMS, "job", message=f"a gate needs a claim ({', '.join(CLAIMS)}), a job, or both"
        ),
        excludes(
            "job",
            "artifact",
            "contract",
            "reproduction",
            message="artifact, contract and reproduction have a Job of their own",
        ),
        requires("dataQuality", "job", message="dataQuality needs a job that measures"),
    )

    name: Name
    """The gate's name, in results and overrides."""
    artifact: ArtifactGate | None = None
    """Claim: the artifact is there, has its digest and is what its format says."""
    contract: ContractGate | None = None
    """Claim: what the file takes and gives fits the Model's contract."""
    metrics: MetricsGate | None = None
    """Claim: every rule of Model.spec.metrics holds."""
    champion: ChampionGate | None = None
    """Claim: no critical metric is worse than in Production by more than allowed."""
    benchmark: BenchmarkGate | None = None
    """Claim: the model answers fast enough."""
    fairness: FairnessGate | None = None
    """Claim: groups of people are treated alike, as far as asked."""
    reproduction: ReproductionGate | None = None
    """Claim: training again gives the same metrics."""
    data_quality: DataQualityGate | None = None
    """Claim: the training data is sound."""
    job: GateJob | None = None
    """What measures. The claim's thresholds then apply to what the Job measured, not to what was
    recorded; alone, the Job's own answer is the gate's."""
    run_at: RunAt | None = None
    """Registration: run right after a version is registered, whatever it finds. The step takes the
    result over while version, gate, metric rules and contract are the same, and the version in
    Production where the gate compares with it; otherwise it is measured again."""
    when: When | None = None
    """AffectsPeople: only for models that affect people."""
