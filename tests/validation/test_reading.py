"""A file is read in a process of its own, so that breaking the reader is an answer too."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from modelwarden.validation.facts import UnreadableModelError
from modelwarden.validation.formats import FORMATS, SAFETENSORS_INDEX, main_file
from modelwarden.validation.reading import read_apart

from .models import model, saved

ONNX = FORMATS["ONNX"]


def test_facts_come_back_from_the_other_process(tmp_path: Path) -> None:
    facts = read_apart(ONNX, saved(model(), tmp_path / "m.onnx"))

    assert facts.signature is not None
    assert (facts.signature.inputs[0].written, facts.details["opset"]) == ("float32[-1, 3]", 21)


def test_a_refusal_comes_back_from_the_other_process(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"PK\x03\x04")

    with pytest.raises(UnreadableModelError) as refused:
        read_apart(ONNX, tmp_path / "m.onnx")

    assert (refused.value.code, refused.value.check) == ("NotOnnx", "loads")
    assert refused.value.sentence.startswith("m.onnx is not an ONNX file")


def test_a_crash_of_the_reader_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UnreadableModelError) as refused:
        read_apart(ONNX, tmp_path / "absent.onnx")

    assert refused.value.code == "ReaderCrashed"


def test_a_reader_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    begun = time.monotonic()

    with pytest.raises(UnreadableModelError) as refused:
        read_apart(ONNX, saved(model(), tmp_path / "m.onnx"), seconds=0.01)

    assert refused.value.code == "ReaderTimedOut"
    assert time.monotonic() - begun < 5


def test_the_other_process_does_not_know_the_credentials(tmp_path: Path) -> None:
    script = tmp_path / "probe.py"
    script.write_text(
        "import os\n"
        "os.environ['AWS_SECRET_ACCESS_KEY'] = 'secret'\n"
        "from modelwarden.validation import reading\n"
        "print('AWS_SECRET_ACCESS_KEY' in reading._environment())\n"
    )

    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"


def test_the_artifact_itself_is_the_main_file() -> None:
    assert main_file(ONNX, ["anything"], is_folder=False) == "anything"


def test_a_folder_has_one_main_file_at_its_top() -> None:
    names = ["model.onnx", "weights/other.onnx", "notes.txt"]

    assert main_file(ONNX, names, is_folder=True) == "model.onnx"


def test_an_index_is_the_main_file_of_its_shards() -> None:
    names = ["model-1-of-2.safetensors", "model-2-of-2.safetensors", f"model{SAFETENSORS_INDEX}"]

    assert main_file(FORMATS["Safetensors"], names, is_folder=True) == names[2]


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["a.txt", "deep/model.onnx"], "ModelFileMissing"),
        (["a.onnx", "b.onnx"], "ModelFileAmbiguous"),
    ],
)
def test_a_folder_with_none_or_two_is_refused(names: list[str], code: str) -> None:
    with pytest.raises(UnreadableModelError) as refused:
        main_file(ONNX, names, is_folder=True)

    assert refused.value.code == code


def test_every_known_format_is_found_under_its_name() -> None:
    assert {name: known.name for name, known in FORMATS.items()} == {
        "ONNX": "ONNX",
        "Safetensors": "Safetensors",
    }
