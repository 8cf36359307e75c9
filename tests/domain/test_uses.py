"""Which versions of a model are used, and by what: from everything that the cluster shows."""

from dataclasses import replace
from typing import Any

import pytest

from modelwarden.domain.consumers import Consumer, Consumers, How
from modelwarden.domain.consumes import Consumed
from modelwarden.domain.stages import Stage
from modelwarden.domain.state import ModelKey, ModelState
from modelwarden.domain.uses import Declared, Place, Use, consumers_found, uses
from tests.domain.builders import KEY, state, version_state

LEDGER = state({1: Stage.RETIRING, 2: Stage.PRODUCTION, 3: Stage.STAGING})


def use(kind: str = "Deployment", name: str = "api", namespace: str = "risk", **says: Any) -> Use:
    return replace(Use(place=Place(kind, namespace, name)), **says)


def labelled(number: int = 1, model: str = "fraud-detector") -> frozenset[tuple[str, int]]:
    return frozenset({(model, number)})


def found(*said: Use, after: ModelState = LEDGER, **more: Any) -> Consumers:
    return consumers_found(KEY, uses(said), state=after, aliases={"old": 1}, **more)


OURS = Consumed("risk", "fraud-detector", 1)
URI = version_state(1).artifact_uri
SAID = {
    "our labels": (use(labelled=labelled()), How.LABEL, ""),
    "a number": (use(consumes=(OURS,)), How.ANNOTATION, ""),
    "a name": (use(consumes=(replace(OURS, number=None, name="old"),)), How.ANNOTATION, "@old"),
    "the artifact": (use(uris=(URI,)), How.ARTIFACT_URI, ""),
    "labels before all others": (
        use(labelled=labelled(), consumes=(OURS,), uris=(URI,)),
        How.LABEL,
        "",
    ),
    "its owner before the artifact": (use(consumes=(OURS,), uris=(URI,)), How.ANNOTATION, ""),
    "what else is known": (use(uris=(URI,), detail="suspended"), How.ARTIFACT_URI, "suspended"),
    "a selector": (use("Service", labelled=labelled()), How.SELECTOR, ""),
    "another namespace": (use("CronJob", namespace="batch", consumes=(OURS,)), How.ANNOTATION, ""),
}


@pytest.mark.parametrize(("said", "how", "detail"), SAID.values(), ids=SAID)
def test_something_uses_a_version(said: Use, how: How, detail: str) -> None:
    assert found(said) == {1: (Consumer(*said.place, how=how, detail=detail),)}


@pytest.mark.parametrize(
    "said",
    [
        use(labelled=labelled(model="churn")),
        use(labelled=labelled(), namespace="batch"),
        use(consumes=(Consumed("batch", "fraud-detector", 1),)),
        use(consumes=(Consumed("risk", "fraud-detector", name="nobody"),)),
        use(uris=("s3://models/risk/fraud/1/model.onnx.old",)),
        use("Ingress", leads_to=(Place("Service", "risk", "api"),)),
    ],
    ids=[
        "another model",
        "our labels in another namespace",
        "a model of another namespace",
        "a name that no version has",
        "another artifact",
        "a route to a Service that selects none",
    ],
)
def test_something_else_does_not(said: Use) -> None:
    assert found(said) == {}


def test_a_route_leads_to_the_version_that_its_service_selects() -> None:
    service = use("Service", "old", labelled=labelled())
    route = use("HTTPRoute", "web", "edge", leads_to=(service.place,))

    assert found(route, service) == {
        1: (
            Consumer("HTTPRoute", "edge", "web", How.SELECTOR, "leads to Service old"),
            Consumer("Service", "risk", "old", How.SELECTOR),
        )
    }


def test_what_something_else_on_the_list_made_is_not_listed_beside_it() -> None:
    nightly = use("CronJob", "nightly", consumes=(OURS,))
    job = use("Job", "nightly-1", consumes=(OURS,), maker=nightly.place)
    pod = use("Pod", "nightly-1-a", consumes=(OURS,), maker=job.place)

    assert found(pod, job, nightly) == {
        1: (Consumer("CronJob", "risk", "nightly", How.ANNOTATION),)
    }


def test_a_pod_of_the_version_before_is_listed_though_its_deployment_went_on() -> None:
    deployment = use(labelled=labelled(2))
    pod = use("Pod", "api-1", labelled=labelled(1), maker=deployment.place)

    assert found(deployment, pod) == {
        1: (Consumer("Pod", "risk", "api-1", How.LABEL),),
        2: (Consumer("Deployment", "risk", "api", How.LABEL),),
    }


@pytest.mark.parametrize("read", ["s3://models/risk/fraud/1/", "s3://models/risk/fraud/1/a/b.bin"])
def test_reading_a_part_of_a_folder_is_using_the_version(read: str) -> None:
    versions = {1: version_state(1, artifact_uri="s3://models/risk/fraud/1/")}
    after = replace(state(), versions=state().versions.put(1, versions[1]))

    assert found(use(uris=(read,)), after=after) == {
        1: (Consumer("Deployment", "risk", "api", How.ARTIFACT_URI),)
    }


def test_what_is_declared_uses_the_version_in_production() -> None:
    report = Declared(name="Weekly report", kind="Report", contact="bi@example.com")

    assert found(declared=(report,)) == {
        2: (Consumer("Report", "risk", "Weekly report", How.DECLARED, "bi@example.com"),)
    }


def test_without_a_version_in_production_nothing_is_declared_to_use_one() -> None:
    report = Declared(name="Weekly report", kind="Report")

    assert found(after=state({1: Stage.STAGING}), declared=(report,)) == {}


def test_what_was_read_just_now_counts_before_what_was_kept() -> None:
    kept = uses((use("Pod", "a", labelled=labelled()), use("StatefulSet", labelled=labelled())))

    now = kept.with_labelled(KEY, (use("Pod", "b", labelled=labelled()),), kinds={"Pod"})

    assert consumers_found(KEY, now, state=LEDGER, aliases={}) == {
        1: (
            Consumer("Pod", "risk", "b", How.LABEL),
            Consumer("StatefulSet", "risk", "api", How.LABEL),
        )
    }
    assert kept.by_label[ModelKey("risk", "fraud-detector")] != now.by_label[KEY]
