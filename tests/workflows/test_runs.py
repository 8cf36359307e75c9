"""Gate Jobs are written so that nothing in them can do harm."""

import json
from dataclasses import replace
from typing import Any

from modelwarden.domain.facts import RunFacts, RunKey, RunState
from modelwarden.domain.projection import JobOrder
from modelwarden.domain.stages import Stage
from modelwarden.settings import parse
from modelwarden.workflows.run_facts import runs_by_key
from modelwarden.workflows.runs import job_manifest
from tests.domain.builders import STORE, gate, transition, version

GATES = parse("gates: {image: validator@sha256:0, namespace: modelwarden-gates}").gates
ATTEMPT = "fraud-detector-1-registered-1"
KEY = RunKey(ATTEMPT, "artifact", 1)


def order(**changes: Any) -> JobOrder:
    given = {
        "name": "mw-1",
        "namespace": "risk",
        "run": KEY,
        "gate": gate("artifact"),
        "transition": transition(to=Stage.REGISTERED),
        "version": version(),
        "store": STORE,
        "inputs_digest": "inputs",
    }
    return JobOrder(**{**given, **changes})


def test_a_gate_pod_may_do_nothing() -> None:
    made = job_manifest(order(), GATES)
    pod_spec = made["spec"]["template"]["spec"]
    (container,) = pod_spec["containers"]

    assert (made["spec"]["backoffLimit"], pod_spec["restartPolicy"]) == (0, "Never")
    assert pod_spec["automountServiceAccountToken"] is False
    assert pod_spec["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    # What never starts ends too, later than what ran for too long.
    assert made["spec"]["activeDeadlineSeconds"] > pod_spec["activeDeadlineSeconds"]


def test_a_job_is_read_back_as_the_run_it_was_made_for() -> None:
    made = job_manifest(order(), GATES)
    made["metadata"]["uid"] = "job-1"

    assert runs_by_key([made], [], namespace="risk") == {
        KEY: RunFacts(job="mw-1", uid="job-1", inputs_digest="inputs", state=RunState.RUNNING)
    }


def test_the_kubelet_expands_nothing_in_what_a_gate_is_told() -> None:
    uri = "s3://models/risk/$(HOSTNAME)/m.onnx"
    tricky = version(artifact=replace(version().artifact, uri=uri))

    made = job_manifest(order(version=tricky), GATES)

    (container,) = made["spec"]["template"]["spec"]["containers"]
    told = {item["name"]: item["value"] for item in container["env"]}
    assert "$" not in told["MODELWARDEN_GATE"]
    assert json.loads(told["MODELWARDEN_GATE"])["artifact"]["uri"] == uri
