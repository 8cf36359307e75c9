"""A team of many small models: all versions are one file, services have no pods, people vote.

What needs a Job or a pod to be shown is shown with the example itself.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from modelwarden.domain.digests import file_digest
from modelwarden.domain.labels import API_VERSION
from tests import builders

from .arena import idle_deployment, model_file, version_of
from .example import Example
from .installed import Installed
from .running import until

POLICY = "small"
TRAINER = "engineer@example.com"


@dataclass(frozen=True)
class Team:
    """A namespace with the example's people, who may use one policy, and the file in its store."""

    example: Example
    artifact: Mapping[str, str]

    def declare(self, name: str, **spec: Any) -> Example:
        """Let the engineer declare a Model and its service."""
        example = self.named(name)
        for found in (idle_deployment(name), model(name, **spec)):
            given = json.dumps(found)
            # The webhook answers as soon as its configuration holds its certificates.
            until(
                lambda given=given: self.kubectl("engineer", "apply", "-f", "-", given=given),
                what=f"{found['kind']} {name} is admitted",
                within=30,
            )
        return example

    def named(self, name: str) -> Example:
        """Look at a Model of the team."""
        return replace(self.example, model=name)

    def register(self, example: Example, *numbers: int, **spec: Any) -> None:
        """Let the pipeline register versions, and wait until they are."""
        for number in numbers:
            record = self.version(example.model, number, **spec)
            self.example.pipeline("apply", "-f", "-", given=json.dumps(record))
        for number in numbers:
            example.await_stage(number, "Registered")

    def version(self, name: str, number: int, **spec: Any) -> dict[str, Any]:
        """Write the record of a version, trained by the engineer."""
        written = version_of(name, number, self.artifact)
        written["metadata"]["namespace"] = self.example.namespace
        trained_by = [{"kind": "User", "name": TRAINER}]
        written["spec"] |= {"trainedBy": trained_by, **spec}
        return written

    def ask(self, example: Example, number: int, *, to: str = "production") -> None:
        """Let the manager ask for a version; to Production it goes by way of Staging."""
        words = ("promote", example.model, str(number), f"--to={to}", f"--reason=Release {number}")
        told = example.ask("manager", *words)
        if told.code:
            raise AssertionError(told.complaint)

    def release(self, example: Example, *numbers: int) -> None:
        """Bring versions to Production, one after the other, with the people whose part it is."""
        for number in numbers:
            self.ask(example, number)
            example.await_votes(number)
            example.approve(number, "owner", "reviewer")
            example.await_stage(number, "Production")

    def edit(self, example: Example, person: str, **spec: Any) -> None:
        """Edit the Model as a person does."""
        self.kubectl(
            person, "patch", "model", example.model, "--type=merge", _patch({"spec": spec})
        )

    def carried(self, name: str) -> str:
        """Which version the service of that name is labelled with."""
        labels = self.example.get("deployment", name)["metadata"].get("labels", {})
        return str(labels.get("modelwarden.io/version", ""))

    def kubectl(self, person: str | None, *words: str, given: str | None = None) -> str:
        """Run kubectl in the namespace as somebody, the administrator if it is nobody."""
        where = f"--namespace={self.example.namespace}"
        return self.example.installed.cluster.kubectl(person, *words, where, given=given)


def team(installed: Installed, namespace: str, work: Path) -> Team:
    """Set a team up in a namespace."""
    example = Example(installed, namespace, work)
    example.set_up()
    installed.cluster.apply(policy())
    file = model_file(work)
    uri = installed.upload(file, f"{namespace}/small/model.onnx")
    made = Team(example, {"uri": uri, "digest": file_digest([file.read_bytes()])})
    example.may_use(POLICY)
    return made


def policy(name: str = POLICY, **approvals: Any) -> dict[str, Any]:
    """Write a policy that reads what is recorded and asks an owner and a reviewer."""
    quality = {"name": "quality", "metrics": {}}
    champion = {"name": "champion", "champion": {"maxDrop": "0.005"}}
    people = {"owners": 1, "reviewers": 1, "exclude": ["Trainer", "Registrant"], **approvals}
    steps = [
        {"to": "Registered", "gates": [quality]},
        {"to": "Staging", "gates": [quality]},
        {"to": "Production", "gates": [quality, champion], "approvals": people},
    ]
    spec = {"allowedFormats": ["ONNX"], "steps": steps, "rollback": {"withinDays": 1}}
    return {
        "apiVersion": API_VERSION,
        "kind": "ModelPolicy",
        "metadata": {"name": name},
        "spec": spec,
    }


def model(name: str, **spec: Any) -> dict[str, Any]:
    """Write a Model that serves with a Deployment of its name, and has two owners."""
    serving = [{"stage": "Production", "deployment": {"name": name}}]
    owners = [
        {"kind": "User", "name": person}
        for person in ("owner@example.com", "scientist@example.com")
    ]
    asked = {"policy": POLICY, "serving": serving, "owners": owners, **spec}
    written = builders.model(**asked)["spec"]
    return {"apiVersion": API_VERSION, "kind": "Model", "metadata": {"name": name}, "spec": written}


def _patch(change: Any) -> str:
    return f"--patch={json.dumps(change)}"
