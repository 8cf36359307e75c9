"""Clusters of processes come side by side, start over a crash and leave without a trace."""

import os
import secrets
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import running
from tests.cluster.local import cgroups, clusters, machine
from tests.cluster.running import RunningCluster, until

KIND = Path(__file__).parent / "kind"
MACHINE_SETTINGS = ("vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops")

lacking = [finding.what for finding in machine.findings() if not finding.is_well]
pytestmark = pytest.mark.skipif(bool(lacking), reason=f"this machine lacks: {', '.join(lacking)}")


@pytest.fixture
def name() -> Iterator[str]:
    name = f"passing-{secrets.token_hex(3)}"
    yield name
    clusters.delete(name)


@pytest.fixture
def made(name: str, tmp_path: Path) -> RunningCluster:
    return running.start(name, tmp_path / "kubeconfig", kind=KIND)


def traces_of(name: str) -> list[str]:
    """Everything on this machine that is the cluster's."""
    cluster = clusters.named(name)
    links = subprocess.run(["ip", "link"], check=True, capture_output=True, text=True).stdout
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    return [
        *(f"process {process}" for process in sorted(cgroups.processes(cluster.group))),
        *(f"group {group}" for group in cgroups.remaining(cluster.group)),
        *(line.strip() for line in links.splitlines() if line.endswith(f" {name}")),
        *(mount for mount in mounts if str(cluster.home) in mount),
        *(str(path) for path in cluster.home.parent.glob(f"*{name}*")),
    ]


def settings_of_the_machine() -> list[str]:
    return [(Path("/proc/sys") / setting).read_text() for setting in MACHINE_SETTINGS]


def can_run_pods(cluster: RunningCluster) -> bool:
    words = ("get", "nodes", "--output=jsonpath={.items[*].status.conditions[-1].type}")
    return "Ready" in cluster.kubectl(None, *words)


def test_a_deleted_cluster_leaves_nothing(name: str, tmp_path: Path) -> None:
    before = settings_of_the_machine()
    running.start(name, tmp_path / "kubeconfig", kind=KIND)
    assert traces_of(name)

    subprocess.run([KIND, "delete", "cluster", f"--name={name}"], check=True)

    assert traces_of(name) == []
    assert settings_of_the_machine() == before


def test_a_second_cluster_lives_beside_the_first(
    cluster: RunningCluster, name: str, tmp_path: Path
) -> None:
    second = running.start(name, tmp_path / "kubeconfig", kind=KIND)
    assert can_run_pods(second)
    assert can_run_pods(cluster)

    subprocess.run([KIND, "delete", "cluster", f"--name={name}"], check=True)

    assert can_run_pods(cluster)


def test_a_crashed_cluster_is_not_found_and_is_made_anew(
    made: RunningCluster, tmp_path: Path
) -> None:
    process = clusters.named(made.name).first_process
    assert process is not None
    os.kill(process, signal.SIGKILL)
    until(lambda: not running.runs(made.name, kind=KIND), what="the crash to be seen")

    again = running.start(made.name, tmp_path / "again", kind=KIND)

    assert can_run_pods(again)


def test_a_creation_killed_midway_is_no_cluster_and_is_in_nobodys_way(
    name: str, tmp_path: Path
) -> None:
    words = (KIND, "create", "cluster", f"--name={name}", f"--kubeconfig={tmp_path / 'lost'}")
    with subprocess.Popen(words) as creation:
        group = clusters.named(name).group
        until(lambda: len(cgroups.processes(group)) > 2, what="the first programs", every=0.01)
        creation.kill()
    assert not running.runs(name, kind=KIND)

    made = running.start(name, tmp_path / "kubeconfig", kind=KIND)

    assert can_run_pods(made)


def test_a_cluster_outlives_the_loss_of_its_data_and_is_still_taken_away(
    made: RunningCluster,
) -> None:
    home = clusters.named(made.name).home
    home.rename(home.with_name(f".{home.name}"))

    subprocess.run([KIND, "delete", "cluster", f"--name={made.name}"], check=True)

    home.with_name(f".{home.name}").rename(home)
    subprocess.run([KIND, "delete", "cluster", f"--name={made.name}"], check=True)
    assert traces_of(made.name) == []


def test_a_restarted_cluster_has_what_it_had(made: RunningCluster) -> None:
    kept = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kept"}}
    made.apply(kept, namespace="default")
    before = clusters.named(made.name).processes()

    made.restart()

    after = clusters.named(made.name).processes()
    assert made.get("configmap", "kept", "--namespace=default")["kind"] == "ConfigMap"
    assert can_run_pods(made)
    assert (after.keys(), set(after.values()) & set(before.values())) == (before.keys(), set())


def test_a_program_that_ends_is_started_again(made: RunningCluster) -> None:
    cluster = clusters.named(made.name)
    before = cluster.processes()["kube-scheduler"]
    os.kill(before, signal.SIGKILL)

    until(
        lambda: cluster.processes().get("kube-scheduler", before) != before,
        what="another scheduler",
    )


@pytest.mark.parametrize("verb", [("get", "kubeconfig"), ("load", "docker-image", "any")])
def test_a_cluster_that_does_not_run_is_refused_with_a_sentence(verb: tuple[str, ...]) -> None:
    answer = subprocess.run(
        [KIND, *verb, "--name=nobodys"], check=False, capture_output=True, text=True
    )

    assert (answer.returncode, answer.stderr) == (1, "error: no cluster 'nobodys' runs\n")
