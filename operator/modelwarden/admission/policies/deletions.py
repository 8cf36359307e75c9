"""What may not be deleted: records, what is in use, and the places where they live."""

from modelwarden.admission.policies.cel import BY_OPERATOR, CALLER, sentence
from modelwarden.admission.policies.shape import Match, Policy, Validation
from modelwarden.domain.labels import GROUP, PREFIX

# A namespace that holds records of models, and a CRD whose deletion is meant.
RECORDS = PREFIX + "records"
DELETE = PREFIX + "delete"

_STAGE = "dyn(oldObject).?status.?stage.orValue('')"
_VERSIONS = "dyn(oldObject).?status.?versions.orValue(0)"
# The operator takes it out once it is over: an expression has no clock.
_KEPT = "dyn(oldObject).?status.?retainedUntil.orValue('')"
_NAME = "oldObject.metadata.name"
_KIND = "request.resource.resource"

DELETE_GUARD = Policy(
    name="delete-guard",
    rule="Versions in use or kept, models with versions, votes and attempts are not deleted.",
    matches=(
        Match(
            resources=("models", "modelversions", "modeltransitions", "modeldecisions"),
            operations=("DELETE",),
        ),
    ),
    variables={
        # Whether a namespace may go is asked when it is deleted; then it must be able to end. It
        # is no condition of the policy, for a condition is never shown the namespace.
        "ending": (
            f"{CALLER} == 'system:serviceaccount:kube-system:namespace-controller'\n"
            "&& namespaceObject != null && has(namespaceObject.metadata.deletionTimestamp)"
        ),
    },
    validations=(
        Validation(
            claim=(
                f"variables.ending || {_KIND} != 'modelversions'\n"
                f"|| !({_STAGE} in ['Staging', 'Production', 'Retiring'])"
            ),
            sentence_in_cel=sentence(
                "{name} is in {stage}: move it out of that stage first", name=_NAME, stage=_STAGE
            ),
        ),
        Validation(
            claim=f"variables.ending || {_KIND} != 'modelversions' || {_KEPT} == ''",
            sentence_in_cel=sentence(
                "{name} is archived and kept until {until}: it may be deleted then",
                name=_NAME,
                until=_KEPT,
            ),
        ),
        Validation(
            claim=f"variables.ending || {_KIND} != 'models' || {_VERSIONS} == 0",
            sentence_in_cel=sentence(
                "{name} still has versions ({count}): delete them first, each after it has left",
                name=_NAME,
                count=f"string({_VERSIONS})",
            ),
        ),
        Validation(
            claim=f"variables.ending || {_KIND} in ['models', 'modelversions'] || {BY_OPERATOR}",
            sentence_in_cel=sentence(
                "records are deleted by the operator only, when their retention ends ({name})",
                name=_NAME,
            ),
        ),
    ),
)

HOME_GUARD = Policy(
    name="home-guard",
    rule="A namespace with records and a CRD of ours are deleted only after saying so on them.",
    matches=(
        Match(resources=("namespaces",), operations=("DELETE",), group="", version="v1"),
        Match(
            resources=("customresourcedefinitions",),
            operations=("DELETE",),
            group="apiextensions.k8s.io",
            version="v1",
        ),
    ),
    validations=(
        Validation(
            claim=(
                f"{_KIND} != 'namespaces'\n"
                f"|| !('{RECORDS}' in oldObject.metadata.?labels.orValue({{}}))"
            ),
            sentence_in_cel=sentence(
                f"{{name}} holds records of models: first take the label {RECORDS} off it",
                name=_NAME,
            ),
        ),
        Validation(
            claim=(
                f"{_KIND} == 'namespaces' || dyn(oldObject).spec.group != '{GROUP}'\n"
                f"|| '{DELETE}' in oldObject.metadata.?annotations.orValue({{}})"
            ),
            sentence_in_cel=sentence(
                f"{{name}} holds records of models: first put the annotation {DELETE} on it",
                name=_NAME,
            ),
        ),
    ),
)
