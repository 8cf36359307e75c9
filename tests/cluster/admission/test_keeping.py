"""What is the operator's alone, and what may not be deleted; by the policies alone."""

import json
import secrets
import subprocess
from typing import Any

import pytest

from modelwarden.domain.labels import (
    ARTIFACT_DIGEST,
    ARTIFACT_URI,
    CONSUMES,
    MODEL,
    MODEL_VERSION,
    STAGE,
)
from tests.cluster.running import RunningCluster, until

from .callers import GROUP, OPERATOR, Person, RefusedError
from .conftest import EDITOR
from .objects import DIGEST, SINCE, decision, deployment, model, transition, version

SPEC = {"owners": [{"kind": "User", "name": "owner@example.com"}], "affectsPeople": False}
DEPLOYMENTS = "/apis/apps/v1/namespaces/{place}/deployments"
ONLY = "written by the operator only"


@pytest.fixture
def platform(admin: Person) -> Person:
    """Somebody who may do anything that RBAC can allow."""
    return admin.named("platform@example.com", "system:masters")


@pytest.fixture(scope="module")
def records(admin: Person, operator: Person, place: str) -> str:
    """The path of a namespace with a Model, a version of each stage and an attempt."""
    home = f"{GROUP}/namespaces/{place}"
    admin.create(f"{home}/models", model("kept", SPEC))
    for number, stage in enumerate(("Registered", "Staging", "Production", "Retiring"), start=1):
        admin.create(f"{home}/modelversions", version("kept", number))
        status = {"status": {"stage": stage, "since": SINCE}}
        operator.merge(f"{home}/modelversions/kept-{number}/status", status)
    operator.create(f"{home}/modeltransitions", transition("kept", 3))
    operator.merge(f"{home}/models/kept/status", {"status": {"versions": 4}})
    return home


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("models/kept", {"versions": 9}),
        ("modelversions/kept-1", {"stage": "Production"}),
        ("modeltransitions/kept-3-production-1", {"evidenceDigest": DIGEST}),
    ],
)
def test_status_is_written_by_the_operator_only(
    platform: Person, operator: Person, records: str, *, kind: str, status: dict[str, Any]
) -> None:
    path = f"{records}/{kind}/status"

    with pytest.raises(RefusedError, match="only the operator writes"):
        platform.merge(path, {"status": status})

    operator.merge(path, {"status": status}, dry_run=True)


def test_transitions_are_written_by_the_operator_only(
    platform: Person, operator: Person, records: str
) -> None:
    with pytest.raises(RefusedError, match="only the operator writes modeltransitions"):
        platform.create(f"{records}/modeltransitions", transition("kept", 9))
    with pytest.raises(RefusedError, match="only the operator writes modeltransitions"):
        platform.merge(
            f"{records}/modeltransitions/kept-3-production-1", {"metadata": {"labels": {"a": "b"}}}
        )

    operator.create(f"{records}/modeltransitions", transition("kept", 9), dry_run=True)


def test_a_status_in_a_manifest_is_nothing(platform: Person, records: str) -> None:
    body = {**version("kept", 20), "status": {"stage": "Production"}}

    created = platform.create(f"{records}/modelversions", body, dry_run=True)

    assert "stage" not in created.get("status", {})


@pytest.mark.parametrize(
    "metadata",
    [
        {"labels": {"modelwarden.io/stage": "Production"}},
        {"annotations": {"modelwarden.io/x": "y"}},
        {"annotations": {"kopf.modelwarden.io/x": "y"}},
        {"finalizers": ["modelwarden.io/records"]},
    ],
    ids=str,
)
def test_keys_of_ours_on_records_are_written_by_the_operator_only(
    platform: Person, operator: Person, records: str, metadata: dict[str, Any]
) -> None:
    body = model("new", SPEC, **metadata)

    with pytest.raises(RefusedError, match=ONLY):
        platform.create(f"{records}/models", body, dry_run=True)
    with pytest.raises(RefusedError, match=ONLY):
        platform.merge(f"{records}/models/kept", {"metadata": metadata}, dry_run=True)

    operator.merge(f"{records}/models/kept", {"metadata": metadata}, dry_run=True)


