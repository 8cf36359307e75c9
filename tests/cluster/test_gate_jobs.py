"""Gates whose image a policy brings, on a real cluster: what they say, and every way to end.

The test cluster's network enforces no network policy: only that they come and go is seen here.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.example import MODEL, Example
from tests.cluster.installed import GATES, SYSTEM, TOP, Installed
from tests.cluster.local import programs
from tests.cluster.running import RunningCluster, until

# A kubelet says in a pod's status what keeps a container only at its second attempt, after 10 s.
START_SECONDS = 18
AT_ONCE = 4
PYTHON = "/opt/modelwarden/bin/python"
NOWHERE = "localhost/nowhere/gate@sha256:" + "0" * 64

# What a team's own image does: it reads what the gate is about, looks at the file, and answers.
EVALUATE = """
import json, os, pathlib
task = json.loads(os.environ["MODELWARDEN_GATE"])
size = pathlib.Path(os.environ["MODELWARDEN_ARTIFACT"]).stat().st_size
auc = float(os.environ["AUC"])
answer = {
    "sentence": f"Evaluated {task['model']} {task['version']}.",
    "checks": [{"name": "size", "outcome": "Passed", "observed": size}],
    "metrics": [
        {"name": rule["name"], "value": auc, "samples": 1000} for rule in task["metrics"]
    ],
}
pathlib.Path(os.environ["MODELWARDEN_RESULT"]).write_text(json.dumps(answer))
"""
ANSWER = """
import os, pathlib, sys, time
time.sleep(float(sys.argv[1]))
pathlib.Path(os.environ["MODELWARDEN_RESULT"]).write_text('{"outcome": "Passed"}')
"""
FILL_MEMORY = "held = [b'x' * (1 << 20) for _ in range(4096)]"
EXIT_3 = "import sys; sys.stderr.write('three rows are missing'); sys.exit(3)"


def runs(program: str, *words: str, **more: Any) -> dict[str, Any]:
    """Write what a gate runs: a program of Python, in the image that is there by digest."""
    return {"command": [PYTHON, "-c", program, *words], **more}


@pytest.fixture(scope="module")
def image(operator: Installed) -> str:
    """An image with Python in it, by digest, as a policy names it."""
    return operator.cluster.by_digest(operator.images["validator"])


@pytest.fixture(scope="module")
def impatient(operator: Installed) -> Iterator[Installed]:
    """The installation, which gives up soon what does not start, and afterwards is as it was."""
    _set(operator.cluster, "--set", f"gates.startSeconds={START_SECONDS}")
    yield operator
    _set(operator.cluster, "--set", "gates.startSeconds=300")


def _set(cluster: RunningCluster, *values: str) -> None:
    words = [str(programs.path("helm")), "upgrade", "modelwarden", str(TOP / "charts/modelwarden")]
    words += [f"--namespace={SYSTEM}", "--reuse-values", "--wait", "--timeout=3m", *values]
    words += [f"--kubeconfig={cluster.kubeconfig}", f"--kube-context={cluster.admin}"]
    subprocess.run(words, check=True, capture_output=True)


def policy(name: str, *gates: dict[str, Any]) -> dict[str, Any]:
    """Write a policy whose step to Staging asks for these gates beside the recorded metrics."""
    return {
        "apiVersion": "modelwarden.io/v1alpha1",
        "kind": "ModelPolicy",
        "metadata": {"name": name},
        "spec": {
            "allowedFormats": ["ONNX"],
            "steps": [
                {"to": "Registered", "gates": [{"name": "artifact", "artifact": {}}]},
                {"to": "Staging", "gates": [{"name": "quality", "metrics": {}}, *gates]},
            ],
        },
    }


def governed(
    operator: Installed, namespace: str, work: Path, *gates: dict[str, Any], name: str
) -> Example:
    """The example under a policy with these gates, with version 1 registered."""
    operator.cluster.kubectl(None, "apply", "-f", "-", given=json.dumps(policy(name, *gates)))
    example = Example(operator, namespace, work)
    example.set_up()
    example.may_use(name)
    # One rule, which a program of a few lines can measure.
    rule = {"name": "auc", "direction": "HigherIsBetter", "min": "0.75", "critical": True}
    example.declare(policy=name, affectsPeople=False, metrics=[rule], serving=[])
    example.register(1)
    until(
        lambda: example.condition(1, "Validated") == "True",
        what="version 1 is validated",
        instead=lambda: f"held by {example.waits_for(1)}",
        within=120,
    )
    return example


def ask(example: Example) -> None:
    told = example.ask("engineer", "promote", MODEL, "1", "--to=staging", "--reason=Try it")
    assert told.code == 0, told.complaint


def gates(example: Example, number: int = 1) -> dict[str, dict[str, Any]]:
    """The gates of the attempt at Staging, by name, as its status shows them."""
    status = example.get("modeltransition", f"{MODEL}-1-staging-{number}").get("status", {})
    return {gate["name"]: gate for gate in status.get("gates", ())}


def jobs(example: Example) -> list[dict[str, Any]]:
    """The gate Jobs of the example's namespace."""
    found = example.installed.cluster.get("jobs", f"--namespace={GATES}")["items"]
    mark = "modelwarden.io/namespace"
    return [job for job in found if job["metadata"]["annotations"].get(mark) == example.namespace]


