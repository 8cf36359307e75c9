"""What objects say that they use, as it is read from what the API server stores."""

from typing import Any

import pytest

from modelwarden.domain import labels
from modelwarden.domain.consumes import Consumed
from modelwarden.domain.uses import Place, Use
from modelwarden.workflows.consumers import problems_of, use_of, use_of_deployment
from tests.domain.builders import carrying

OURS = {labels.MODEL: "fraud-detector", labels.MODEL_VERSION: "1"}
LABELLED = frozenset({("fraud-detector", 1)})
URI = "s3://models/risk/fraud/1/model.onnx"


def stored(name: str = "api", **changes: Any) -> dict[str, Any]:
    """Build an object of somebody else."""
    metadata = {"name": name, "namespace": "risk", **changes.pop("metadata", {})}
    return {"metadata": metadata, **changes}


def templated(metadata: dict[str, Any], pod: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"template": {"metadata": metadata, "spec": pod or {}}}


def containers(**container: Any) -> dict[str, Any]:
    return {"containers": [{"name": "main", **container}]}


def test_a_workload_says_it_by_the_labels_of_its_pods() -> None:
    for kind in ("Deployment", "StatefulSet", "DaemonSet", "Job"):
        found = use_of(stored(spec=templated({"labels": OURS})), kind)

        assert found is not None
        assert (found.place, found.labelled) == (Place(kind, "risk", "api"), LABELLED)


def test_a_cron_job_says_it_in_the_template_of_its_job() -> None:
    annotations = {labels.CONSUMES: "fraud-detector@production"}
    job = {"spec": templated({"annotations": annotations}, containers(args=["--model", URI]))}

    assert use_of(stored(spec={"suspend": True, "jobTemplate": job}), "CronJob") == Use(
        place=Place("CronJob", "risk", "api"),
        consumes=(Consumed("risk", "fraud-detector", name="production"),),
        uris=(URI,),
        detail="suspended",
    )


