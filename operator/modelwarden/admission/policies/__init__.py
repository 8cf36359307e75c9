"""The policies that hold while no process of ours runs, generated from the domain's tables.

`python -m modelwarden.admission.policies FOLDER` writes them for the chart; `{{ }}` in them is the
chart's.
"""

from modelwarden.admission.policies.authorship import MODEL_AUTHORS
from modelwarden.admission.policies.decisions import DECISION
from modelwarden.admission.policies.deletions import DELETE_GUARD, HOME_GUARD
from modelwarden.admission.policies.gates import (
    GATE_CONNECT,
    GATE_JOBS,
    GATE_POD_STATUS,
    GATE_PODS,
)
from modelwarden.admission.policies.model_parts import MODEL_PARTS
from modelwarden.admission.policies.model_rights import MODEL_RIGHTS
from modelwarden.admission.policies.operator_only import OPERATOR_ONLY, OPERATOR_TOKEN
from modelwarden.admission.policies.own_keys import CONSUMES_GRAMMAR, DEPLOYMENT_KEYS, OWN_KEYS
from modelwarden.admission.policies.shape import Policy
from modelwarden.admission.policies.versions import VERSION

POLICIES: tuple[Policy, ...] = (
    MODEL_RIGHTS,
    MODEL_PARTS,
    MODEL_AUTHORS,
    VERSION,
    DECISION,
    OPERATOR_ONLY,
    OPERATOR_TOKEN,
    OWN_KEYS,
    DEPLOYMENT_KEYS,
    CONSUMES_GRAMMAR,
    DELETE_GUARD,
    HOME_GUARD,
    GATE_CONNECT,
    GATE_PODS,
    GATE_POD_STATUS,
    GATE_JOBS,
)
