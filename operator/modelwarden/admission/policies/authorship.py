"""The stamp `spec.authors` says who changed what, with the webhook and without it.

A create without a stamp is admitted and opens nothing; an edit of a stamped part is not.
"""

from modelwarden.admission.policies.cel import CALLER, sentence, stamped_by_caller
from modelwarden.admission.policies.model_parts import same
from modelwarden.admission.policies.model_rights import MODELS
from modelwarden.admission.policies.shape import Policy, Validation
from modelwarden.admission.policies.stage_lists import STAGES, entered, left
from modelwarden.domain.authors import AUTOMATION, GOVERNED, PRODUCTION, SERVING
from modelwarden.domain.edits import GOVERNED as GOVERNED_FIELDS
from modelwarden.domain.edits import Place

_LISTS = (Place.STAGING, Place.ARCHIVED, Place.REGISTERED)
_LEAVE_OUT = "leave spec.authors out and it is filled in"


def _parts(place: Place, entries: str) -> str:
    return f"{entries}.map(e, 'stages.{place}/' + string(e.version))"


def _changed() -> str:
    moved = [_parts(place, some(place)) for place in _LISTS for some in (entered, left)]
    others = [
        _production(),
        f"({same('serving')} ? [] : ['{SERVING}'])",
        f"({same('automation')} ? [] : ['{AUTOMATION}'])",
        f"(oldObject != null && variables.sameGoverned ? [] : ['{GOVERNED}'])",
    ]
    return "\n+ ".join(others + moved)


def _production() -> str:
    """Tell the line that was removed from the one that was written, as the domain's rule does."""
    same_line = "variables.productionNow == variables.productionBefore"
    asked_down = entered(Place.STAGING) + ".exists(e, e.version == variables.inProduction)"
    return (
        f"({same_line} ? [] : variables.asked != 0 ? ['{PRODUCTION}']\n"
        f"  : ['{PRODUCTION}/' + string(variables.askedBefore)])\n"
        "+ (variables.asked == 0 && variables.inProduction != 0\n"
        "&& variables.inProduction != variables.askedBefore\n"
        f"&& {asked_down}\n"
        f"? ['{PRODUCTION}/' + string(variables.inProduction)] : [])"
    )


def _standing() -> str:
    """List the parts whose author still matters, as the domain's rule does."""
    terms = [
        f"['{SERVING}', '{AUTOMATION}', '{GOVERNED}']",
        (
            f"(variables.asked != 0 ? ['{PRODUCTION}'] : variables.inProduction != 0"
            f" ? ['{PRODUCTION}/' + string(variables.inProduction)] : [])"
        ),
        _parts(Place.STAGING, "variables.stagingNow"),
        f"variables.inStaging.map(v, 'stages.{Place.STAGING}/' + string(v))",
        _parts(
            Place.ARCHIVED, "variables.archivedNow.filter(e, !(e.version in variables.inArchived))"
        ),
        _parts(
            Place.REGISTERED,
            "variables.registeredNow.filter(e, e.version == variables.inProduction"
            " || e.version in variables.inStaging || e.version in variables.inArchived"
            " || e.version in variables.retiring)",
        ),
    ]
    return "\n+ ".join(terms)


MODEL_AUTHORS = Policy(
    name="model-authors",
    rule="spec.authors gains one item, the caller's, for what a request changes, and no other.",
    matches=(MODELS,),
    variables={
        **STAGES,
        "authorsBefore": "variables.was.?authors.orValue([])",
        "authorsNow": "variables.now.?authors.orValue([])",
        "idsBefore": "variables.authorsBefore.map(a, a.id)",
        "sameGoverned": same(*GOVERNED_FIELDS),
        "changed": _changed(),
        "standing": _standing(),
        "kept": (
            "(size(variables.changed) == 0 ? variables.authorsBefore\n"
            ': variables.authorsBefore.map(a, {"id": dyn(a.id), "by": dyn(a.by), "of": dyn(\n'
            "a.of.filter(p, p in variables.standing && !(p in variables.changed)))}))\n"
            ".filter(a, size(a.of) > 0)"
        ),
        "fresh": "variables.authorsNow.filter(a, !(a.id in variables.idsBefore))",
    },
    validations=(
        Validation(
            claim=(
                "oldObject == null || size(variables.changed) == 0 || size(variables.fresh) > 0"
            ),
            sentence_in_cel=sentence(
                "stamping is off, see kubectl model doctor ({part} of {model} changed and "
                "spec.authors does not say by whom)",
                part="variables.changed[0]",
                model="object.metadata.name",
            ),
        ),
        Validation(
            claim=(
                "size(variables.fresh) == 0 || (size(variables.fresh) == 1\n"
                f"&& {stamped_by_caller('variables.fresh[0].by')})"
            ),
            sentence_in_cel=sentence(
                f"spec.authors: the new item must be you ({{caller}}); {_LEAVE_OUT}", caller=CALLER
            ),
        ),
        Validation(
            claim=(
                "size(variables.fresh) == 0 || (size(variables.changed) > 0\n"
                "&& size(variables.fresh[0].of) == size(variables.changed)\n"
                "&& variables.changed.all(p, p in variables.fresh[0].of))"
            ),
            sentence=(
                "spec.authors: your item must name exactly what this request changes; " + _LEAVE_OUT
            ),
        ),
        Validation(
            claim=(
                "size(variables.authorsNow) == size(variables.kept) + size(variables.fresh)\n"
                "&& variables.kept.all(k, k in variables.authorsNow)"
            ),
            sentence=(
                "spec.authors: items of what this request does not change must stay as they are; "
                + _LEAVE_OUT
            ),
        ),
    ),
)
