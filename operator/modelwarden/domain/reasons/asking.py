"""What holds a request in spec.stages back, before an attempt and in it."""

from collections.abc import Mapping

from modelwarden.domain.reasons.reason import (
    Reason,
    approver,
    model_owner,
    nobody,
    platform_team,
    registrant,
    requester,
)

REASONS: Mapping[str, Reason] = {
    "AliasUnresolved": requester(
        "An alias in spec.aliases names a version that does not exist.",
        "Register that version, or correct the number of the alias.",
    ),
    "AttemptVanished": requester(
        "The ModelTransition or the version was deleted while the attempt was open.",
        "Apply the version again and ask again with a new reason.",
    ),
    "AuthorUnknown": platform_team(
        "Nobody is stamped as the author of the request.",
        "Check that the webhook runs, then have it written again.",
    ),
    "ChampionChanged": nobody(
        "Another version is in Production than the one that the gates compared with; the attempt "
        "opens again by itself."
    ),
    "ContentChanged": requester(
        "The version was deleted and made again with other content while its attempt was open.",
        "Register that content under the next number and ask for it.",
    ),
    "GovernedDiffers": model_owner(
        "The Model was made again with other rules than are on record.",
        "Write back what was recorded, or have somebody who may govern the Model set it.",
    ),
    "GovernedFieldsChanged": nobody(
        "The Model's own rules changed; the attempt opens again by itself under the new ones."
    ),
    "LedgerBroken": platform_team(
        "The bytes of the ledger do not verify, so nothing is decided.",
        "Run kubectl model audit verify and restore the ledger from a copy.",
    ),
    "LedgerLost": platform_team(
        "The ledger is behind its anchor or is another one, so nothing is decided.",
        "Restore the ledger from a copy.",
    ),
    "LedgerNewer": platform_team(
        "A newer release wrote the ledger than this one reads.",
        "Install that release again, or a later one.",
    ),
    "LedgerUnavailable": platform_team(
        "The store of the ledger does not answer, so nothing is decided.",
        "Look at the controller's log and at its volume or store.",
    ),
    "Malformed": requester(
        "A field has a value that it cannot have.",
        "Correct the field whose path is named.",
    ),
    "ModelGone": requester(
        "The Model was deleted while the attempt was open.",
        "Apply the Model again, then ask again with a new reason.",
    ),
    "ModelNotFound": requester(
        "The version names a Model that does not exist.",
        "Apply the Model; the version waits for it.",
    ),
    "ModelTooLarge": requester(
        "The Model has more bytes than can be kept.",
        "Remove settled entries from spec.stages.",
    ),
    "NotRegistered": registrant(
        "The version is not registered yet.",
        "See what its registration waits for.",
    ),
    "PolicyChangedSince": nobody(
        "The policy was edited since the attempt opened, which goes on by the old one."
    ),
    "RequesterLacksRight": requester(
        "Whoever asked may not move a model into that stage.",
        "Have it asked for by somebody with that right, or ask for the right.",
    ),
    "RequesterUnknown": requester(
        "It is not known who asked.",
        "Ask again, with a login of your own.",
    ),
    "RightNotReviewed": nobody("The API server was not asked yet whether a person may do this."),
    "RolloutInProgress": nobody("Another version of the Model is being rolled out just now."),
    "Soaking": nobody("The policy wants the version to stay in its stage for some time first."),
    "TakenBack": requester(
        "Nothing in spec.stages asks for it any more.",
        "If it is still wanted, ask again with a new reason.",
    ),
    "TrainerUnknown": registrant(
        "No person is named who trained the version, so nobody's approval can count.",
        "Register the next version with its people in spec.trainedBy.",
    ),
    "UnderWay": nobody("The attempt is open, and its next step is being taken."),
    "VersionNotFound": requester(
        "No ModelVersion has the number that is asked for.",
        "Register it, or correct the number in spec.stages.",
    ),
    "WaitsForReplacement": nobody(
        "The version leaves Production once the one that is asked for has taken its place."
    ),
    "WrongVersion": approver(
        "The decision names another version than its attempt is about.",
        "Write spec.model and spec.version of the attempt.",
    ),
    "GroupNameTooLong": platform_team(
        "A login is in a group whose name is too long to be recorded.",
        "Have the identity provider send shorter names of groups.",
    ),
    "LoginTooLong": platform_team(
        "A login is too long to be recorded.",
        "Use a shorter login.",
    ),
    "TooManyGroups": platform_team(
        "A login is in more groups than can be recorded.",
        "Use a login with fewer groups, or have the identity provider send fewer.",
    ),
    "NotSeenYet": nobody("The operator has not looked at the newest edit yet."),
    "Ended": nobody("The attempt has ended before anybody had to approve."),
}
