"""Serves one model file over HTTP, and says which bytes it serves.

    GET  /readyz   200 once a model is loaded, 503 before
    GET  /model    the version, the digest of the bytes that were loaded, one application scored
    POST /score    {"amount": 900, "home": "rent", ...} -> {"score": 0.31, "approved": true, ...}

The bytes are read once, when the process starts; the digest is theirs, not what a label says.
"""

import argparse
import hashlib
import json
import math
import os
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

LONGEST_REQUEST = 64 * 1024
NO_MODEL = "no model yet"

EXAMPLE = {
    "amount": 1000,
    "price": 1400,
    "months": 48,
    "income": 125,
    "expenses": 51,
    "assets": 3000,
    "debt": 0,
    "seniority": 5,
    "age": 36,
    "home": "owner",
    "job": "fixed",
    "records": "no",
    "marital": "married",
}


class BadApplicationError(Exception):
    """An application that cannot be scored; the sentence says why."""


@dataclass(frozen=True)
class Model:
    """A loaded model: the file's name, the digests of what was read, and a session to run it."""

    file: str
    file_digest: str
    folder_digest: str
    session: Any

    def score(self, application: Mapping[str, Any]) -> dict[str, Any]:
        """Score one application; what it does not say, the model fills in."""
        inputs = {given.name: given.type for given in self.session.get_inputs()}
        if unknown := sorted(set(application) - set(inputs)):
            raise BadApplicationError(f"the model has no input named {unknown[0]!r}")
        columns = {name: _column(name, kind, application) for name, kind in inputs.items()}
        score, approved = self.session.run(["score", "approved"], columns)
        return {"score": round(float(score[0]), 4), "approved": bool(approved[0])}


def load(folder: Path) -> Model | None:
    """Load the one model file of a folder; None if it has none yet."""
    contents = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    names = [name for name in contents if name.endswith(".onnx") and "/" not in name]
    if not names:
        return None
    if len(names) > 1:
        raise SystemExit(f"{folder} has more than one model: {', '.join(names)}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        contents[names[0]], options, providers=["CPUExecutionProvider"]
    )
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    lines = "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes, key=str.encode))
    return Model(
        file=names[0],
        file_digest=f"sha256:{hashes[names[0]]}",
        folder_digest=f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}",
        session=session,
    )


def served(model: Model, environment: Mapping[str, str]) -> dict[str, Any]:
    """Tell which version the pod's own labels name, and what was really loaded."""
    uri = environment.get("MODELWARDEN_ARTIFACT_URI", "")
    return {
        "version": environment.get("MODELWARDEN_VERSION", ""),
        "artifactUri": uri,
        "digest": model.folder_digest if uri.endswith("/") else model.file_digest,
        "file": model.file,
        "fileDigest": model.file_digest,
    }


class Handler(BaseHTTPRequestHandler):
    """Answers in JSON."""

    model: Model | None = None
    server_version = "fraud-api"

    def do_GET(self) -> None:
        """Say whether there is a model, and which."""
        if self.path == "/healthz":
            self._answer(HTTPStatus.OK, {"alive": True})
        elif self.path not in {"/readyz", "/model"}:
            self._answer(HTTPStatus.NOT_FOUND, {"error": f"there is nothing at {self.path}"})
        elif self.model is None:
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, {"error": NO_MODEL})
        else:
            example = {"application": EXAMPLE, **self.model.score(EXAMPLE)}
            self._answer(HTTPStatus.OK, {**served(self.model, os.environ), "example": example})

    def do_POST(self) -> None:
        """Score an application."""
        if self.path != "/score":
            self._answer(HTTPStatus.NOT_FOUND, {"error": f"there is nothing at {self.path}"})
        elif self.model is None:
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, {"error": NO_MODEL})
        else:
            self._score(self.model)

    def _score(self, model: Model) -> None:
        try:
            answer = model.score(self._application())
        except BadApplicationError as error:
            self._answer(HTTPStatus.BAD_REQUEST, {"error": str(error)})
        else:
            self._answer(HTTPStatus.OK, {**answer, **served(model, os.environ)})

    def _application(self) -> Mapping[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > LONGEST_REQUEST:
            raise BadApplicationError(f"send a body of {LONGEST_REQUEST} bytes at most")
        try:
            application = json.loads(self.rfile.read(int(length)))
        except ValueError as error:
            raise BadApplicationError("the body is not JSON") from error
        if not isinstance(application, dict):
            raise BadApplicationError("the body is no JSON object")
        return application

    def _answer(self, status: HTTPStatus, body: Mapping[str, Any]) -> None:
        content = json.dumps(body).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Keep probes out of the log."""
        if self.path not in {"/healthz", "/readyz"}:
            super().log_request(code, size)


def _column(name: str, kind: str, application: Mapping[str, Any]) -> Any:
    value = application.get(name)
    if kind == "tensor(string)":
        if not isinstance(value, str | None):
            raise BadApplicationError(f"{name} must be text")
        return np.array([value or "unknown"], dtype=object)
    if isinstance(value, bool) or not isinstance(value, int | float | None):
        raise BadApplicationError(f"{name} must be a number")
    return np.array([math.nan if value is None else value], dtype=np.float32)


def main() -> int:
    """Load the model and serve it until SIGTERM."""
    parser = argparse.ArgumentParser(description="Serve one model file over HTTP.")
    parser.add_argument("--models", type=Path, default=Path("/models"))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    asked = parser.parse_args()
    Handler.model = load(asked.models)
    found = NO_MODEL if Handler.model is None else Handler.model.file_digest
    server = ThreadingHTTPServer((asked.host, asked.port), Handler)
    # Shutting down waits for the loop that the signal interrupts, so another thread asks for it.
    stop = threading.Thread(target=server.shutdown)
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.start())
    print(f"serving {found} on {asked.host}:{server.server_port}", file=sys.stderr, flush=True)
    with server:
        server.serve_forever(poll_interval=0.1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
