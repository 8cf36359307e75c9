"""The example service says which bytes it loaded, and without a model that it has none."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .loading import EXAMPLE

Serve = Callable[..., str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start the server on a folder and give its address."""
    started: list[subprocess.Popen[str]] = []

    def start(folder: Path, **variables: str) -> str:
        process = subprocess.Popen(
            [sys.executable, EXAMPLE / "serve" / "server.py", "--models", folder, "--port", "0"],
            env={**os.environ, **variables},
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stderr is not None
        found = re.search(r"on (127\.0\.0\.1:\d+)$", process.stderr.readline().strip())
        assert found is not None
        return f"http://{found[1]}"

    yield start
    for process in started:
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=10)
        assert (process.returncode, "Traceback" in log) == (0, False), log


def ask(address: str, body: object = None) -> tuple[int, Any]:
    content = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(address, content, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.fixture
def folder(trained: dict[int, Any], tmp_path: Path) -> Path:
    shutil.copy(trained[2].file, tmp_path)
    return tmp_path


def test_it_tells_the_digest_of_the_bytes_it_loaded(
    folder: Path, trained: dict[int, Any], serve: Serve
) -> None:
    uri = "s3://models/risk/fraud/2/"
    address = serve(folder, MODELWARDEN_VERSION="2", MODELWARDEN_ARTIFACT_URI=uri)
    (folder / "model.onnx").write_bytes(b"changed after it was loaded")

    status, told = ask(f"{address}/model")

    example = told.pop("example")
    assert (status, told) == (
        200,
        {
            "version": "2",
            "artifactUri": uri,
            "digest": trained[2].folder_digest,
            "file": "model.onnx",
            "fileDigest": trained[2].digest,
        },
    )
    assert 0 < example["score"] < 1


def test_the_digest_of_a_single_file_is_the_files(
    folder: Path, trained: dict[int, Any], serve: Serve
) -> None:
    address = serve(folder, MODELWARDEN_ARTIFACT_URI="s3://models/risk/model.onnx")

    _, told = ask(f"{address}/model")

    assert told["digest"] == trained[2].digest
    assert told["digest"] == "sha256:" + hashlib.sha256(trained[2].file.read_bytes()).hexdigest()


def test_it_scores_as_the_file_does(folder: Path, serve: Serve) -> None:
    address = serve(folder)
    _, told = ask(f"{address}/model")
    example = told["example"]

    status, answer = ask(f"{address}/score", example["application"])

    assert status == 200
    assert (answer["score"], answer["approved"]) == (example["score"], example["approved"])


def test_an_application_may_leave_things_out(folder: Path, serve: Serve) -> None:
    status, answer = ask(f"{serve(folder)}/score", {"amount": 5000, "records": "yes"})

    assert (status, answer["approved"]) == (200, False)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"iban": "1"}, "the model has no input named 'iban'"),
        ({"amount": "much"}, "amount must be a number"),
        ({"amount": True}, "amount must be a number"),
        ({"home": 3}, "home must be text"),
        ([], "the body is no JSON object"),
    ],
)
def test_what_is_no_application_is_refused(
    folder: Path, serve: Serve, body: object, error: str
) -> None:
    assert ask(f"{serve(folder)}/score", body) == (400, {"error": error})


def test_without_a_model_it_lives_and_is_not_ready(tmp_path: Path, serve: Serve) -> None:
    address = serve(tmp_path)

    assert ask(f"{address}/healthz") == (200, {"alive": True})
    for answer in (ask(f"{address}/readyz"), ask(f"{address}/model"), ask(f"{address}/score", {})):
        assert answer == (503, {"error": "no model yet"})
