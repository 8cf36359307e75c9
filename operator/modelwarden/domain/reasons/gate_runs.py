"""Why a gate's Job came to nothing, or left what cannot be used.

What is nobody's fault is tried again by itself first.
"""

from collections.abc import Mapping

from modelwarden.domain.reasons.reason import Reason, platform_team

_RETRY = "Retry the attempt: kubectl model retry."

REASONS: Mapping[str, Reason] = {
    "ArtifactNotBrought": platform_team("The artifact could not be brought to the gate.", _RETRY),
    "ChecksDisagree": platform_team(
        "The result says Passed, and not all of its checks do.", "Mend the image of the gate."
    ),
    "CommandNotStarted": platform_team(
        "The gate's command cannot be run.", "Mend the command in the policy, then ask again."
    ),
    "ContainerNotConfigured": platform_team(
        "The container lacks a Secret or ConfigMap that it names.",
        "Make it in the gates namespace, or mend the policy, then retry.",
    ),
    "ContainerNotCreated": platform_team("The node cannot make the container.", _RETRY),
    "DeadlineExceeded": platform_team(
        "The gate took longer than it may.",
        "Raise its deadlineSeconds in the policy, then ask again.",
    ),
    "Evicted": platform_team("The pod of a gate was evicted.", _RETRY),
    "ExitCodeDisagrees": platform_team(
        "The result says another thing than the exit code.", "Mend the image of the gate."
    ),
    "GateExited": platform_team(
        "The Job failed without a result.", "Read its log: kubectl model logs."
    ),
    "GateJobInvalid": platform_team(
        "The gate of the policy makes no valid Job.", "Mend it in the policy, then ask again."
    ),
    "GateJobRefused": platform_team(
        "The API server refuses the Job of a gate.", "Mend what it names, then retry."
    ),
    "ImageNameInvalid": platform_team(
        "The image has a name that no registry can have.",
        "Mend it in the policy, then ask again.",
    ),
    "ImageNotPulled": platform_team(
        "An image could not be pulled.",
        "Check its name and the way from the nodes to its registry.",
    ),
    "JobFailed": platform_team(
        "The Job says that the version fails.", "Read its log: kubectl model logs."
    ),
    "JobInconclusive": platform_team(
        "The Job says that it could not tell.", "Read its log: kubectl model logs."
    ),
    "NeverStarted": platform_team(
        "The pod of a gate did not start in time.",
        "Look at the events of the gates namespace, then retry.",
    ),
    "NoOutcome": platform_team(
        "The result says neither an outcome nor what was checked.", "Mend the image of the gate."
    ),
    "NoResult": platform_team(
        "The gate ended without a result.", "Read its log: kubectl model logs."
    ),
    "NodeLost": platform_team("The node of a gate was lost or shut down.", _RETRY),
    "NodeRefused": platform_team("The node refused the pod of a gate.", _RETRY),
    "OfTheImage": platform_team(
        "The gate's own image chose another code; it is counted under this one.",
        "Ask whoever made that image.",
    ),
    "OutOfMemory": platform_team(
        "The gate used more memory than it may.",
        "Raise its limit in the policy, then ask again.",
    ),
    "PodDeleted": platform_team("Somebody deleted the pod of a gate.", _RETRY),
    "PodNotCreated": platform_team(
        "The Job of a gate gets no pod.", "Mend what the gates namespace lacks, then retry."
    ),
    "Preempted": platform_team("The pod of a gate gave way to a more important one.", _RETRY),
    "ResultLost": platform_team("The pod of a gate was gone before it was read.", _RETRY),
    "ResultOfAnotherArtifact": platform_team(
        "The result is about another artifact.", "Mend the image of the gate."
    ),
    "ResultTooLarge": platform_team(
        "The result has more bytes than a termination message.",
        "Let the gate leave a shorter one.",
    ),
    "ResultUnreadable": platform_team(
        "What the gate left is not a result.", "Mend the image of the gate."
    ),
    "RunFailed": platform_team("The run of a gate was ended from outside.", _RETRY),
    "Stopped": platform_team("The gate was told to stop before it had an answer.", _RETRY),
    "Unschedulable": platform_team(
        "No node takes the pod of a gate.",
        "Lower the gate's requests, or add a node that fits, then retry.",
    ),
    "VolumeNotMounted": platform_team(
        "A volume of a gate cannot be mounted.",
        "Make the Secret or claim that the gates namespace lacks, then retry.",
    ),
}
