"""ModelVersion: who registered it and who noted what is stamped; what can never be is refused."""

from dataclasses import replace
from typing import Any

from modelwarden.admission.reviews import Answer, Review
from modelwarden.admission.stamps import unstampable
from modelwarden.domain.artifact_uri import NOT_UNDERSTOOD
from modelwarden.domain.identity import is_service_account
from modelwarden.domain.installation import Installation
from modelwarden.domain.verdicts import Verdict, allow
from modelwarden.workflows.facts import record_can_be_written

_NO_TRAINER = (
    "TrainerUnknown: spec.trainedBy names no person and cannot be added later; where a policy "
    "excludes the trainer, no approval of this version will count."
)


def stamped(review: Review) -> Answer:
    """Stamp `spec.registeredBy` at creation, and `spec.notesBy` whenever the notes change."""
    caller = review.caller.to_json()
    old = review.old_spec
    if old is None:
        stamps: dict[str, Any] = {
            "registeredBy": caller,
            "notesBy": caller if "notes" in review.spec else None,
        }
    else:
        noted = review.spec.get("notes") != old.get("notes")
        stamps = {
            "registeredBy": old.get("registeredBy"),
            "notesBy": caller if noted else old.get("notesBy"),
        }
    refusal = unstampable(review.caller) if caller in stamps.values() else None
    if refusal is not None:
        return Answer(verdict=refusal)
    return Answer(verdict=allow("Stamped", "It is known who wrote what."), stamps=stamps)


def judged(review: Review, installation: Installation) -> Answer:
    """Refuse what cannot be read; warn of what will hold the version back later.

    Raises MalformedObjectError where the record or its notes could not be written into the ledger.
    """
    record_can_be_written(review.spec)
    if not review.is_creation:
        return Answer(verdict=allow("Admitted", "Only notes may have changed."))
    store = installation.store_of(review.spec["artifact"]["uri"], review.namespace)
    if isinstance(store, Verdict) and store.code == NOT_UNDERSTOOD:
        return Answer(verdict=replace(store, sentence=f"spec.artifact.uri: {store.sentence}"))
    warnings = [f"{store.code}: {store.message}"] if isinstance(store, Verdict) else []
    return Answer(
        verdict=allow("Admitted", "The record can be looked at."),
        warnings=(*warnings, *_about_trainers(review)),
    )


def _about_trainers(review: Review) -> tuple[str, ...]:
    trainers = [trainer["name"] for trainer in review.spec.get("trainedBy") or ()]
    if any(not is_service_account(name) for name in trainers):
        return ()
    return (_NO_TRAINER,)
