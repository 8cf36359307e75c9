"""What gates find when they judge a version, and how far they are."""

from collections.abc import Mapping

from modelwarden.domain.reasons.reason import (
    Reason,
    model_owner,
    nobody,
    platform_team,
    registrant,
)

REASONS: Mapping[str, Reason] = {
    "ChampionUnreadable": registrant(
        "The record of the version in Production is gone or was changed.",
        "Apply its manifest again, as it was registered.",
    ),
    "ContractBroken": registrant(
        "The file takes or gives something else than the Model's contract says.",
        "Register a version that keeps the contract.",
    ),
    "GateFailed": registrant(
        "A gate of the step failed.",
        "Register a version that passes, or mend what failed and retry.",
    ),
    "GateFinished": nobody("A gate has an answer, and it is being recorded."),
    "GateJobTaken": platform_team(
        "A Job of that name judges something else.",
        "Delete that Job in the gates namespace.",
    ),
    "GatePending": nobody("A gate has not run yet."),
    "GateQueued": nobody("As many gates run as may; this one waits for its turn."),
    "GateRetrying": nobody("A gate could not be run and is tried again soon."),
    "GateRunning": nobody("A gate is running."),
    "GateWaiting": platform_team(
        "The pod of a gate cannot start.",
        "Mend what the sentence names in the gates namespace or in the policy.",
    ),
    "GatesRunning": nobody("Gates are running or wait for their turn."),
    "GroupTooSmall": registrant(
        "A group of people was measured on too few samples to compare it.",
        "Register a version that was measured on enough samples of each group.",
    ),
    "GroupsTreatedUnequally": registrant(
        "The metric differs more between groups of people than is allowed.",
        "Train a version that treats the groups alike.",
    ),
    "MeasuredTooMuch": platform_team(
        "The Job left more metrics than a gate can judge.",
        "Let it leave those only for which the Model has rules.",
    ),
    "MetricsNotMet": registrant(
        "A metric misses a bound of the Model's rules.",
        "Register a version that meets the rules.",
    ),
    "NoCriticalMetrics": model_owner(
        "No metric of the Model is critical, so nothing was compared with Production.",
        "Mark one in spec.metrics of the Model, then ask again with a new reason.",
    ),
    "NoFairnessRule": model_owner(
        "No rule of the Model compares groups of people.",
        "Add one in spec.metrics of the Model, then ask again with a new reason.",
    ),
    "NoLongerAsked": nobody("An early gate's answer is of no use any more, so it was given up."),
    "NoMetricRules": model_owner(
        "No rule of the Model has a bound, so nothing was compared.",
        "Add one in spec.metrics of the Model, then ask again with a new reason.",
    ),
    "NotComparable": registrant(
        "A critical metric is missing on one side, or was measured on other data.",
        "Register a version with the metric, measured on the same data.",
    ),
    "NotReproduced": registrant(
        "The training was repeated and gave other metrics than are recorded.",
        "Register a version whose training can be repeated.",
    ),
    "NothingMeasured": platform_team(
        "The gate judges what its Job measures, and the Job left no metric.",
        "Let the Job leave metrics, or take `metrics` out of the gate.",
    ),
    "NothingToReproduce": registrant(
        "The version records no metric for a whole data set.",
        "Register the next version with its metrics.",
    ),
    "ProductionContractBroken": registrant(
        "Callers of the version in Production would have to change.",
        "Register a version that takes and gives what that one does.",
    ),
    "SignatureTooLarge": registrant(
        "The file has more inputs and outputs than a result has room for.",
        "Register the next version with spec.signature.",
    ),
    "SignatureUnknown": registrant(
        "The file does not say what it takes and gives, and no signature is recorded.",
        "Register the next version with spec.signature.",
    ),
    "TooFewGroups": registrant(
        "The metric was measured for fewer than two groups of people.",
        "Register a version that was measured for each group.",
    ),
    "WorseThanChampion": registrant(
        "A critical metric is worse than that of the version in Production.",
        "Register a version that is no worse.",
    ),
}
