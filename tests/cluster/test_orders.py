"""What a Model asks for once and gets again and again, on a real cluster.

New versions go to Staging, names mean versions, artifacts are looked at, what rests is kept.
"""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.cluster.example import MODEL, Example
from tests.cluster.installed import BUCKET, SYSTEM, TOP, Installed, client
from tests.cluster.local import programs
from tests.cluster.running import RefusedError, RunningCluster, until

POLICY = "automating"
CHECK_SECONDS = 15


@pytest.fixture(scope="module")
def watchful(operator: Installed) -> Iterator[Installed]:
    """The installation, which looks at artifacts all the time, and afterwards is as it was."""
    _set(operator.cluster, f"controller.artifactCheckSeconds={CHECK_SECONDS}")
    yield operator
    _set(operator.cluster, "controller.artifactCheckSeconds=86400")


def _set(cluster: RunningCluster, value: str) -> None:
    words = [str(programs.path("helm")), "upgrade", "modelwarden", str(TOP / "charts/modelwarden")]
    words += [f"--namespace={SYSTEM}", "--reuse-values", "--wait", "--timeout=3m", "--set", value]
    words += [f"--kubeconfig={cluster.kubeconfig}", f"--kube-context={cluster.admin}"]
    subprocess.run(words, check=True, capture_output=True)


def policy() -> dict[str, Any]:
    """Write the policy for trying things out, that lets versions be moved to Staging unasked."""
    written: dict[str, Any] = yaml.safe_load((TOP / "examples/policies/demo.yaml").read_text())
    written["metadata"]["name"] = POLICY
    written["spec"] |= {"automation": {"maxStage": "Staging"}, "retention": {"archivedDays": 30}}
    return written


@pytest.fixture(scope="module")
def automated(watchful: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """Two versions of a Model whose new versions go to Staging; the tests go on from there."""
    cluster = watchful.cluster
    cluster.kubectl(None, "apply", "-f", "-", given=json.dumps(policy()))
    with cluster.namespace("standing-orders") as namespace:
        example = Example(watchful, namespace, tmp_path_factory.mktemp("models"))
        example.set_up()
        example.may_use(POLICY)
        example.declare(
            policy=POLICY, serving=[], automation={"to": "Staging", "keep": 1}, aliases=ALIASES
        )
        example.register(1)
        example.await_stage(1, "Staging")
        example.register(2)
        yield example


ALIASES = [{"name": "candidate", "version": 2}, {"name": "next", "version": 3}]


def events(example: Example, action: str) -> set[tuple[str, str]]:
    """What events of the namespace tell of a kind of record: how loud, and about which kind."""
    found = example.installed.cluster.get(
        "events.events.k8s.io", f"--namespace={example.namespace}"
    )
    return {
        (event["type"], event["regarding"]["kind"])
        for event in found["items"]
        if event.get("action") == action
    }


def test_a_new_version_goes_to_staging_by_itself_and_the_one_before_it_comes_back(
    automated: Example,
) -> None:
    automated.await_stage(2, "Staging")
    automated.await_stage(1, "Registered")

    attempt = automated.get("modeltransition", f"{MODEL}-1-registered-2")["spec"]
    assert attempt["request"]["author"]["username"] == "engineer@example.com"
    assert attempt["request"]["entry"]["reason"] == "replaced by 2"
    assert events(automated, "Demoted") == {("Normal", "Model")}


def test_a_name_means_its_version_and_waits_where_there_is_none(automated: Example) -> None:
    automated.await_stage(2, "Staging")

    told = {
        which: automated.ask("engineer", "resolve", f"{MODEL}@{which}", "-o", "json")
        for which in ("candidate", "staging", "latest", "next", "production")
    }

    meant = {
        which: automated.json(said)["version"] for which, said in told.items() if said.code == 0
    }
    assert meant == {"candidate": 2, "staging": 2, "latest": 2}
    assert automated.waits_for(3) == ["AliasUnresolved"]


def test_an_artifact_that_is_gone_is_noticed_and_so_is_its_return(automated: Example) -> None:
    automated.await_stage(2, "Staging")
    key = f"{automated.namespace}/{MODEL}/2/model.onnx"
    client(automated.installed.store).delete_object(Bucket=BUCKET, Key=key)
    until(
        lambda: automated.condition(2, "ArtifactAvailable") == "False",
        what="it is noticed that the artifact is gone",
        within=120,
    )
    warned = ("Warning", "ModelVersion") in events(automated, "ArtifactChecked")
    stage = automated.stage(2)

    automated.installed.upload(automated.work / "2" / "model.onnx", key)

    until(
        lambda: automated.condition(2, "ArtifactAvailable") == "True",
        what="it is noticed that the artifact is back",
        within=120,
    )
    assert (warned, stage) == (True, "Staging")
    assert ("Normal", "ModelVersion") in events(automated, "ArtifactChecked")


def test_an_archived_version_is_kept_for_its_time(automated: Example) -> None:
    automated.await_stage(1, "Registered")
    asked = automated.ask("manager", "archive", MODEL, "1", "--reason=Nobody needs it", "--yes")
    automated.await_stage(1, "Archived")

    kept = automated.get("modelversion", f"{MODEL}-1")["status"]["retainedUntil"]

    assert asked.code == 0, asked.complaint
    with pytest.raises(RefusedError, match=f"kept until {kept}"):
        automated.installed.cluster.kubectl(
            None, "delete", "modelversion", f"{MODEL}-1", f"--namespace={automated.namespace}"
        )
