"""A pod gets exactly the bytes that its annotations name, or nothing."""

import json
from pathlib import Path

import pytest

from modelwarden.artifacts.fetch import run_fetch
from modelwarden.artifacts.upload import upload
from tests.s3_server import Bucket


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "target"
    path.mkdir()
    return path


@pytest.fixture
def environment(bucket: Bucket, target: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", str(bucket.access.endpoint))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "root")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "root-secret")
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    return {"MODELWARDEN_TARGET": str(target)}


def asking(environment: dict[str, str], uri: str, digest: str) -> dict[str, str]:
    return {
        **environment,
        "MODELWARDEN_ARTIFACT_URI": uri,
        "MODELWARDEN_ARTIFACT_DIGEST": digest,
    }


def contents(target: Path) -> dict[str, int]:
    return {
        path.relative_to(target).as_posix(): path.stat().st_size
        for path in target.rglob("*")
        if path.is_file()
    }


def test_a_folder_arrives_whole(
    bucket: Bucket, model: Path, environment: dict[str, str], target: Path
) -> None:
    there = upload(model, bucket.client, store_prefix=bucket.uri)

    assert run_fetch(asking(environment, there.uri, there.digest)) == 0
    assert contents(target) == {"model.onnx": 5000, "weights/layer 1.bin": 2_560_000}


def test_a_file_arrives_under_its_name(
    bucket: Bucket, model: Path, environment: dict[str, str], target: Path
) -> None:
    there = upload(model / "model.onnx", bucket.client, store_prefix=bucket.uri)

    assert run_fetch(asking(environment, there.uri, there.digest)) == 0
    assert contents(target) == {"model.onnx": 5000}


def test_others_may_read_what_arrived(
    bucket: Bucket, model: Path, environment: dict[str, str], target: Path
) -> None:
    there = upload(model, bucket.client, store_prefix=bucket.uri)
    run_fetch(asking(environment, there.uri, there.digest))

    assert (target / "weights").stat().st_mode & 0o005 == 0o005
    assert (target / "model.onnx").stat().st_mode & 0o004 == 0o004


def test_a_second_fetch_replaces_what_an_earlier_one_left(
    bucket: Bucket, model: Path, environment: dict[str, str], target: Path
) -> None:
    there = upload(model, bucket.client, store_prefix=bucket.uri)
    (target / ".modelwarden-unfinished-killed").mkdir()
    (target / "model.onnx").write_bytes(b"half")
    (target / "weights").mkdir()
    (target / "weights" / "old").write_bytes(b"old")

    assert run_fetch(asking(environment, there.uri, there.digest)) == 0
    assert contents(target) == {"model.onnx": 5000, "weights/layer 1.bin": 2_560_000}
    assert {path.name for path in target.iterdir()} == {"model.onnx", "weights"}


def test_without_a_uri_there_is_no_model_yet(
    environment: dict[str, str], target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_fetch(asking(environment, "", "")) == 0
    assert "no model yet" in capsys.readouterr().err
    assert list(target.iterdir()) == []


def test_other_bytes_than_approved_never_arrive(
    bucket: Bucket,
    model: Path,
    environment: dict[str, str],
    target: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    there = upload(model, bucket.client, store_prefix=bucket.uri)
    bucket.put({there.uri.removeprefix(bucket.uri) + "model.onnx": b"other" * 1000})

    assert run_fetch(asking(environment, there.uri, there.digest)) == 1
    assert "DigestDiffers: " in capsys.readouterr().err
    assert list(target.iterdir()) == []


@pytest.mark.parametrize("digest", ["", "sha256:abc", "md5:" + "0" * 32])
def test_without_a_digest_nothing_is_fetched(
    bucket: Bucket, model: Path, environment: dict[str, str], target: Path, digest: str
) -> None:
    there = upload(model, bucket.client, store_prefix=bucket.uri)

    assert run_fetch(asking(environment, there.uri, digest)) == 1
    assert list(target.iterdir()) == []


@pytest.mark.parametrize(
    "uri",
    [
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "s3://models/../etc/",
        "pvc://claim/model/",
        "oci://registry.example.com/models/fraud:3",
        "s3://models-without-end/nothing/",
    ],
)
def test_what_cannot_be_fetched_is_said_in_a_sentence(
    environment: dict[str, str], uri: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_fetch(asking(environment, uri, "sha256:" + "0" * 64)) == 1
    assert capsys.readouterr().err.startswith("modelwarden fetch: ")


def test_a_folder_that_cannot_be_written_is_said_in_a_sentence(
    bucket: Bucket, model: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    there = upload(model, bucket.client, store_prefix=bucket.uri)
    environment["MODELWARDEN_TARGET"] = str(tmp_path / "absent")

    assert run_fetch(asking(environment, there.uri, there.digest)) == 1


LEFT = {
    "other bytes": ("{good}model.onnx", "sha256:" + "0" * 64, "Failed", "DigestDiffers"),
    "nothing there": ("{good}gone.onnx", "sha256:" + "0" * 64, "Failed", "ArtifactNotFound"),
    "no digest": ("{good}model.onnx", "", "Failed", "DigestMissing"),
    "a place that is none": ("file:///etc/passwd", "sha256:" + "0" * 64, "Failed", None),
}


@pytest.mark.parametrize(("uri", "digest", "outcome", "code"), LEFT.values(), ids=LEFT)
def test_where_a_pod_is_read_word_is_left_of_what_went_wrong(
    bucket: Bucket,
    model: Path,
    environment: dict[str, str],
    tmp_path: Path,
    uri: str,
    digest: str,
    outcome: str,
    code: str | None,
) -> None:
    there = upload(model, bucket.client, store_prefix=bucket.uri)
    left = tmp_path / "termination-log"
    asked = asking(environment, uri.format(good=there.uri), digest)

    assert run_fetch({**asked, "MODELWARDEN_RESULT": str(left)}) == 1
    word = json.loads(left.read_text())
    assert (word["outcome"], code or word["code"]) == (outcome, word["code"])
    assert word["sentence"]


def test_a_store_that_does_not_answer_is_no_fault_of_the_artifact(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    left = tmp_path / "termination-log"
    asked = asking(environment, "s3://models/m.onnx", "sha256:" + "0" * 64)

    assert run_fetch({**asked, "MODELWARDEN_RESULT": str(left)}) == 1
    word = json.loads(left.read_text())
    assert (word["outcome"], word["code"]) == ("Inconclusive", "StoreUnavailable")
