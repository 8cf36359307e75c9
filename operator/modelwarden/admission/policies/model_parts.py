"""Who may change what approvals rest on, and what serves."""

from modelwarden.admission.policies.cel import SPECS, lacks, model_authorizer
from modelwarden.admission.policies.model_rights import MODELS
from modelwarden.admission.policies.shape import Policy, Validation
from modelwarden.domain import rights
from modelwarden.domain.edits import GOVERNED, NAMED_DEPLOYMENTS
from modelwarden.domain.rights import right_to_patch, right_to_use

_NAME = "object.metadata.name"
_IN_PRODUCTION = (
    "oldObject != null && has(oldObject.status) && has(oldObject.status.stages)\n"
    "&& has(oldObject.status.stages.production)"
)


def same(*fields: str) -> str:
    """Claim that fields of the spec are what they were; absent and empty differ."""
    return "\n&& ".join(f"variables.now.?{name} == variables.was.?{name}" for name in fields)


def _governed() -> Validation:
    return Validation(
        claim=(
            "oldObject == null || variables.sameGoverned\n"
            "|| variables.model.check('govern').allowed()"
        ),
        sentence_in_cel=lacks(rights.GOVERN, model=_NAME),
    )


def _policy() -> Validation:
    asked = "variables.now.?policy.orValue('')"
    return Validation(
        claim=(
            f"{asked} == variables.was.?policy.orValue('') || {asked} == ''\n"
            "|| authorizer.group('modelwarden.io').resource('modelpolicies')"
            f".namespace(request.namespace).name({asked}).check('use').allowed()"
        ),
        sentence_in_cel=lacks(right_to_use(""), model=_NAME, target=asked),
    )


def _serving_in_production() -> Validation:
    return Validation(
        claim=(
            f"size(variables.touched) == 0 || !({_IN_PRODUCTION})\n"
            "|| variables.model.subresource('production').check('promote').allowed()"
        ),
        sentence_in_cel=(
            lacks(rights.PROMOTE_PRODUCTION, model=_NAME)
            + " + ': spec.serving changes while a version is in Production'"
        ),
    )


def _deployment(number: int) -> Validation:
    name = f"variables.touched[{number}]"
    return Validation(
        claim=(
            f"size(variables.touched) <= {number}"
            f" || variables.deployments.name({name}).check('patch').allowed()"
        ),
        sentence_in_cel=lacks(right_to_patch(""), model=_NAME, target=name),
    )


def _more_deployments() -> Validation:
    return Validation(
        claim=(
            f"size(variables.touched) <= {NAMED_DEPLOYMENTS}"
            " || variables.deployments.check('patch').allowed()"
        ),
        sentence_in_cel=(
            lacks(right_to_patch(""), model=_NAME)
            + f" + ': more than {NAMED_DEPLOYMENTS} entries of spec.serving change at once'"
        ),
    )


MODEL_PARTS = Policy(
    name="model-parts",
    rule="Governed fields ask for govern, a policy for use, a serving entry for its Deployment.",
    matches=(MODELS,),
    variables={
        **SPECS,
        "sameGoverned": same(*GOVERNED, "automation"),
        "servingBefore": "variables.was.?serving.orValue([])",
        "servingNow": "variables.now.?serving.orValue([])",
        "touched": (
            "(variables.servingNow.filter(e, !(e in variables.servingBefore))\n"
            "+ variables.servingBefore.filter(e, !(e in variables.servingNow)))\n"
            ".map(e, e.deployment.name)"
        ),
        "deployments": (
            "authorizer.group('apps').resource('deployments').namespace(request.namespace)"
        ),
        "model": model_authorizer(_NAME),
    },
    validations=(
        _governed(),
        _policy(),
        _serving_in_production(),
        *(_deployment(number) for number in range(NAMED_DEPLOYMENTS)),
        _more_deployments(),
    ),
)
