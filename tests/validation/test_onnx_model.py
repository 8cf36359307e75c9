"""An ONNX file says what it takes and gives; what is no ONNX file says nothing."""

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from modelwarden.domain.signatures import Signature, Tensor
from modelwarden.validation.facts import ModelFacts, UnreadableModelError
from modelwarden.validation.onnx_model import read

from .models import model, point_elsewhere, saved, with_weights_at

WHOLE = model().SerializeToString()


def refusal(path: Path) -> UnreadableModelError:
    with pytest.raises(UnreadableModelError) as refused:
        read(path)
    return refused.value


def test_a_model_says_what_it_takes_and_gives(tmp_path: Path) -> None:
    assert read(saved(model(), tmp_path / "m.onnx")) == ModelFacts(
        signature=Signature(
            inputs=(Tensor(name="x", type="float32", shape=(-1, 3)),),
            outputs=(Tensor(name="y", type="float32", shape=(-1, 3)),),
        ),
        details={"opset": 21, "irVersion": 10, "domains": ["ai.onnx.ml 3"]},
    )


def signature(path: Path) -> Signature:
    read_from_it = read(path).signature
    assert read_from_it is not None
    return read_from_it


def value(name: str, kind: Any) -> Any:
    return helper.make_value_info(name, kind)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (helper.make_tensor_type_proto(TensorProto.DOUBLE, [1]), ("float64", (1,))),
        (helper.make_tensor_type_proto(TensorProto.INT64, [None, "n"]), ("int64", (-1, -1))),
        (helper.make_tensor_type_proto(TensorProto.STRING, [-1]), ("string", (-1,))),
        (helper.make_tensor_type_proto(TensorProto.BOOL, []), ("bool", ())),
        (helper.make_tensor_type_proto(TensorProto.BFLOAT16, [2]), ("bfloat16", (2,))),
        (helper.make_sparse_tensor_type_proto(TensorProto.FLOAT, [4]), ("float32", (4,))),
        (
            helper.make_sequence_type_proto(
                helper.make_map_type_proto(
                    TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, None)
                )
            ),
            ("sequence", ()),
        ),
        (
            helper.make_map_type_proto(
                TensorProto.STRING, helper.make_tensor_type_proto(TensorProto.FLOAT, None)
            ),
            ("map", ()),
        ),
        (
            helper.make_optional_type_proto(helper.make_tensor_type_proto(TensorProto.INT8, [1])),
            ("int8", (1,)),
        ),
        (
            helper.make_optional_type_proto(helper.make_tensor_type_proto(TensorProto.INT8, None)),
            ("int8", None),
        ),
    ],
)
def test_every_kind_of_value_has_a_type_and_a_shape(
    tmp_path: Path, kind: Any, expected: tuple[str, tuple[int, ...] | None]
) -> None:
    given = model(inputs=[*model().graph.input, value("extra", kind)])

    extra = signature(saved(given, tmp_path / "m.onnx")).inputs[1]

    assert (extra.type, extra.shape) == expected


def with_default(*, ir_version: int) -> Any:
    default = helper.make_tensor_value_info("w", TensorProto.FLOAT, [3])
    built = model(inputs=[default, *model().graph.input])
    built.ir_version = ir_version
    return built


def test_an_input_with_a_default_is_optional_and_comes_last(tmp_path: Path) -> None:
    inputs = signature(saved(with_default(ir_version=10), tmp_path / "m.onnx")).inputs

    assert [(tensor.name, tensor.optional) for tensor in inputs] == [("x", False), ("w", True)]


def test_a_weight_that_old_files_had_to_list_is_nothing_that_callers_send(tmp_path: Path) -> None:
    built = with_default(ir_version=3)
    del built.opset_import[:]
    built.opset_import.append(helper.make_opsetid("", 8))

    inputs = signature(saved(built, tmp_path / "m.onnx")).inputs

    assert [tensor.name for tensor in inputs] == ["x"]


def test_an_input_of_optional_type_is_optional(tmp_path: Path) -> None:
    tensor = helper.make_tensor_type_proto(TensorProto.INT8, [1])
    extra = value("extra", helper.make_optional_type_proto(tensor))

    inputs = signature(
        saved(model(inputs=[extra, *model().graph.input]), tmp_path / "m.onnx")
    ).inputs

    assert [(tensor.name, tensor.optional) for tensor in inputs] == [("x", False), ("extra", True)]


def test_weights_beside_the_file_are_its_own(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "w.bin").write_bytes(bytes(20))
    given = with_weights_at(model(), location="weights/w.bin", offset="8", length="12")

    assert signature(saved(given, tmp_path / "m.onnx")).outputs[0].name == "y"