def unmet(example: Example) -> list[str]:
    status = example.get("modeltransition", f"{MODEL}-1-staging-1").get("status", {})
    return [item["code"] for item in status.get("unmet", ())]


def test_an_image_of_the_policys_measures_what_its_gate_judges(
    operator: Installed, namespace: str, tmp_path: Path, image: str
) -> None:
    holdout = {
        "name": "holdout",
        "metrics": {},
        "job": {
            "image": image,
            **runs(EVALUATE, env=[{"name": "AUC", "value": "0.875"}]),
            "egress": [{"cidr": "10.0.0.0/8", "ports": [5432]}],
        },
    }
    example = governed(operator, namespace, tmp_path, holdout, name="brought")

    ask(example)
    example.await_stage(1, "Staging")

    found = gates(example)["holdout"]
    assert (found["outcome"], found["code"], found["message"]) == (
        "Passed",
        "MetricsMet",
        "auc is 0.875, needs at least 0.75.",
    )
    until(lambda: not jobs(example), what="the Job is gone", within=30)
    mine = [
        item["metadata"]["name"]
        for item in operator.cluster.get("networkpolicies", f"--namespace={GATES}")["items"]
        if item["metadata"]["labels"].get("modelwarden.io/gate") == "holdout"
    ]
    assert mine == []


# What each gate runs, and how it must end: outcome, code, tries, and some of the pod's own words.
CAUSES: dict[str, tuple[dict[str, Any], tuple[str, str, int], str]] = {
    "exit-three": (runs(EXIT_3), ("Failed", "GateExited", 1), "exited with 3"),
    "no-result": (runs("pass"), ("Failed", "NoResult", 1), "without a result"),
    "too-much": (
        runs("open('/dev/termination-log', 'w').write('x' * 5000)"),
        ("Failed", "ResultTooLarge", 1),
        "4096 bytes",
    ),
    "out-of-memory": (
        runs(FILL_MEMORY, resources={"limits": {"memory": "64Mi"}}),
        ("Failed", "OutOfMemory", 1),
        "OOMKilled",
    ),
    "no-command": ({"command": ["/nope"]}, ("Failed", "CommandNotStarted", 1), "no such file"),
    "too-slow": (
        runs("import time; time.sleep(600)", deadlineSeconds=30),
        ("Failed", "DeadlineExceeded", 1),
        "longer than",
    ),
    "no-image": ({"image": NOWHERE}, ("Inconclusive", "ImageNotPulled", 3), "localhost/nowhere"),
    "no-secret": (
        runs("pass", secrets=[{"name": "nowhere"}]),
        ("Inconclusive", "ContainerNotConfigured", 3),
        'secret "nowhere" not found',
    ),
    "no-volume": (
        runs("pass", secrets=[{"name": "nowhere", "mountPath": "/keys"}]),
        ("Inconclusive", "VolumeNotMounted", 3),
        'secret "nowhere" not found',
    ),
    "no-room": (
        runs("pass", resources={"requests": {"cpu": "1000"}}),
        ("Inconclusive", "Unschedulable", 3),
        "nodes are available",
    ),
}