def test_keys_of_ours_are_neither_changed_nor_taken_away(
    platform: Person, operator: Person, records: str
) -> None:
    path = f"{records}/modelversions/kept-1"
    ours = {"labels": {MODEL: "kept"}, "finalizers": ["modelwarden.io/records"]}
    operator.merge(path, {"metadata": ours})

    for change in ({"labels": {MODEL: "other"}}, {"labels": {MODEL: None}}, {"finalizers": None}):
        with pytest.raises(RefusedError, match=ONLY):
            platform.merge(path, {"metadata": change}, dry_run=True)

    platform.merge(path, {"metadata": {"labels": {"team": "risk"}}}, dry_run=True)
    operator.merge(path, {"metadata": {"finalizers": None}})


SERVED: dict[str, Any] = {
    "labels": {MODEL: "kept", MODEL_VERSION: "3", STAGE: "production"},
    "annotations": {ARTIFACT_URI: "s3://models/a", ARTIFACT_DIGEST: DIGEST},
}
SERVED_PODS: dict[str, Any] = {
    "labels": {MODEL: "kept", MODEL_VERSION: "3"},
    "annotations": SERVED["annotations"],
}


@pytest.fixture(scope="module")
def served(admin: Person, operator: Person, place: str) -> str:
    """The path of a Deployment that the operator made serve version 3."""
    collection = DEPLOYMENTS.format(place=place)
    admin.create(collection, deployment("api"))
    change = {"metadata": SERVED, "spec": {"template": {"metadata": SERVED_PODS}}}
    operator.merge(f"{collection}/api", change)
    return f"{collection}/api"


@pytest.mark.parametrize(
    "change",
    [
        {"metadata": {"labels": {MODEL_VERSION: "4"}}},
        {"metadata": {"labels": {STAGE: None}}},
        {"metadata": {"annotations": {ARTIFACT_DIGEST: "sha256:" + "1" * 64}}},
        {"metadata": {"annotations": {ARTIFACT_URI: None}}},
        {"spec": {"template": {"metadata": {"labels": {MODEL_VERSION: "4"}}}}},
        {"spec": {"template": {"metadata": {"labels": {MODEL: None}}}}},
        {"spec": {"template": {"metadata": {"annotations": {ARTIFACT_URI: "s3://evil/a"}}}}},
        {"spec": {"template": {"metadata": {"annotations": {ARTIFACT_DIGEST: None}}}}},
    ],
    ids=str,
)
def test_what_a_deployment_serves_is_said_by_the_operator_only(
    platform: Person, served: str, change: dict[str, Any]
) -> None:
    with pytest.raises(RefusedError, match=ONLY):
        platform.merge(served, change, dry_run=True)


def test_a_deployment_is_not_born_serving(platform: Person, place: str) -> None:
    collection = DEPLOYMENTS.format(place=place)
    body = deployment("born")
    body["spec"]["template"]["metadata"]["labels"][MODEL] = "kept"

    with pytest.raises(RefusedError, match=ONLY):
        platform.create(collection, body, dry_run=True)
    with pytest.raises(RefusedError, match=ONLY):
        platform.create(collection, deployment("born", **SERVED), dry_run=True)


