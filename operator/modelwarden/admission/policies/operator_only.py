"""What is the operator's alone: status, transitions, and the proof that it is the operator."""

from modelwarden.admission.policies.cel import BY_OPERATOR, CALLER, OPERATOR, sentence
from modelwarden.admission.policies.shape import Match, Policy, Validation
from modelwarden.domain.identity import SERVICE_ACCOUNT_PREFIX

KINDS = ("models", "modelversions", "modeltransitions", "modeldecisions", "modelpolicies")
_WITH_STATUS = ("models", "modelversions", "modeltransitions")
_GARBAGE_COLLECTOR = "system:serviceaccount:kube-system:generic-garbage-collector"

OPERATOR_ONLY = Policy(
    name="operator-only",
    rule="Status and ModelTransitions are written by the operator only, whatever rights one has.",
    matches=(
        Match(resources=tuple(f"{kind}/status" for kind in _WITH_STATUS), operations=("UPDATE",)),
        Match(resources=("modeltransitions",)),
    ),
    validations=(
        Validation(
            # The garbage collector takes away owners that are gone; it changes nothing else.
            claim=(
                f"{BY_OPERATOR}\n|| ({CALLER} == '{_GARBAGE_COLLECTOR}'"
                " && request.?subResource.orValue('') == '' && oldObject != null\n"
                "&& dyn(object).?spec == dyn(oldObject).?spec)"
            ),
            sentence_in_cel=sentence(
                "only the operator writes {resource}{subresource}",
                resource="request.resource.resource",
                subresource=(
                    "(request.?subResource.orValue('') == '' ? '' : '/' + request.subResource)"
                ),
            ),
        ),
    ),
)

OPERATOR_TOKEN = Policy(
    name="operator-token",
    rule="A token of the operator's account is issued to its own pod, by the kubelet, only.",
    matches=(
        Match(resources=("serviceaccounts/token",), operations=("CREATE",), group="", version="v1"),
    ),
    validations=(
        Validation(
            claim=(
                f"'{SERVICE_ACCOUNT_PREFIX}' + request.namespace + ':' + request.name"
                f" != '{OPERATOR}'\n|| {CALLER}.startsWith('system:node:')"
            ),
            sentence="the token of the operator is issued to its own pod only",
        ),
    ),
)