def test_every_way_to_end_is_told_apart_in_the_pods_own_words(
    impatient: Installed, namespace: str, tmp_path: Path, image: str
) -> None:
    asked = [{"name": name, "job": {"image": image, **job}} for name, (job, _, _) in CAUSES.items()]
    example = governed(impatient, namespace, tmp_path, *asked, name="causes")

    ask(example)
    until(
        lambda: "GateFailed" in example.waits_for(1),
        what="every gate has its last answer",
        within=420,
    )

    found = gates(example)
    assert {
        name: (found[name]["outcome"], found[name]["code"], found[name]["tries"]) for name in CAUSES
    } == {name: end for name, (_, end, _) in CAUSES.items()}
    assert {name: words in found[name]["message"] for name, (_, _, words) in CAUSES.items()} == (
        dict.fromkeys(CAUSES, True)
    )
    assert "three rows are missing" in found["exit-three"]["logTail"]


def test_a_pod_that_somebody_deletes_is_no_fault_of_the_gate(
    operator: Installed, namespace: str, tmp_path: Path, image: str
) -> None:
    slow = {"name": "slow", "job": {"image": image, **runs(ANSWER, "6")}}
    example = governed(operator, namespace, tmp_path, slow, name="deleted")
    ask(example)
    pod = until(lambda: _running_pod(example), what="the gate runs", within=90)

    example.installed.cluster.kubectl(
        None, "delete", "pod", pod, f"--namespace={GATES}", "--wait=false"
    )

    until(lambda: gates(example)["slow"].get("code") == "PodDeleted", what="the loss is on record")
    example.await_stage(1, "Staging")
    assert gates(example)["slow"]["tries"] == 2


def _running_pod(example: Example) -> str:
    marks = "modelwarden.io/gate=slow"
    pods = example.installed.cluster.get("pods", f"--namespace={GATES}", f"--selector={marks}")
    running = [pod for pod in pods["items"] if pod["status"].get("phase") == "Running"]
    return str(running[0]["metadata"]["name"]) if running else ""


def test_over_the_limit_gates_take_turns(
    operator: Installed, namespace: str, tmp_path: Path, image: str
) -> None:
    crowd = [
        {"name": f"gate-{number}", "job": {"image": image, **runs(ANSWER, "4")}}
        for number in range(AT_ONCE + 2)
    ]
    example = governed(operator, namespace, tmp_path, *crowd, name="crowd")
    ask(example)

    until(lambda: unmet(example).count("GateQueued") == 2, what="two gates wait", within=60)
    seen = {len(jobs(example))}

    def is_over() -> bool:
        seen.add(len(jobs(example)))
        return example.stage(1) == "Staging"

    until(is_over, what="every gate has had its turn", within=120)
    assert max(seen) == AT_ONCE


def test_an_artifact_that_is_gone_fails_the_gate_that_was_to_get_it(
    operator: Installed, namespace: str, tmp_path: Path, image: str
) -> None:
    late = {"name": "late", "job": {"image": image, **runs(ANSWER, "0")}}
    example = governed(operator, namespace, tmp_path, late, name="gone")
    other = tmp_path / "other.onnx"
    other.write_bytes(b"something else")
    operator.upload(other, f"{namespace}/{MODEL}/1/model.onnx")

    ask(example)
    until(lambda: gates(example).get("late", {}).get("outcome") == "Failed", what="it failed")

    assert gates(example)["late"]["code"] == "DigestDiffers"
