"""Why a vote, a Retry or a Review is awaited, refused or does not count."""

from collections.abc import Mapping

from modelwarden.domain.reasons.reason import (
    Reason,
    approver,
    model_owner,
    nobody,
    requester,
)

_AGAIN = "Look at it as it is now and vote again."
_OTHERS = "Ask another owner or reviewer."

REASONS: Mapping[str, Reason] = {
    "AnotherAttempt": approver(
        "The decision is about an earlier attempt of the same name.",
        "Look at the attempt again and decide anew.",
    ),
    "ApprovalsMissing": approver(
        "Votes of owners or reviewers are missing.",
        "Whoever is missing looks at it and votes: kubectl model approve.",
    ),
    "AttemptClosed": requester(
        "The attempt has ended, and no vote counts any more.",
        "Ask for the version again, with a new reason.",
    ),
    "AttemptNotRead": requester("What it is about could not be read just now.", "Try again."),
    "AttemptOpen": nobody("The attempt has not ended, so there is nothing to try again."),
    "AttemptSucceeded": nobody("The attempt has succeeded, so there is nothing to try again."),
    "AttemptUnknown": requester(
        "There is no such attempt.", "Name one that kubectl get modeltransitions lists."
    ),
    "EvidenceChanged": approver("The vote was for other results of the gates.", _AGAIN),
    "EvidenceNotReady": nobody("Votes open once the gates have passed."),
    "Excluded": approver("The policy lets whoever voted not decide.", _OTHERS),
    "Expired": approver("The vote counted for a time, and that is over.", _AGAIN),
    "ModelUnknown": approver("There is no such Model.", "Correct spec.model."),
    "NeitherOwnerNorReviewer": approver(
        "Whoever voted is neither owner nor reviewer of the Model.", _OTHERS
    ),
    "NoReviewDue": nobody("The policy and the Model ask for no review."),
    "NotAPerson": approver(
        "A service account decides nothing.", "Decide with a person's own login."
    ),
    "NotCounted": nobody("The vote did not count when the attempt ended."),
    "NotTheLatestAttempt": requester(
        "Another attempt followed this one.", "Retry the latest one, once it has ended."
    ),
    "NotesChanged": approver("The version's notes were changed after the vote.", _AGAIN),
    "NothingAsksForIt": requester(
        "Nothing in spec.stages asks for it any more.", "Ask for it again, with a new reason."
    ),
    "NothingToRetract": approver(
        "There was no vote to take back.", "See who has voted: kubectl model describe."
    ),
    "NothingToReview": approver(
        "Nothing is in Production, or no such rollback was made.",
        "Review the Model once a version is in Production.",
    ),
    "PolicyChanged": approver("The vote was for another policy.", _AGAIN),
    "PolicyEditorExcluded": approver("Whoever changed the policy may not decide.", _OTHERS),
    "QuorumImpossible": model_owner(
        "Too few people are left who may approve.",
        "Name more owners or reviewers in the Model.",
    ),
    "RegistrantExcluded": approver("Whoever registered the version may not decide.", _OTHERS),
    "Rejected": requester(
        "An owner or a reviewer said no.",
        "Mend what they say, then ask again with a new reason.",
    ),
    "Replaced": nobody("The same person voted again later, and that vote stands."),
    "RequesterExcluded": approver("Whoever asked for a rollback may not review it.", _OTHERS),
    "RetrierUnknown": requester("The Retry does not say who made it.", "Make it again."),
    "Retracted": nobody("The vote was taken back."),
    "ReviewDue": nobody("The next review has a date, and it is not over."),
    "ReviewOverdue": approver(
        "A review of what is in Production was due and was not made.",
        "Look at it and say so: kubectl model review.",
    ),
    "ReviewerUnknown": approver("The Review does not say who made it.", "Make it again."),
    "RightMissing": approver(
        "Whoever decided lacks the right to it.", "Ask somebody who has it, or for the right."
    ),
    "RolloutBegun": nobody("The vote came after the rollout had begun."),
    "SubjectChanged": approver("The vote was for other content of the version.", _AGAIN),
    "TrainerExcluded": approver("Whoever trained the version may not decide.", _OTHERS),
    "VoterUnknown": approver("The decision does not say who made it.", "Make it again."),
    "WrongStage": approver(
        "The decision names another stage than its attempt leads to.",
        "Write the stage that the attempt leads to.",
    ),
}
