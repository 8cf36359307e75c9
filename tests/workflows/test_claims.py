"""A gate's pod mounts the claim that its artifact is on, read-only, and nothing else of a store."""

from dataclasses import replace
from typing import Any

from modelwarden.domain.facts import RunKey
from modelwarden.domain.installation import ArtifactStore
from modelwarden.domain.projection import JobOrder
from modelwarden.domain.stages import Stage
from modelwarden.settings import parse
from modelwarden.workflows.runs import job_manifest
from tests.domain.builders import STORE, gate, transition, version

GATES = parse("gates: {image: validator@sha256:0, namespace: modelwarden-gates}").gates
VOLUME = ArtifactStore(name="shared", uri_prefix="pvc://models/{namespace}/", claim="gates-models")


def pod(store: ArtifactStore, uri: str) -> dict[str, Any]:
    """The pod of a gate that reads this artifact."""
    given = version()
    order = JobOrder(
        name="mw-1",
        namespace="risk",
        run=RunKey("fraud-detector-1-registered-1", "artifact", 1),
        gate=gate("artifact"),
        transition=transition(to=Stage.REGISTERED),
        version=replace(given, artifact=replace(given.artifact, uri=uri)),
        store=store,
        inputs_digest="inputs",
    )
    spec: dict[str, Any] = job_manifest(order, GATES)["spec"]["template"]["spec"]
    return spec


def claims(spec: dict[str, Any]) -> list[tuple[str, bool, str, bool]]:
    """The claims of a pod: by their name, and where its container has them; read-only or not."""
    mounts = {mount["name"]: mount for mount in spec["containers"][0]["volumeMounts"]}
    return [
        (
            volume["persistentVolumeClaim"]["claimName"],
            volume["persistentVolumeClaim"]["readOnly"],
            mounts[volume["name"]]["mountPath"],
            mounts[volume["name"]]["readOnly"],
        )
        for volume in spec["volumes"]
        if "persistentVolumeClaim" in volume
    ]


def test_the_claim_of_the_store_is_read_under_the_name_of_the_uri() -> None:
    assert claims(pod(VOLUME, "pvc://models/risk/fraud/1/")) == [
        ("gates-models", True, "/claims/models", True)
    ]


def test_without_a_claim_of_its_own_the_store_is_the_one_that_the_uri_names() -> None:
    per_namespace = ArtifactStore(name="own", uri_prefix="pvc://{namespace}-models/")

    assert claims(pod(per_namespace, "pvc://risk-models/fraud/1/")) == [
        ("risk-models", True, "/claims/risk-models", True)
    ]


def test_a_gate_that_reads_from_s3_mounts_no_claim() -> None:
    assert claims(pod(STORE, "s3://models/risk/fraud/1/")) == []
