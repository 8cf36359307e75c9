"""Pieces of CEL that several policies are made of.

CEL has no clock and no statements. A check of the `authorizer` is so dear that one expression may
hold two of them and one policy 28; so each is a variable, which is asked once and only when needed.
"""

import re
from collections.abc import Iterable

from modelwarden.domain.labels import GROUP
from modelwarden.domain.rights import LACKS, Right, spoken

# The chart fills these in.
OPERATOR = '{{ include "modelwarden.operatorAccount" . }}'
OPERATOR_NAMESPACE = '{{ include "modelwarden.namespace" . }}'
GATES_NAMESPACE = '{{ include "modelwarden.gatesNamespace" . }}'
USERNAME_PREFIX = "{{ .Values.identity.usernamePrefix }}"

CALLER = "request.userInfo.username"
BY_OPERATOR = f"{CALLER} == '{OPERATOR}'"
NOT_BY_OPERATOR = f"{CALLER} != '{OPERATOR}'"

# The spec before and after. `dyn`, for a typed object is compared with a map here and there; an
# optional is unwrapped at once, for one that is kept in a variable silently yields nothing later.
SPECS = {
    "was": "oldObject == null ? dyn({}) : dyn(oldObject.spec)",
    "now": "dyn(object.spec)",
}

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def quoted(text: str) -> str:
    """Write a text as a CEL string."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def sentence(template: str, **parts: str) -> str:
    """Write a sentence with `{placeholders}` as a CEL expression; the parts are expressions."""
    pieces = _PLACEHOLDER.split(template)
    written = (parts[piece] if number % 2 else quoted(piece) for number, piece in enumerate(pieces))
    return " + ".join(piece for piece in written if piece != "''")


def lacks(right: Right, *, model: str, target: str = "") -> str:
    """Write the domain's sentence about a missing right as a CEL expression."""
    template = LACKS.replace("{verbs}", spoken(right.verbs)).replace(
        "{target}", right.target if not target else f"{right.target} {{name}}"
    )
    return sentence(
        template, caller=CALLER, name=target, model=model, namespace="request.namespace"
    )


def model_authorizer(name: str) -> str:
    """Ask about one model of the request's namespace."""
    return (
        f"authorizer.group('{GROUP}').resource('models').namespace(request.namespace).name({name})"
    )


def any_true(claims: Iterable[str]) -> str:
    """Join claims of which one is enough."""
    return " || ".join(claims)


def stamped_by_caller(stamp: str) -> str:
    """Claim that a stamp is the caller, with uid and all groups in the API server's order."""
    return (
        f"{stamp}.username == {CALLER}\n"
        f"&& {stamp}.?uid.orValue('') == request.userInfo.?uid.orValue('')\n"
        f"&& {stamp}.?groups.orValue([]) == request.userInfo.?groups.orValue([])"
    )
