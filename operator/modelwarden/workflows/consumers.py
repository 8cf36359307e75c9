"""From workloads, Services and routes as the API server stores them to what they say they use."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from modelwarden.domain import labels
from modelwarden.domain.consumers import Consumers
from modelwarden.domain.consumes import Consumed, parse
from modelwarden.domain.facts import DeploymentFacts, ModelFacts
from modelwarden.domain.state import ModelKey, ModelState
from modelwarden.domain.uses import Place, Use, Uses, consumers_found
from modelwarden.domain.verdicts import Verdict

Stored: TypeAlias = Mapping[str, Any]

# A pod in one of these phases has no container that runs or could run again.
_OVER = frozenset({"Succeeded", "Failed"})
_URI = re.compile(r"(?:s3|pvc|oci)://[A-Za-z0-9._=@+:,~/-]+")
# More than any workload reads; what somebody fills with URIs is not followed any further.
_MOST_URIS = 64


def use_of(raw: Stored, kind: str) -> Use | None:
    """Read what an object says that it uses; None where it says nothing, or is over."""
    if "deletionTimestamp" in raw["metadata"] and kind != "Pod":
        return None
    if kind in _ROUTES:
        return _route(raw, kind)
    if kind == "Service":
        return _service(raw)
    return _workload(raw, kind)


def use_of_deployment(deployment: DeploymentFacts, namespace: str) -> Use:
    """Read what a Deployment that was read already says by our labels."""
    return Use(
        place=Place("Deployment", namespace, deployment.name),
        labelled=_labelled(deployment.template_labels),
        ready=deployment.ready,
    )


def problems_of(raw: Stored, kind: str) -> tuple[Verdict, ...]:
    """Say what of an object's annotation cannot be read."""
    return _consumes(raw, kind)[1]


def consumers_now(
    key: ModelKey,
    model: ModelFacts | None,
    *,
    state: ModelState,
    uses: Uses | None,
    deployments: Mapping[str, DeploymentFacts] | None = None,
    pods: Sequence[Mapping[str, Any]] | None = None,
) -> Consumers | None:
    """Say who uses the versions of a Model; what was read just now counts before what was kept."""
    if uses is None:
        return None
    now: list[Use] = []
    read = set()
    if deployments is not None:
        now += [use_of_deployment(each, key.namespace) for each in deployments.values()]
        read.add("Deployment")
    if pods is not None:
        now += [use for raw in pods if (use := use_of(raw, "Pod")) is not None]
        read.add("Pod")
    return consumers_found(
        key,
        uses.with_labelled(key, now, kinds=read),
        state=state,
        aliases={} if model is None else model.aliases,
        declared=() if model is None else model.consumers,
    )


def _workload(raw: Stored, kind: str) -> Use | None:
    metadata, spec, status = raw["metadata"], raw.get("spec") or {}, raw.get("status") or {}
    if _is_over(kind, status) or _judges(metadata):
        return None
    carriers = _carriers(raw, kind)
    found = Use(
        place=_place(raw, kind),
        maker=_maker(metadata),
        labelled=frozenset(pair for carrier in carriers for pair in _labelled(_map(carrier))),
        consumes=_consumes(raw, kind)[0],
        uris=_uris(carriers, _pod_spec(raw, kind)),
        detail="suspended" if spec.get("suspend") else "",
        ready=_ready(kind, status),
    )
    return found if found.labelled or found.consumes or found.uris else None


def _service(raw: Stored) -> Use | None:
    labelled = _labelled((raw.get("spec") or {}).get("selector") or {})
    return Use(place=_place(raw, "Service"), labelled=labelled) if labelled else None


def _route(raw: Stored, kind: str) -> Use | None:
    services = sorted(set(_ROUTES[kind](raw)))
    return Use(place=_place(raw, kind), leads_to=tuple(services)) if services else None


def _services_of_ingress(raw: Stored) -> Iterator[Place]:
    spec, namespace = raw.get("spec") or {}, raw["metadata"]["namespace"]
    paths = [
        path
        for rule in spec.get("rules") or ()
        for path in (rule.get("http") or {}).get("paths") or ()
    ]
    backends = [spec.get("defaultBackend") or {}, *(path.get("backend") or {} for path in paths)]
    for backend in backends:
        if "service" in backend:
            yield Place("Service", namespace, backend["service"]["name"])


def _services_of_http_route(raw: Stored) -> Iterator[Place]:
    own = raw["metadata"]["namespace"]
    for rule in (raw.get("spec") or {}).get("rules") or ():
        for backend in rule.get("backendRefs") or ():
            if backend.get("kind", "Service") == "Service" and not backend.get("group"):
                yield Place("Service", backend.get("namespace") or own, backend["name"])


