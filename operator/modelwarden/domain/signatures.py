"""What a model takes and what it gives: as manifests write it, and short enough for a message."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """One input or output: -1 is a size that callers choose, no shape one that is not stated.

    Callers may leave an optional input out.
    """

    name: str
    type: str
    shape: tuple[int, ...] | None
    optional: bool = False

    @property
    def written(self) -> str:
        """The type and the shape as people read them."""
        return f"{self.type}{'[?]' if self.shape is None else list(self.shape)}"

    def to_json(self) -> dict[str, Any]:
        """Write the tensor as JSON."""
        shape = None if self.shape is None else list(self.shape)
        written: dict[str, Any] = {"name": self.name, "type": self.type, "shape": shape}
        return written | ({"optional": True} if self.optional else {})

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read a tensor; KeyError, TypeError or ValueError for anything else."""
        return cls(
            name=str(data["name"]),
            type=str(data["type"]),
            shape=_shape(data["shape"]),
            optional=data.get("optional") is True,
        )


@dataclass(frozen=True, kw_only=True)
class Signature:
    """Inputs and outputs, each with a name of its own among its kind."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    def to_json(self) -> dict[str, Any]:
        """Write the signature as manifests have it."""
        return {
            "inputs": [tensor.to_json() for tensor in self.inputs],
            "outputs": [tensor.to_json() for tensor in self.outputs],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read a signature; KeyError, TypeError or ValueError for anything else."""
        return cls(
            inputs=tensors_from_json(data["inputs"]), outputs=tensors_from_json(data["outputs"])
        )


def tensors_from_json(data: Sequence[Mapping[str, Any]]) -> tuple[Tensor, ...]:
    """Read a list of tensors."""
    return tuple(Tensor.from_json(tensor) for tensor in data)


def packed(tensors: Iterable[Tensor]) -> list[dict[str, Any]]:
    """Write tensors in their order, neighbours of one type and shape together: four times shorter.

    A message has 4 KiB for everything, and most models have many inputs of one kind.
    """
    runs = groupby(tensors, key=lambda tensor: (tensor.type, tensor.shape, tensor.optional))
    return [
        {
            "type": type_,
            "shape": None if shape is None else list(shape),
            **({"optional": True} if optional else {}),
            "names": [tensor.name for tensor in run],
        }
        for (type_, shape, optional), run in runs
    ]


def unpacked(runs: Sequence[Mapping[str, Any]]) -> tuple[Tensor, ...]:
    """Read packed tensors; KeyError, TypeError or ValueError for anything else."""
    return tuple(
        Tensor.from_json({**run, "name": name}) for run in runs for name in list(run["names"])
    )


def _shape(data: Any) -> tuple[int, ...] | None:
    return None if data is None else tuple(int(size) for size in data)
