"""What a model's own file says about it, the same for every format."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

# No contract names more; a file that does is made to flood whoever reads about it.
MOST_TENSORS: Final = 4096
LONGEST_NAME: Final = 1024


class UnreadableModelError(Exception):
    """The file is not what it should be: which check says so, in one word and in a sentence."""

    def __init__(self, code: str, sentence: str, *, check: str = "loads") -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.check = check


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """One input or output: -1 is a size that callers choose, no shape one that is not stated."""

    name: str
    type: str
    shape: tuple[int, ...] | None

    @property
    def written(self) -> str:
        """The type and the shape as people read them."""
        return f"{self.type}{'[?]' if self.shape is None else list(self.shape)}"

    def to_json(self) -> dict[str, Any]:
        """Write the tensor as JSON."""
        shape = None if self.shape is None else list(self.shape)
        return {"name": self.name, "type": self.type, "shape": shape}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read a tensor; KeyError, TypeError or ValueError for anything else."""
        shape = data["shape"]
        return cls(
            name=str(data["name"]),
            type=str(data["type"]),
            shape=None if shape is None else tuple(int(size) for size in shape),
        )


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """What a model takes and gives; `details` are what only its format has."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    details: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Write the facts as JSON."""
        return {
            "inputs": [tensor.to_json() for tensor in self.inputs],
            "outputs": [tensor.to_json() for tensor in self.outputs],
            "details": dict(self.details),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read facts; KeyError, TypeError or ValueError for anything else."""
        return cls(
            inputs=tensors_from_json(data["inputs"]),
            outputs=tensors_from_json(data["outputs"]),
            details=dict(data["details"]),
        )


def tensors_from_json(data: Sequence[Mapping[str, Any]]) -> tuple[Tensor, ...]:
    """Read a list of tensors."""
    return tuple(Tensor.from_json(tensor) for tensor in data)
