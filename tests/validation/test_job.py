"""A gate's process asks a real store, leaves one message and exits as the message says."""

import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from modelwarden.artifacts.s3 import Credentials, StoreAccess
from modelwarden.artifacts.upload import Uploaded, upload
from modelwarden.domain.gate_results import GateResult, read_result
from modelwarden.domain.state import GateOutcome
from modelwarden.validation.job import run_validate
from tests.s3_server import Bucket

from .models import model, saved


@dataclass(frozen=True)
class Run:
    """What a gate's process left behind."""

    exit_code: int
    message: str
    log: str

    def result(self, digest: str) -> GateResult:
        return read_result(self.message, self.exit_code, digest=digest)


@pytest.fixture
def there(bucket: Bucket, tmp_path: Path) -> Uploaded:
    """A model in the store."""
    saved(model(), tmp_path / "artifact" / "model.onnx")
    return upload(tmp_path / "artifact", bucket.client, store_prefix=f"{bucket.uri}risk/")


def environment(access: StoreAccess, artifact: Uploaded) -> dict[str, str]:
    """What the operator puts into the Job, credentials included."""
    credentials = access.credentials
    assert credentials is not None
    gate = {
        "gate": "artifact",
        "artifact": {
            "uri": artifact.uri,
            "digest": artifact.digest,
            "format": "ONNX",
            "sizeBytes": artifact.size,
        },
        "allowedFormats": ["ONNX"],
    }
    store = {
        "name": "models",
        "uriPrefix": "s3://models/{namespace}/",
        "endpoint": access.endpoint,
        "region": access.region,
        "addressing": access.addressing,
    }
    return {
        "PATH": os.environ["PATH"],
        "MODELWARDEN_GATE": json.dumps(gate),
        "MODELWARDEN_STORE": json.dumps(store),
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
    }


COMMAND = (sys.executable, "-m", "modelwarden.main", "validate", "artifact")


def run(variables: Mapping[str, str], tmp_path: Path, *, kind: str = "artifact") -> Run:
    left = tmp_path / "termination-log"
    done = subprocess.run(
        [*COMMAND[:-1], kind],
        env={**variables, "MODELWARDEN_RESULT": str(left)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return Run(done.returncode, left.read_text() if left.exists() else "", done.stderr)


def test_a_valid_artifact_passes(bucket: Bucket, there: Uploaded, tmp_path: Path) -> None:
    done = run(environment(bucket.access, there), tmp_path)

    result = done.result(there.digest)
    assert (done.exit_code, result.code) == (0, "ArtifactValid"), done.log
    assert result.facts["inputs"] == [{"type": "float32", "shape": [-1, 3], "names": ["x"]}]
    assert result.started_at <= result.ended_at != ""


def test_a_contract_gate_measures_what_the_file_takes_and_gives(
    bucket: Bucket, there: Uploaded, tmp_path: Path
) -> None:
    done = run(environment(bucket.access, there), tmp_path, kind="contract")

    result = done.result(there.digest)
    tensor = {"type": "float32", "shape": [-1, 3]}
    assert (done.exit_code, result.code, result.facts["inputs"], result.facts["outputs"]) == (
        0,
        "SignatureMeasured",
        [{**tensor, "names": ["x"]}],
        [{**tensor, "names": ["y"]}],
    )


def test_a_contract_gate_measures_nothing_of_other_bytes(
    bucket: Bucket, there: Uploaded, tmp_path: Path
) -> None:
    other = replace(there, digest="sha256:" + "0" * 64)

    done = run(environment(bucket.access, other), tmp_path, kind="contract")

    assert (done.exit_code, done.result(other.digest).code) == (1, "DigestDiffers")


def test_an_artifact_on_a_mounted_claim_passes(there: Uploaded, tmp_path: Path) -> None:
    shutil.copytree(tmp_path / "artifact", tmp_path / "claims" / "models" / "risk" / "3")
    access = StoreAccess(credentials=Credentials(access_key="", secret_key=""))
    asked = environment(access, replace(there, uri="pvc://models/risk/3/"))

    done = run({**asked, "MODELWARDEN_CLAIMS": str(tmp_path / "claims")}, tmp_path)

    assert (done.exit_code, done.result(there.digest).code) == (0, "ArtifactValid"), done.log


def test_a_claim_that_is_not_mounted_decides_nothing(there: Uploaded, tmp_path: Path) -> None:
    access = StoreAccess(credentials=Credentials(access_key="", secret_key=""))
    asked = environment(access, replace(there, uri="pvc://models/risk/3/"))

    done = run({**asked, "MODELWARDEN_CLAIMS": str(tmp_path / "claims")}, tmp_path)

    assert (done.exit_code, done.result(there.digest).code) == (2, "StoreUnavailable")


def test_changed_bytes_fail(bucket: Bucket, there: Uploaded, tmp_path: Path) -> None:
    key = there.uri.removeprefix(bucket.uri) + "model.onnx"
    bucket.put({key: model().SerializeToString()[:-1] + b"z"})

    done = run(environment(bucket.access, there), tmp_path)

    assert (done.exit_code, done.result(there.digest).code) == (1, "DigestDiffers")


def test_an_artifact_that_is_not_there_fails(
    bucket: Bucket, there: Uploaded, tmp_path: Path
) -> None:
    bucket.client.delete_object(
        Bucket=bucket.name, Key=there.uri.removeprefix(bucket.uri) + "model.onnx"
    )

    done = run(environment(bucket.access, there), tmp_path)

    assert (done.exit_code, done.result(there.digest).code) == (1, "ArtifactNotFound")


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("http://169.254.169.254/latest/meta-data/", "ArtifactUriNotUnderstood"),
        ("file:///etc/passwd", "ArtifactUriNotUnderstood"),
        ("oci://registry.example.com/models/fraud:3", "StoreNotSupported"),
    ],
)
def test_a_place_that_nothing_reads_is_not_asked(
    bucket: Bucket, there: Uploaded, tmp_path: Path, uri: str, code: str
) -> None:
    done = run(environment(bucket.access, replace(there, uri=uri)), tmp_path)

    assert (done.exit_code, done.result(there.digest).code) == (1, code)