_ROUTES = {"Ingress": _services_of_ingress, "HTTPRoute": _services_of_http_route}


def _is_over(kind: str, status: Stored) -> bool:
    if kind == "Pod":
        return status.get("phase") in _OVER
    ends = (c for c in status.get("conditions") or () if c["type"] in ("Complete", "Failed"))
    return kind == "Job" and any(end["status"] == "True" for end in ends)


def _judges(metadata: Stored) -> bool:
    """A gate's Job reads a version to judge it; it is over soon, and serves nobody."""
    carried = metadata.get("labels") or {}
    return carried.get(labels.MANAGED_BY) == labels.FIELD_MANAGER and labels.ATTEMPT in carried


def _carriers(raw: Stored, kind: str) -> list[Stored]:
    """List what may carry labels and annotations: the object, and the template of its pods."""
    spec = raw.get("spec") or {}
    if kind == "CronJob":
        job = spec.get("jobTemplate") or {}
        template = (job.get("spec") or {}).get("template") or {}
        return [raw["metadata"], job.get("metadata") or {}, template.get("metadata") or {}]
    template = spec.get("template") or {}
    return [raw["metadata"], template.get("metadata") or {}]


def _pod_spec(raw: Stored, kind: str) -> Stored:
    spec: Stored = raw.get("spec") or {}
    if kind == "Pod":
        return spec
    if kind == "CronJob":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    found: Stored = (spec.get("template") or {}).get("spec") or {}
    return found


def _map(carrier: Stored) -> Mapping[str, str]:
    found: Mapping[str, str] = carrier.get("labels") or {}
    return found


def _labelled(carried: Mapping[str, str]) -> frozenset[tuple[str, int]]:
    model, number = carried.get(labels.MODEL, ""), carried.get(labels.MODEL_VERSION, "")
    return frozenset({(model, int(number))}) if model and number.isdecimal() else frozenset()


def _consumes(raw: Stored, kind: str) -> tuple[tuple[Consumed, ...], tuple[Verdict, ...]]:
    used: dict[Consumed, None] = {}
    problems: dict[Verdict, None] = {}
    for carrier in _carriers(raw, kind):
        text = (carrier.get("annotations") or {}).get(labels.CONSUMES)
        if text is not None:
            read, wrong = parse(text, namespace=raw["metadata"]["namespace"])
            used.update(dict.fromkeys(read))
            problems.update(dict.fromkeys(wrong))
    return tuple(used), tuple(problems)


def _uris(carriers: Sequence[Stored], pod: Stored) -> tuple[str, ...]:
    """Find URIs in annotations, arguments and variables, but for those that we wrote ourselves."""
    texts = [
        text
        for carrier in carriers
        for name, text in (carrier.get("annotations") or {}).items()
        if not name.startswith(labels.PREFIX) and name != _LAST_APPLIED
    ]
    for container in (*(pod.get("initContainers") or ()), *(pod.get("containers") or ())):
        texts += [*(container.get("command") or ()), *(container.get("args") or ())]
        texts += [one.get("value") or "" for one in container.get("env") or ()]
    found: dict[str, None] = {}
    for text in texts:
        for uri in _URI.findall(text) if "://" in text else ():
            # In a sentence or a list a comma or a full stop may follow.
            found.update({uri: None, uri.rstrip(".,:"): None})
    return tuple(found)[:_MOST_URIS]


# The whole object once more, as kubectl applied it.
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def _ready(kind: str, status: Stored) -> int | None:
    if kind == "Pod":
        conditions = status.get("conditions") or ()
        return int(any(c["type"] == "Ready" and c["status"] == "True" for c in conditions))
    field = {"DaemonSet": "numberReady", "Job": "ready", "CronJob": ""}.get(kind, "readyReplicas")
    return int(status.get(field) or 0) if field else None


def _place(raw: Stored, kind: str) -> Place:
    return Place(kind, raw["metadata"]["namespace"], raw["metadata"]["name"])


def _maker(metadata: Stored) -> Place | None:
    """Name what made an object; a pod of a Deployment's ReplicaSet was made by the Deployment."""
    owners = metadata.get("ownerReferences") or ()
    owner = next((owner for owner in owners if owner.get("controller")), None)
    if owner is None:
        return None
    kind, name = owner["kind"], owner["name"]
    template = _map(metadata).get("pod-template-hash")
    if kind == "ReplicaSet" and template and name.endswith(f"-{template}"):
        kind, name = "Deployment", name.removesuffix(f"-{template}")
    return Place(kind, metadata["namespace"], name)