def test_a_deployments_owner_applies_scales_and_restarts_as_ever(
    bare_cluster: RunningCluster, admin: Person, served: str, place: str
) -> None:
    here = ("-n", place)
    image = "api=registry.example.com/api:2"
    manifest = deployment("api")
    bare_cluster.apply(manifest, namespace=place)
    bare_cluster.kubectl(None, *here, "scale", "deployment/api", "--replicas=1")
    bare_cluster.kubectl(None, *here, "scale", "deployment/api", "--replicas=0")
    bare_cluster.kubectl(None, *here, "set", "image", "deployment/api", image)
    bare_cluster.kubectl(None, *here, "set", "env", "deployment/api", "A=b")
    bare_cluster.kubectl(None, *here, "rollout", "restart", "deployment/api")

    kept = admin.get(served)

    assert kept["metadata"]["labels"] == SERVED["labels"]
    assert SERVED["annotations"].items() <= kept["metadata"]["annotations"].items()
    pods = kept["spec"]["template"]["metadata"]
    assert SERVED_PODS["labels"].items() <= pods["labels"].items()
    assert SERVED_PODS["annotations"].items() <= pods["annotations"].items()


def test_a_deployments_owner_says_what_it_consumes(platform: Person, served: str) -> None:
    said = {"metadata": {"annotations": {CONSUMES: "kept@production, risk/churn:2"}}}

    platform.merge(served, {**said, "spec": {"template": said}})
    platform.merge(served, {"metadata": {"annotations": {CONSUMES: "kept:3"}}})
    platform.merge(served, {"metadata": {"annotations": {CONSUMES: None}}})

    with pytest.raises(RefusedError, match=ONLY):
        platform.merge(served, {"metadata": {"labels": {CONSUMES: "kept"}}}, dry_run=True)


@pytest.mark.parametrize(
    ("said", "warned"),
    [
        ("kept@production", False),
        (" kept:3 , risk/churn@v2 ", False),
        ("kept", True),
        ("kept:0", True),
        ("kept@production,", True),
    ],
)
def test_whoever_writes_what_cannot_be_read_is_told_at_once(
    bare_cluster: RunningCluster, place: str, *, said: str, warned: bool
) -> None:
    metadata = {"name": "consumer", "annotations": {CONSUMES: said}}
    spec = {"containers": [{"name": "main", "image": "registry.example.com/main:1"}]}
    template = {"metadata": metadata, "spec": {**spec, "restartPolicy": "Never"}}
    cron_job = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "consumer"},
        "spec": {"schedule": "0 0 * * *", "jobTemplate": {"spec": {"template": template}}},
    }
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}

    told = [
        "cannot be read: write <model>@production" in warnings_of(bare_cluster, manifest, place)
        for manifest in (pod, cron_job)
    ]

    assert told == [warned, warned]


