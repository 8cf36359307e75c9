"""Labels, annotations and finalizers under our prefix are written by the operator only."""

from modelwarden.admission.policies.cel import NOT_BY_OPERATOR
from modelwarden.admission.policies.operator_only import KINDS
from modelwarden.admission.policies.shape import Match, Policy, Validation
from modelwarden.domain.consumes import ALL
from modelwarden.domain.labels import CONSUMES, PREFIX

_CONDITIONS = {"not-the-operator": NOT_BY_OPERATOR}


def _unchanged(now: str, before: str, *, free: str = "") -> str:
    """Claim that no key of ours came, went or got another value; the free one may."""
    theirs = f"!k.contains('{PREFIX}')" + (f" || k == '{free}'" if free else "")
    return (
        f"variables.{now}.all(k, {theirs}"
        f" || (k in variables.{before} && variables.{now}[k] == variables.{before}[k]))\n"
        f"&& variables.{before}.all(k, {theirs} || k in variables.{now})"
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


def _guarded(what: str, *, now: str, before: str, free: str = "") -> tuple[Validation, ...]:
    return tuple(
        Validation(
            claim=_unchanged(
                f"{kind}{now}", f"{kind}{before}", free=free if kind == "annotations" else ""
            ),
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
        *_guarded("a Deployment", now="Now", before="Before", free=CONSUMES),
        *_guarded("a pod template", now="OfPodsNow", before="OfPodsBefore", free=CONSUMES),
    ),
)

_ANNOTATIONS = ".?metadata.?annotations.orValue({})"
# CEL reads a backslash in text before its expressions do.
GRAMMAR = ALL.replace("\\", "\\\\")

CONSUMES_GRAMMAR = Policy(
    name="consumes",
    rule="What a workload says that it uses can be read; whoever writes it is told where not.",
    matches=(
        Match(resources=("deployments", "statefulsets", "daemonsets"), group="apps", version="v1"),
        Match(resources=("jobs", "cronjobs"), group="batch", version="v1"),
        Match(resources=("pods",), group="", version="v1"),
    ),
    conditions={
        "says-what-it-uses": (
            f"has(object.metadata.annotations) && '{CONSUMES}' in object.metadata.annotations\n"
            f"|| '{CONSUMES}' in object.?spec.?template{_ANNOTATIONS}\n"
            f"|| '{CONSUMES}' in object.?spec.?jobTemplate.?spec.?template{_ANNOTATIONS}"
        )
    },
    validations=tuple(
        Validation(
            claim=f"!('{CONSUMES}' in {carrier})\n|| {carrier}['{CONSUMES}'].matches('{GRAMMAR}')",
            sentence=(
                f"{CONSUMES} cannot be read: write <model>@production, <model>@staging, "
                "<model>:3 or <namespace>/<model>:3, with a comma between two of them"
            ),
        )
        for carrier in (
            f"object{_ANNOTATIONS}",
            f"object.?spec.?template{_ANNOTATIONS}",
            f"object.?spec.?jobTemplate.?spec.?template{_ANNOTATIONS}",
        )
    ),
    warns=True,
)