def test_a_bare_pod_says_it_itself() -> None:
    pod = stored(
        metadata={"labels": OURS},
        status={"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    )

    assert use_of(pod, "Pod") == Use(place=Place("Pod", "risk", "api"), labelled=LABELLED, ready=1)


URIS = {
    "an argument": containers(args=[f"--model={URI}"]),
    "the command": containers(command=["sh", "-c", f"load {URI}; serve"]),
    "a variable": containers(env=[{"name": "MODEL", "value": URI}, {"name": "A", "valueFrom": {}}]),
    "an init container": {"initContainers": [{"name": "fetch", "args": [URI]}]},
}


@pytest.mark.parametrize("pod", URIS.values(), ids=URIS)
def test_a_workload_says_it_by_the_artifact(pod: dict[str, Any]) -> None:
    found = use_of(stored(spec=templated({}, pod)), "Deployment")

    assert found is not None
    assert URI in found.uris


def test_an_annotation_may_name_the_artifact_but_for_our_own() -> None:
    own = {labels.ARTIFACT_URI: URI}
    theirs = {"example.com/model": f"{URI}, since May."}
    applied = {"kubectl.kubernetes.io/last-applied-configuration": f'{{"uri": "{URI}"}}'}

    assert use_of(stored(metadata={"annotations": own}), "Deployment") is None
    assert use_of(stored(metadata={"annotations": applied}), "Deployment") is None
    found = use_of(stored(metadata={"annotations": theirs}), "Deployment")
    assert found is not None
    assert URI in found.uris


OVER = {
    "a pod that ended": (stored(metadata={"labels": OURS}, status={"phase": "Succeeded"}), "Pod"),
    "a Job that ended": (
        stored(
            metadata={"labels": OURS},
            status={"conditions": [{"type": "Complete", "status": "True"}]},
        ),
        "Job",
    ),
    "a gate's Job": (
        stored(
            metadata={"labels": {**OURS, labels.MANAGED_BY: "modelwarden", labels.ATTEMPT: "u"}}
        ),
        "Job",
    ),
    "a version that is no number": (
        stored(metadata={"labels": {**OURS, labels.MODEL_VERSION: "latest"}}),
        "Pod",
    ),
    "a workload that is being deleted": (
        stored(metadata={"labels": OURS, "deletionTimestamp": "2026-11-24T12:00:00Z"}),
        "Deployment",
    ),
    "a Service of an application": (stored(spec={"selector": {"app": "api"}}), "Service"),
    "a Service without a selector": (stored(spec={}), "Service"),
    "an Ingress without a Service": (stored(spec={"rules": [{"host": "a"}]}), "Ingress"),
    "an object that says nothing": (stored(), "StatefulSet"),
}


@pytest.mark.parametrize(("raw", "kind"), OVER.values(), ids=OVER)
def test_nothing_is_used_by(raw: dict[str, Any], kind: str) -> None:
    assert use_of(raw, kind) is None


def test_a_pod_that_is_ending_still_serves() -> None:
    ending = stored(metadata={"labels": OURS, "deletionTimestamp": "2026-11-24T12:00:00Z"})

    found = use_of(ending, "Pod")

    assert found is not None


def test_a_workload_that_helm_manages_uses_what_it_says() -> None:
    found = use_of(stored(metadata={"labels": {**OURS, labels.MANAGED_BY: "Helm"}}), "Pod")

    assert found is not None


def made_by(kind: str, name: str, **more: str) -> Place | None:
    owner = {"kind": kind, "name": name, "controller": True}
    pod = stored(metadata={"labels": {**OURS, **more}, "ownerReferences": [owner]})
    found = use_of(pod, "Pod")
    return None if found is None else found.maker


def test_the_pod_of_a_deployment_was_made_by_it() -> None:
    template = {"pod-template-hash": "5d8f"}

    assert [
        made_by("ReplicaSet", "fraud-api-5d8f", **template),
        made_by("ReplicaSet", "by-hand"),
        made_by("Job", "nightly-1"),
    ] == [
        Place("Deployment", "risk", "fraud-api"),
        Place("ReplicaSet", "risk", "by-hand"),
        Place("Job", "risk", "nightly-1"),
    ]


def test_a_service_selects_by_our_labels() -> None:
    assert use_of(stored(spec={"selector": OURS}), "Service") == Use(
        place=Place("Service", "risk", "api"), labelled=LABELLED
    )


def backend(name: str) -> dict[str, Any]:
    return {"backend": {"service": {"name": name, "port": {"number": 80}}}}


def test_an_ingress_leads_to_services() -> None:
    rules = [{"http": {"paths": [backend("b"), backend("a"), {"backend": {"resource": {}}}]}}]
    spec = {"defaultBackend": backend("c")["backend"], "rules": rules}

    assert use_of(stored(spec=spec), "Ingress") == Use(
        place=Place("Ingress", "risk", "api"),
        leads_to=tuple(Place("Service", "risk", name) for name in "abc"),
    )


def test_an_http_route_leads_to_services_of_any_namespace() -> None:
    rules = [
        {"backendRefs": [{"name": "a"}, {"name": "b", "namespace": "edge", "kind": "Service"}]},
        {"backendRefs": [{"name": "bucket", "kind": "Bucket", "group": "example.com"}]},
    ]

    assert use_of(stored(spec={"rules": rules}), "HTTPRoute") == Use(
        place=Place("HTTPRoute", "risk", "api"),
        leads_to=(Place("Service", "edge", "b"), Place("Service", "risk", "a")),
    )


def test_a_malformed_annotation_is_told_and_the_rest_of_it_read() -> None:
    raw = stored(metadata={"annotations": {labels.CONSUMES: "fraud-detector:1, x y"}})

    found = use_of(raw, "Deployment")

    assert found is not None
    assert found.consumes == (Consumed("risk", "fraud-detector", 1),)
    assert [problem.code for problem in problems_of(raw, "Deployment")] == ["ConsumesNotUnderstood"]


def test_a_deployment_of_the_model_says_it_by_the_labels_of_its_pods() -> None:
    assert use_of_deployment(carrying(1, ready=2), "risk") == Use(
        place=Place("Deployment", "risk", "fraud-api"), labelled=LABELLED, ready=2
    )
