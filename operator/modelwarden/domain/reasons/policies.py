"""What is wrong with a policy, or with what a Model and a policy ask together."""

from collections.abc import Mapping

from modelwarden.domain.reasons.reason import Reason, model_owner, platform_team

REASONS: Mapping[str, Reason] = {
    "AutomationNotAllowed": model_owner(
        "The policy does not let versions be moved by spec.automation.",
        "Take spec.automation out, or have the policy's automation.maxStage set.",
    ),
    "GateNameTaken": platform_team(
        "Two gates of one step have the same name.",
        "Rename one of them in the policy.",
    ),
    "NoFairnessGate": platform_team(
        "The model affects people, and the step has no fairness gate.",
        "Add one to the policy, or state the reason under spec.belowFloor.",
    ),
    "NoGates": platform_team(
        "The policy names no gate for the step, so nothing can pass it.",
        "Add the step and its gates to the policy.",
    ),
    "NoPolicy": platform_team(
        "The Model names no policy and none is marked as default.",
        "Apply one: kubectl apply -f examples/policies/standard.yaml",
    ),
    "NotYetSupported": platform_team(
        "It is kept, and this release does not act on it.",
        "Leave it out, or wait for a release that acts on it.",
    ),
    "PolicyAmbiguous": platform_team(
        "Several policies are marked as default.",
        "Leave spec.default on one of them.",
    ),
    "PolicyBelowFloor": platform_team(
        "The policy asks for less than every policy must.",
        "Add what is missing, or state the reason under spec.belowFloor.",
    ),
    "PolicyNotFound": platform_team(
        "The policy that the Model names does not exist.",
        "Apply it, or name another one in spec.policy of the Model.",
    ),
    "PolicyNotReadable": platform_team(
        "The policy has a value that this release cannot read.",
        "Correct the policy; the controller's log names the field.",
    ),
}
