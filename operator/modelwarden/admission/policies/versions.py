"""Who registers a version, who answers for its training, who changes its notes."""

from modelwarden.admission.policies.cel import (
    CALLER,
    SPECS,
    USERNAME_PREFIX,
    lacks,
    model_authorizer,
    sentence,
    stamped_by_caller,
)
from modelwarden.admission.policies.shape import Match, Policy, Validation
from modelwarden.domain.rights import ATTEST

VERSION = Policy(
    name="version",
    rule="A version is registered in one's own name; naming other trainers asks for attest.",
    matches=(Match(resources=("modelversions",)),),
    variables={
        **SPECS,
        "notedByCaller": (
            f"has(object.spec.notesBy)\n&& {stamped_by_caller('object.spec.notesBy')}"
        ),
        "sameNotes": "variables.now.?notes == variables.was.?notes",
        "sameNotesBy": "variables.now.?notesBy == variables.was.?notesBy",
    },
    validations=(
        Validation(
            claim=(
                "oldObject != null || !has(object.spec.registeredBy)\n"
                f"|| ({stamped_by_caller('object.spec.registeredBy')})"
            ),
            sentence_in_cel=sentence(
                "spec.registeredBy must be you ({caller}); leave it out and it is filled in",
                caller=CALLER,
            ),
        ),
        Validation(
            claim=(
                "oldObject != null || object.spec.?trainedBy.orValue([]).all(t, t.kind == 'User'\n"
                f"&& ({CALLER} == t.name || {CALLER} == '{USERNAME_PREFIX}' + t.name))\n"
                f"|| {model_authorizer('object.spec.model')}.check('attest').allowed()"
            ),
            sentence_in_cel=(
                lacks(ATTEST, model="object.spec.model")
                + " + ': spec.trainedBy names others than the caller'"
            ),
        ),
        Validation(
            claim=(
                "oldObject == null || variables.sameNotes\n"
                "|| variables.notedByCaller || !variables.sameNotesBy"
            ),
            sentence=(
                "stamping is off, see kubectl model doctor (spec.notes changed and spec.notesBy "
                "does not say by whom)"
            ),
        ),
        Validation(
            claim=(
                "variables.sameNotes ? variables.sameNotesBy\n"
                ": variables.notedByCaller || (oldObject == null && !has(object.spec.notesBy))"
            ),
            sentence=(
                "spec.notesBy must be who last changed spec.notes; leave it out and it is filled in"
            ),
        ),
    ),
)
