"""A bucket on a real S3 server."""

from collections.abc import Iterator

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
