"""The fraud detector of the examples, set up by the people whose part it is."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from .installed import TOP, Installed
from .local import programs
from .running import RefusedError, until

EXAMPLE = TOP / "examples/01-register"
SERVICE = TOP / "examples/fraud-detector"
MODEL = "fraud-detector"


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a command said, and how it ended."""

    words: tuple[str, ...]
    person: str
    code: int
    output: str
    complaint: str


@dataclass(frozen=True)
class Example:
    """The example in a namespace of its own; manifests are those of the examples, moved there.

    `model` is another Model of that namespace where a test has declared one by itself.
    """

    installed: Installed
    namespace: str
    work: Path
    model: str = MODEL

    def set_up(self) -> None:
        """Do what a platform team does once: a namespace, roles, the store's keys."""
        cluster = self.installed.cluster
        for file in ("1-namespace.yaml", "2-roles.yaml"):
            cluster.kubectl(None, "apply", "-f", "-", given=self.manifest(EXAMPLE / file))
        cluster.service_account(self.namespace, "pipeline")
        store = self.installed.store
        cluster.apply(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": "fraud-api-store"},
                "stringData": {
                    **self.installed.credentials(),
                    "AWS_ENDPOINT_URL_S3": store.inside,
                    "AWS_REGION": "us-east-1",
                },
            },
            namespace=self.namespace,
        )

    def may_use(self, policy: str) -> None:
        """Let those who declare Models choose a policy, as the platform would."""
        rules = [{"op": "add", "path": "/rules/0/resourceNames/-", "value": policy}]
        words = ("patch", "role", "use-demo-policy", f"--namespace={self.namespace}")
        words += ("--type=json", f"--patch={json.dumps(rules)}")
        self.installed.cluster.kubectl(None, *words)

    def declare(self, **spec: Any) -> None:
        """Let the engineer declare the service and the Model."""
        cluster = self.installed.cluster
        cluster.kubectl("engineer", "apply", "-f", "-", given=self.service())
        model = yaml.safe_load(self.manifest(EXAMPLE / "3-model.yaml"))
        model["spec"] |= spec
        # The webhook answers as soon as its configuration holds its certificates.
        until(
            lambda: cluster.kubectl("engineer", "apply", "-f", "-", given=json.dumps(model)),
            what="the Model is admitted",
            within=30,
        )

    def service(self) -> str:
        """The Deployment and Service of the example, with the images that were built."""
        text = self.manifest(SERVICE / "deployment.yaml")
        for target in ("validator", "example-server"):
            text = text.replace(f"modelwarden/{target}:0.1.0", self.installed.images[target])
        return text

    def manifest(self, file: Path) -> str:
        """A file of the examples, for this namespace."""
        return (
            file.read_text()
            .replace("namespace: risk", f"namespace: {self.namespace}")
            .replace("name: risk\n", f"name: {self.namespace}\n")
        )

    def train(self, number: int) -> str:
        """Train a version and put it into the store; gives the manifest of its record."""
        into = self.work / str(number)
        key = f"{self.namespace}/{MODEL}/{number}/model.onnx"
        into.mkdir(parents=True, exist_ok=True)
        words = [sys.executable, str(SERVICE / "train.py"), str(number), f"--into={into}"]
        words += [f"--artifact-uri=s3://models/{key}", f"--namespace={self.namespace}"]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        self.installed.upload(into / "model.onnx", key)
        return done.stdout

    def register(self, number: int, **spec: Any) -> None:
        """Let the pipeline register a version that it trained."""
        record = yaml.safe_load(self.train(number))
        record["spec"] |= spec
        self.pipeline("apply", "-f", "-", given=json.dumps(record))

    def pipeline(self, *words: str, given: str | None = None) -> str:
        """Run kubectl as the pipeline's service account."""
        return self.installed.cluster.kubectl(f"{self.namespace}/pipeline", *words, given=given)

    def ask(self, person: str, *words: str, everywhere: bool = False) -> Told:
        """Run `kubectl model` as a person does, from a terminal of their own.

        In the example's namespace, unless it is about the whole installation.
        """
        where = () if everywhere else (f"--namespace={self.namespace}",)
        done = subprocess.run(
            ["kubectl-model", *words, f"--context={person}", *where],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return Told(
            words=words,
            person=person,
            code=done.returncode,
            output=done.stdout,
            complaint=done.stderr,
        )

    @staticmethod
    def json(told: Told) -> Any:
        """Read what a command printed as JSON."""
        return json.loads(told.output)

    @cached_property
    def environment(self) -> dict[str, str]:
        """A person's environment: the plugin beside kubectl, and the cluster's logins."""
        folders = [str(Path(sys.executable).parent), str(programs.path("kubectl").parent)]
        return {
            **os.environ,
            "PATH": os.pathsep.join([*folders, os.environ["PATH"]]),
            "KUBECONFIG": str(self.installed.cluster.kubeconfig),
            "COLUMNS": "160",
        }

    def get(self, kind: str, name: str = "") -> Any:
        """Read an object of the namespace, the Model or another one."""
        where = f"--namespace={self.namespace}"
        return self.installed.cluster.get(kind, name or self.model, where)

    def stage(self, number: int) -> str:
        """Where a version is, as its status says."""
        status = self.get("modelversion", f"{self.model}-{number}").get("status", {})
        return str(status.get("stage", ""))

    def condition(self, number: int, kind: str) -> str:
        """Whether a condition of a version holds."""
        status = self.get("modelversion", f"{self.model}-{number}").get("status", {})
        return next((c["status"] for c in status.get("conditions", ()) if c["type"] == kind), "")

    def waits_for(self, number: int) -> list[str]:
        """The codes of everything that holds a version back."""
        unmet = self.get("model").get("status", {}).get("unmet", [])
        return [item["code"] for item in unmet if item["version"] == number]

    def await_stage(self, number: int, stage: str, *, within: float = 120) -> None:
        """Wait until a version is in a stage."""
        until(
            lambda: self.stage(number) == stage,
            what=f"version {number} is in {stage}",
            instead=lambda: f"held by {self._held(number)}",
            within=within,
        )

    def await_votes(self, number: int) -> None:
        """Wait until people may vote on a version."""
        until(
            lambda: "ApprovalsMissing" in self.waits_for(number),
            what=f"version {number} waits for approvals",
            within=60,
        )

    def approve(self, number: int, *people: str) -> None:
        """Let people approve a version, each with their own login."""
        for person in people:
            told = self.ask(
                person, "approve", self.model, str(number), "--rationale=Looked at it.", "--yes"
            )
            if told.code:
                raise RefusedError(told.complaint)

    def bring_to_production(self, number: int) -> None:
        """Take a registered version to Production, with the people whose part it is."""
        reason = f"--reason=Release {number}"
        self.ask("engineer", "promote", self.model, str(number), "--to=staging", reason)
        self.await_stage(number, "Staging")
        self.ask("manager", "promote", self.model, str(number), "--to=production", reason)
        self.await_votes(number)
        self.approve(number, "owner", "reviewer")
        self.await_stage(number, "Production")

    def _held(self, number: int) -> str:
        try:
            return ", ".join(self.waits_for(number))
        except (RefusedError, KeyError):
            return "?"
