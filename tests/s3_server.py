"""A real S3 server on loopback, for tests that need no cluster."""

import itertools
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelwarden.artifacts.s3 import Credentials, StoreAccess, connect
from tests.cluster.local import programs

_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Bucket:
    """An empty bucket of the test's own, and how to reach it."""

    client: Any
    name: str
    access: StoreAccess

    @property
    def uri(self) -> str:
        return f"s3://{self.name}/"

    def put(self, objects: dict[str, bytes]) -> None:
        for key, body in objects.items():
            self.client.put_object(Bucket=self.name, Key=key, Body=body)

    def sizes(self) -> dict[str, int]:
        listed = self.client.list_objects_v2(Bucket=self.name).get("Contents", ())
        return {entry["Key"]: entry["Size"] for entry in listed}


def new_bucket(access: StoreAccess) -> Bucket:
    """A bucket that no other test uses."""
    client = connect(access)
    name = f"models-{next(_NUMBERS)}"
    client.create_bucket(Bucket=name)
    return Bucket(client, name, access)


@contextmanager
def running(data: Path) -> Iterator[StoreAccess]:
    """Runs versitygw on a folder; it ends with the block."""
    port = _free_port()
    process = subprocess.Popen(
        [programs.built("versitygw"), "--port", f"127.0.0.1:{port}", "posix", str(data)],
        env={"ROOT_ACCESS_KEY": "root", "ROOT_SECRET_KEY": "root-secret"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, process)
        yield StoreAccess(
            endpoint=f"http://127.0.0.1:{port}",
            region="us-east-1",
            addressing="path",
            credentials=Credentials(access_key="root", secret_key="root-secret"),
        )
    finally:
        process.terminate()
        process.wait(10)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
