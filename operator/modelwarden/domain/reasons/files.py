"""What is wrong with an artifact, and why it cannot be read or brought."""

from collections.abc import Mapping

from modelwarden.domain.reasons.reason import (
    Reason,
    nobody,
    platform_team,
    registrant,
    serving_team,
)

_ANEW = "Register the next version with a sound artifact."

REASONS: Mapping[str, Reason] = {
    "ArtifactChangedWhileRead": registrant(
        "A file changed while it was read.", "Leave the artifact alone, then retry."
    ),
    "ArtifactNotFound": registrant("There is nothing where the URI points.", "Put it there."),
    "ArtifactNotWritten": serving_team(
        "The artifact could not be written where the server reads it.",
        "Give the pod a folder that is large enough and that it may write to.",
    ),
    "ArtifactTooLarge": registrant("The artifact is larger than a gate reads.", _ANEW),
    "DigestDiffers": registrant(
        "The bytes are not those that were registered.",
        "Put back what was registered, or register the next version.",
    ),
    "DigestMissing": serving_team(
        "The pod's annotation has no digest to compare with.",
        "Read both annotations of the operator in the pod template.",
    ),
    "EmptyFolder": registrant("There is no file below the URI.", "Put the artifact there."),
    "ExternalDataRefused": registrant(
        "The weights lie where no file of the artifact may be.", _ANEW
    ),
    "FileNameRefused": registrant("A file has a name that is not allowed.", _ANEW),
    "FormatNotYetSupported": registrant(
        "This release cannot read the format.", "Register the next version as ONNX or Safetensors."
    ),
    "IndexDiffers": registrant("The index and its shards do not agree.", _ANEW),
    "ModelFileAmbiguous": registrant("The folder has more than one model file at its top.", _ANEW),
    "ModelFileMissing": registrant("The folder has no model file at its top.", _ANEW),
    "NotAFile": registrant(
        "On the way to the artifact is a link or another special file.", "Put real files there."
    ),
    "NotFetched": platform_team(
        "The artifact could not be brought.", "Read the log of the container that brings it."
    ),
    "NotOnnx": registrant("The file is not ONNX, or is damaged.", _ANEW),
    "NotSafetensors": registrant("The file is not safetensors, or is damaged.", _ANEW),
    "OnnxRulesBroken": registrant("The file breaks the rules of ONNX.", _ANEW),
    "PlaceTaken": registrant(
        "Something else lies where the artifact would be uploaded.", "Remove it."
    ),
    "ReaderCrashed": registrant("Reading the file broke its reader.", _ANEW),
    "ReaderTimedOut": registrant("Reading the file took too long.", _ANEW),
    "SafetensorsRulesBroken": registrant("The file breaks the rules of safetensors.", _ANEW),
    "ShardMissing": registrant("The index names a shard that is not there.", _ANEW),
    "ShardNotInIndex": registrant("A shard is there that the index does not name.", _ANEW),
    "ShardRefused": registrant("The index names something that cannot be a shard.", _ANEW),
    "SignatureDiffers": registrant(
        "The file takes or gives something else than its recorded signature.",
        "Register the next version with the signature of the file.",
    ),
    "SignatureMeasured": nobody("What the file takes and gives was read."),
    "SizeDiffers": registrant(
        "The artifact has another size than was registered.",
        "Put back what was registered, or register the next version.",
    ),
    "StoreDenied": platform_team(
        "The store does not accept the credentials.",
        "Correct the store's Secret and its rights, then retry.",
    ),
    "StoreNotSupported": registrant(
        "Artifacts can be in S3 or on a claim only.", "Put it into such a store."
    ),
    "StoreUnavailable": platform_team(
        "The store did not answer.", "Check the store and the way to it, then retry."
    ),
    "TooManyFiles": registrant("The artifact has more files than a gate reads.", _ANEW),
    "TooManyTensors": registrant("The file names more tensors than a gate reads.", _ANEW),
}