def warnings_of(cluster: RunningCluster, manifest: dict[str, Any], place: str) -> str:
    """Apply a manifest without keeping it, and give what kubectl said beside the answer."""
    words = cluster.command(None, "apply", f"--namespace={place}", "--dry-run=server", "-f", "-")
    done = subprocess.run(
        words, input=json.dumps(manifest), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.parametrize("number", [2, 3, 4])
def test_a_version_in_use_is_not_deleted(platform: Person, records: str, number: int) -> None:
    with pytest.raises(RefusedError, match="move it out of that stage first"):
        platform.delete(f"{records}/modelversions/kept-{number}", dry_run=True)


def test_a_version_out_of_use_may_be_deleted(platform: Person, records: str) -> None:
    platform.delete(f"{records}/modelversions/kept-1", dry_run=True)


def test_an_archived_version_is_not_deleted_while_it_is_kept(
    platform: Person, admin: Person, operator: Person, records: str
) -> None:
    path = f"{records}/modelversions/kept-5"
    admin.create(f"{records}/modelversions", version("kept", 5))
    status = {"stage": "Archived", "since": SINCE, "retainedUntil": "2033-11-24T12:00:00Z"}
    operator.merge(f"{path}/status", {"status": status})

    with pytest.raises(RefusedError, match="kept-5 is archived and kept until 2033-11-24"):
        platform.delete(path)

    operator.merge(f"{path}/status", {"status": {"retainedUntil": None}})
    platform.delete(path)


def test_a_model_with_versions_is_not_deleted(platform: Person, records: str) -> None:
    with pytest.raises(RefusedError, match=r"kept still has versions \(4\): delete them first"):
        platform.delete(f"{records}/models/kept", dry_run=True)


def test_a_model_without_versions_may_be_deleted(platform: Person, records: str) -> None:
    platform.create(f"{records}/models", model("empty", SPEC))

    platform.delete(f"{records}/models/empty")


def test_decisions_and_transitions_are_deleted_by_the_operator_only(
    platform: Person, operator: Person, records: str
) -> None:
    body = decision()
    body["spec"]["by"] = platform.caller.to_json()
    name = platform.create(f"{records}/modeldecisions", body)["metadata"]["name"]

    for path in (
        "modeltransitions/kept-3-production-1", "modeltransitions",
        f"modeldecisions/{name}", "modeldecisions",
    ):  # fmt: skip
        with pytest.raises(RefusedError, match="records are deleted by the operator only"):
            platform.delete(f"{records}/{path}", dry_run=True)

    operator.delete(f"{records}/modeldecisions/{name}")


def test_a_namespace_with_records_is_not_deleted(platform: Person, records: str) -> None:
    path = f"/api/v1/namespaces/{records.rpartition('/')[2]}"
    label = {"metadata": {"labels": {"modelwarden.io/records": "true"}}}
    platform.merge(path, label)

    with pytest.raises(RefusedError, match="holds records of models"):
        platform.delete(path, dry_run=True)

    platform.merge(path, {"metadata": {"labels": {"modelwarden.io/records": None}}})
    platform.delete(path, dry_run=True)


def test_a_namespace_that_ends_takes_its_records_along(platform: Person, operator: Person) -> None:
    name = f"leaving-{secrets.token_hex(3)}"
    platform.create("/api/v1/namespaces", {"metadata": {"name": name}})
    home = f"{GROUP}/namespaces/{name}"
    platform.create(f"{home}/models", model("kept", SPEC))
    operator.merge(f"{home}/models/kept/status", {"status": {"versions": 1}})
    platform.create(f"{home}/modelversions", version("kept", 1))
    operator.merge(f"{home}/modelversions/kept-1/status", {"status": {"stage": "Production"}})
    operator.create(f"{home}/modeltransitions", transition("kept", 1))

    platform.delete(f"/api/v1/namespaces/{name}")

    assert until(lambda: _is_gone(platform, name), what="the namespace's end")


def _is_gone(platform: Person, namespace: str) -> bool:
    try:
        platform.get(f"/api/v1/namespaces/{namespace}")
    except RefusedError as refusal:
        return refusal.code == 404
    return False


def test_a_kind_of_ours_is_deleted_only_after_saying_so(platform: Person) -> None:
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    path = f"{crds}/modelpolicies.modelwarden.io"

    with pytest.raises(RefusedError, match="holds records of models"):
        platform.delete(path, dry_run=True)

    platform.merge(path, {"metadata": {"annotations": {"modelwarden.io/delete": "yes"}}})
    platform.delete(path, dry_run=True)
    platform.merge(path, {"metadata": {"annotations": {"modelwarden.io/delete": None}}})


def test_nobody_gets_a_token_of_the_operator(
    bare_cluster: RunningCluster, platform: Person
) -> None:
    accounts = "/api/v1/namespaces/modelwarden-system/serviceaccounts"
    name = OPERATOR.rpartition(":")[2]
    for account in (name, "other"):
        metadata = {"name": account, "namespace": "modelwarden-system"}
        bare_cluster.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}

    with pytest.raises(RefusedError, match="issued to its own pod only"):
        platform.create(f"{accounts}/{name}/token", request)

    platform.create(f"{accounts}/other/token", request)


def test_an_editor_may_do_what_an_editor_may(admin: Person, records: str) -> None:
    editor = admin.named("engineer@example.com", EDITOR)

    editor.merge(f"{records}/models/kept", {"metadata": {"labels": {"team": "risk"}}}, dry_run=True)
