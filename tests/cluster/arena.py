"""Models that move at once, for controllers that race: no gate needs a Job, no Deployment a pod."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from modelwarden.domain.digests import file_digest
from modelwarden.domain.labels import API_VERSION
from tests import builders

from .example import SERVICE
from .installed import Installed
from .running import until

POLICY = "at-once"


class Arena:
    """Some Models of many versions, and every state in which anybody saw the versions."""

    def __init__(self, installed: Installed, namespace: str, *, models: int, versions: int) -> None:
        self.installed, self.cluster, self.namespace = installed, installed.cluster, namespace
        self.models = tuple(f"racer-{number}" for number in range(1, models + 1))
        self.numbers = range(1, versions + 1)
        self.told: list[dict[str, Any]] = []

    def set_up(self, folder: Path) -> None:
        """Declare everything, and wait until every version is registered.

        All versions are the same file, which a rollback finds again.
        """
        self.cluster.apply(policy())
        file = model_file(folder)
        uri = self.installed.upload(file, f"{self.namespace}/racer/model.onnx")
        artifact = {"uri": uri, "digest": file_digest([file.read_bytes()])}
        for model in self.models:
            self.cluster.apply(
                _deployment(model),
                _model(model),
                *(_version(model, number, artifact) for number in self.numbers),
                namespace=self.namespace,
            )
        until(self._are_registered, what="every version is registered", within=120)

    def ask(self, model: str, number: int, reason: str) -> None:
        """Name a version for Production."""
        entry = {"version": number, "reason": reason}
        patch = json.dumps({"spec": {"stages": {"production": entry}}})
        where = f"--namespace={self.namespace}"
        words = ("patch", "model", model, "--type=merge", f"--patch={patch}", where)
        self.cluster.kubectl("platform", *words)

    def ask_at_once(self, model: str, *wishes: tuple[int, str]) -> None:
        """Let several people name different versions at the same time."""
        asking = [threading.Thread(target=self.ask, args=(model, *wish)) for wish in wishes]
        for one in asking:
            one.start()
        for one in asking:
            one.join()

    def await_rest(self, model: str) -> int:
        """Wait until the version that is asked for is in Production; gives its number."""

        def settled() -> int:
            found = self.cluster.get("model", model, f"--namespace={self.namespace}")
            status = found.get("status", {})
            there = status.get("stages", {}).get("production", {}).get("version")
            conditions = {c["type"]: c for c in status.get("conditions", ())}
            is_current = status.get("observedGeneration") == found["metadata"]["generation"]
            is_done = conditions.get("Settled", {}).get("status") == "True"
            asked = found["spec"]["stages"]["production"]["version"]
            return int(there) if is_current and is_done and there == asked else 0

        return until(settled, what=f"{model} is settled", within=120, every=0.1)

    def carried(self, model: str) -> str:
        """Read which version the Deployment of a model carries."""
        found = self.cluster.get("deployment", model, f"--namespace={self.namespace}")
        return str(found["metadata"].get("labels", {}).get("modelwarden.io/version", ""))

    def two_in_production(self) -> list[tuple[str, list[int]]]:
        """List the moments at which two versions of a model showed Production."""
        stages: dict[str, dict[int, str]] = {}
        found = []
        for event in self.told:
            spec, status = event["object"]["spec"], event["object"].get("status", {})
            of_model = stages.setdefault(spec["model"], {})
            of_model[spec["version"]] = status.get("stage", "")
            there = [number for number, stage in of_model.items() if stage == "Production"]
            if len(there) > 1:
                found.append((spec["model"], there))
        return found

    def attempts(self) -> list[dict[str, Any]]:
        """Read every attempt."""
        found: list[dict[str, Any]] = self.cluster.get(
            "modeltransitions", f"--namespace={self.namespace}"
        )["items"]
        return found

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Keep every state of the versions that the API server tells of meanwhile."""
        where = f"--namespace={self.namespace}"
        words = ("get", "modelversions", where, "--watch", "--output-watch-events")
        command = self.cluster.command(None, *words, "--output=json")
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:
            reading = threading.Thread(target=self._read, args=(watching.stdout,))
            reading.start()
            try:
                yield
            finally:
                watching.terminate()
                reading.join()

    def _read(self, stream: Any) -> None:
        decoder, text = json.JSONDecoder(), ""
        for line in stream:
            text += line
            if line.rstrip() == "}":
                event, _ = decoder.raw_decode(text)
                self.told.append(event)
                text = ""

    def _are_registered(self) -> bool:
        found = self.cluster.get("modelversions", f"--namespace={self.namespace}")["items"]
        ready = [c["status"] for v in found for c in _conditions(v) if c["type"] == "Ready"]
        return ready == ["True"] * (len(self.models) * len(self.numbers))


def model_file(folder: Path) -> Path:
    """Train the example's first version: a real file, for gates that read it."""
    words = [sys.executable, str(SERVICE / "train.py"), "1", f"--into={folder}"]
    subprocess.run(words, capture_output=True, check=True)
    return folder / "model.onnx"


def _conditions(read: dict[str, Any]) -> list[dict[str, Any]]:
    conditions: list[dict[str, Any]] = read.get("status", {}).get("conditions", [])
    return conditions


def policy() -> dict[str, Any]:
    """Write a policy that waits for nothing and nobody."""
    gates = [{"name": "quality", "metrics": {}}]
    steps = [{"to": stage, "gates": gates} for stage in ("Registered", "Staging", "Production")]
    spec = {
        "allowedFormats": ["ONNX"],
        "steps": steps,
        "rollback": {"withinDays": 1},
        "belowFloor": {"reason": "Races are run without people."},
    }
    return {
        "apiVersion": API_VERSION,
        "kind": "ModelPolicy",
        "metadata": {"name": POLICY},
        "spec": spec,
    }


def _model(name: str) -> dict[str, Any]:
    serving = [{"stage": "Production", "deployment": {"name": name}}]
    spec = builders.model(policy=POLICY, serving=serving, stages={})["spec"]
    return {"apiVersion": API_VERSION, "kind": "Model", "metadata": {"name": name}, "spec": spec}


def _version(model: str, number: int, artifact: dict[str, str]) -> dict[str, Any]:
    spec = builders.version(number)["spec"]
    del spec["registeredBy"], spec["artifact"]["sizeBytes"]
    spec["model"] = model
    spec["artifact"] |= artifact
    return {
        "apiVersion": API_VERSION,
        "kind": "ModelVersion",
        "metadata": {"name": f"{model}-{number}"},
        "spec": spec,
    }


def _deployment(name: str) -> dict[str, Any]:
    marks = {"app": name}
    container = {"name": "idle", "image": "idle", "resources": {"requests": {"cpu": "1m"}}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": marks},
            "template": {"metadata": {"labels": marks}, "spec": {"containers": [container]}},
        },
    }
