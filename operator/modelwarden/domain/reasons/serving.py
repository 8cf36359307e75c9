"""How a rollout stands, what keeps it, and what still uses a version that is to leave."""

from collections.abc import Mapping

from modelwarden.domain.reasons.reason import (
    Reason,
    nobody,
    requester,
    serving_team,
)

_LOGS = "Read the log of its container."

REASONS: Mapping[str, Reason] = {
    "ArtifactNotFetched": serving_team("The artifact could not be brought to a pod.", _LOGS),
    "AskedElsewhere": nobody("The version is asked into another stage, so it is not archived."),
    "ConsumedAfterArchive": serving_team(
        "Something would use a version that is archived.", "Let it use another one."
    ),
    "ConsumersUnknown": nobody("Who uses the version was not looked at yet."),
    "ConsumesNotUnderstood": serving_team(
        "The annotation that says what a workload consumes cannot be read.",
        "Write MODEL@production, MODEL@staging, MODEL:3 or NAMESPACE/MODEL:3.",
    ),
    "ContainerCrashing": serving_team("A container of a pod ends again and again.", _LOGS),
    "ContainerNotStarted": serving_team(
        "A container of a pod cannot start.", "Correct what it says in the Deployment."
    ),
    "DeploymentMissing": serving_team(
        "A Deployment in spec.serving does not exist.", "Create it, or take it out of spec.serving."
    ),
    "DeploymentTaken": serving_team(
        "The Deployment serves another Model.",
        "Name another Deployment, or take it out of that Model's serving list.",
    ),
    "InitContainerFailed": serving_team("An init container of a pod fails.", _LOGS),
    "NotYetLabelled": nobody("A Deployment does not carry the version yet."),
    "PodLost": serving_team("The node gave a pod up.", "Look at the pod and its node."),
    "PodsNotCreated": serving_team(
        "No more pods can be made.", "Raise the ResourceQuota, or let the Deployment ask for less."
    ),
    "PodsNotReady": serving_team("A pod runs and does not say that it is ready.", _LOGS),
    "PodsUnschedulable": serving_team(
        "No node takes a pod.", "Make room, or let the Deployment ask for less."
    ),
    "ProgressDeadlineExceeded": serving_team(
        "The Deployment made no progress in the time that it gives itself.",
        "Correct what its pods say, then ask again with a new reason.",
    ),
    "RollingOut": nobody("The Deployments are rolling out."),
    "RolloutAborted": requester(
        "An edit of the Model called the rollout off, and what served before was put back.",
        "If it is still wanted, ask again with a new reason.",
    ),
    "RolloutPaused": serving_team("A Deployment is paused.", "Resume it."),
    "RolloutTimedOut": serving_team(
        "The rollout took longer than the policy allows, and what served before was put back.",
        "Correct what its pods say, then ask again with a new reason.",
    ),
    "StillConsumed": serving_team(
        "Something in the cluster still uses the version.",
        "Move it to another version, or take it down.",
    ),
    "StillServing": serving_team(
        "Pods of a Deployment may still answer with the version.",
        "Wait until its last pod is gone; after a withdrawal, scale the Deployment to 0.",
    ),
}
