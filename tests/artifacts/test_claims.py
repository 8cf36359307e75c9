"""An artifact on a mounted volume is what its URI names, and nothing that a link leads to."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from modelwarden.artifacts.bringing import bring, digest_of_source
from modelwarden.artifacts.claims import ClaimSource
from modelwarden.artifacts.directory import DirectorySource
from modelwarden.artifacts.failures import (
    ArtifactNotFoundError,
    ArtifactRefusedError,
    StoreDeniedError,
    StoreUnavailableError,
)
from modelwarden.artifacts.fetch import run_fetch
from modelwarden.artifacts.sources import Limits
from modelwarden.domain.artifact_uri import ArtifactUri, parse

FOLDER = "pvc://models/risk/fraud/3/"


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    """A folder of two files on the volume of a claim that is mounted."""
    place = tmp_path / "claims" / "models" / "risk" / "fraud" / "3"
    (place / "weights").mkdir(parents=True)
    (place / "model.onnx").write_bytes(b"graph")
    (place / "weights" / "w.bin").write_bytes(b"w" * 3_000_000)
    (tmp_path / "secret").write_bytes(b"secret")
    return place


def source(tmp_path: Path, uri: str = FOLDER) -> ClaimSource:
    place = parse(uri)
    assert isinstance(place, ArtifactUri)
    return ClaimSource(tmp_path / "claims", place)


def digest_of(path: Path) -> str:
    given = DirectorySource(path)
    return digest_of_source(given, given.files(Limits()))


def test_a_folder_has_the_digest_that_it_has_anywhere(artifact: Path, tmp_path: Path) -> None:
    given = source(tmp_path)
    into = tmp_path / "work"

    arrived = bring(given, given.files(Limits()), into=into)

    assert arrived == digest_of(artifact) == digest_of(into)


def test_a_file_is_an_artifact_of_its_own(artifact: Path, tmp_path: Path) -> None:
    given = source(tmp_path, "pvc://models/risk/fraud/3/model.onnx")

    assert digest_of_source(given, given.files(Limits())) == digest_of(artifact / "model.onnx")


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("pvc://models/risk/fraud/4/", "There is nothing at"),
        ("pvc://models/risk/fraud/3/absent.onnx", "There is nothing at"),
        ("pvc://models/risk/fraud/3", "There is a folder at"),
        ("pvc://models/risk/fraud/3/model.onnx/", "There is a file at"),
        ("pvc://models/risk/fraud/3/model.onnx/x", "There is nothing at"),
    ],
)
@pytest.mark.usefixtures("artifact")
def test_what_the_uri_does_not_name_is_not_found(tmp_path: Path, uri: str, words: str) -> None:
    with pytest.raises(ArtifactNotFoundError, match=words):
        source(tmp_path, uri).files(Limits())


def a_link_to_a_file(artifact: Path) -> None:
    (artifact / "model.onnx").unlink()
    (artifact / "model.onnx").symlink_to("../../../../secret")


def a_link_to_a_folder(artifact: Path) -> None:
    (artifact / "more").symlink_to("weights")


def a_link_on_the_way(artifact: Path) -> None:
    artifact.rename(artifact.with_name("real"))
    artifact.symlink_to("real")


def a_link_further_up(artifact: Path) -> None:
    fraud = artifact.parent
    fraud.rename(fraud.with_name("real"))
    fraud.symlink_to("real")


def a_pipe(artifact: Path) -> None:
    os.mkfifo(artifact / "pipe")


@pytest.mark.parametrize(
    "change",
    [a_link_to_a_file, a_link_to_a_folder, a_link_on_the_way, a_link_further_up, a_pipe],
)
def test_a_link_or_a_special_file_refuses_all_of_it(
    artifact: Path, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    change(artifact)

    with pytest.raises(ArtifactRefusedError) as refused:
        source(tmp_path).files(Limits())

    assert refused.value.code == "NotAFile"


def weights_become_a_link(artifact: Path) -> None:
    (artifact / "weights").rename(artifact / "moved")
    (artifact / "weights").symlink_to("moved")


def the_artifact_becomes_a_link(artifact: Path) -> None:
    a_link_on_the_way(artifact)


def the_file_becomes_a_link(artifact: Path) -> None:
    a_link_to_a_file(artifact)


@pytest.mark.parametrize(
    "change", [weights_become_a_link, the_artifact_becomes_a_link, the_file_becomes_a_link]
)
def test_a_link_that_is_put_there_after_the_listing_is_not_followed(
    artifact: Path, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    given = source(tmp_path)
    files = given.files(Limits())
    change(artifact)

    with pytest.raises(ArtifactRefusedError) as refused:
        bring(given, files, into=tmp_path / "work")

    assert refused.value.code == "NotAFile"


def test_a_pipe_that_is_put_there_after_the_listing_is_not_waited_for(
    artifact: Path, tmp_path: Path
) -> None:
    given = source(tmp_path)
    files = given.files(Limits())
    (artifact / "model.onnx").unlink()
    os.mkfifo(artifact / "model.onnx")

    with pytest.raises(ArtifactRefusedError) as refused:
        bring(given, files, into=tmp_path / "work")

    assert refused.value.code == "ArtifactChangedWhileRead"


def test_a_file_that_goes_after_the_listing_is_not_found(artifact: Path, tmp_path: Path) -> None:
    given = source(tmp_path)
    files = given.files(Limits())
    (artifact / "model.onnx").unlink()

    with pytest.raises(ArtifactNotFoundError):
        bring(given, files, into=tmp_path / "work")


def test_a_claim_that_is_not_mounted_decides_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError, match="The claim models is not mounted at"):
        source(tmp_path).files(Limits())


def test_a_file_that_may_not_be_read_decides_nothing(
    artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Root may read everything, so the refusal of the system is put in its place.
    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    given = source(tmp_path)
    files = given.files(Limits())
    monkeypatch.setattr(os, "open", refuse)

    with pytest.raises(StoreDeniedError, match="The volume does not let user"):
        list(given.read(files[0]))


def test_a_serving_pod_gets_it_from_where_it_mounts_the_claim(
    artifact: Path, tmp_path: Path
) -> None:
    target = tmp_path / "models"
    target.mkdir()
    asked = {
        "MODELWARDEN_ARTIFACT_URI": FOLDER,
        "MODELWARDEN_ARTIFACT_DIGEST": digest_of(artifact),
        "MODELWARDEN_TARGET": str(target),
        "MODELWARDEN_CLAIMS": str(tmp_path / "claims"),
    }

    assert (run_fetch(asked), digest_of(target)) == (0, digest_of(artifact))


def test_other_bytes_on_the_volume_never_arrive(
    artifact: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "models"
    target.mkdir()
    asked = {
        "MODELWARDEN_ARTIFACT_URI": FOLDER,
        "MODELWARDEN_ARTIFACT_DIGEST": digest_of(artifact),
        "MODELWARDEN_TARGET": str(target),
        "MODELWARDEN_CLAIMS": str(tmp_path / "claims"),
    }
    (artifact / "model.onnx").write_bytes(b"other")

    assert (run_fetch(asked), list(target.iterdir())) == (1, [])
    assert "DigestDiffers: pvc://models/risk/fraud/3/: Its digest is" in capsys.readouterr().err
