"""A safetensors file says which tensors it has; what is not wholly tensors is refused.

What is good is made with the format's own library, and what is bad is refused by it too.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save, save_file

from modelwarden.validation import safetensors_model
from modelwarden.validation.facts import ModelFacts, UnreadableModelError
from modelwarden.validation.formats import SAFETENSORS_INDEX
from modelwarden.validation.safetensors_model import BITS, read

LAYERS = {"a": np.ones((2, 3), np.float32), "b": np.zeros(4, np.int64)}
ONE = {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}


def written(content: Any, data: bytes = b"") -> bytes:
    """A file with any header."""
    header = content if isinstance(content, bytes) else json.dumps(content).encode()
    return len(header).to_bytes(8, "little") + header + data


def refusal(path: Path) -> UnreadableModelError:
    with pytest.raises(UnreadableModelError) as refused:
        read(path)
    return refused.value


def sharded(folder: Path, *, shards: Mapping[str, Any], index: Any = None) -> Path:
    """A folder of shards, and the index that the libraries of models write beside them."""
    folder.mkdir()
    for name, tensors in shards.items():
        save_file(tensors, folder / name)
    placed = {tensor: name for name, tensors in shards.items() for tensor in tensors}
    path = folder / f"model{SAFETENSORS_INDEX}"
    said = {"metadata": {"total_size": 56}, "weight_map": placed} if index is None else index
    path.write_text(json.dumps(said))
    return path


SHARDS = {
    "model-00001-of-00002.safetensors": {"a": LAYERS["a"]},
    "model-00002-of-00002.safetensors": {"b": LAYERS["b"]},
}
PLACED = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}


def test_a_file_says_which_tensors_it_has_and_nothing_of_inputs(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file(LAYERS, path, metadata={"format": "np", "author": "risk"})

    assert read(path) == ModelFacts(
        signature=None,
        details={
            "tensors": 2,
            "parameters": 10,
            "types": ["F32", "I64"],
            "shards": 1,
            "metadata": {"author": "risk", "format": "np"},
        },
    )


def test_a_folder_of_shards_is_read_by_its_index(tmp_path: Path) -> None:
    details = read(sharded(tmp_path / "model", shards=SHARDS)).details

    assert (details["tensors"], details["parameters"], details["shards"]) == (2, 10, 2)


def test_a_tensor_without_elements_and_a_scalar_are_tensors(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"none": np.ones((0, 3), np.float16), "one": np.array(1.0)}, path)

    assert read(path).details["parameters"] == 1


@pytest.mark.parametrize("dtype", sorted(BITS))
def test_every_type_of_the_format_is_known(tmp_path: Path, dtype: str) -> None:
    content = written(
        {"a": {"dtype": dtype, "shape": [8], "data_offsets": [0, BITS[dtype]]}},
        bytes(BITS[dtype]),
    )
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)

    assert [name for name, _ in safetensors.deserialize(content)] == ["a"]
    assert read(path).details["types"] == [dtype]


BAD = {
    "empty": b"",
    "seven bytes": b"\0" * 7,
    "a length beyond the file": (100).to_bytes(8, "little") + b"{}",
    "a length of all ones": b"\xff" * 8 + b"{}",
    "no JSON": written(b"not json"),
    "JSON cut short": written(b'{"a": {'),
    "not UTF-8": written(b'{"\xff": 1}'),
    "a list": written([]),
    "a number": written(b"7"),
    "deeply nested": written(b'{"a":' + b"[" * 100_000),
    "a type of no format": written({"a": {**ONE, "dtype": "PICKLE"}}, b"x"),
    "a type that is no text": written({"a": {**ONE, "dtype": 7}}, b"x"),
    "no shape": written({"a": {"dtype": "U8", "data_offsets": [0, 1]}}, b"x"),
    "a negative size": written({"a": {**ONE, "shape": [-1]}}, b"x"),
    "a size that is no integer": written({"a": {**ONE, "shape": [1.0]}}, b"x"),
    "sizes that overflow": written({"a": {**ONE, "shape": [2**62, 2**62]}}, b"x"),
    "one offset": written({"a": {**ONE, "data_offsets": [0]}}, b"x"),
    "an end before the begin": written({"a": {**ONE, "data_offsets": [1, 0]}}, b"x"),
    "more bytes than elements": written({"a": {**ONE, "data_offsets": [0, 2]}}, b"xx"),
    "half a byte": written({"a": {"dtype": "F4", "shape": [3], "data_offsets": [0, 1]}}, b"x"),
    "an end beyond the file": written({"a": {**ONE, "shape": [9], "data_offsets": [0, 9]}}, b"x"),
    "bytes of no tensor": written({"a": ONE}, b"xx"),
    "a hole": written({"a": ONE, "b": {**ONE, "data_offsets": [2, 3]}}, b"xxx"),
    "an overlap": written({"a": ONE, "b": ONE}, b"x"),
    "metadata that is no text": written({"__metadata__": {"a": 1}}),
    "metadata that is a list": written({"__metadata__": ["a"]}),
    "a pickle": b"\x80\x04\x95" + b"." * 200,
    "ONNX": b"\x08\x0a\x12\x00" * 20,
    "a zip": b"PK\x03\x04" + b"\0" * 100,
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_what_the_format_forbids_is_refused_here_and_by_its_own_library(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(BAD[name])

    refused = refusal(path)

    with pytest.raises(safetensors.SafetensorError):
        safetensors.deserialize(BAD[name])
    assert refused.code in {"NotSafetensors", "SafetensorsRulesBroken"}
    assert refused.sentence.startswith("model.safetensors ")


BROKEN = "breaks the rules of safetensors"
NONE = "is not a safetensors file"
TWICE = b'{"a":%b,"a":%b}' % ((json.dumps(ONE).encode(),) * 2)


@pytest.mark.parametrize(
    ("content", "kind", "problem"),
    [
        (
            written({"a": ONE, "b": {**ONE, "data_offsets": [2, 3]}}, b"xxx"),
            BROKEN,
            "the tensors leave a hole before 'b'",
        ),
        (written({"a": ONE, "b": ONE}, b"x"), BROKEN, "the tensors overlap before 'b'"),
        (
            written({"a": {**ONE, "shape": [4]}}, b"x"),
            BROKEN,
            "the tensor 'a' has 1 bytes, and its type and shape need 4",
        ),
        (
            written({"a": ONE}, b"xPK"),
            BROKEN,
            "its tensors take 1 bytes, and 3 follow the header",
        ),
        # The library believes the last one; other readers the first.
        (written(TWICE, b"x"), NONE, "its header is not JSON: a name is there twice"),
        (
            written({"a": {**ONE, "run": "this"}}, b"x"),
            BROKEN,
            "the tensor 'a' must have dtype, shape and data_offsets, and no more",
        ),
    ],
)
def test_a_refusal_says_what_is_wrong(
    tmp_path: Path, content: bytes, kind: str, problem: str
) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)

    assert refusal(path).sentence == f"model.safetensors {kind}: {problem}."


def test_a_header_larger_than_anybody_needs_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(safetensors_model, "LONGEST_HEADER", 50)
    path = tmp_path / "model.safetensors"
    save_file(LAYERS, path)

    assert "and 50 at most" in refusal(path).sentence


def test_shards_whose_headers_are_too_much_together_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(safetensors_model, "LONGEST_HEADERS", 100)

    refused = refusal(sharded(tmp_path / "model", shards=SHARDS))

    assert (refused.code, refused.check) == ("TooManyTensors", "shards")


WHOLE = save(LAYERS)


CHANGED = st.tuples(st.integers(0, len(WHOLE) - 1), st.binary(max_size=1)).map(
    lambda change: WHOLE[: change[0]] + change[1] + (WHOLE[change[0] + 1 :] if change[1] else b"")
)


@settings(deadline=None, max_examples=300)
@given(content=CHANGED)
def test_nothing_is_taken_that_the_formats_own_library_refuses(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("changed") / "model.safetensors"
    path.write_bytes(content)
    try:
        read(path)
    except UnreadableModelError:
        return

    assert len(safetensors.deserialize(content)) == len(LAYERS)


def moved(index: Path) -> None:
    (index.parent / PLACED["b"]).rename(index.parent / "other.safetensors")


def doubled(index: Path) -> None:
    save_file(LAYERS, index.parent / "consolidated.safetensors")


def damaged(index: Path) -> None:
    (index.parent / PLACED["b"]).write_bytes(b"PK\x03\x04")


@pytest.mark.parametrize(
    ("change", "code", "sentence"),
    [
        (
            moved,
            "ShardMissing",
            f"The index model{SAFETENSORS_INDEX} names {PLACED['b']}, not in the folder.",
        ),
        (
            doubled,
            "ShardNotInIndex",
            f"The index model{SAFETENSORS_INDEX} does not name consolidated.safetensors.",
        ),
        (
            damaged,
            "NotSafetensors",
            f"{PLACED['b']} {NONE}: it is shorter than the 8 bytes of a header's length.",
        ),
    ],
)
def test_shards_that_are_not_those_of_the_index_are_refused(
    tmp_path: Path, change: Callable[[Path], None], code: str, sentence: str
) -> None:
    index = sharded(tmp_path / "model", shards=SHARDS)
    change(index)

    refused = refusal(index)

    assert (refused.code, refused.sentence) == (code, sentence)


@pytest.mark.parametrize(
    ("index", "code"),
    [
        ([], "NotSafetensors"),
        ({}, "NotSafetensors"),
        ({"weight_map": {}}, "NotSafetensors"),
        ({"weight_map": {**PLACED, "b": 7}}, "ShardRefused"),
        ({"weight_map": {**PLACED, "b": "weights.bin"}}, "ShardRefused"),
        ({"weight_map": {**PLACED, "b": "../secret.safetensors"}}, "ShardRefused"),
        ({"weight_map": {**PLACED, "b": "/etc/secret.safetensors"}}, "ShardRefused"),
        ({"weight_map": {**PLACED, "b": "a\0.safetensors"}}, "ShardRefused"),
        ({"weight_map": {**PLACED, "c": PLACED["b"]}}, "IndexDiffers"),
        ({"weight_map": {"a": PLACED["b"], "b": PLACED["a"]}}, "IndexDiffers"),
        ({"weight_map": {"a": PLACED["a"]}}, "ShardNotInIndex"),
    ],
)
def test_an_index_about_something_else_is_refused(tmp_path: Path, index: Any, code: str) -> None:
    assert refusal(sharded(tmp_path / "model", shards=SHARDS, index=index)).code == code
