"""What a model's own file says about it, the same for every format."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from modelwarden.domain.signatures import Signature

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
class ModelFacts:
    """What a model takes and gives, if its format says so; `details` are what only that has."""

    signature: Signature | None
    details: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Write the facts as JSON."""
        return {
            "signature": None if self.signature is None else self.signature.to_json(),
            "details": dict(self.details),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read facts; KeyError, TypeError or ValueError for anything else."""
        signature = data["signature"]
        return cls(
            signature=None if signature is None else Signature.from_json(signature),
            details=dict(data["details"]),
        )
