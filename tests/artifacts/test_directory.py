"""A folder of this machine is taken as it is, or refused."""

import os
from pathlib import Path

import pytest

from modelwarden.artifacts.bringing import digest_of_source
from modelwarden.artifacts.directory import DirectorySource
from modelwarden.artifacts.failures import ArtifactNotFoundError, ArtifactRefusedError
from modelwarden.artifacts.sources import Limits, StoredFile

LIMITS = Limits()


def test_a_folder_is_all_files_below_it(model: Path) -> None:
    at = DirectorySource(model)

    assert (at.is_folder, at.files(LIMITS)) == (
        True,
        [StoredFile("model.onnx", 5000), StoredFile("weights/layer 1.bin", 2_560_000)],
    )


def test_a_file_stands_for_itself(model: Path) -> None:
    at = DirectorySource(model / "model.onnx")

    assert (at.is_folder, at.files(LIMITS)) == (False, (StoredFile("model.onnx", 5000),))


def test_nothing_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(ArtifactNotFoundError):
        DirectorySource(tmp_path / "absent").files(LIMITS)


def refusal(folder: Path, limits: Limits = LIMITS) -> str:
    with pytest.raises(ArtifactRefusedError) as refused:
        DirectorySource(folder).files(limits)
    return refused.value.code


def test_a_link_is_refused_wherever_it_points(model: Path) -> None:
    (model / "link").symlink_to(model / "model.onnx")

    assert refusal(model) == "NotAFile"


def test_a_link_to_a_folder_is_refused(model: Path) -> None:
    (model / "link").symlink_to("/etc", target_is_directory=True)

    assert refusal(model) == "NotAFile"


def test_a_pipe_is_refused_and_not_waited_for(model: Path) -> None:
    os.mkfifo(model / "pipe")

    assert refusal(model) == "NotAFile"


def test_an_empty_folder_is_refused(model: Path) -> None:
    (model / "empty").mkdir()

    assert refusal(model) == "EmptyFolder"


def test_a_name_with_a_newline_is_refused(model: Path) -> None:
    (model / "a\nb").write_bytes(b"")

    assert refusal(model) == "FileNameRefused"


def test_a_folder_over_the_limits_is_refused(model: Path) -> None:
    assert refusal(model, Limits(files=1)) == "TooManyFiles"
    assert refusal(model, Limits(total_bytes=5001)) == "ArtifactTooLarge"


def test_a_link_put_there_after_the_listing_is_not_followed(model: Path) -> None:
    at = DirectorySource(model)
    files = at.files(LIMITS)
    (model / "model.onnx").unlink()
    (model / "model.onnx").symlink_to("/etc/passwd")

    with pytest.raises(OSError, match="symbolic links"):
        digest_of_source(at, files)
