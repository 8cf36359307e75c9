"""The pod of an image that a policy brings: what it gets, and what it cannot do."""

import json
from dataclasses import replace
from typing import Any

import pytest

from modelwarden.domain import labels
from modelwarden.domain.facts import GateSpec, RunKey
from modelwarden.domain.projection import JobOrder
from modelwarden.domain.stages import Stage
from modelwarden.settings import parse
from modelwarden.workflows.brought_jobs import network_policy
from modelwarden.workflows.runs import job_manifest
from tests.domain.builders import STORE, transition, version, version_state

IMAGE = "registry.example/eval@sha256:" + "1" * 64
GATES = parse(
    """
gates:
  image: validator@sha256:0
  deadlineSeconds: 100
  startSeconds: 40
  resources: {requests: {cpu: 100m}}
"""
).gates
KEY = RunKey("fraud-detector-1-production-1", "holdout", 1)


def order(job: dict[str, Any] | None = None, **changes: Any) -> JobOrder:
    """Order the Job of a gate with an image of its own that claims something about metrics."""
    given = {
        "name": "mw-1",
        "namespace": "risk",
        "run": KEY,
        "gate": GateSpec(
            name="holdout",
            kind="metrics",
            settings={"metrics": {}, "job": {"image": IMAGE, **(job or {})}},
        ),
        "transition": transition(),
        "version": version(),
        "store": replace(STORE, endpoint="https://s3.example", region="eu-1", secret="store-main"),
        "inputs_digest": "inputs",
    }
    return JobOrder(**{**given, **changes})


