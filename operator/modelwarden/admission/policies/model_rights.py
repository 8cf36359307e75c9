"""Who may move versions: every entry that an edit touches asks for the rights of its row."""

from itertools import product

from modelwarden.admission.policies.cel import any_true, lacks, model_authorizer, quoted
from modelwarden.admission.policies.shape import Match, Policy, Validation
from modelwarden.admission.policies.stage_lists import STAGES, need, needs_of
from modelwarden.domain.edits import AUTOMATION, TABLE, Change, Place
from modelwarden.domain.rights import Right

MODELS = Match(resources=("models",))

_OUTCOMES = tuple(dict.fromkeys([row.rights for row in TABLE] + [AUTOMATION]))
_RIGHTS = tuple(dict.fromkeys(right for rights in _OUTCOMES for right in rights))


def _check(right: Right, verb: str) -> str:
    return f"may{verb.capitalize()}{right.subresource.capitalize()}"


def _checks() -> dict[str, str]:
    return {
        _check(right, verb): (
            f"variables.model.subresource('{right.subresource}').check('{verb}').allowed()"
        )
        for right in _RIGHTS
        for verb in right.verbs
    }


def _needs() -> dict[str, str]:
    lists = {
        f"{place}{change.capitalize()}": needs_of(place, change)
        for place, change in product(Place, Change)
    }
    automated = (
        "object.spec.?automation == variables.was.?automation || !has(object.spec.automation)\n"
        f"? [] : ['{need(AUTOMATION)}']"
    )
    total = "\n+ ".join(f"variables.{name}" for name in (*lists, "automated"))
    return {**lists, "automated": automated, "needs": total}


def _validation(right: Right) -> Validation:
    asked = any_true(
        f"{quoted(need(rights))} in variables.needs" for rights in _OUTCOMES if right in rights
    )
    held = any_true(f"variables.{_check(right, verb)}" for verb in right.verbs)
    return Validation(
        claim=f"!({asked})\n|| {held}",
        sentence_in_cel=lacks(right, model="object.metadata.name"),
    )


# A sentence that read a variable with a check of the authorizer in it would fail at run time; so
# there is one validation per right.
MODEL_RIGHTS = Policy(
    name="model-rights",
    rule="An edit of spec.stages asks for a right on every stage that it touches.",
    matches=(MODELS,),
    variables={
        **STAGES,
        **_needs(),
        "model": model_authorizer("object.metadata.name"),
        **_checks(),
    },
    validations=tuple(_validation(right) for right in _RIGHTS),
)
