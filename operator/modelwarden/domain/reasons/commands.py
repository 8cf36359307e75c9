"""What only the command line says: of a reference, a tool beside it, and of what served when."""

from collections.abc import Mapping

from modelwarden.domain.reasons.reason import Reason, nobody, requester

REASONS: Mapping[str, Reason] = {
    "AfterTheLastRecord": requester(
        "The time asked about is after what the ledger knows.", "Ask about an earlier time."
    ),
    "AutoSyncOn": requester(
        "A GitOps tool would undo the edit.", "Switch its automatic sync off first."
    ),
    "AutoSyncUnknown": requester(
        "Whether a GitOps tool undoes the edit could not be read.",
        "Look at the tool, or commit the edit to Git.",
    ),
    "BeforeTheFirstRecord": requester(
        "The time asked about is before the ledger's first record.", "Ask about a later time."
    ),
    "BeforeWhatIsShown": requester(
        "The status shows the newest changes only.", "Ask the ledger: --ledger."
    ),
    "CalledOff": nobody("Nothing brings the version into the stage any more."),
    "Closed": nobody("The attempt has ended, and no vote counts any more."),
    "NoRecord": requester("The ledger has no record of the Model.", "Correct its name."),
    "NoSuchAlias": requester("The Model has no such alias.", "Name one that it has."),
    "NoSuchVersion": requester(
        "The Model has no such version.", "Name one that kubectl model versions lists."
    ),
    "NoVoteNeeded": nobody("The step asks for no approval."),
    "NobodyWatched": requester(
        "No controller watched at that time, so what served may be another one.",
        "Look at the logs of the servers themselves.",
    ),
    "NotAsked": requester(
        "Nothing is under way that it could be about.", "Ask for the version first."
    ),
    "NotYet": nobody("The time asked about has not come."),
    "NothingInProduction": nobody("No version was in Production."),
    "NothingShown": requester("The status shows no change yet.", "Ask the ledger: --ledger."),
    "ReferenceNotUnderstood": requester(
        "The text names no version.",
        "Write MODEL@production, @staging, @latest, @v3 or an alias of the Model.",
    ),
    "RolloutWindow": nobody("A rollout was under way: both versions may have answered."),
}