def pod(job: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    spec: dict[str, Any] = job_manifest(order(job, **changes), GATES)["spec"]["template"]["spec"]
    return spec


def gate(job: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    container: dict[str, Any] = pod(job, **changes)["containers"][0]
    return container


def told(container: dict[str, Any]) -> dict[str, str]:
    return {item["name"]: item["value"] for item in container["env"]}


def test_the_image_is_the_policys_and_runs_what_the_policy_says() -> None:
    found = gate({"command": ["python"], "args": ["eval.py", "--fast"]})

    assert (found["image"], found["command"], found["args"]) == (
        IMAGE,
        ["python"],
        ["eval.py", "--fast"],
    )


def test_without_a_command_the_image_runs_what_it_runs() -> None:
    assert {"command", "args"}.isdisjoint(gate())


def test_no_container_may_do_anything() -> None:
    made = pod()

    assert {
        "token": made["automountServiceAccountToken"],
        "root": made["securityContext"],
        "sealed": [
            container["securityContext"]
            for container in (*made["initContainers"], *made["containers"])
        ],
    } == {
        "token": False,
        "root": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "sealed": [
            {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
        ]
        * 2,
    }


def test_only_our_own_container_holds_the_keys_of_the_store() -> None:
    made = pod()
    (fetch,), (brought,) = made["initContainers"], made["containers"]

    assert fetch["envFrom"] == [{"secretRef": {"name": "store-main"}}]
    assert "envFrom" not in brought
    assert {"AWS_ENDPOINT_URL_S3", "AWS_REGION"}.isdisjoint(told(brought))


def test_the_artifact_is_brought_by_digest_and_cannot_be_changed() -> None:
    made = pod()
    (fetch,), (brought,) = made["initContainers"], made["containers"]

    assert told(fetch) == {
        "MODELWARDEN_ARTIFACT_URI": version().artifact.uri,
        "MODELWARDEN_ARTIFACT_DIGEST": version().artifact.digest,
        "MODELWARDEN_TARGET": "/artifact",
        "MODELWARDEN_RESULT": "/dev/termination-log",
        "MODELWARDEN_S3_ADDRESSING": "path",
        "AWS_ENDPOINT_URL_S3": "https://s3.example",
        "AWS_REGION": "eu-1",
    }
    assert (fetch["image"], fetch["args"], fetch["resources"]) == (
        "validator@sha256:0",
        ["fetch"],
        {"requests": {"cpu": "100m"}},
    )
    assert {"name": "artifact", "mountPath": "/artifact", "readOnly": True} in (
        brought["volumeMounts"]
    )


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("s3://models/risk/fraud/1/model.onnx", "/artifact/model.onnx"),
        ("s3://models/risk/fraud/1/", "/artifact"),
    ],
)
def test_the_gate_is_told_where_the_artifact_lies(uri: str, path: str) -> None:
    there = version(artifact=replace(version().artifact, uri=uri))

    assert told(gate(version=there))["MODELWARDEN_ARTIFACT"] == path


def test_an_artifact_on_a_claim_is_mounted_for_our_container_only() -> None:
    there = version(artifact=replace(version().artifact, uri="pvc://models/risk/1/model.onnx"))
    made = pod(version=there, store=replace(STORE, claim="models", secret=""))

    assert [mount["name"] for mount in made["initContainers"][0]["volumeMounts"]] == [
        "artifact",
        "artifacts",
    ]
    assert "artifacts" not in [mount["name"] for mount in made["containers"][0]["volumeMounts"]]
    assert "envFrom" not in made["initContainers"][0]


CHAMPION = version_state(2, Stage.PRODUCTION)


def task_of(container: dict[str, Any]) -> dict[str, Any]:
    task: dict[str, Any] = json.loads(told(container)["MODELWARDEN_GATE"])
    return task


def test_the_gate_is_told_what_it_is_about() -> None:
    spec = transition().spec

    assert task_of(gate(champion=CHAMPION)) == {
        "format": 1,
        "gate": "holdout",
        "claim": {"metrics": {}},
        "namespace": "risk",
        "model": "fraud-detector",
        "version": 1,
        "artifact": {
            "uri": version().artifact.uri,
            "digest": version().artifact.digest,
            "format": "ONNX",
        },
        **({"signature": version().spec["signature"]} if "signature" in version().spec else {}),
        **{name: spec[name] for name in ("metrics", "contract") if name in spec},
    }


def test_a_claim_about_the_version_in_production_is_told_which_one_that_is() -> None:
    settings = {"champion": {"maxDrop": "0.005"}, "job": {"image": IMAGE}}
    better = GateSpec(name="better", kind="champion", settings=settings)

    task = task_of(gate(gate=better, champion=CHAMPION))

    assert (task["claim"], task["champion"]) == (
        {"champion": {"maxDrop": "0.005"}},
        {
            "version": 2,
            "artifact": {"uri": CHAMPION.artifact_uri, "digest": CHAMPION.artifact_digest},
        },
    )


def test_a_claim_with_a_job_of_its_own_is_told_without_it() -> None:
    again = GateSpec(
        name="again",
        kind="reproduction",
        settings={"reproduction": {"tolerance": "0.002", "job": {"image": IMAGE}}},
    )

    found = gate(gate=again)

    assert found["image"] == IMAGE
    assert json.loads(told(found)["MODELWARDEN_GATE"])["claim"] == {
        "reproduction": {"tolerance": "0.002"}
    }


def test_what_has_no_room_in_one_variable_is_left_out_and_named() -> None:
    attempt = transition()
    huge = {"inputs": [{"name": f"{'x' * 200}{n}", "type": "float64"} for n in range(500)]}
    wide = replace(attempt, spec={**attempt.spec, "contract": huge})

    text = told(gate(transition=wide))["MODELWARDEN_GATE"]

    assert len(text) < 131_072
    assert json.loads(text)["omitted"] == ["contract"]


def test_nobody_is_told_something_else_by_a_variable_of_the_policy() -> None:
    env = [{"name": "MODELWARDEN_ARTIFACT", "value": "/other"}, {"name": "DATA", "value": "march"}]

    found = told(gate({"env": env}))

    assert (found["DATA"], found["MODELWARDEN_ARTIFACT"]) == ("march", "/artifact/model.onnx")


def test_secrets_are_variables_or_files_as_the_policy_says() -> None:
    made = pod({"secrets": [{"name": "api"}, {"name": "certs", "mountPath": "/etc/certs"}]})
    (brought,) = made["containers"]

    assert brought["envFrom"] == [{"secretRef": {"name": "api"}}]
    assert {"name": "secret-1", "mountPath": "/etc/certs", "readOnly": True} in (
        brought["volumeMounts"]
    )
    assert made["volumes"][-1] == {
        "name": "secret-1",
        "secret": {"secretName": "certs", "defaultMode": 0o444},
    }


def test_resources_nodes_and_time_are_the_policys() -> None:
    amounts = {"requests": {"cpu": "2"}, "limits": {"memory": "1Gi"}}
    job = {"resources": amounts, "nodeSelector": {"gpu": "yes"}, "deadlineSeconds": 7}
    made = job_manifest(order(job), GATES)["spec"]
    spec = made["template"]["spec"]

    assert spec["containers"][0]["resources"] == amounts
    assert spec["nodeSelector"] == {"gpu": "yes"}
    assert (spec["activeDeadlineSeconds"], made["activeDeadlineSeconds"]) == (7, 47)


def test_without_a_time_of_its_own_a_gate_has_the_installations() -> None:
    assert pod()["activeDeadlineSeconds"] == 100


WAYS = [
    {"cidr": "10.0.0.0/8", "ports": [5432]},
    {"namespace": "features", "ports": [443, 8443]},
]


def test_the_ways_out_that_a_gate_names_are_open_for_its_own_pod_alone() -> None:
    made = order({"egress": WAYS})

    assert network_policy(made, GATES) == {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {
            "name": "mw-1",
            "namespace": "modelwarden-gates",
            "labels": {
                labels.MANAGED_BY: "modelwarden",
                labels.MODEL: "fraud-detector",
                labels.ATTEMPT: made.transition.uid,
                labels.GATE: "holdout",
            },
        },
        "spec": {
            "podSelector": {
                "matchLabels": {
                    labels.ATTEMPT: made.transition.uid,
                    labels.GATE: "holdout",
                    "batch.kubernetes.io/job-name": "mw-1",
                }
            },
            "policyTypes": ["Egress"],
            "egress": [
                {
                    "to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}],
                    "ports": [{"protocol": "TCP", "port": 5432}],
                },
                {
                    "to": [
                        {
                            "namespaceSelector": {
                                "matchLabels": {"kubernetes.io/metadata.name": "features"}
                            }
                        }
                    ],
                    "ports": [
                        {"protocol": "TCP", "port": 443},
                        {"protocol": "TCP", "port": 8443},
                    ],
                },
            ],
        },
    }


def test_a_gate_without_ways_out_has_no_policy() -> None:
    assert network_policy(order(), GATES) is None
    assert labels.EGRESS not in job_manifest(order(), GATES)["metadata"]["annotations"]
