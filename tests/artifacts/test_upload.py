"""A model is put where its digest says, once."""

from pathlib import Path

import pytest

from modelwarden.artifacts.bringing import bring, digest_of_source
from modelwarden.artifacts.directory import DirectorySource
from modelwarden.artifacts.failures import ArtifactRefusedError, StoreDeniedError
from modelwarden.artifacts.s3 import Credentials, S3Source, StoreAccess, connect
from modelwarden.artifacts.sources import Limits
from modelwarden.artifacts.upload import Uploaded, upload
from modelwarden.domain.artifact_uri import ArtifactUri, parse
from tests.s3_server import Bucket


def digest_of(path: Path) -> str:
    source = DirectorySource(path)
    return digest_of_source(source, source.files(Limits()))


def test_a_folder_goes_below_its_digest(bucket: Bucket, model: Path) -> None:
    digest = digest_of(model)
    sent: list[str] = []

    uploaded = upload(model, bucket.client, store_prefix=f"{bucket.uri}risk/", told=sent.append)

    place = f"risk/sha256/{digest.removeprefix('sha256:')}/"
    assert uploaded == Uploaded(
        uri=bucket.uri + place, digest=digest, size=2_565_000, files=2, sent=2
    )
    assert bucket.sizes() == {
        f"{place}model.onnx": 5000,
        f"{place}weights/layer 1.bin": 2_560_000,
    }
    assert sent == ["model.onnx", "weights/layer 1.bin"]


def test_a_file_goes_below_its_own_digest(bucket: Bucket, model: Path) -> None:
    file = model / "model.onnx"

    uploaded = upload(file, bucket.client, store_prefix=f"{bucket.uri}risk/")

    hexadecimal = digest_of(file).removeprefix("sha256:")
    assert uploaded.uri == f"{bucket.uri}risk/sha256/{hexadecimal}/model.onnx"
    assert bucket.sizes() == {f"risk/sha256/{hexadecimal}/model.onnx": 5000}


def test_what_was_uploaded_comes_back_with_the_same_digest(
    bucket: Bucket, model: Path, tmp_path: Path
) -> None:
    uploaded = upload(model, bucket.client, store_prefix=bucket.uri)
    place = parse(uploaded.uri)
    assert isinstance(place, ArtifactUri)
    source = S3Source(bucket.client, place)

    arrived = bring(source, source.files(Limits()), into=tmp_path / "back")

    assert arrived == uploaded.digest
    assert (tmp_path / "back" / "model.onnx").read_bytes() == b"graph" * 1000


def test_a_second_upload_sends_nothing(bucket: Bucket, model: Path) -> None:
    first = upload(model, bucket.client, store_prefix=bucket.uri)
    second = upload(model, bucket.client, store_prefix=bucket.uri)

    assert (first.sent, second.sent, second.uri) == (2, 0, first.uri)


def test_an_interrupted_upload_is_completed(bucket: Bucket, model: Path) -> None:
    first = upload(model, bucket.client, store_prefix=bucket.uri)
    key = first.uri.removeprefix(bucket.uri) + "model.onnx"
    bucket.client.delete_object(Bucket=bucket.name, Key=key)

    assert upload(model, bucket.client, store_prefix=bucket.uri).sent == 1
    assert key in bucket.sizes()


def test_an_object_that_does_not_belong_there_is_refused(bucket: Bucket, model: Path) -> None:
    place = upload(model, bucket.client, store_prefix=bucket.uri).uri
    bucket.put({place.removeprefix(bucket.uri) + "extra": b"1"})

    with pytest.raises(ArtifactRefusedError) as refused:
        upload(model, bucket.client, store_prefix=bucket.uri)

    assert refused.value.code == "PlaceTaken"


def test_a_large_file_is_sent_in_parts(bucket: Bucket, tmp_path: Path) -> None:
    file = tmp_path / "large.bin"
    file.write_bytes(b"\1" * (65 * 1024**2))

    uploaded = upload(file, bucket.client, store_prefix=bucket.uri)

    assert list(bucket.sizes().values()) == [uploaded.size] == [65 * 1024**2]


def test_an_upload_without_the_right_is_denied(bucket: Bucket, model: Path) -> None:
    wrong = Credentials(access_key="nobody", secret_key="wrong")
    access = StoreAccess(endpoint=bucket.access.endpoint, addressing="path", credentials=wrong)

    with pytest.raises(StoreDeniedError):
        upload(model, connect(access), store_prefix=bucket.uri)


@pytest.mark.parametrize(
    ("prefix", "code"),
    [
        ("pvc://claim/", "StoreNotSupported"),
        ("http://169.254.169.254/", "ArtifactUriNotUnderstood"),
        ("s3://models/../", "ArtifactUriNotUnderstood"),
    ],
)
def test_a_place_that_is_no_store_is_refused(
    bucket: Bucket, model: Path, prefix: str, code: str
) -> None:
    with pytest.raises(ArtifactRefusedError) as refused:
        upload(model, bucket.client, store_prefix=prefix)

    assert refused.value.code == code