class Payload:
    """What unpickling would run."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (Path.touch, ("never",))


def zipped(name: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(name, WHOLE)
    return content.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 1000,
        b"hello, I am a model",
        b'{"format": "onnx"}',
        WHOLE[:-1],
        WHOLE[: len(WHOLE) // 2],
        WHOLE[1:],
        WHOLE + b"PK\x03\x04",
        WHOLE[:30] + b"\xff" * 8 + WHOLE[38:],
        pickle.dumps({"weights": [1.0]}),
        pickle.dumps(Payload()),
        zipped("model.onnx"),
        zipped("../../etc/cron.d/x"),
        b"\x89HDF\r\n\x1a\n" + b"\0" * 512,
        b"GGUF" + b"\3\0\0\0" * 20,
        (20).to_bytes(8, "little") + b'{"__metadata__": {}}',
        b"\x7fELF" + b"\2\1\1" + b"\0" * 500,
        b"#!/bin/sh\ntouch never\n",
        b"\x0a" * 5000,
        b"\x0a\xff\xff\xff\xff\x7f",
    ],
)
def test_what_is_no_onnx_is_refused(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "m.onnx"
    path.write_bytes(content)

    assert refusal(path).code in {"NotOnnx", "OnnxRulesBroken"}
    assert [entry.name for entry in tmp_path.iterdir()] == ["m.onnx"]


def changed(change: str) -> Any:
    proto = model()
    match change:
        case "no graph":
            proto.ClearField("graph")
        case "no opset":
            del proto.opset_import[:]
        case "no version":
            proto.ClearField("ir_version")
        case "unknown operator":
            proto.graph.node[0].op_type = "RunThis"
        case "missing weights":
            del proto.graph.initializer[:]
        case "huge sizes":
            proto.graph.initializer[0].dims[:] = [2**40, 2**40]
        case "negative size":
            proto.graph.initializer[0].dims[:] = [-3]
        case "fewer bytes than said":
            proto.graph.initializer[0].dims[:] = [4]
        case "a cycle":
            proto.graph.node[0].input[0] = "y"
    return proto


@pytest.mark.parametrize(
    "change",
    [
        "no graph",
        "no opset",
        "no version",
        "unknown operator",
        "missing weights",
        "huge sizes",
        "negative size",
        "fewer bytes than said",
        "a cycle",
    ],
)
def test_a_graph_that_breaks_the_rules_is_refused(tmp_path: Path, change: str) -> None:
    assert refusal(saved(changed(change), tmp_path / "m.onnx")).code == "OnnxRulesBroken"


@pytest.mark.parametrize(
    "entries",
    [
        {"location": "../secret"},
        {"location": "/etc/passwd"},
        {"location": "weights/../../secret"},
        {"location": "weights/../w.bin"},
        {"location": "./w.bin"},
        {"location": "link"},
        {"location": "weights"},
        {"location": "absent"},
        {"location": ""},
        {},
        {"location": "w.bin\0.png"},
        {"location": "..\\secret"},
        {"location": "C:\\secret"},
        {"location": "file:///etc/passwd"},
        {"location": "http://169.254.169.254/latest/"},
        {"location": "w.bin", "offset": "-1"},
        {"location": "w.bin", "offset": "9", "length": "4"},
        {"location": "w.bin", "length": str(10**18)},
        {"location": "w.bin", "length": "twelve"},
    ],
)
def test_weights_from_anywhere_else_are_refused(tmp_path: Path, entries: dict[str, str]) -> None:
    folder = tmp_path / "artifact"
    (folder / "weights").mkdir(parents=True)
    (folder / "w.bin").write_bytes(bytes(12))
    (folder / "link").symlink_to("w.bin")
    (tmp_path / "secret").write_bytes(bytes(12))

    refused = refusal(saved(with_weights_at(model(), **entries), folder / "m.onnx"))

    assert (refused.code, refused.check) == ("ExternalDataRefused", "external-data")


def test_weights_hidden_in_a_subgraph_are_found(tmp_path: Path) -> None:
    proto = model()
    branch = onnx.GraphProto()
    branch.CopyFrom(proto.graph)
    point_elsewhere(branch.initializer[0], location="../secret")
    proto.graph.node.append(
        helper.make_node("If", ["c"], ["z"], then_branch=branch, else_branch=branch)
    )

    assert refusal(saved(proto, tmp_path / "m.onnx")).code == "ExternalDataRefused"


def test_weights_hidden_in_an_attribute_are_found(tmp_path: Path) -> None:
    proto = model()
    constant = TensorProto(name="hidden", data_type=TensorProto.FLOAT, dims=[1])
    point_elsewhere(constant, location="/etc/passwd")
    proto.graph.node.append(helper.make_node("Constant", [], ["z"], value=constant))

    assert refusal(saved(proto, tmp_path / "m.onnx")).code == "ExternalDataRefused"


@pytest.mark.parametrize("names", [[f"x{number}" for number in range(5000)], ["x" * 5000]])
def test_a_flood_of_names_is_refused(tmp_path: Path, names: list[str]) -> None:
    flood = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in names]
    proto = model(inputs=[*model().graph.input, *flood])

    assert refusal(saved(proto, tmp_path / "m.onnx")).code == "TooManyTensors"
