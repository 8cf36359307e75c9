"""The namespace of gate Jobs: only the operator starts one, and nobody alters one that runs.

A changed image would restart the container under the same Job, and its words would count.
"""

from modelwarden.admission.policies.cel import BY_OPERATOR, CALLER, GATES_NAMESPACE, sentence
from modelwarden.admission.policies.shape import Match, Policy, Validation

_ACCOUNTS = "system:serviceaccount:kube-system:"
_JOB_CONTROLLER = f"{CALLER} == '{_ACCOUNTS}job-controller'"

GATE_CONNECT = Policy(
    name="gate-connect",
    rule="Nobody enters or alters a gate's pod.",
    namespace=GATES_NAMESPACE,
    matches=(
        Match(
            resources=("pods/exec", "pods/attach", "pods/portforward", "pods/proxy"),
            operations=("CONNECT",),
            group="",
            version="v1",
        ),
        Match(
            resources=("pods/ephemeralcontainers", "pods/resize"),
            operations=("UPDATE",),
            group="",
            version="v1",
        ),
    ),
    validations=(
        Validation(
            claim="false",
            sentence_in_cel=sentence(
                "nobody enters or alters a running gate ({what} {pod})",
                what="request.subResource",
                pod="request.name",
            ),
        ),
    ),
)

GATE_PODS = Policy(
    name="gate-pods",
    rule="A gate's pod comes from its Job, and stays as it came.",
    namespace=GATES_NAMESPACE,
    matches=(Match(resources=("pods",), group="", version="v1"),),
    validations=(
        Validation(
            claim=(
                f"request.operation != 'CREATE' || ({_JOB_CONTROLLER}\n"
                "&& object.metadata.?ownerReferences.orValue([])"
                ".exists(o, o.kind == 'Job' && o.?controller.orValue(false)))"
            ),
            sentence="pods of a gate are created by the Job controller only",
        ),
        Validation(
            claim=(
                "request.operation != 'UPDATE' || (object.spec == oldObject.spec\n"
                "&& object.metadata.?labels == oldObject.metadata.?labels\n"
                "&& object.metadata.?annotations == oldObject.metadata.?annotations\n"
                "&& object.metadata.?ownerReferences == oldObject.metadata.?ownerReferences)"
            ),
            sentence=(
                "spec, labels, annotations and owners of a gate's pod are frozen: a changed image "
                "would restart the container under the same name"
            ),
        ),
    ),
)

GATE_POD_STATUS = Policy(
    name="gate-pod-status",
    rule="What a gate's container said is told by the kubelet.",
    namespace=GATES_NAMESPACE,
    matches=(Match(resources=("pods/status",), operations=("UPDATE",), group="", version="v1"),),
    validations=(
        Validation(
            claim=(
                f"{CALLER}.startsWith('system:node:') || {CALLER} == 'system:kube-scheduler'\n"
                f"|| ({CALLER}.startsWith('{_ACCOUNTS}')\n"
                "&& object.status.?containerStatuses == oldObject.status.?containerStatuses\n"
                "&& object.status.?initContainerStatuses == "
                "oldObject.status.?initContainerStatuses)"
            ),
            sentence_in_cel=sentence(
                "{caller} may not write the status of a gate's pod", caller=CALLER
            ),
        ),
    ),
)

GATE_JOBS = Policy(
    name="gate-jobs",
    rule="Gate Jobs are written by the operator; the cluster's own controllers keep them going.",
    namespace=GATES_NAMESPACE,
    matches=(
        Match(resources=("jobs",), group="batch", version="v1"),
        Match(resources=("jobs/status",), operations=("UPDATE",), group="batch", version="v1"),
    ),
    validations=(
        Validation(
            claim=(
                f"{BY_OPERATOR}\n"
                f"|| (request.operation == 'UPDATE' && {_JOB_CONTROLLER})\n"
                f"|| (request.operation == 'UPDATE' && {CALLER} in"
                f" ['{_ACCOUNTS}generic-garbage-collector',"
                f" '{_ACCOUNTS}ttl-after-finished-controller']\n"
                "&& object.spec == oldObject.spec)"
            ),
            sentence_in_cel=sentence(
                "gate Jobs are written by the operator only, not by {caller}", caller=CALLER
            ),
        ),
    ),
)
