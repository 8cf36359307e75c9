"""ModelPolicy: what must hold before a version takes a step, for every model it governs."""

from typing import Annotated, ClassVar, Literal

from modelwarden.domain.stages import Stage
from modelwarden.resources.artifacts import ArtifactFormat
from modelwarden.resources.model import Retention
from modelwarden.resources.model_version import MetadataField
from modelwarden.resources.objects import Column, Kind, Metadata, Object
from modelwarden.resources.rules import unique
from modelwarden.resources.scalars import Days, PolicyName, Rationale
from modelwarden.resources.shapes import Shape, listed
from modelwarden.resources.steps import Approvals, PolicyStep


class RollbackRule(Shape):
    """When Production may go back without the whole step."""

    approvals: Approvals | None = None
    """Who must approve first; without it, nobody."""
    within_days: Days | None = None
    """How long ago a version may have been superseded; the one superseded last always may."""
    review_within_days: Days | None = None
    """Within how many days another person must have reviewed it."""


class AutomationLimit(Shape):
    """How far versions may be asked for without anybody writing it."""

    max_stage: Literal[Stage.STAGING]
    """The highest stage."""


class BelowFloor(Shape):
    """The statement without which a policy may not ask for less than the floor."""

    reason: Rationale
    """Why; shown on every Model it governs."""


class ModelPolicySpec(Shape):
    """What must hold, step by step."""

    RULES: ClassVar = (unique("steps", by="to", message="two steps into one stage"),)

    default: bool | None = None
    """Whether it governs the Models that name no policy; there can be one such policy."""
    allowed_formats: Annotated[tuple[ArtifactFormat, ...], listed(at_most=16, at_least=1)]
    """The formats an artifact may have; no other is allowed."""
    required_metadata: Annotated[tuple[MetadataField, ...], listed(at_most=32)] | None = None
    """Fields of ModelVersion.spec that must be there, beyond the floor."""
    steps: Annotated[tuple[PolicyStep, ...], listed(at_most=3, at_least=1)]
    """What guards each step; a step that is not here is never allowed."""
    rollback: RollbackRule | None = None
    """When Production may go back without the whole step."""
    automation: AutomationLimit | None = None
    """How far versions may be asked for without anybody writing it; without it, not at all."""
    retention: Retention | None = None
    """The least time for which what is no longer used is kept."""
    below_floor: BelowFloor | None = None
    """The statement without which a policy may not ask for less than the floor."""


class PolicyMetadata(Metadata):
    """The metadata of a ModelPolicy; its name is part of frozen attempts."""

    name: PolicyName
    """The policy's name."""


class ModelPolicy(Object):
    """What must hold before a version takes a step, for every model that the policy governs."""

    KIND: ClassVar = Kind(
        name="ModelPolicy",
        plural="modelpolicies",
        short="mdp",
        namespaced=False,
        columns=(
            Column(
                name="Default",
                path=".spec.default",
                description="Whether it governs Models that name none.",
                type="boolean",
            ),
            Column(
                name="Automation",
                path=".spec.automation.maxStage",
                description="How far versions may go without anybody writing it.",
            ),
            Column(
                name="Below Floor",
                path=".spec.belowFloor.reason",
                description="Why it asks for less than the floor.",
            ),
        ),
        selectable=(".spec.default",),
    )

    metadata: PolicyMetadata
    """The object's metadata."""
    spec: ModelPolicySpec
    """What must hold."""
