"""Artifacts are read from a real S3 server, within limits, and every error has one of few names."""

import http.server
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from modelwarden.artifacts.failures import (
    ArtifactNotFoundError,
    ArtifactRefusedError,
    StoreDeniedError,
    StoreUnavailableError,
)
from modelwarden.artifacts.s3 import Credentials, S3Source, StoreAccess, connect
from modelwarden.artifacts.sources import CHUNK_BYTES, Limits, StoredFile
from modelwarden.domain.artifact_uri import ArtifactUri, parse
from tests.s3_server import Bucket

LIMITS = Limits()


def place(uri: str) -> ArtifactUri:
    parsed = parse(uri)
    assert isinstance(parsed, ArtifactUri), parsed
    return parsed


def source(bucket: Bucket, path: str) -> S3Source:
    return S3Source(bucket.client, place(bucket.uri + path))


def test_a_folder_is_every_object_below_its_prefix(bucket: Bucket) -> None:
    bucket.put({"m/1/a": b"1", "m/1/b/c": b"22", "m/10/a": b"333", "m/a": b"4"})

    assert set(source(bucket, "m/1/").files(LIMITS)) == {StoredFile("a", 1), StoredFile("b/c", 2)}


def test_a_file_is_one_object(bucket: Bucket) -> None:
    bucket.put({"m/1/model.onnx": b"1234", "m/1/model.onnx.data": b"1"})

    assert source(bucket, "m/1/model.onnx").files(LIMITS) == (StoredFile("model.onnx", 4),)


def test_a_large_object_is_read_in_pieces(bucket: Bucket) -> None:
    content = bytes(range(256)) * 10_000
    bucket.put({"m/large": content})

    pieces = list(source(bucket, "m/large").read(StoredFile("large", len(content))))

    assert [len(piece) for piece in pieces] == [CHUNK_BYTES, CHUNK_BYTES, 462_848]
    assert b"".join(pieces) == content


def test_names_come_back_as_they_were_given(bucket: Bucket) -> None:
    names = {"größe 1+1=2 & more.bin", "日本/語", "a%2Fb", "q?x=1#y"}
    bucket.put({f"m/1/{name}": name.encode() for name in names})

    at = source(bucket, "m/1/")

    assert {file.name for file in at.files(LIMITS)} == names
    assert {b"".join(at.read(file)).decode() for file in at.files(LIMITS)} == names


def test_more_objects_than_one_page_are_listed(bucket: Bucket) -> None:
    bucket.put({f"m/1/{number:04}": b"" for number in range(1003)})

    assert len(source(bucket, "m/1/").files(LIMITS)) == 1003


@pytest.mark.parametrize("path", ["m/1/", "m/1", "other"])
def test_where_nothing_is_nothing_is_found(bucket: Bucket, path: str) -> None:
    with pytest.raises(ArtifactNotFoundError):
        source(bucket, path).files(LIMITS)


@pytest.mark.parametrize("path", ["no-such-bucket-at-all/m/1/", "no-such-bucket-at-all/m/1"])
def test_a_bucket_that_is_not_there_is_not_found(bucket: Bucket, path: str) -> None:
    with pytest.raises(ArtifactNotFoundError):
        S3Source(bucket.client, place(f"s3://{path}")).files(LIMITS)


@pytest.mark.parametrize(
    "credentials",
    [
        Credentials(access_key="root", secret_key="wrong"),
        Credentials(access_key="nobody", secret_key="wrong"),
    ],
)
@pytest.mark.parametrize("path", ["m/1/", "m/1"])
def test_wrong_credentials_are_denied(bucket: Bucket, credentials: Credentials, path: str) -> None:
    client = connect(replace(bucket.access, credentials=credentials))

    with pytest.raises(StoreDeniedError):
        S3Source(client, place(bucket.uri + path)).files(LIMITS)


def test_no_credentials_at_all_are_denied(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    client = connect(replace(bucket.access, credentials=None))

    with pytest.raises(StoreDeniedError):
        S3Source(client, place(bucket.uri + "m/1/")).files(LIMITS)


def test_a_store_that_does_not_answer_is_unavailable(bucket: Bucket) -> None:
    client = connect(replace(bucket.access, endpoint="http://127.0.0.1:9"))

    with pytest.raises(StoreUnavailableError):
        S3Source(client, place(bucket.uri + "m/1/")).files(LIMITS)


def test_an_endpoint_that_is_no_address_is_unavailable() -> None:
    with pytest.raises(StoreUnavailableError):
        connect(StoreAccess(endpoint="not an address"))


class BreaksOff(http.server.BaseHTTPRequestHandler):
    """Promises a thousand bytes, sends three and hangs up."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"abc")
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def broken_endpoint() -> Iterator[str]:
    with http.server.HTTPServer(("127.0.0.1", 0), BreaksOff) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_store_that_breaks_off_is_unavailable(bucket: Bucket, broken_endpoint: str) -> None:
    client = connect(replace(bucket.access, endpoint=broken_endpoint))

    with pytest.raises(StoreUnavailableError):
        list(S3Source(client, place("s3://models/m/1")).read(StoredFile("1", 1000)))


def test_an_object_that_changed_after_it_was_listed_is_refused(bucket: Bucket) -> None:
    bucket.put({"m/1/a": b"12345"})
    at = source(bucket, "m/1/")
    (file,) = at.files(LIMITS)
    for changed in (b"1234", b"123456"):
        bucket.put({"m/1/a": changed})

        with pytest.raises(ArtifactRefusedError) as refused:
            list(at.read(file))

        assert refused.value.code == "ArtifactChangedWhileRead"


def test_an_artifact_over_the_limits_is_refused(bucket: Bucket) -> None:
    bucket.put({"m/1/a": b"12345", "m/1/b": b"1"})

    with pytest.raises(ArtifactRefusedError) as refused:
        source(bucket, "m/1/").files(Limits(total_bytes=5))
    with pytest.raises(ArtifactRefusedError) as counted:
        source(bucket, "m/1/").files(Limits(files=1))

    assert (refused.value.code, counted.value.code) == ("ArtifactTooLarge", "TooManyFiles")


@pytest.mark.parametrize("name", ["-rf", "a\\b"])
def test_a_name_that_means_something_else_on_a_disk_is_refused(bucket: Bucket, name: str) -> None:
    bucket.put({f"m/1/{name}": b"1", "m/1/model.onnx": b"1"})

    with pytest.raises(ArtifactRefusedError) as refused:
        source(bucket, "m/1/").files(LIMITS)

    assert refused.value.code == "FileNameRefused"


def test_a_marker_of_a_folder_with_files_is_no_file(bucket: Bucket) -> None:
    bucket.put({"m/1/": b"", "m/1/weights/": b"", "m/1/weights/a": b"1"})

    assert source(bucket, "m/1/").files(LIMITS) == [StoredFile("weights/a", 1)]


def test_a_marker_of_an_empty_folder_is_refused(bucket: Bucket) -> None:
    bucket.put({"m/1/a": b"1", "m/1/weights/": b""})

    with pytest.raises(ArtifactRefusedError) as refused:
        source(bucket, "m/1/").files(LIMITS)

    assert refused.value.code == "EmptyFolder"


def test_a_secret_is_not_shown() -> None:
    shown = repr(StoreAccess(credentials=Credentials(access_key="mine", secret_key="hidden")))

    assert "mine" in shown
    assert "hidden" not in shown
