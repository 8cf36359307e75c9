"""From objects as the API server stores them to the facts that a decision looks at."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from modelwarden.domain import facts
from modelwarden.domain.authors import AUTOMATION, SERVING
from modelwarden.domain.canonical import canonical_bytes, digest_of
from modelwarden.domain.digests import policy_digest, subject_digest, transition_digest
from modelwarden.domain.edits import GOVERNED
from modelwarden.domain.identity import Caller, Identity, Person
from modelwarden.domain.installation import ArtifactStore, GateLimits, Installation
from modelwarden.domain.scribe import moment
from modelwarden.domain.stages import Stage
from modelwarden.domain.uses import Declared
from modelwarden.errors import MalformedObjectError
from modelwarden.resources.metric_rules import Direction, FairnessRule, MetricRule, SegmentRule
from modelwarden.resources.model import Automation, Model, Stages
from modelwarden.resources.model_decision import ModelDecision
from modelwarden.resources.model_policy import ModelPolicy, RollbackRule
from modelwarden.resources.model_transition import ModelTransition
from modelwarden.resources.model_version import ModelVersion
from modelwarden.resources.people import Stamp, Subject
from modelwarden.resources.steps import PolicyStep
from modelwarden.settings import Settings

ROLLOUT_TIMEOUT_SECONDS = 900


# Everything of a Model whose change is recorded; its stages have records of their own.
DECLARED = (*GOVERNED, AUTOMATION, SERVING)


def installation_of(settings: Settings, origin: str) -> Installation:
    """Read what decisions need of the settings."""
    return Installation(
        origin=origin,
        gates_namespace=settings.gates.namespace,
        identity=Identity(
            username_prefix=settings.identity.username_prefix,
            people=tuple(Person(name=p.name, logins=p.logins) for p in settings.identity.people),
        ),
        stores=tuple(
            ArtifactStore(
                name=store.name,
                uri_prefix=store.uri_prefix,
                endpoint=store.endpoint,
                region=store.region,
                secret=store.secret or "",
                claim=store.claim or "",
                addressing=store.addressing,
            )
            for store in settings.stores
        ),
        gates=GateLimits(
            start_seconds=settings.gates.start_seconds,
            per_namespace=settings.gates.max_per_namespace,
            in_all=settings.gates.max_in_all,
        ),
        artifact_check_seconds=settings.controller.artifact_check_seconds,
    )


def model_facts(raw: Mapping[str, Any]) -> facts.ModelFacts:
    """Read a Model; MalformedObjectError names the fields that are wrong."""
    spec = Model.parse(_without_status(raw)).spec
    metadata, stored = raw["metadata"], raw["spec"]
    return facts.ModelFacts(
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        generation=metadata.get("generation", 0),
        owners=subjects(spec.owners),
        reviewers=subjects(spec.reviewers or ()),
        policy=spec.policy or "",
        affects_people=spec.affects_people,
        metrics=metric_rules(spec.metrics or ()),
        serving=tuple(
            facts.ServingTarget(stage=Stage(target.stage), deployment=target.deployment.name)
            for target in spec.serving or ()
        ),
        stages=_desired(spec.stages or Stages()),
        authors=tuple(
            facts.AuthorItem(id=item.id, by=caller(item.by), of=item.of)
            for item in spec.authors or ()
        ),
        governed={name: stored[name] for name in facts.FROZEN if name in stored},
        declared={name: stored[name] for name in DECLARED if name in stored},
        review_every_days=spec.review_every_days,
        automation=_automation(spec.automation),
        archived_days=spec.retention.archived_days if spec.retention else None,
        aliases={alias.name: alias.version for alias in spec.aliases or ()},
        consumers=tuple(
            Declared(name=one.name, kind=one.kind, contact=one.contact or "", uri=one.uri or "")
            for one in spec.consumers or ()
        ),
        status=raw.get("status", {}),
    )


def _automation(order: Automation | None) -> facts.Automation | None:
    return None if order is None else facts.Automation(to=Stage(order.to), keep=order.keep)


def version_facts(raw: Mapping[str, Any]) -> facts.VersionFacts:
    """Read a ModelVersion."""
    spec = ModelVersion.parse(_without_status(raw)).spec
    metadata, notes = raw["metadata"], spec.notes
    record_can_be_written(raw["spec"])
    return facts.VersionFacts(
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        generation=metadata.get("generation", 0),
        number=spec.version,
        subject=subject_digest(raw["spec"]),
        artifact=facts.Artifact(
            uri=spec.artifact.uri,
            digest=spec.artifact.digest,
            format=spec.artifact.format.value,
            size_bytes=spec.artifact.size_bytes,
        ),
        metrics=tuple(
            facts.Metric(
                name=metric.name,
                value=Decimal(metric.value),
                dataset=metric.dataset or "",
                segment=metric.segment or {},
                samples=metric.samples,
            )
            for metric in spec.metrics or ()
        ),
        trained_by=tuple(
            facts.Subject(facts.SubjectKind.USER, trainer.name) for trainer in spec.trained_by or ()
        ),
        registered_by=None if spec.registered_by is None else caller(spec.registered_by),
        spec=raw["spec"],
        label=spec.label or "",
        limitations=(notes.limitations or ()) if notes else (),
        known_failure_modes=(notes.known_failure_modes or ()) if notes else (),
        status=raw.get("status", {}),
    )


def record_can_be_written(spec: Mapping[str, Any]) -> None:
    """Claim that a version's spec has a digest; MalformedObjectError names the field that has not.

    The schema takes two keys of a map that are the same text, once composed and once decomposed.
    """
    _digested(digest_of, spec)


def transition_facts(raw: Mapping[str, Any]) -> facts.TransitionFacts:
    """Read a ModelTransition."""
    spec = ModelTransition.parse(_without_status(raw)).spec
    metadata, stored = raw["metadata"], raw["spec"]
    author = spec.request.author
    return facts.TransitionFacts(
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        generation=metadata.get("generation", 0),
        digest=_digested(transition_digest, stored),
        spec=stored,
        requester=facts.AuthorItem(
            id=spec.request.id,
            by=Caller(username="") if author is None else caller(author),
            of=(),
        ),
        owners=subjects(spec.owners),
        reviewers=subjects(spec.reviewers or ()),
        metrics=metric_rules(spec.metrics or ()),
        excluded={person.name: person.because.value for person in spec.excluded or ()},
        policy=spec.policy.name if spec.policy else "",
        policy_digest=spec.policy.digest if spec.policy else "",
        allowed_formats=tuple(f.value for f in spec.allowed_formats or ()),
        required_metadata=spec.required_metadata or (),
        step=_step(spec.step, stored.get("step", {}), to=Stage(spec.to)),
        early=tuple(
            facts.EarlyGate(step=Stage(step["to"]), gate=_gate(gate))
            for step in stored.get("early", ())
            for gate in step["gates"]
        ),
        status=raw.get("status", {}),
    )


def decision_facts(raw: Mapping[str, Any]) -> facts.DecisionFacts | None:
    """Read a ModelDecision about an attempt or a Model; None for one about something else."""
    spec = ModelDecision.parse(_without_status(raw)).spec
    if spec.model is None or spec.stage is None:
        return None
    reviewed = spec.reviewed
    return facts.DecisionFacts(
        name=raw["metadata"]["name"],
        uid=raw["metadata"]["uid"],
        created=moment(raw["metadata"]["creationTimestamp"]),
        kind=spec.decision.value,
        stage=Stage(spec.stage),
        transition="" if spec.transition is None else spec.transition.name,
        transition_uid="" if spec.transition is None else spec.transition.uid,
        subject_digest=(reviewed.subject_digest or "") if reviewed else "",
        policy_digest=(reviewed.policy_digest or "") if reviewed else "",
        evidence_digest=(reviewed.evidence_digest or "") if reviewed else "",
        rationale=spec.rationale or "",
        by=None if spec.by is None else caller(spec.by),
        retracts=spec.retracts or "",
    )


def policy_facts(raw: Mapping[str, Any]) -> facts.PolicyFacts:
    """Read a ModelPolicy."""
    spec = ModelPolicy.parse(_without_status(raw)).spec
    stored = raw["spec"]
    steps = zip(spec.steps or (), stored.get("steps", ()), strict=True)
    return facts.PolicyFacts(
        name=raw["metadata"]["name"],
        digest=_digested(policy_digest, stored),
        steps={Stage(step.to): _step(step, text, to=Stage(step.to)) for step, text in steps},
        allowed_formats=tuple(f.value for f in spec.allowed_formats or ()),
        required_metadata=spec.required_metadata or (),
        below_floor_reason=spec.below_floor.reason if spec.below_floor else "",
        stored=stored,
        rollback=_rollback(spec.rollback, stored.get("rollback", {})),
        automation_up_to=Stage(spec.automation.max_stage) if spec.automation else None,
        archived_days=spec.retention.archived_days if spec.retention else None,
    )


def _rollback(rule: RollbackRule | None, stored: Mapping[str, Any]) -> facts.RollbackRule:
    if rule is None:
        return facts.RollbackRule()
    exclude = rule.approvals.exclude if rule.approvals else None
    return facts.RollbackRule(
        approvals=stored.get("approvals", {}),
        exclude=tuple(exclusion.value for exclusion in exclude or ()),
        within_days=rule.within_days,
        review_within_days=rule.review_within_days,
    )


def is_default(raw: Mapping[str, Any]) -> bool:
    """Say whether a ModelPolicy governs the Models that name none."""
    return bool(raw["spec"].get("default"))


def deployment_facts(raw: Mapping[str, Any]) -> facts.DeploymentFacts:
    """Read a Deployment of somebody else, as far as it concerns a rollout."""
    metadata, spec, status = raw["metadata"], raw["spec"], raw.get("status", {})
    template = spec["template"].get("metadata", {})
    progressing = _condition(status, "Progressing")
    return facts.DeploymentFacts(
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        generation=metadata.get("generation", 0),
        observed_generation=status.get("observedGeneration", 0),
        labels=metadata.get("labels", {}),
        annotations=metadata.get("annotations", {}),
        template_labels=template.get("labels", {}),
        template_annotations=template.get("annotations", {}),
        replicas=spec.get("replicas", 1),
        current=status.get("replicas", 0),
        updated=status.get("updatedReplicas", 0),
        ready=status.get("readyReplicas", 0),
        available=status.get("availableReplicas", 0),
        terminating=status.get("terminatingReplicas", 0),
        progressing=progressing.get("reason", ""),
        progressing_message=progressing.get("message", ""),
        paused=spec.get("paused", False),
        min_ready_seconds=spec.get("minReadySeconds", 0),
        not_created=_failure_to_create(status),
    )


def _failure_to_create(status: Mapping[str, Any]) -> str:
    failure = _condition(status, "ReplicaFailure")
    if failure.get("status") != "True":
        return ""
    return str(failure.get("message") or failure.get("reason", ""))


def _condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    return next((c for c in status.get("conditions", ()) if c["type"] == kind), {})


def caller(stamp: Stamp) -> Caller:
    """Read a stamp."""
    return Caller(username=stamp.username, uid=stamp.uid or "", groups=stamp.groups or ())


def subjects(named: Iterable[Subject]) -> tuple[facts.Subject, ...]:
    """Read the people and groups that a manifest names."""
    return tuple(facts.Subject(facts.SubjectKind(s.kind.value), s.name) for s in named)


def metric_rules(rules: Iterable[MetricRule]) -> tuple[facts.MetricRule, ...]:
    """Read what a Model asks of its metrics."""
    return tuple(
        facts.MetricRule(
            name=rule.name,
            higher_is_better=rule.direction is not Direction.LOWER_IS_BETTER,
            minimum=_decimal(rule.min),
            maximum=_decimal(rule.max),
            critical=bool(rule.critical),
            segments=tuple(_segment_rule(segment) for segment in rule.segments or ()),
            fairness=None if rule.fairness is None else _fairness_rule(rule.fairness),
        )
        for rule in rules
    )


def _segment_rule(rule: SegmentRule) -> facts.SegmentRule:
    return facts.SegmentRule(
        by=rule.by,
        minimum=_decimal(rule.min),
        maximum=_decimal(rule.max),
        min_samples=rule.min_samples or 0,
    )


def _fairness_rule(rule: FairnessRule) -> facts.FairnessRule:
    return facts.FairnessRule(
        by=rule.by, min_ratio=Decimal(rule.min_ratio), min_samples=rule.min_samples or 0
    )


def _desired(stages: Stages) -> facts.DesiredStages:
    return facts.DesiredStages(
        production=None
        if stages.production is None
        else facts.StageEntry(stages.production.version, stages.production.reason),
        staging=_entries(stages.staging),
        archived=_entries(stages.archived),
        registered=_entries(stages.registered),
    )


def _entries(entries: Iterable[Any] | None) -> tuple[facts.StageEntry, ...]:
    return tuple(facts.StageEntry(entry.version, entry.reason) for entry in entries or ())


def _step(step: PolicyStep | None, stored: Mapping[str, Any], *, to: Stage) -> facts.PolicyStep:
    if step is None:
        return facts.PolicyStep(
            to=to,
            gates=(),
            approvals=None,
            soak_seconds=0,
            rollout_timeout_seconds=ROLLOUT_TIMEOUT_SECONDS,
            stored=stored,
        )
    rule = step.approvals
    return facts.PolicyStep(
        to=to,
        gates=tuple(_gate(gate) for gate in stored.get("gates", ())),
        approvals=None
        if rule is None
        else facts.ApprovalRule(
            owners=rule.owners or 0,
            reviewers=rule.reviewers or 0,
            expire_after_seconds=rule.expire_after_seconds,
            exclude=tuple(exclusion.value for exclusion in rule.exclude or ()),
        ),
        soak_seconds=step.soak_seconds or 0,
        rollout_timeout_seconds=step.rollout_timeout_seconds or ROLLOUT_TIMEOUT_SECONDS,
        stored=stored,
    )


# A gate makes one claim; beside it, `job` says what measures.
_NO_CLAIM = frozenset({"name", "job", "runAt", "when"})


def _gate(stored: Mapping[str, Any]) -> facts.GateSpec:
    claims = [key for key in stored if key not in _NO_CLAIM]
    return facts.GateSpec(
        name=stored["name"],
        kind=claims[0] if claims else "job",
        settings={key: value for key, value in stored.items() if key != "name"},
        applies_to_people_only=stored.get("when") == "AffectsPeople",
    )


def _digested(digest: Callable[[Mapping[str, Any]], str], stored: Mapping[str, Any]) -> str:
    try:
        return digest(stored)
    except ValueError as error:
        raise MalformedObjectError(f"{_unwritable(stored)}: {error}") from error


def _unwritable(stored: Mapping[str, Any]) -> str:
    for name, value in stored.items():
        try:
            canonical_bytes(value)
        except ValueError:
            return f"spec.{name}"
    return "spec"


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _without_status(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave out what the operator itself wrote: it is a picture and never a fact."""
    return {key: value for key, value in raw.items() if key != "status"}
