"""What keeps a version from being registered, and what its record lacks."""

from collections.abc import Mapping

from modelwarden.domain.reasons.reason import Reason, nobody, registrant

REASONS: Mapping[str, Reason] = {
    "FormatNotAllowed": registrant(
        "The policy does not allow the artifact's format.",
        "Register the next version in an allowed format.",
    ),
    "MetadataMissing": registrant(
        "The record lacks metadata that is required.",
        "Register the next version with it, or with the reason under spec.notApplicable.",
    ),
    "NotChecked": nobody("The artifact was not looked at yet."),
    "NumberTaken": registrant(
        "The number was registered before, with other content.",
        "Register this content under the next number.",
    ),
    "Registering": nobody("The record and the file are being read."),
    "RegistrationFailed": registrant(
        "A gate of the registration failed.",
        "Register what was mended under the next number, or retry the attempt.",
    ),
    "StoreNotAllowed": registrant(
        "The artifact lies in no store that the namespace may take artifacts from.",
        "Put it below a prefix that the ConfigMap modelwarden-stores lists.",
    ),
    "ArtifactUriNotUnderstood": registrant(
        "The URI does not say where an artifact lies.",
        "Write s3://BUCKET/KEY or pvc://CLAIM/PATH, with a slash at its end for a folder.",
    ),
}
