from dataclasses import replace

from modelwarden.cluster.client import ApiClient
from modelwarden.cluster.events import Event, body_of, post_event
from modelwarden.cluster.paths import EVENTS
from tests.fakes.api_server import FakeApiServer

NOW = "2026-11-24T08:00:00Z"
PROMOTED = Event(
    regarding={
        "apiVersion": "modelwarden.io/v1alpha1",
        "kind": "Model",
        "metadata": {"name": "fraud", "namespace": "risk", "uid": "u1", "resourceVersion": "7"},
    },
    kind="Normal",
    reason="Promoted",
    action="Promote",
    message="Version 2 is in Production.",
    key="41",
)


async def test_one_change_is_one_event_however_often_it_is_told(
    client: ApiClient, server: FakeApiServer
) -> None:
    for event in (PROMOTED, PROMOTED, replace(PROMOTED, key="42")):
        await post_event(client, event, time=NOW)

    assert [event["note"] for event in server.all(EVENTS)] == ["Version 2 is in Production."] * 2


def test_an_event_names_what_it_regards() -> None:
    body = body_of(PROMOTED, time=NOW, instance="pod-1")

    assert body == {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": body["metadata"]["name"], "namespace": "risk"},
        "eventTime": "2026-11-24T08:00:00.000000Z",
        "type": "Normal",
        "reason": "Promoted",
        "action": "Promote",
        "note": "Version 2 is in Production.",
        "reportingController": "modelwarden.io/controller",
        "reportingInstance": "pod-1",
        "regarding": {
            "apiVersion": "modelwarden.io/v1alpha1",
            "kind": "Model",
            "name": "fraud",
            "namespace": "risk",
            "uid": "u1",
            "resourceVersion": "7",
        },
    }


def test_an_event_about_a_cluster_wide_object_is_in_the_default_namespace() -> None:
    policy = {
        "apiVersion": "modelwarden.io/v1alpha1",
        "kind": "ModelPolicy",
        "metadata": {"name": "standard"},
    }

    body = body_of(replace(PROMOTED, regarding=policy), time=NOW, instance="pod-1")

    assert (body["metadata"]["namespace"], body["regarding"]["namespace"]) == ("default", "")


def test_a_long_message_is_cut_at_a_character() -> None:
    body = body_of(replace(PROMOTED, message="é" * 600), time=NOW, instance="pod-1")

    assert len(body["note"].encode()) <= 1024
    assert body["note"] == "é" * 510 + "…"
