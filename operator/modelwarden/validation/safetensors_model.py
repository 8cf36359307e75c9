"""Reads safetensors: weights and their names, in one file or in shards with an index.

The header is small and documented: a length, JSON, and offsets into the rest of the file. It is
read here rather than with the format's own library, which loads tensors into a framework and takes
headers of 100 MB; nothing but the header is ever in memory.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from modelwarden.domain.digests import name_problem
from modelwarden.validation.facts import LONGEST_NAME, ModelFacts, UnreadableModelError
from modelwarden.validation.formats import SAFETENSORS_INDEX

# Some hundred thousand tensors; parsed, so much JSON takes some hundred megabytes at worst, and
# a gate's container has two thousand.
LONGEST_HEADER: Final = 16 * 1024**2
LONGEST_HEADERS: Final = 2 * LONGEST_HEADER
MOST_DIMENSIONS: Final = 64

_LENGTH_BYTES: Final = 8
_METADATA: Final = "__metadata__"
_FIELDS: Final = frozenset({"dtype", "shape", "data_offsets"})
_LARGEST: Final = 2**63 - 1
_MOST_TOLD: Final = 5
# With two texts of the longest each, a result still has room for them.
_MOST_METADATA: Final = 4

BITS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "BOOL": 8,
        "F4": 4,
        "F6_E2M3": 6,
        "F6_E3M2": 6,
        "U8": 8,
        "I8": 8,
        "F8_E5M2": 8,
        "F8_E4M3": 8,
        "F8_E8M0": 8,
        "F8_E4M3FNUZ": 8,
        "F8_E5M2FNUZ": 8,
        "I16": 16,
        "U16": 16,
        "F16": 16,
        "BF16": 16,
        "I32": 32,
        "U32": 32,
        "F32": 32,
        "C64": 64,
        "F64": 64,
        "I64": 64,
        "U64": 64,
    }
)


@dataclass(frozen=True, kw_only=True)
class Weights:
    """One tensor of a file: how many elements of which type, and where its bytes are."""

    name: str
    dtype: str
    elements: int
    begin: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Header:
    """What the beginning of one file says, in so many bytes."""

    length: int
    tensors: tuple[Weights, ...]
    metadata: Mapping[str, str]


def read(path: Path) -> ModelFacts:
    """Read a file, or the index of a folder of shards with every shard that it names.

    Raises UnreadableModelError for what is not safetensors, has bytes that belong to no tensor or
    to two, or an index that is not about these files.
    """
    if path.name.endswith(SAFETENSORS_INDEX):
        return _facts(_sharded(path))
    return _facts([_header(path)])


def _facts(headers: Sequence[Header]) -> ModelFacts:
    tensors = [tensor for header in headers for tensor in header.tensors]
    metadata = {key: value for header in headers for key, value in header.metadata.items()}
    return ModelFacts(
        signature=None,
        details={
            "tensors": len(tensors),
            "parameters": sum(tensor.elements for tensor in tensors),
            "types": sorted({tensor.dtype for tensor in tensors}),
            "shards": len(headers),
            "metadata": {key: metadata[key] for key in sorted(metadata)[:_MOST_METADATA]},
        },
    )


def _header(path: Path) -> Header:
    with path.open("rb") as opened:
        size = os.fstat(opened.fileno()).st_size
        length = int.from_bytes(opened.read(_LENGTH_BYTES), "little")
        if size < _LENGTH_BYTES:
            raise _no_safetensors(path, "it is shorter than the 8 bytes of a header's length")
        if length > min(size - _LENGTH_BYTES, LONGEST_HEADER):
            raise _no_safetensors(
                path,
                f"its header is said to have {length} bytes, of {size - _LENGTH_BYTES} in the file "
                f"and {LONGEST_HEADER} at most",
            )
        content = _object(path, opened.read(length))
    tensors = tuple(_tensors(path, content))
    _check_that_every_byte_is_one_tensors(path, tensors, size - _LENGTH_BYTES - length)
    return Header(length=length, tensors=tensors, metadata=_metadata(path, content))


def _tensors(path: Path, content: Mapping[str, Any]) -> Iterator[Weights]:
    for name, said in content.items():
        if name != _METADATA:
            yield _tensor(path, name, said)


def _tensor(path: Path, name: str, said: Any) -> Weights:
    told = f"the tensor {name[:100]!r}"
    if len(name) > LONGEST_NAME:
        raise _broken(path, f"{told} has a name of more than {LONGEST_NAME} characters")
    if not isinstance(said, dict) or set(said) != _FIELDS:
        raise _broken(path, f"{told} must have dtype, shape and data_offsets, and no more")
    dtype, shape, offsets = said["dtype"], said["shape"], said["data_offsets"]
    if not isinstance(dtype, str) or dtype not in BITS:
        raise _broken(path, f"{told} has a type that the format does not know: {dtype!r:.40}")
    if not _are_sizes(shape) or len(shape) > MOST_DIMENSIONS:
        raise _broken(path, f"the shape of {told} is no list of sizes")
    if not _are_sizes(offsets) or len(offsets) != len(("begin", "end")):
        raise _broken(path, f"{told} needs two offsets, its begin and its end")
    elements = 1
    for dimension in shape:
        elements *= dimension
        if elements > _LARGEST:
            raise _broken(path, f"{told} has more elements than can be counted")
    begin, end = offsets
    bits = elements * BITS[dtype]
    if bits != (end - begin) * 8:
        raise _broken(
            path, f"{told} has {end - begin} bytes, and its type and shape need {_written(bits)}"
        )
    return Weights(name=name, dtype=dtype, elements=elements, begin=begin, end=end)


def _check_that_every_byte_is_one_tensors(
    path: Path, tensors: Sequence[Weights], size: int
) -> None:
    """No hole in which something else could lie, no byte that is two tensors' at once."""
    reached = 0
    for tensor in sorted(tensors, key=lambda tensor: (tensor.begin, tensor.end)):
        if tensor.begin != reached:
            what = "overlap before" if tensor.begin < reached else "leave a hole before"
            raise _broken(path, f"the tensors {what} {tensor.name[:100]!r}")
        reached = tensor.end
    if reached != size:
        raise _broken(path, f"its tensors take {reached} bytes, and {size} follow the header")