def test_wrong_credentials_decide_nothing(bucket: Bucket, there: Uploaded, tmp_path: Path) -> None:
    wrong = {**environment(bucket.access, there), "AWS_SECRET_ACCESS_KEY": "wrong"}

    done = run(wrong, tmp_path)

    result = done.result(there.digest)
    assert (done.exit_code, result.code) == (2, "StoreDenied")
    assert "wrong" not in done.message + done.log


def test_a_store_that_is_gone_decides_nothing(
    bucket: Bucket, there: Uploaded, tmp_path: Path
) -> None:
    gone = StoreAccess(endpoint="http://127.0.0.1:9", credentials=bucket.access.credentials)

    done = run(environment(gone, there), tmp_path)

    assert (done.exit_code, done.result(there.digest).code) == (2, "StoreUnavailable")


UNREADABLE = (None, "", "{", "[]", "7", '"{}"')


@pytest.mark.parametrize("name", ["MODELWARDEN_GATE", "MODELWARDEN_STORE"])
@pytest.mark.parametrize("text", UNREADABLE)
def test_a_question_that_cannot_be_read_leaves_no_result(
    tmp_path: Path, name: str, text: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = Uploaded(uri="s3://models/x/", digest="", size=0, files=0, sent=0)
    access = StoreAccess(credentials=Credentials(access_key="a", secret_key="b"))
    asked = {
        **environment(access, nowhere),
        "MODELWARDEN_RESULT": str(tmp_path / "termination-log"),
    }
    asked.pop(name)
    if text is not None:
        asked[name] = text

    assert run_validate(asked, "artifact") == 2
    assert "cannot be read" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


class Hangs(http.server.BaseHTTPRequestHandler):
    """Takes a request, says so, and does not answer."""

    asked = threading.Event()
    released = threading.Event()

    def do_GET(self) -> None:
        self.asked.set()
        self.released.wait(30)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hanging_store(bucket: Bucket) -> Iterator[StoreAccess]:
    with http.server.HTTPServer(("127.0.0.1", 0), Hangs) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield StoreAccess(
            endpoint=f"http://127.0.0.1:{server.server_port}",
            credentials=bucket.access.credentials,
        )
        Hangs.released.set()
        server.shutdown()
        thread.join()


def test_a_stopped_gate_says_that_it_decided_nothing(
    hanging_store: StoreAccess, there: Uploaded, tmp_path: Path
) -> None:
    left = tmp_path / "termination-log"
    variables = {**environment(hanging_store, there), "MODELWARDEN_RESULT": str(left)}
    with subprocess.Popen(COMMAND, env=variables, stderr=subprocess.PIPE) as process:
        assert Hangs.asked.wait(30)

        process.send_signal(signal.SIGTERM)
        exit_code = process.wait(5)

    result = read_result(left.read_text(), exit_code, digest=there.digest)
    assert (result.outcome, result.code) == (GateOutcome.INCONCLUSIVE, "Stopped")


def test_a_gate_that_is_stopped_at_once_says_so_too(there: Uploaded, tmp_path: Path) -> None:
    left = tmp_path / "termination-log"
    access = StoreAccess(credentials=Credentials(access_key="a", secret_key="b"))
    variables = {**environment(access, there), "MODELWARDEN_RESULT": str(left)}
    # The new process inherits the mask: its signal waits there from the first moment.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        process = subprocess.Popen(COMMAND, env=variables, stderr=subprocess.PIPE)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    with process:
        process.send_signal(signal.SIGTERM)
        exit_code = process.wait(30)

    assert read_result(left.read_text(), exit_code, digest=there.digest).code == "Stopped"
