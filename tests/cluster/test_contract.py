"""What callers rely on, on a real cluster: files that keep it, break it, or cannot say."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save

from tests.cluster.example import MODEL, Example
from tests.cluster.installed import BUCKET, TOP, Installed
from tests.cluster.running import until
from tests.cluster.shared_volume import MOUNT, SharedVolume, shared

KEEPS = "The file keeps the Model's contract (inputs: 13, outputs: 2)"


def record_of(example: Example, number: int, **spec: Any) -> dict[str, Any]:
    """The record of a version like the first one, with other parts where they are given."""
    record: dict[str, Any] = yaml.safe_load(example.train(1))
    record["metadata"]["name"] = f"{MODEL}-{number}"
    record["spec"] |= {"version": number, **spec}
    return record


def graph_of(example: Example) -> Any:
    """The graph of the first version."""
    return onnx.load(example.work / "1" / "model.onnx")


def in_the_store(example: Example, number: int, content: bytes, *, name: str) -> dict[str, Any]:
    """Put a file into the store, as its owner would; gives the artifact of a record."""
    path = example.work / name
    path.write_bytes(content)
    uri = example.installed.upload(path, f"{example.namespace}/{MODEL}/{number}/{name}")
    return {"uri": uri, **described(content, name)}


def described(content: bytes, name: str) -> dict[str, Any]:
    return {
        "digest": f"sha256:{hashlib.sha256(content).hexdigest()}",
        "format": "ONNX" if name.endswith(".onnx") else "Safetensors",
        "sizeBytes": len(content),
    }


def register(example: Example, record: dict[str, Any]) -> None:
    example.pipeline("apply", "-f", "-", given=json.dumps(record))


def ended(example: Example, number: int, gate: str = "contract") -> tuple[str, str, str]:
    """How a gate of a registration ended: outcome, code and sentence."""

    def found() -> Any:
        status = example.get("modeltransition", f"{MODEL}-{number}-registered-1").get("status", {})
        gates = {item["name"]: item for item in status.get("gates", ())}
        finished = gates.get(gate, {}).get("outcome") in {"Passed", "Failed"}
        return gates[gate] if finished else None

    result = until(found, what=f"gate {gate} of version {number} has ended", within=120)
    return result["outcome"], result["code"], result["message"]


@pytest.fixture(scope="module")
def in_production(
    operator: Installed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Example]:
    """Version 1 in Production, by whose signature the others are compared."""
    with operator.cluster.namespace("contract") as namespace:
        example = Example(operator, namespace, tmp_path_factory.mktemp("contract"))
        example.set_up()
        example.declare()
        example.register(1)
        example.await_stage(1, "Registered")
        example.bring_to_production(1)
        yield example


def test_the_first_version_keeps_the_contract(in_production: Example) -> None:
    assert ended(in_production, 1) == (
        "Passed",
        "ContractKept",
        f"{KEEPS}; nothing is in Production to compare with.",
    )


def test_a_file_without_a_promised_output_is_held_and_why_says_so(in_production: Example) -> None:
    example = in_production
    graph = graph_of(example)
    kept = [output for output in graph.graph.output if output.name != "approved"]
    del graph.graph.output[:]
    graph.graph.output.extend(kept)
    artifact = in_the_store(example, 2, graph.SerializeToString(), name="no-decision.onnx")
    record = record_of(example, 2, artifact=artifact)
    del record["spec"]["signature"]

    register(example, record)

    sentence = (
        "The Model's contract is broken: output approved is missing. Callers of version 1 in "
        "Production would have to change: output approved is missing."
    )
    assert ended(example, 2) == ("Failed", "ContractBroken", sentence)
    until(lambda: example.condition(2, "Stalled") == "True", what="the registration has failed")
    told = example.ask("engineer", "why", MODEL, "2")
    assert "contract is broken: output approved is missing" in " ".join(told.output.split())


def test_a_file_that_also_takes_an_optional_input_is_registered(in_production: Example) -> None:
    example = in_production
    graph = graph_of(example)
    graph.graph.input.append(helper.make_tensor_value_info("channel", TensorProto.INT64, [1]))
    graph.graph.initializer.append(numpy_helper.from_array(np.zeros(1, np.int64), "channel"))
    artifact = in_the_store(example, 3, graph.SerializeToString(), name="with-channel.onnx")
    record = record_of(example, 3, artifact=artifact)
    channel = {"name": "channel", "type": "int64", "shape": [1], "optional": True}
    record["spec"]["signature"]["inputs"].append(channel)

    register(example, record)

    example.await_stage(3, "Registered")
    assert ended(example, 3) == (
        "Passed",
        "ContractKept",
        f"{KEEPS}; callers of version 1 in Production need change nothing.",
    )


@pytest.fixture
def weights(
    operator: Installed, namespace: str, tmp_path: Path
) -> Iterator[tuple[Example, dict[str, Any]]]:
    """A Model whose policy takes safetensors, and the record that its versions share."""
    cluster = operator.cluster
    policy = yaml.safe_load((TOP / "examples/policies/demo.yaml").read_text())
    policy["metadata"]["name"] = name = f"weights-{namespace}"
    policy["spec"]["allowedFormats"] = ["Safetensors"]
    cluster.apply(policy)
    example = Example(operator, namespace, tmp_path)
    example.set_up()
    model = yaml.safe_load(example.manifest(TOP / "examples/01-register/3-model.yaml"))
    model["spec"]["policy"] = name
    cluster.apply(model)
    yield example, record_of(example, 1)
    cluster.kubectl(None, "delete", "modelpolicy", name)


def test_weights_are_registered_by_what_their_record_says_they_take_and_give(
    weights: tuple[Example, dict[str, Any]],
) -> None:
    example, record = weights
    content = save({"layer": np.ones((4, 3), np.float32)}, metadata={"format": "np"})
    record["spec"]["artifact"] = in_the_store(example, 1, content, name="model.safetensors")

    register(example, record)

    example.await_stage(1, "Registered")
    assert (ended(example, 1), ended(example, 1, "artifact")[2]) == (
        (
            "Passed",
            "ContractDeclared",
            (
                "By its recorded signature, which no file proves, it keeps the Model's contract "
                "(inputs: 13, outputs: 2); nothing is in Production to compare with."
            ),
        ),
        (
            "The artifact is the registered one and reads as Safetensors (tensors: 1), which says "
            "nothing of inputs and outputs."
        ),
    )


def test_weights_with_bytes_of_no_tensor_are_held(weights: tuple[Example, dict[str, Any]]) -> None:
    example, record = weights
    content = save({"layer": np.ones((4, 3), np.float32)}) + b"#!/bin/sh"
    record["spec"]["artifact"] = in_the_store(example, 1, content, name="model.safetensors")

    register(example, record)

    assert ended(example, 1, "artifact") == (
        "Failed",
        "SafetensorsRulesBroken",
        (
            "model.safetensors breaks the rules of safetensors: its tensors take 48 bytes, and 57 "
            "follow the header."
        ),
    )


@pytest.fixture(scope="module")
def on_volume(
    operator: Installed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Example, SharedVolume]]:
    """The example with its artifacts on a volume: no pod of it has the keys of a store."""
    with (
        operator.cluster.namespace("volume") as namespace,
        shared(operator, namespace) as volume,
    ):
        example = Example(operator, namespace, tmp_path_factory.mktemp("volume"))
        example.set_up()
        example.declare()
        example.installed.cluster.kubectl(
            "engineer", "apply", "-f", "-", given=serve_from_the_volume(example)
        )
        yield example, volume


def serve_from_the_volume(example: Example) -> str:
    """The example's service, whose pods have the claim instead of the keys of a store."""
    deployment, service = yaml.safe_load_all(example.service())
    pod = deployment["spec"]["template"]["spec"]
    claim = {"claimName": BUCKET, "readOnly": True}
    pod["volumes"].append({"name": "store", "persistentVolumeClaim": claim})
    (fetch,) = pod["initContainers"]
    fetch["envFrom"] = []
    fetch["volumeMounts"].append({"name": "store", "mountPath": MOUNT, "readOnly": True})
    return str(yaml.safe_dump_all([deployment, service]))


