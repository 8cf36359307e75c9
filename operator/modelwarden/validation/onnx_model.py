"""Reads ONNX: what a graph takes and gives, and whether its weights stay in its own folder."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import onnx
from google.protobuf.message import DecodeError, Message
from onnx.checker import ValidationError

from modelwarden.domain.digests import name_problem
from modelwarden.domain.signatures import Signature, Tensor
from modelwarden.validation.facts import (
    LONGEST_NAME,
    MOST_TENSORS,
    ModelFacts,
    UnreadableModelError,
)

_MAIN_DOMAIN: Final = ("", "ai.onnx")
_SPECIAL_NAMES: Final = {"FLOAT": "float32", "DOUBLE": "float64"}
_MOST_DOMAINS: Final = 8
# Before it, every weight had to be an input too; since then one is only where callers may send it.
_FIRST_WITH_DEFAULTS: Final = 4


def read(path: Path) -> ModelFacts:
    """Read one model file; nothing in it is run, and no weights beside it are loaded.

    Raises UnreadableModelError for a file that is not ONNX, breaks the format's rules or takes its
    weights from anywhere but its own folder.
    """
    model = _parsed(path)
    _check_external_data(model, path.parent)
    _check_rules(path)
    return ModelFacts(
        signature=Signature(inputs=_inputs(model), outputs=_tensors(model.graph.output)),
        details=_details(model),
    )


def _inputs(model: Any) -> tuple[Tensor, ...]:
    """List what callers must send, and after it what they may send: inputs with a default."""
    graph = model.graph
    initialised = {tensor.name for tensor in graph.initializer}
    initialised |= {tensor.values.name for tensor in graph.sparse_initializer}
    found = _tensors([value for value in graph.input if value.name not in initialised])
    required = [tensor for tensor in found if not tensor.optional]
    optional = [tensor for tensor in found if tensor.optional]
    if model.ir_version >= _FIRST_WITH_DEFAULTS:
        defaults = _tensors([value for value in graph.input if value.name in initialised])
        optional += [replace(tensor, optional=True) for tensor in defaults]
    return (*required, *optional)


def _parsed(path: Path) -> Any:
    try:
        return onnx.load(path, load_external_data=False)
    except DecodeError as error:
        raise UnreadableModelError(
            "NotOnnx", f"{path.name} is not an ONNX file, or is damaged: {error}."
        ) from error


def _check_rules(path: Path) -> None:
    # By path, so that the checker looks at the files beside it too, and reads more than 2 GiB.
    try:
        onnx.checker.check_model(str(path), full_check=False)
    except ValidationError as error:
        first_line = str(error).strip().partition("\n")[0]
        raise UnreadableModelError(
            "OnnxRulesBroken", f"{path.name} breaks the rules of ONNX: {first_line}"
        ) from error


def _check_external_data(model: Any, folder: Path) -> None:
    for tensor in _stored_outside(model):
        if problem := _external_problem(tensor, folder):
            raise UnreadableModelError(
                "ExternalDataRefused",
                f"The weights {tensor.name[:100]!r} lie outside the file, and {problem}.",
                check="external-data",
            )


def _external_problem(tensor: Any, folder: Path) -> str | None:
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    if problem := name_problem(location):
        return problem
    path = folder / location
    if path.is_symlink() or not path.is_file():
        return f"{location[:100]!r} is no file of the artifact"
    try:
        offset, length = (int(entries.get(key) or 0) for key in ("offset", "length"))
    except ValueError:
        return "their offset or length is no number"
    if offset < 0 or length < 0 or offset + length > path.stat().st_size:
        return f"they end beyond the end of {location[:100]!r}"
    return None


def _stored_outside(message: Message) -> Iterator[Any]:
    """Find every tensor that is kept in another file, however deep: in subgraphs and functions."""
    if isinstance(message, onnx.TensorProto):
        if message.data_location == onnx.TensorProto.EXTERNAL or message.external_data:
            yield message
        return
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            for inner in (value,) if isinstance(value, Message) else value:
                yield from _stored_outside(inner)


def _tensors(values: Sequence[Any]) -> tuple[Tensor, ...]:
    if len(values) > MOST_TENSORS or any(len(value.name) > LONGEST_NAME for value in values):
        raise UnreadableModelError(
            "TooManyTensors",
            f"The graph has more than {MOST_TENSORS} inputs or outputs, or one with a name of more "
            f"than {LONGEST_NAME} characters.",
        )
    return tuple(_tensor(value.name, value.type) for value in values)


def _tensor(name: str, kind: Any) -> Tensor:
    match kind.WhichOneof("value"):
        case "tensor_type":
            return _typed(name, kind.tensor_type)
        case "sparse_tensor_type":
            return _typed(name, kind.sparse_tensor_type)
        case "sequence_type":
            return Tensor(name=name, type="sequence", shape=())
        case "map_type":
            return Tensor(name=name, type="map", shape=())
        case "optional_type":
            return replace(_tensor(name, kind.optional_type.elem_type), optional=True)
        case _:
            return Tensor(name=name, type="unknown", shape=None)


def _typed(name: str, kind: Any) -> Tensor:
    shape = tuple(_size(dim) for dim in kind.shape.dim) if kind.HasField("shape") else None
    return Tensor(name=name, type=_type_name(kind.elem_type), shape=shape)


def _size(dimension: Any) -> int:
    is_fixed = dimension.WhichOneof("value") == "dim_value" and dimension.dim_value >= 0
    return dimension.dim_value if is_fixed else -1


def _type_name(number: int) -> str:
    try:
        name: str = onnx.TensorProto.DataType.Name(number)
    except ValueError:
        return "unknown"
    return _SPECIAL_NAMES.get(name, name.lower())


def _details(model: Any) -> dict[str, Any]:
    imported = {opset.domain: opset.version for opset in model.opset_import}
    domains = sorted(domain for domain in imported if domain not in _MAIN_DOMAIN)
    return {
        "opset": max((imported.get(domain, 0) for domain in _MAIN_DOMAIN), default=0),
        "irVersion": model.ir_version,
        "domains": [f"{domain} {imported[domain]}" for domain in domains[:_MOST_DOMAINS]],
    }