def _metadata(path: Path, content: Mapping[str, Any]) -> Mapping[str, str]:
    metadata = content.get(_METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise _broken(path, f"its {_METADATA} must be texts by name")
    return metadata


def _sharded(index: Path) -> list[Header]:
    """Read every shard of an index: all are there, none besides, each with its own tensors."""
    placed = _weight_map(index)
    shards = sorted(set(placed.values()))
    there = {path.name for path in index.parent.iterdir() if path.suffix == ".safetensors"}
    if missing := [shard for shard in shards if shard not in there]:
        raise _index_broken(index, "ShardMissing", f"names {_named(missing)}, not in the folder")
    if unnamed := sorted(there.difference(shards)):
        raise _index_broken(index, "ShardNotInIndex", f"does not name {_named(unnamed)}")
    headers: list[Header] = []
    for shard in shards:
        header = _header(index.parent / shard)
        if sum(read.length for read in (*headers, header)) > LONGEST_HEADERS:
            words = f"names shards whose headers have more than {LONGEST_HEADERS} bytes in all"
            raise _index_broken(index, "TooManyTensors", words)
        found = {tensor.name for tensor in header.tensors}
        expected = {name for name, place in placed.items() if place == shard}
        if differing := sorted(found ^ expected):
            words = f"is not what {shard[:100]!r} has: {_named(differing)}"
            raise _index_broken(index, "IndexDiffers", words)
        headers.append(header)
    return headers


def _weight_map(index: Path) -> Mapping[str, str]:
    size = index.stat().st_size
    if size > LONGEST_HEADER:
        raise _no_safetensors(index, f"it has {size} bytes, of {LONGEST_HEADER} at most")
    placed = _object(index, index.read_bytes()).get("weight_map")
    if not isinstance(placed, dict) or not placed:
        raise _no_safetensors(index, "it has no weight_map of tensors to files")
    for place in placed.values():
        if not isinstance(place, str) or not place.endswith(".safetensors"):
            raise _index_broken(index, "ShardRefused", f"names a shard {place!r:.100}")
        if "/" in place or name_problem(place):
            words = f"names {place[:100]!r}, which is no file beside it"
            raise _index_broken(index, "ShardRefused", words)
    return placed


def _object(path: Path, content: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(content.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise _no_safetensors(path, "its header is not UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise _no_safetensors(path, f"its header is not JSON: {str(error)[:100]}") from error
    if not isinstance(value, dict):
        raise _no_safetensors(path, "its header is no JSON object")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Readers differ in which of two equal keys they believe, so there must be one."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice")
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(
        type(size) is int and 0 <= size <= _LARGEST for size in value
    )


def _written(bits: int) -> str:
    return str(bits // 8) if bits % 8 == 0 else f"{bits} bits"


def _named(names: Sequence[str]) -> str:
    more = len(names) - _MOST_TOLD
    told = ", ".join(name[:100] for name in names[:_MOST_TOLD])
    return f"{told} and {more} more" if more > 0 else told


def _no_safetensors(path: Path, problem: str) -> UnreadableModelError:
    return UnreadableModelError(
        "NotSafetensors", f"{path.name} is not a safetensors file: {problem}."
    )


def _broken(path: Path, problem: str) -> UnreadableModelError:
    return UnreadableModelError(
        "SafetensorsRulesBroken", f"{path.name} breaks the rules of safetensors: {problem}."
    )


def _index_broken(index: Path, code: str, words: str) -> UnreadableModelError:
    return UnreadableModelError(code, f"The index {index.name} {words}.", check="shards")
