"""Models that move at once, for controllers that race: no gate needs a Job, no Deployment a pod."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from modelwarden.domain.digests import file_digest
from modelwarden.domain.labels import API_VERSION
from tests import builders

from .example import SERVICE
from .installed import Installed
from .running import TooLateError
from .watching import Watched, watched

POLICY = "at-once"


class Arena:
    """Some Models of many versions, and every state in which anybody saw them."""

    def __init__(self, installed: Installed, namespace: str, *, models: int, versions: int) -> None:
        self.installed, self.cluster, self.namespace = installed, installed.cluster, namespace
        self.names = tuple(f"racer-{number}" for number in range(1, models + 1))
        self.numbers = range(1, versions + 1)
        self.models = self.versions = self.attempts = self.deployments = Watched()
        self._is_off = threading.Event()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Keep every state that the API server tells of meanwhile."""
        with (
            watched(self.cluster, "models", self.namespace) as self.models,
            watched(self.cluster, "modelversions", self.namespace) as self.versions,
            watched(self.cluster, "modeltransitions", self.namespace) as self.attempts,
            watched(self.cluster, "deployments", self.namespace) as self.deployments,
        ):
            yield

    def set_up(self, folder: Path) -> None:
        """Declare everything, and wait until every version is registered.

        All versions are the same file, which a rollback finds again.
        """
        self.cluster.apply(policy())
        file = model_file(folder)
        uri = self.installed.upload(file, f"{self.namespace}/racer/model.onnx")
        artifact = {"uri": uri, "digest": file_digest([file.read_bytes()])}
        everything = [
            declared
            for name in self.names
            for declared in (
                idle_deployment(name),
                _model(name),
                *(version_of(name, number, artifact) for number in self.numbers),
            )
        ]
        given = json.dumps({"apiVersion": "v1", "kind": "List", "items": everything})
        where = f"--namespace={self.namespace}"
        self.cluster.kubectl(None, "create", where, "-f", "-", given=given)
        self.versions.until(self._are_registered, what="every version is registered", within=120)

    def ask(self, model: str, number: int, reason: str) -> int:
        """Name a version for Production; gives the generation of the Model that does."""
        entry = {"version": number, "reason": reason}
        patch = json.dumps({"spec": {"stages": {"production": entry}}})
        words = ("patch", "model", model, "--type=merge", f"--patch={patch}")
        where = (f"--namespace={self.namespace}", "--output=jsonpath={.metadata.generation}")
        return int(self.cluster.kubectl("platform", *words, *where))

    def ask_at_once(self, model: str, *wishes: tuple[int, str]) -> int:
        """Let several people name different versions at the same time; gives the generation."""
        with ThreadPoolExecutor(len(wishes)) as people:
            return max(people.map(lambda wish: self.ask(model, *wish), wishes))

    def call_off(self) -> None:
        """Have nobody wait for anything any more."""
        self._is_off.set()

    def await_rest(self, model: str, *, since: int) -> int:
        """Wait until the version that is asked for since a generation is in Production.

        Gives its number, or 0 where the race was called off.
        """

        def settled() -> int:
            found = self.models.now[model]
            if found["metadata"]["generation"] < since:
                return 0
            status = found.get("status", {})
            there = status.get("stages", {}).get("production", {}).get("version")
            conditions = {c["type"]: c for c in status.get("conditions", ())}
            is_current = status.get("observedGeneration") == found["metadata"]["generation"]
            is_done = conditions.get("Settled", {}).get("status") == "True"
            asked = found["spec"]["stages"]["production"]["version"]
            return int(there) if is_current and is_done and there == asked else 0

        what = f"{model} is settled"
        self.models.until(lambda: settled() or self._is_off.is_set(), what=what, within=120)
        return settled()

    def carried(self, model: str, *, expected: int) -> str:
        """Read which version the Deployment of a model carries; soon the expected one."""

        def carried() -> str:
            labels = self.deployments.now[model]["metadata"].get("labels", {})
            return str(labels.get("modelwarden.io/version", ""))

        try:
            what = f"{model} carries {expected}"
            self.deployments.until(lambda: carried() == str(expected), what=what, within=10)
        except TooLateError:
            return carried()
        return str(expected)

    def two_in_production(self) -> list[tuple[str, list[int]]]:
        """List the moments at which two versions of a model showed Production."""
        stages: dict[str, dict[int, str]] = {}
        found = []
        for state in self.versions.states:
            spec, status = state["spec"], state.get("status", {})
            of_model = stages.setdefault(spec["model"], {})
            of_model[spec["version"]] = status.get("stage", "")
            there = [number for number, stage in of_model.items() if stage == "Production"]
            if len(there) > 1:
                found.append((spec["model"], there))
        return found

    def without_an_end(self) -> list[str]:
        """Name the attempts that do not say how they ended; soon there are none."""

        def without() -> list[str]:
            attempts = self.attempts.now.items()
            return sorted(name for name, attempt in attempts if not _has_ended(attempt))

        try:
            self.attempts.until(lambda: not without(), what="every attempt has ended", within=30)
        except TooLateError:
            return without()
        return []

    def _are_registered(self) -> bool:
        found = self.versions.now.values()
        ready = [c["status"] for v in found for c in _conditions(v) if c["type"] == "Ready"]
        return ready == ["True"] * (len(self.names) * len(self.numbers))


def _has_ended(attempt: dict[str, Any]) -> bool:
    """Say whether an attempt says how it ended, with a reason and a sentence."""
    conditions = {c["type"]: c for c in _conditions(attempt)}
    succeeded = conditions.get("Succeeded", {})
    is_over = succeeded.get("status") in ("True", "False")
    return bool(is_over and succeeded.get("reason") and succeeded.get("message"))


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


def version_of(model: str, number: int, artifact: Mapping[str, str]) -> dict[str, Any]:
    """Write the record of a version whose file is shared with others."""
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


def idle_deployment(name: str) -> dict[str, Any]:
    """Write a Deployment that runs nothing: what it carries is seen all the same."""
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
