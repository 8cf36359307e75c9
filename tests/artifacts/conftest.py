"""A bucket on a real S3 server, and a folder of a model."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from modelwarden.artifacts.s3 import StoreAccess
from tests import s3_server
from tests.s3_server import Bucket


@pytest.fixture(scope="session")
def s3_access(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreAccess]:
    """How to reach a server that runs as long as the tests do."""
    with s3_server.running(tmp_path_factory.mktemp("s3")) as access:
        yield access


@pytest.fixture
def bucket(s3_access: StoreAccess) -> Bucket:
    return s3_server.new_bucket(s3_access)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder with two files, one of them in a folder of its own."""
    folder = tmp_path / "model"
    (folder / "weights").mkdir(parents=True)
    (folder / "model.onnx").write_bytes(b"graph" * 1000)
    (folder / "weights" / "layer 1.bin").write_bytes(bytes(range(256)) * 10_000)
    return folder
