"""Who may decide: people, in their own name, with a right on the stage they decide about."""

import json
from collections.abc import Mapping

from modelwarden.admission.policies.cel import (
    BY_OPERATOR,
    CALLER,
    OPERATOR_NAMESPACE,
    model_authorizer,
    sentence,
    stamped_by_caller,
)
from modelwarden.admission.policies.shape import Match, Policy, Validation
from modelwarden.domain.identity import SERVICE_ACCOUNT_PREFIX
from modelwarden.domain.rights import DECISION_PARTS, DECISION_VERBS, LACKS


def _looked_up(table: Mapping[str, str], key: str) -> str:
    return f"{json.dumps(dict(table))}[{key}]"


DECISION = Policy(
    name="decision",
    rule="A decision is created by a person in their own name, and never edited.",
    matches=(Match(resources=("modeldecisions",)),),
    variables={
        "created": "request.operation == 'CREATE'",
        # A decision about a policy's own content stands alone, in the operator's namespace.
        "aboutPolicy": "has(object.spec.policy)",
        "verb": _looked_up(DECISION_VERBS, "object.spec.decision"),
        "part": _looked_up(DECISION_PARTS, "object.spec.stage"),
    },
    validations=(
        Validation(
            claim=(
                f"variables.created\n|| (dyn(object.spec) == dyn(oldObject.spec) && {BY_OPERATOR})"
            ),
            sentence="a decision is never edited: create another one",
        ),
        Validation(
            claim=f"!variables.created || !{CALLER}.startsWith('{SERVICE_ACCOUNT_PREFIX}')",
            sentence="decisions come from people, not from service accounts",
        ),
        Validation(
            claim="!variables.created || has(object.spec.by)",
            sentence=(
                "spec.by is missing and stamping is off: create decisions with kubectl model, or "
                "see kubectl model doctor"
            ),
        ),
        Validation(
            claim=f"!variables.created\n|| ({stamped_by_caller('object.spec.by')})",
            sentence_in_cel=sentence(
                "spec.by must be you ({caller}), with your uid and groups; leave it out and it is "
                "filled in",
                caller=CALLER,
            ),
        ),
        Validation(
            claim=(
                "!variables.created || variables.aboutPolicy\n"
                f"|| {model_authorizer('object.spec.model')}"
                ".subresource(variables.part).check(variables.verb).allowed()"
            ),
            sentence_in_cel=sentence(
                LACKS.replace("{target}", "models/{part}"),
                caller=CALLER,
                verbs="variables.verb",
                part="variables.part",
                model="object.spec.model",
                namespace="request.namespace",
            ),
        ),
        Validation(
            claim=(
                "!variables.created || !variables.aboutPolicy\n"
                f"|| (request.namespace == '{OPERATOR_NAMESPACE}'\n"
                "&& authorizer.group('modelwarden.io').resource('modelpolicies')"
                ".namespace(request.namespace).name(object.spec.policy.name).check('approve').allowed())"
            ),
            sentence_in_cel=sentence(
                "{caller} may not decide about the ModelPolicy {policy}: that takes the verb "
                f"approve on modelpolicies in {OPERATOR_NAMESPACE}, and the decision lies there",
                caller=CALLER,
                policy="object.spec.policy.name",
            ),
        ),
    ),
)
