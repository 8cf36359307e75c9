"""Services whose pods serve, crash or never get ready, as a ConfigMap says of each version."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import yaml

from .example import MODEL, Example
from .installed import TOP
from .running import until

CONFINED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
MOODS = "moods"
# It says that it is ready by answering at all.
PROGRAM = """
import http.server, os, pathlib, sys, threading
told = pathlib.Path("/moods", os.environ["NAME"] + "-" + (os.environ["VERSION"] or "none"))
mood = told.read_text() if told.exists() else "serve"
if mood == "crash":
    sys.exit("no such table: applicants")
if mood == "restart":
    threading.Timer(2, lambda: os._exit(7)).start()
if mood == "idle":
    threading.Event().wait()
http.server.HTTPServer(("", 8080), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


# The name of the policy below.
POLICY = "impatient"


def impatient(seconds: int) -> dict[str, object]:
    """A policy under which nobody is asked, and a rollout has so many seconds."""
    policy = yaml.safe_load((TOP / "examples/policies/solo.yaml").read_text())
    policy["metadata"]["name"] = POLICY
    production = policy["spec"]["steps"][-1]
    production["rolloutTimeoutSeconds"] = seconds
    production["approvals"]["owners"] = 0
    return dict(policy)


@dataclass(frozen=True)
class Moods:
    """Deployments of a Model in an example's namespace, and people who bring versions to them."""

    example: Example

    def deployment(self, name: str, **spec: Any) -> dict[str, Any]:
        """Build a Deployment of two pods, of which the old ones stay until new ones are ready."""
        carried = {"VERSION": "metadata.labels['modelwarden.io/version']"}
        variables = [
            {"name": key, "valueFrom": {"fieldRef": {"fieldPath": path}}}
            for key, path in carried.items()
        ]
        container = {
            "name": "server",
            "image": self.example.installed.images["example-server"],
            "imagePullPolicy": "IfNotPresent",
            "command": ["/opt/server/bin/python", "-c", PROGRAM],
            "env": [{"name": "NAME", "value": name}, *variables],
            "terminationMessagePolicy": "FallbackToLogsOnError",
            "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
            "securityContext": CONFINED,
            "volumeMounts": [{"name": MOODS, "mountPath": "/moods"}],
        }
        pod = {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 1,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": [{"name": MOODS, "configMap": {"name": MOODS, "optional": True}}],
        }
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": {"app": name}},
                "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
                "template": {"metadata": {"labels": {"app": name}}, "spec": pod},
                **spec,
            },
        }

    def apply(self, *objects: dict[str, Any]) -> None:
        """Apply objects in the namespace."""
        self.example.installed.cluster.apply(*objects, namespace=self.example.namespace)

    def set(self, **moods: str) -> None:
        """Say how the pods of each Deployment and version behave: `api_2="crash"`."""
        data = {name.replace("_", "-"): mood for name, mood in moods.items()}
        self.apply(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": MOODS}, "data": data}
        )

    def patch(self, kind: str, name: str, change: Any, *, by: str | None = None) -> None:
        """Merge a change into an object, or make the changes of a list one by one."""
        where = f"--namespace={self.example.namespace}"
        how = "json" if isinstance(change, list) else "merge"
        words = ("patch", kind, name, where, f"--type={how}", f"--patch={json.dumps(change)}")
        self.example.installed.cluster.kubectl(by, *words)

    def ask(self, number: int | None, reason: str) -> None:
        """Let the manager name a version for Production, or none."""
        entry = None if number is None else {"version": number, "reason": reason}
        self.patch("model", MODEL, {"spec": {"stages": {"production": entry}}}, by="manager")

    def begun(self, number: int) -> None:
        """Wait until the rollout of a version has begun."""
        until(
            lambda: self.carried("api") == str(number),
            what=f"version {number} is rolled out (held by {self.unmet()})",
        )

    def carried(self, name: str) -> str:
        """The version that the pods of a Deployment are made for."""
        template = self.example.get("deployment", name)["spec"]["template"]
        return str(template["metadata"]["labels"].get("modelwarden.io/version", ""))

    def unmet(self) -> list[str]:
        """What holds the Model's wishes back: codes and sentences."""
        status = self.example.get("model").get("status", {})
        return [f"{item['code']}: {item['message']}" for item in status.get("unmet", [])]

    def waits_with(self, code: str, *, within: float = 60) -> str:
        """Wait until something is held back by a code; gives the sentence."""
        return until(
            lambda: next((said for said in self.unmet() if said.startswith(f"{code}: ")), ""),
            what=f"{code} (held by {self.unmet()})",
            within=within,
        )

    def attempt(self) -> dict[str, Any]:
        """The newest attempt to bring version 2 into Production."""
        where = f"--namespace={self.example.namespace}"
        found = self.example.installed.cluster.get("modeltransitions", where)["items"]
        own = [a for a in found if (a["spec"]["version"], a["spec"]["to"]) == (2, "Production")]
        newest: dict[str, Any] = max(own, key=lambda each: each["spec"]["attempt"])
        return newest

    def outcome(self, *, after: int, within: float = 90) -> tuple[str, str]:
        """Wait until the attempt after so many has ended; gives its code and sentence."""

        def ended() -> tuple[str, str] | None:
            attempt = self.attempt()
            conditions = attempt.get("status", {}).get("conditions", ())
            end = next((c for c in conditions if c["type"] == "Succeeded"), {})
            if attempt["spec"]["attempt"] <= after or end.get("status") in (None, "Unknown"):
                return None
            return end["reason"], end["message"]

        return until(ended, what=f"the attempt has ended (held by {self.unmet()})", within=within)

    @contextmanager
    def failing(self, reason: str, **moods: str) -> Iterator[int]:
        """Ask for version 2 while its pods are in a mood; gives how many attempts were before."""
        before = self.attempts()
        self.set(**moods)
        self.ask(2, reason)
        self.begun(2)
        try:
            yield before
        finally:
            self.set()

    def attempts(self) -> int:
        """How many attempts there were to bring version 2 into Production."""
        try:
            return int(self.attempt()["spec"]["attempt"])
        except ValueError:
            return 0

    def put_back(self) -> dict[str, str]:
        """Wait until both Deployments serve version 1 again with all their pods."""

        def back() -> dict[str, str] | None:
            found = {}
            for name in ("api", "batch"):
                live = self.example.get("deployment", name)
                status = live["status"]
                counts = [status.get(key) for key in ("replicas", "updatedReplicas")]
                # One that was made again is labelled when the operator looks the next time.
                found[name] = self.carried(name)
                if not found[name] or counts != [2, 2] or status.get("readyReplicas") != 2:
                    return None
            return found

        return until(back, what="every Deployment serves again")