def content_of(example: Example) -> bytes:
    """The file of the first version."""
    return (example.work / "1" / "model.onnx").read_bytes()


def uri_of(example: Example, path: str) -> str:
    return f"pvc://{BUCKET}/{example.namespace}/{path}"


def test_a_version_on_a_volume_is_registered_and_served_from_there(
    on_volume: tuple[Example, SharedVolume],
) -> None:
    example, volume = on_volume
    record, content = record_of(example, 1), content_of(example)
    volume.write(f"{example.namespace}/1/model.onnx", content)
    uri = uri_of(example, "1/model.onnx")
    record["spec"]["artifact"] = {"uri": uri, **described(content, uri)}
    register(example, record)
    example.await_stage(1, "Registered")

    example.bring_to_production(1)

    assert (ended(example, 1, "artifact")[1], ended(example, 1)[1]) == (
        "ArtifactValid",
        "ContractKept",
    )
    pods = example.installed.cluster.get(
        "pods", f"--namespace={example.namespace}", f"--selector=modelwarden.io/model={MODEL}"
    )
    assert {pod["metadata"]["labels"]["modelwarden.io/version"] for pod in pods["items"]} == {"1"}


def test_what_lies_on_a_volume_is_registered_by_a_copy_of_it(
    on_volume: tuple[Example, SharedVolume],
) -> None:
    example, volume = on_volume
    record, content = record_of(example, 2), content_of(example)
    volume.write(f"{example.namespace}/2/model.onnx", content)
    source = example.work / "record.yaml"
    kept = {name: value for name, value in record["spec"].items() if name != "artifact"}
    source.write_text(yaml.safe_dump(kept))

    told = example.ask(
        "scientist",
        "register",
        str(example.work / "1" / "model.onnx"),
        f"--model={MODEL}",
        "--version=2",
        f"--from={source}",
        f"--uri={uri_of(example, '2/model.onnx')}",
    )

    assert (told.code, told.complaint) == (0, "")
    example.await_stage(2, "Registered")


def test_a_link_on_a_volume_leads_nowhere(on_volume: tuple[Example, SharedVolume]) -> None:
    example, volume = on_volume
    record, content = record_of(example, 3), content_of(example)
    volume.write("other/3/model.onnx", content)
    volume.write(f"{example.namespace}/beside", b"")
    volume.link(f"{example.namespace}/3", "../other/3")
    uri = uri_of(example, "3/model.onnx")
    record["spec"]["artifact"] = {"uri": uri, **described(content, uri)}

    register(example, record)

    assert ended(example, 3, "artifact")[:2] == ("Failed", "NotAFile")
