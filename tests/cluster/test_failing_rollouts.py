"""Rollouts that fail on a real cluster: put back, all Deployments together, and told why."""

from collections.abc import Iterator

import pytest

from tests.cluster.example import MODEL, Example
from tests.cluster.installed import Installed
from tests.cluster.moods import POLICY, Moods, impatient
from tests.cluster.running import until

SERVING = [
    {"stage": "Production", "deployment": {"name": "api"}},
    {"stage": "Production", "deployment": {"name": "batch"}},
    {"stage": "Staging", "deployment": {"name": "shadow"}},
]
SHORT, LONG = 25, 120
# Two of each Deployment for Production, one of the one for Staging.
PODS = "5"
BACK = {"api": "1", "batch": "1"}


@pytest.fixture(scope="module")
def moods(operator: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moods]:
    """Version 1 in Production on two Deployments, version 2 in Staging on a third."""
    cluster = operator.cluster
    with cluster.namespace("failing-rollouts") as namespace:
        example = Example(operator, namespace, tmp_path_factory.mktemp("models"))
        example.set_up()
        cluster.apply(impatient(LONG))
        moods = Moods(example)
        moods.set()
        moods.example.may_use(POLICY)
        moods.apply(
            moods.deployment("api"),
            moods.deployment("batch"),
            moods.deployment("shadow", replicas=1),
        )
        example.declare(serving=SERVING, policy=POLICY)
        for number in (1, 2):
            example.register(number)
            example.await_stage(number, "Registered")
            example.ask("engineer", "promote", MODEL, str(number), "--to=staging", "--reason=Try.")
            example.await_stage(number, "Staging")
        moods.ask(1, "The first one.")
        example.await_stage(1, "Production")
        cluster.apply(impatient(SHORT))
        yield moods


def test_a_staging_target_follows_the_newest_candidate(moods: Moods) -> None:
    assert moods.carried("shadow") == "2"


def test_pods_that_crash_fail_the_rollout_of_every_deployment(moods: Moods) -> None:
    with moods.failing("It crashes.", api_2="crash") as before:
        waiting = moods.waits_with("ContainerCrashing")
        code, sentence = moods.outcome(after=before)

    assert "no such table: applicants" in waiting
    assert code == "RolloutTimedOut"
    assert sentence.startswith(f"Version 1 is put back. The rollout took longer than {SHORT} s: ")
    assert "container server was started again" in sentence
    assert "it ended with exit code 1: no such table: applicants" in sentence
    assert moods.put_back() == BACK
    assert (moods.example.stage(1), moods.example.stage(2)) == ("Production", "Staging")


def test_a_container_that_restarts_again_and_again_does_not_serve(moods: Moods) -> None:
    moods.patch("deployment", "batch", {"spec": {"minReadySeconds": 5}})
    with moods.failing("It restarts.", batch_2="restart") as before:
        code, sentence = moods.outcome(after=before)
    moods.patch("deployment", "batch", {"spec": {"minReadySeconds": 0}})

    assert (code, "it ended with exit code 7" in sentence) == ("RolloutTimedOut", True)
    assert moods.put_back() == BACK


def test_pods_that_never_get_ready_fail_the_rollout_in_time(moods: Moods) -> None:
    with moods.failing("It idles.", api_2="idle") as before:
        code, sentence = moods.outcome(after=before)

    assert code == "RolloutTimedOut"
    assert "container server runs and does not say that it is ready" in sentence
    assert moods.put_back() == BACK


def test_a_missed_progress_deadline_fails_the_rollout_at_once(moods: Moods) -> None:
    moods.patch("deployment", "api", {"spec": {"progressDeadlineSeconds": 6}})
    with moods.failing("No progress.", api_2="idle") as before:
        code, sentence = moods.outcome(after=before)
    moods.patch("deployment", "api", {"spec": {"progressDeadlineSeconds": 600}})

    assert code == "ProgressDeadlineExceeded"
    assert "Deployment api made no progress: " in sentence
    assert "has timed out progressing" in sentence
    assert moods.put_back() == BACK


@pytest.mark.parametrize("named", [1, None], ids=["names-production-again", "removes-the-entry"])
def test_an_edit_aborts_a_rollout(moods: Moods, named: int | None) -> None:
    with moods.failing("Taken back soon.", api_2="idle", batch_2="idle") as before:
        moods.ask(named, "Not now.")
        code, sentence = moods.outcome(after=before)

    edit = "was taken out" if named is None else "names 1 again"
    assert (code, sentence) == (
        "RolloutAborted",
        f"Version 1 is put back. While version 2 was rolled out, stages.production {edit}.",
    )
    assert moods.put_back() == BACK


def test_a_paused_deployment_waits_and_goes_no_further_than_its_time(moods: Moods) -> None:
    moods.patch("deployment", "batch", {"spec": {"paused": True}})
    with moods.failing("Paused.") as before:
        waiting = moods.waits_with("RolloutPaused")
        code, sentence = moods.outcome(after=before)
    moods.patch("deployment", "batch", {"spec": {"paused": False}})

    assert waiting == "RolloutPaused: Deployment batch is paused."
    assert (code, "Deployment batch is paused." in sentence) == ("RolloutTimedOut", True)
    assert moods.put_back() == BACK


def test_a_quota_that_is_used_up_is_said(moods: Moods) -> None:
    where = f"--namespace={moods.example.namespace}"
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "full"},
        "spec": {"hard": {"pods": PODS}},
    }
    moods.apply(quota)
    until(
        lambda: moods.example.get("resourcequota", "full").get("status", {}).get("used"),
        what="the quota counts",
    )
    with moods.failing("No room.") as before:
        waiting = moods.waits_with("PodsNotCreated")
        code, sentence = moods.outcome(after=before)
    moods.example.installed.cluster.kubectl(None, "delete", "resourcequota", "full", where)

    assert "exceeded quota: full" in waiting
    assert (code, "exceeded quota: full" in sentence) == ("RolloutTimedOut", True)
    assert moods.put_back() == BACK


def test_a_deployment_that_is_not_there_is_waited_for(moods: Moods) -> None:
    cluster, where = moods.example.installed.cluster, f"--namespace={moods.example.namespace}"
    before = moods.attempts()
    cluster.kubectl(None, "delete", "deployment", "batch", where)
    moods.set(api_2="idle")
    moods.ask(2, "Without batch.")

    waiting = moods.waits_with("DeploymentMissing")

    assert waiting == (
        f"DeploymentMissing: Deployment batch does not exist in {moods.example.namespace}."
    )
    assert moods.carried("api") == "1"
    moods.apply(moods.deployment("batch"))
    moods.begun(2)
    cluster.kubectl(None, "delete", "deployment", "batch", where)
    code, sentence = moods.outcome(after=before)
    moods.apply(moods.deployment("batch"))
    moods.set()
    assert (code, "Deployment batch does not exist" in sentence) == ("RolloutTimedOut", True)
    assert moods.put_back() == BACK


def test_zero_replicas_commit_and_nothing_serves(moods: Moods) -> None:
    before = moods.attempts()
    for name in ("api", "batch"):
        moods.patch("deployment", name, {"spec": {"replicas": 0}})

    moods.ask(2, "Nobody is there to serve it.")

    assert moods.outcome(after=before)[0] == "Succeeded"
    conditions = moods.attempt()["status"]["conditions"]
    rolled = next(c for c in conditions if c["type"] == "RolledOut")
    serving = moods.example.get("model")["status"]["serving"]
    assert (rolled["reason"], serving[-1]["certainty"]) == ("NotServing", "Declared")
    assert (moods.example.stage(2), moods.carried("api")) == ("Production", "2")
