"""Facts, states and records with everything in order, for tests to bend."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from modelwarden.domain import labels
from modelwarden.domain.digests import subject_digest, transition_digest
from modelwarden.domain.evidence import inputs_digest
from modelwarden.domain.facts import (
    Access,
    ApprovalRule,
    Artifact,
    AuthorItem,
    DecisionFacts,
    DeploymentFacts,
    DesiredStages,
    GateSpec,
    Metric,
    MetricRule,
    ModelFacts,
    PolicyFacts,
    PolicyStep,
    RunFacts,
    RunState,
    SegmentRule,
    ServingTarget,
    Snapshot,
    StageEntry,
    Subject,
    SubjectKind,
    TransitionFacts,
    VersionFacts,
)
from modelwarden.domain.gates import gates_of
from modelwarden.domain.identity import Caller, Identity, Person
from modelwarden.domain.installation import ArtifactStore, Installation
from modelwarden.domain.keyed import Keyed
from modelwarden.domain.names import attempt_name
from modelwarden.domain.records import Actor, Operation, Record, StageMove
from modelwarden.domain.scribe import Scribe, timestamp
from modelwarden.domain.stages import Move, Stage
from modelwarden.domain.state import (
    AttemptKey,
    Attempts,
    AttemptState,
    Certainty,
    GateOutcome,
    GateState,
    Governance,
    ModelKey,
    ModelState,
    Moved,
    ServingInterval,
    Versions,
    VersionState,
    VoteState,
)

KEY = ModelKey("risk", "fraud-detector")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NOW_TEXT = timestamp(NOW)
DIGEST = "sha256:" + "a" * 64
POLICY_DIGEST = "sha256:" + "b" * 64
EVIDENCE = "sha256:" + "e" * 64

SCIENTIST = Caller(username="scientist@example.com", uid="u1", groups=("staff",))
MANAGER = Caller(username="manager@example.com", uid="u2", groups=("staff",))
OWNER = Caller(username="owner@example.com", uid="u3", groups=("staff",))
REVIEWER = Caller(username="reviewer@example.com", uid="u4", groups=("staff", "risk-reviewers"))
PIPELINE = Caller(username="system:serviceaccount:risk:pipeline", uid="u5")

IDENTITY = Identity(
    people=(Person(name="scientist@example.com", logins=("platform@example.com",)),)
)
STORE = ArtifactStore(name="models", uri_prefix="s3://models/{namespace}/", secret="models")
INSTALLATION = Installation(origin="origin", identity=IDENTITY, stores=(STORE,))
SCRIBE = Scribe(key=KEY, now=NOW, transaction="t", operator="operator", build="0.1.0")


def at(**passed: float) -> datetime:
    """Give a moment after now."""
    return NOW + timedelta(**passed)


def user(name: str) -> Subject:
    """Name a person as a manifest does."""
    return Subject(SubjectKind.USER, name)


def group(name: str) -> Subject:
    """Name a group as a manifest does."""
    return Subject(SubjectKind.GROUP, name)


def rule(name: str = "auc", minimum: str | None = "0.90", **changes: Any) -> MetricRule:
    """Build a rule for a metric."""
    given = {"name": name, "minimum": None if minimum is None else Decimal(minimum)}
    return MetricRule(**{**given, **changes})


def segment(by: str = "age_band", minimum: str | None = "0.85", **changes: Any) -> SegmentRule:
    """Build a rule for segments."""
    given = {"by": by, "minimum": None if minimum is None else Decimal(minimum)}
    return SegmentRule(**{**given, **changes})


def metric(value: str, name: str = "auc", **changes: Any) -> Metric:
    """Build a measured value."""
    return Metric(name=name, value=Decimal(value), **changes)


def stages(
    production: int | None = None,
    *,
    staging: tuple[int, ...] = (),
    archived: tuple[int, ...] = (),
    registered: tuple[int, ...] = (),
) -> DesiredStages:
    """Build the surface; the reason of each entry names its place and version."""
    return DesiredStages(
        production=None if production is None else StageEntry(production, f"release {production}"),
        staging=tuple(StageEntry(number, f"candidate {number}") for number in staging),
        archived=tuple(StageEntry(number, f"archive {number}") for number in archived),
        registered=tuple(StageEntry(number, f"demote {number}") for number in registered),
    )


def author(identifier: str, *parts: str, by: Caller = MANAGER) -> AuthorItem:
    """Build the stamp of one request."""
    return AuthorItem(id=identifier, by=by, of=parts)


def model(**changes: Any) -> ModelFacts:
    """Build a Model that serves with one Deployment and asks for nothing."""
    built = ModelFacts(
        uid="model-uid",
        resource_version="7",
        generation=3,
        owners=(user("owner@example.com"),),
        reviewers=(group("risk-reviewers"),),
        policy="",
        affects_people=False,
        metrics=(rule(),),
        serving=(ServingTarget(stage=Stage.PRODUCTION, deployment="fraud-api"),),
        stages=stages(),
        authors=(),
        governed={
            "owners": [{"kind": "User", "name": "owner@example.com"}],
            "reviewers": [{"kind": "Group", "name": "risk-reviewers"}],
            "affectsPeople": False,
            "metrics": [{"name": "auc", "min": "0.90"}],
        },
    )
    return replace(built, **changes)


def version_spec(number: int = 1, **changes: Any) -> dict[str, Any]:
    """Build the stored spec of a version that has everything the floor asks for."""
    return {
        "model": KEY.name,
        "version": number,
        "label": f"gbm-{number}",
        "lineage": {
            "datasets": [{"name": "payments", "role": "Training", "version": "2026-10-31"}],
            "code": {"repository": "https://git.example.com/fraud", "commit": "0" * 40},
            "run": {"system": "MLflow", "id": "r1"},
        },
        "hyperparameters": {"max_depth": "6"},
        "metrics": [
            {"name": "auc", "value": "0.94"},
            {"name": "auc", "value": "0.92", "segment": {"age_band": "18-25"}},
        ],
        "training": {"hardware": "2 cores"},
        **changes,
    }


def version(number: int = 1, **changes: Any) -> VersionFacts:
    """Build a version that a pipeline registered and the scientist trained."""
    spec = changes.get("spec", version_spec(number))
    built = VersionFacts(
        name=f"{KEY.name}-{number}",
        uid=f"version-{number}",
        resource_version="5",
        generation=1,
        number=number,
        subject=subject_digest(spec),
        artifact=Artifact(
            uri=f"s3://models/risk/fraud/{number}/model.onnx", digest=DIGEST, format="ONNX"
        ),
        metrics=(metric("0.94"), metric("0.92", segment={"age_band": "18-25"}, samples=500)),
        trained_by=(user("scientist@example.com"),),
        registered_by=PIPELINE,
        spec=spec,
        label=f"gbm-{number}",
    )
    return replace(built, **changes)


def gate(kind: str = "metrics", name: str = "", **changes: Any) -> GateSpec:
    """Build a gate of a kind, named after it."""
    return replace(GateSpec(name=name or kind, kind=kind, settings={kind: {}}), **changes)


def approvals(owners: int = 1, reviewers: int = 1, **changes: Any) -> ApprovalRule:
    """Build the rule of two different people, of whom none trained or registered the version."""
    built = ApprovalRule(
        owners=owners,
        reviewers=reviewers,
        expire_after_seconds=None,
        exclude=("Trainer", "Registrant"),
    )
    return replace(built, **changes)


def step(to: Stage, *gates: GateSpec, **changes: Any) -> PolicyStep:
    """Build a step; the one to Production asks people."""
    built = PolicyStep(
        to=to,
        gates=gates or (gate("artifact" if to is Stage.REGISTERED else "metrics"),),
        approvals=approvals() if to is Stage.PRODUCTION else None,
        soak_seconds=0,
        rollout_timeout_seconds=900,
        stored={"to": to.value},
    )
    return replace(built, **changes)


def policy(*steps: PolicyStep, **changes: Any) -> PolicyFacts:
    """Build a policy that meets the floor; steps given replace its own."""
    of_floor = {to: step(to) for to in (Stage.REGISTERED, Stage.STAGING, Stage.PRODUCTION)}
    built = PolicyFacts(
        name="standard",
        digest=POLICY_DIGEST,
        steps=of_floor | {given.to: given for given in steps},
        allowed_formats=("ONNX",),
        required_metadata=(),
        below_floor_reason="",
        stored={"default": True},
    )
    return replace(built, **changes)


def transition(
    number: int = 1, to: Stage = Stage.PRODUCTION, *, tries: int = 1, **changes: Any
) -> TransitionFacts:
    """Build the object of an attempt."""
    name = attempt_name(KEY.name, number, target=to, number=tries)
    source = {Stage.STAGING: "Registered", Stage.PRODUCTION: "Staging"}.get(to)
    spec: dict[str, Any] = {
        "model": KEY.name,
        "version": number,
        "kind": "Register" if to is Stage.REGISTERED else "Promote",
        **({"from": source} if source else {}),
        "to": to.value,
        "attempt": tries,
        "request": {"id": "r1", "entry": {"version": number}, "author": MANAGER.to_json()},
        "subjectDigest": version(number).subject,
        "policy": {"name": "standard", "digest": POLICY_DIGEST},
        **model().governed,
    }
    spec |= changes.pop("spec", {})
    built = TransitionFacts(
        name=name,
        uid=f"uid-of-{name}",
        resource_version="9",
        generation=1,
        digest=transition_digest(spec),
        spec=spec,
        requester=author("r1"),
        owners=model().owners,
        reviewers=model().reviewers,
        metrics=model().metrics,
        excluded={"scientist@example.com": "Trainer"},
        policy="standard",
        policy_digest=POLICY_DIGEST,
        allowed_formats=("ONNX",),
        required_metadata=(),
        step=step(to),
    )
    return replace(built, **changes)


def decision(
    by: Caller | None = OWNER, kind: str = "Approve", name: str = "", **changes: Any
) -> DecisionFacts:
    """Build a vote on the attempt for Production, of somebody who looked at everything."""
    given = name or f"{kind.lower()}-{by.username if by else 'nobody'}"
    about = transition()
    built = DecisionFacts(
        name=given,
        uid=f"uid-of-{given}",
        created=NOW,
        kind=kind,
        stage=Stage.PRODUCTION,
        transition=about.name,
        transition_uid=about.uid,
        subject_digest=version().subject,
        policy_digest=POLICY_DIGEST,
        evidence_digest=EVIDENCE,
        rationale="Looked at it.",
        by=by,
    )
    return replace(built, **changes)


def deployment(name: str = "fraud-api", **changes: Any) -> DeploymentFacts:
    """Build a Deployment that is fully rolled out and carries nothing of ours."""
    built = DeploymentFacts(
        name=name,
        uid=f"uid-of-{name}",
        resource_version="20",
        generation=4,
        observed_generation=4,
        labels={"app": name},
        annotations={},
        template_labels={"app": name},
        template_annotations={},
        replicas=2,
        current=2,
        updated=2,
        ready=2,
        available=2,
        terminating=0,
        progressing="NewReplicaSetAvailable",
    )
    return replace(built, **changes)


def carrying(number: int, **changes: Any) -> DeploymentFacts:
    """Build a Deployment that is fully rolled out with a version in Production."""
    ours = {labels.MODEL: KEY.name, labels.MODEL_VERSION: str(number)}
    notes = {
        labels.ARTIFACT_URI: version(number).artifact.uri,
        labels.ARTIFACT_DIGEST: version(number).artifact.digest,
    }
    built = deployment(
        labels={"app": "fraud-api", **ours, labels.STAGE: "Production"},
        annotations={"team": "risk", **notes},
        template_labels={"app": "fraud-api", **ours},
        template_annotations=notes,
    )
    return replace(built, **changes)


def run(gate_spec: GateSpec, of: TransitionFacts, **changes: Any) -> RunFacts:
    """Build the run of a gate that is going on."""
    built = RunFacts(
        job="mw-1", uid="job-1", inputs_digest=inputs_digest(gate_spec, of), state=RunState.RUNNING
    )
    return replace(built, **changes)


def snapshot(**changes: Any) -> Snapshot:
    """Gather a Model with version 1 and its Deployment; everybody may do everything."""
    built = Snapshot(
        now=NOW,
        key=KEY,
        model=model(),
        versions={1: version()},
        transitions={},
        decisions=(),
        runs={},
        deployments={"fraud-api": deployment()},
        policy=policy(),
        access=Permissive(),
    )
    return replace(built, **changes)


class Permissive(dict[Access, bool | None]):
    """Answers of an API server that allows everything it was not told to refuse."""

    def get(self, key: Access, default: Any = None) -> Any:
        """Answer a question."""
        return super().get(key, True)


def version_state(number: int = 1, stage: Stage = Stage.REGISTERED, **changes: Any) -> VersionState:
    """Build what the ledger says of a registered version."""
    facts = version(number)
    built = VersionState(
        number=number,
        subject=facts.subject,
        stage=stage,
        since=NOW_TEXT,
        index=number,
        artifact_uri=facts.artifact.uri,
        artifact_digest=facts.artifact.digest,
        registrant=Actor(username=PIPELINE.username),
        uid=facts.uid,
        label=facts.label,
        valid=True,
        history=(Moved(stage, NOW_TEXT, number),),
    )
    return replace(built, **changes)


def gate_state(
    name: str = "metrics", outcome: GateOutcome = GateOutcome.PASSED, **changes: Any
) -> GateState:
    """Build the recorded end of a gate."""
    built = GateState(
        name=name,
        outcome=outcome,
        code="MetricsMet",
        sentence="auc is 0.94, needs at least 0.90.",
        tries=1,
        finished=NOW_TEXT,
        index=8,
        evidence=EVIDENCE,
    )
    return replace(built, **changes)


def vote_state(by: str = OWNER.username, kind: str = "Approve", **changes: Any) -> VoteState:
    """Build a vote on record."""
    built = VoteState(
        decision=f"{kind.lower()}-{by}",
        uid=f"uid-of-{kind.lower()}-{by}",
        kind=kind,
        actor=Actor(username=by),
        person=by,
        roles=("Owner",),
        rationale="Looked at it.",
        time=NOW_TEXT,
        index=9,
    )
    return replace(built, **changes)


def attempt(number: int = 1, to: Stage = Stage.PRODUCTION, **changes: Any) -> AttemptState:
    """Build an open attempt to move a version into a stage."""
    about = transition(number, to)
    built = AttemptState(
        name=about.name,
        uid=about.uid,
        key=AttemptKey(number, to),
        number=1,
        kind=Move.REGISTER if to is Stage.REGISTERED else Move.PROMOTE,
        source={Stage.STAGING: Stage.REGISTERED, Stage.PRODUCTION: Stage.STAGING}.get(to),
        request_id="r1",
        requester=Actor(username=MANAGER.username),
        rationale="because",
        subject=version(number).subject,
        spec=about.digest,
        gates_expected=tuple(g.name for g in gates_of(about.step, affects_people=False)),
        opened=NOW_TEXT,
        indices=(7,),
    )
    return replace(built, **changes)


def ready_attempt(number: int = 1, **changes: Any) -> AttemptState:
    """Build an attempt for Production whose gates have passed."""
    return attempt(number, gates={"metrics": gate_state()}, **changes)


def state(
    stages_of: Mapping[int, Stage] | None = None, *attempts: AttemptState, **changes: Any
) -> ModelState:
    """Build what the ledger says of the model: these versions in these stages."""
    where = stages_of or {}
    production = [number for number, stage in where.items() if stage is Stage.PRODUCTION]
    built = ModelState(
        key=KEY,
        versions=Versions.of({n: version_state(n, stage) for n, stage in where.items()}),
        attempts=Attempts.of({each.name: each for each in attempts}),
        latest=Keyed.of({each.key: each.name for each in attempts}),
        production=production[0] if production else None,
        last_index=9,
        last_time=NOW_TEXT,
        governance=Governance(uid=model().uid),
    )
    if "versions" in changes:
        changes["versions"] = Versions.of(changes["versions"])
    return replace(built, **changes)


def interval(number: int, start: str = NOW_TEXT, end: str = "", **changes: Any) -> ServingInterval:
    """Build a serving interval."""
    built = ServingInterval(
        version=number, start=start, end=end, certainty=Certainty.EXACT, index=number
    )
    return replace(built, **changes)


def record(operation: Operation, number: int = 1, **changes: Any) -> Record:
    """Build a record about a version of the model."""
    built = Record(
        operation=operation,
        time=NOW_TEXT,
        transaction="t",
        actor=Actor(username="operator"),
        namespace=KEY.namespace,
        model=KEY.name,
        version=number,
        index=10,
    )
    return replace(built, **changes)


def move(number: int, source: Stage | None, target: Stage) -> StageMove:
    """Build a move of a version."""
    return StageMove(version=number, source=source, target=target)
