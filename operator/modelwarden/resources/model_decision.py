"""ModelDecision: one act of one person, with a rationale; never edited."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field

from modelwarden.domain.stages import Stage
from modelwarden.resources.objects import Column, Kind, Metadata, Object
from modelwarden.resources.people import Stamp
from modelwarden.resources.rules import Refusal, Rule, excludes, immutable, requires
from modelwarden.resources.scalars import (
    Digest,
    Label,
    ModelName,
    ObjectName,
    PolicyName,
    Rationale,
    Time,
    Uid,
    VersionNumber,
)
from modelwarden.resources.shapes import Shape, listed


class DecisionKind(StrEnum):
    """What a person may do."""

    APPROVE = "Approve"
    REJECT = "Reject"
    RETRACT = "Retract"
    OVERRIDE = "Override"
    REVIEW = "Review"
    RETRY = "Retry"


class TransitionReference(Shape):
    """One attempt, by name and by uid: a later one of the same name is another."""

    name: ObjectName
    """The ModelTransition."""
    uid: Uid
    """Its uid."""


class PolicyReference(Shape):
    """A policy with one content."""

    name: PolicyName
    """The ModelPolicy."""
    digest: Digest
    """Its content."""


class Reviewed(Shape):
    """What was looked at; the vote dies when any of it changes."""

    subject_digest: Digest
    """The version."""
    policy_digest: Digest
    """The policy that was frozen."""
    evidence_digest: Digest
    """The gates' results and the version's limitations."""


Skippable: TypeAlias = Annotated[
    str,
    Field(pattern=r"^(Approvals|Soak|[a-z0-9]([-a-z0-9]*[a-z0-9])?)$", min_length=1, max_length=63),
]


class Override(Shape):
    """What is skipped, until when, and where it is written up."""

    gates: Annotated[tuple[Skippable, ...], listed(at_most=18, at_least=1)]
    """Names of gates, or Approvals, or Soak; never the exclusion of the trainer."""
    ticket: Label
    """Where the emergency is written up."""
    expires_at: Time
    """When the override ends."""


class ModelDecisionSpec(Shape):
    """One act of one person."""

    RULES: ClassVar = (
        immutable(message="a decision is never edited: create another one"),
        Rule(
            "has(self.policy) || (has(self.model) && has(self.stage))",
            "a decision needs model and stage, but for the review of a policy's change",
            Refusal.REQUIRED,
        ),
        Rule(
            "has(self.policy) || has(self.transition) || self.decision == 'Review'",
            "a decision needs its transition, but for a Review",
            Refusal.REQUIRED,
            field=".transition",
        ),
        Rule(
            "has(self.transition) || has(self.policy) || !has(self.stage)"
            " || self.stage == 'Production'",
            "the Review of a Model has the stage Production",
            field=".stage",
        ),
        requires("transition", "version", message="a decision on a transition names its version"),
        excludes(
            "policy",
            "model",
            "version",
            "stage",
            "transition",
            "reviewed",
            message="the review of a policy's change names the policy alone",
        ),
        Rule(
            "!has(self.policy) || self.decision == 'Review'",
            "a policy's change is reviewed: the decision must be Review",
            field=".decision",
        ),
        Rule(
            "(self.decision == 'Override') == has(self.override)",
            "an Override needs override (gates, ticket, expiresAt), and nothing else has it",
        ),
        Rule(
            "self.decision != 'Approve' || has(self.reviewed)",
            "an Approve says what was reviewed: subjectDigest, policyDigest and evidenceDigest",
            Refusal.REQUIRED,
            field=".reviewed",
        ),
        Rule(
            "!has(self.retracts) || self.decision == 'Retract'",
            "retracts is for a Retract",
            Refusal.FORBIDDEN,
            field=".retracts",
        ),
    )

    model: ModelName | None = None
    """The model it is about."""
    version: VersionNumber | None = None
    """The version it is about."""
    stage: Literal[Stage.STAGING, Stage.PRODUCTION, Stage.ARCHIVED] | None = None
    """The stage whose right is needed; it must be the transition's."""
    transition: TransitionReference | None = None
    """The attempt it is about."""
    policy: PolicyReference | None = None
    """The policy whose change was reviewed; in the operator's namespace, and then alone."""
    decision: DecisionKind
    """What is done."""
    override: Override | None = None
    """What an Override skips."""
    retracts: ObjectName | None = None
    """The ModelDecision that a Retract takes back; without it, all of the same person's on this
    attempt."""
    reviewed: Reviewed | None = None
    """What was looked at."""
    rationale: Rationale
    """Why."""
    by: Stamp | None = None
    """Who decides; stamped by admission, and always the caller."""


class ModelDecision(Object):
    """One act of one person: Approve, Reject, Retract, Override, Review or Retry."""

    KIND: ClassVar = Kind(
        name="ModelDecision",
        plural="modeldecisions",
        short="mdd",
        immutable=True,
        columns=(
            Column(name="Model", path=".spec.model", description="The model."),
            Column(
                name="Version", path=".spec.version", description="The version.", type="integer"
            ),
            Column(name="Stage", path=".spec.stage", description="The stage."),
            Column(name="Decision", path=".spec.decision", description="What is done."),
            Column(name="By", path=".spec.by.username", description="Who decides."),
            Column(
                name="Transition",
                path=".spec.transition.name",
                description="The attempt.",
                wide=True,
            ),
            Column(name="Rationale", path=".spec.rationale", description="Why.", wide=True),
        ),
        selectable=(
            ".spec.model",
            ".spec.version",
            ".spec.stage",
            ".spec.decision",
            ".spec.transition.name",
            ".spec.by.username",
            ".spec.policy.name",
        ),
    )

    metadata: Metadata
    """The object's metadata."""
    spec: ModelDecisionSpec
    """What is done, and why."""
