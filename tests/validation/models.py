"""Small real ONNX models, made with the format's own library."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def model(
    *,
    inputs: Sequence[Any] | None = None,
    outputs: Sequence[Any] | None = None,
    initializers: Sequence[Any] | None = None,
    nodes: Sequence[Any] | None = None,
) -> Any:
    """A graph that adds three weights to its rows; every part can be replaced."""
    weights = numpy_helper.from_array(np.ones(3, np.float32), "w")
    graph = helper.make_graph(
        nodes or [helper.make_node("Add", ["x", "w"], ["y"])],
        "graph",
        inputs or [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 3])],
        outputs or [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
        [weights] if initializers is None else initializers,
    )
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def saved(proto: Any, path: Path) -> Path:
    """The model as a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(proto.SerializeToString())
    return path


def with_weights_at(proto: Any, **entries: str) -> Any:
    """The model with its weights said to lie in another file."""
    changed = onnx.ModelProto()
    changed.CopyFrom(proto)
    point_elsewhere(changed.graph.initializer[0], **entries)
    return changed


def point_elsewhere(tensor: Any, **entries: str) -> None:
    """Make a tensor say that its bytes lie in another file."""
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in entries.items():
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
