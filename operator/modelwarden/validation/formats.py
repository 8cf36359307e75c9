"""The formats that have a reader, and which file of a folder the reader opens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol

from modelwarden.validation.facts import ModelFacts, UnreadableModelError


class Reader(Protocol):
    """A module that reads one format; it is imported only in the process that reads."""

    def read(self, path: Path) -> ModelFacts:
        """Read one file without running anything in it; raises UnreadableModelError."""
        ...


@dataclass(frozen=True)
class Format:
    """One format: the ending of its main file, and the module that reads it."""

    name: str
    suffix: str
    reader: str


FORMATS: Final[Mapping[str, Format]] = MappingProxyType(
    {known.name: known for known in (Format("ONNX", ".onnx", "modelwarden.validation.onnx_model"),)}
)


def main_file(of: Format, names: Sequence[str], *, is_folder: bool) -> str:
    """Name the file to open: the artifact itself, or the one in its folder with the right ending.

    Raises UnreadableModelError where there is none or more than one.
    """
    if not is_folder:
        return names[0]
    found = sorted(name for name in names if "/" not in name and name.endswith(of.suffix))
    if len(found) == 1:
        return found[0]
    raise UnreadableModelError(
        "ModelFileAmbiguous" if found else "ModelFileMissing",
        f"The folder must have exactly one {of.suffix} file at its top, and has "
        f"{', '.join(found[:5]) or 'none'}.",
    )
