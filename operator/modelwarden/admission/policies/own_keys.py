"""Labels, annotations and finalizers under our prefix are written by the operator only."""

from modelwarden.admission.policies.cel import NOT_BY_OPERATOR
from modelwarden.admission.policies.operator_only import KINDS
from modelwarden.admission.policies.shape import Match, Policy, Validation
from modelwarden.domain.labels import PREFIX

_CONDITIONS = {"not-the-operator": NOT_BY_OPERATOR}


def _unchanged(now: str, before: str) -> str:
    """Claim that no key of ours came, went or got another value."""
    return (
        f"variables.{now}.all(k, !k.contains('{PREFIX}')"
        f" || (k in variables.{before} && variables.{now}[k] == variables.{before}[k]))\n"
        f"&& variables.{before}.all(k, !k.contains('{PREFIX}') || k in variables.{now})"
    )


def _maps(where: str, *, now: str, before: str) -> dict[str, str]:
    found = f"{where}.?{{kind}}.orValue({{{{}}}})"
    return {
        name: expression
        for kind in ("labels", "annotations")
        for name, expression in (
            (f"{kind}{now}", found.format(kind=kind).replace("WHICH", "object")),
            (
                f"{kind}{before}",
                "oldObject == null ? {} : " + found.format(kind=kind).replace("WHICH", "oldObject"),
            ),
        )
    }


def _guarded(what: str, *, now: str, before: str) -> tuple[Validation, ...]:
    return tuple(
        Validation(
            claim=_unchanged(f"{kind}{now}", f"{kind}{before}"),
            sentence=f"{kind} under {PREFIX} on {what} are written by the operator only",
        )
        for kind in ("labels", "annotations")
    )


_OURS = f".orValue([]).filter(f, f.contains('{PREFIX}'))"

OWN_KEYS = Policy(
    name="own-keys",
    rule="Our labels, annotations and finalizers on our kinds are the operator's.",
    matches=(Match(resources=KINDS),),
    conditions=_CONDITIONS,
    variables={
        **_maps("WHICH.metadata", now="Now", before="Before"),
        "finalizersNow": f"object.metadata.?finalizers{_OURS}",
        "finalizersBefore": f"oldObject == null ? [] : oldObject.metadata.?finalizers{_OURS}",
    },
    validations=(
        *_guarded("records of models", now="Now", before="Before"),
        Validation(
            claim="variables.finalizersNow == variables.finalizersBefore",
            sentence=f"finalizers under {PREFIX} are written by the operator only",
        ),
    ),
)

DEPLOYMENT_KEYS = Policy(
    name="deployment-keys",
    rule="What a Deployment serves is said by the operator only, on the object and on its pods.",
    matches=(Match(resources=("deployments",), group="apps", version="v1"),),
    conditions=_CONDITIONS,
    variables={
        **_maps("WHICH.metadata", now="Now", before="Before"),
        **_maps("WHICH.spec.template.?metadata", now="OfPodsNow", before="OfPodsBefore"),
    },
    validations=(
        *_guarded("a Deployment", now="Now", before="Before"),
        *_guarded("a pod template", now="OfPodsNow", before="OfPodsBefore"),
    ),
)
