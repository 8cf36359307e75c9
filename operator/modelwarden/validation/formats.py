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


@dataclass(frozen=True, kw_only=True)
class Format:
    """One format: the ending of its main file, and the module that reads it.

    Where a model may be in several files, `index` is the ending of the file that lists them, and
    is then the main one.
    """

    name: str
    suffix: str
    reader: str
    index: str = ""


SAFETENSORS_INDEX: Final = ".safetensors.index.json"

FORMATS: Final[Mapping[str, Format]] = MappingProxyType(
    {
        known.name: known
        for known in (
            Format(name="ONNX", suffix=".onnx", reader="modelwarden.validation.onnx_model"),
            Format(
                name="Safetensors",
                suffix=".safetensors",
                reader="modelwarden.validation.safetensors_model",
                index=SAFETENSORS_INDEX,
            ),
        )
    }
)


def main_file(of: Format, names: Sequence[str], *, is_folder: bool) -> str:
    """Name the file to open: the artifact itself, or the one in its folder with the right ending.

    Raises UnreadableModelError where there is none or more than one.
    """
    if not is_folder:
        return names[0]
    at_top = sorted(name for name in names if "/" not in name)
    indices = [name for name in at_top if of.index and name.endswith(of.index)]
    found = indices or [name for name in at_top if name.endswith(of.suffix)]
    if len(found) == 1:
        return found[0]
    raise UnreadableModelError(
        "ModelFileAmbiguous" if found else "ModelFileMissing",
        f"The folder must have exactly one {of.suffix} file at its top"
        f"{f', or one {of.index} that lists them' if of.index else ''}, and has "
        f"{', '.join(found[:5]) or 'none'}.",
    )
