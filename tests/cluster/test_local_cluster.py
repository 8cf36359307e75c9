"""The cluster of processes does what a Kubernetes cluster does."""

import json
import subprocess
from typing import Any

import pytest

from tests.cluster.local import programs, users
from tests.cluster.pods import alone, pod, settled
from tests.cluster.running import RunningCluster, until


def service(name: str, port: int) -> Any:
    spec = {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": port}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def deployment(name: str, spec: Any, *, replicas: int) -> Any:
    template = {"metadata": {"labels": {"app": name}}, "spec": {**spec, "restartPolicy": "Always"}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": template,
        },
    }


def test_a_job_completes_and_says_its_verdict(
    cluster: RunningCluster, namespace: str, probe: str
) -> None:
    template = {"spec": pod("write", "/dev/termination-log", "passed")}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "gate"}}
    cluster.apply({**job, "spec": {"template": template}}, namespace=namespace)

    waiting = ("wait", "--for=condition=Complete", "job/gate", "--timeout=60s")
    cluster.kubectl(None, f"--namespace={namespace}", *waiting)
    pods = cluster.get(f"--namespace={namespace}", "pods", "--selector=job-name=gate")["items"]
    verdicts = [p["status"]["containerStatuses"][0]["state"]["terminated"]["message"] for p in pods]
    assert verdicts == ["passed"]


def test_a_deployment_is_reached_by_the_name_of_its_service(
    cluster: RunningCluster, namespace: str, probe: str
) -> None:
    cluster.apply(
        deployment("web", pod("serve", "8080", "/etc"), replicas=2),
        service("web", 8080),
        namespace=namespace,
    )
    rollout = ("rollout", "status", "deployment/web", "--timeout=60s")
    cluster.kubectl(None, f"--namespace={namespace}", *rollout)
    cluster.apply(
        alone("caller", pod("get", f"http://web.{namespace}.svc/hostname")), namespace=namespace
    )

    assert settled(cluster, namespace, "caller")["exitCode"] == 0
    answer = cluster.kubectl(None, f"--namespace={namespace}", "logs", "caller")
    assert answer.startswith("web-")


def test_a_pod_reaches_itself_through_its_own_service(
    cluster: RunningCluster, namespace: str, probe: str
) -> None:
    cluster.apply(
        alone("web", pod("serve", "8080", "/etc")), service("web", 8080), namespace=namespace
    )
    ready = ("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    cluster.kubectl(None, f"--namespace={namespace}", *ready)

    words = ("exec", "web", "--", "/probe", "get", f"http://web.{namespace}.svc/hostname")
    answer = until(
        lambda: cluster.kubectl(None, f"--namespace={namespace}", *words), what="an answer"
    )
    assert answer.strip() == "web"


def test_a_pod_is_reached_from_outside(cluster: RunningCluster, namespace: str, probe: str) -> None:
    cluster.apply(
        alone("web", pod("serve", "8080", "/etc")), service("web", 8080), namespace=namespace
    )
    ready = ("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    cluster.kubectl(None, f"--namespace={namespace}", *ready)

    with cluster.reachable(namespace, "web", 80) as address:
        fetch = (str(programs.path("probe")), "get", f"http://{address}/hostname")
        answer = subprocess.run(fetch, check=True, capture_output=True, text=True).stdout
    assert answer.strip() == "web"


def test_a_claim_keeps_its_data_over_pods(
    cluster: RunningCluster, namespace: str, probe: str
) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "ledger"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    volumes = [{"name": "ledger", "persistentVolumeClaim": {"claimName": "ledger"}}]
    mounts = [{"name": "ledger", "mountPath": "/ledger"}]
    write = pod("write", "/ledger/record", "genesis", volumes=volumes, mounts=mounts)
    read = pod("read", "/ledger/record", volumes=volumes, mounts=mounts)

    cluster.apply(claim, alone("writer", write), namespace=namespace)
    assert settled(cluster, namespace, "writer")["exitCode"] == 0
    cluster.kubectl(None, f"--namespace={namespace}", "delete", "pod", "writer")
    cluster.apply(alone("reader", read), namespace=namespace)
    assert settled(cluster, namespace, "reader")["exitCode"] == 0

    assert cluster.kubectl(None, f"--namespace={namespace}", "logs", "reader") == "genesis"


def test_a_released_claim_takes_its_volume_with_it(
    cluster: RunningCluster, namespace: str, probe: str
) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "scratch"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    volumes = [{"name": "scratch", "persistentVolumeClaim": {"claimName": "scratch"}}]
    cluster.apply(claim, alone("user", pod("sleep", "0", volumes=volumes)), namespace=namespace)
    settled(cluster, namespace, "user")
    there = cluster.get(f"--namespace={namespace}", "persistentvolumeclaim", "scratch")
    cluster.kubectl(None, f"--namespace={namespace}", "delete", "pod/user", "pvc/scratch")

    volume = there["spec"]["volumeName"]
    until(lambda: volume not in cluster.kubectl(None, "get", "pv", "--output=name"), what="its end")


@pytest.mark.parametrize("person", users.PEOPLE, ids=lambda person: person.part)
def test_everybody_is_who_they_say(cluster: RunningCluster, person: users.Person) -> None:
    answer = json.loads(cluster.kubectl(person.part, "auth", "whoami", "--output=json"))

    who = answer["status"]["userInfo"]
    assert who["username"] == person.username
    assert set(who["groups"]) == {*person.groups, "system:authenticated"}


def test_a_pipeline_is_a_service_account(cluster: RunningCluster, namespace: str) -> None:
    context = cluster.service_account(namespace, "pipeline")

    answer = json.loads(cluster.kubectl(context, "auth", "whoami", "--output=json"))
    name = answer["status"]["userInfo"]["username"]
    assert name == f"system:serviceaccount:{namespace}:pipeline"


@pytest.mark.parametrize(("part", "may"), [("platform", "yes"), ("scientist", "no")])
def test_only_the_platform_team_administers(cluster: RunningCluster, part: str, may: str) -> None:
    command = cluster.command(part, "auth", "can-i", "delete", "nodes")

    answer = subprocess.run(command, check=False, capture_output=True, text=True).stdout
    assert answer.strip() == may
