"""The one seam to a running cluster: kind's verbs below it, kubectl and logins above it."""

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from .local import clusters, machine, node, programs, users

NAME = "modelwarden-test"
_ENDED = {"Succeeded", "Failed"}
Answer = TypeVar("Answer")


class RefusedError(Exception):
    """kubectl did not do what it was told; the message is what it said."""


class TooLateError(Exception):
    """What was awaited did not come about in time."""


@dataclass(frozen=True, kw_only=True)
class RunningCluster:
    """A cluster that runs, of whichever kind, with a context for each person of the tests."""

    name: str
    kubeconfig: Path
    kind: Path

    @property
    def admin(self) -> str:
        """The context of the cluster's administrator."""
        return f"kind-{self.name}"

    def kubectl(self, context: str | None, *words: str, given: str | None = None) -> str:
        """The output of kubectl run as the context's user; None is the administrator."""
        outcome = subprocess.run(
            self.command(context, *words), input=given, capture_output=True, text=True, check=False
        )
        if outcome.returncode:
            raise RefusedError(outcome.stderr.strip())
        return outcome.stdout

    def command(self, context: str | None, *words: str) -> list[str]:
        """The words that run kubectl as the context's user."""
        login = (f"--kubeconfig={self.kubeconfig}", f"--context={context or self.admin}")
        return [str(programs.path("kubectl")), *login, *words]

    def get(self, *words: str, context: str | None = None) -> Any:
        """What `kubectl get` shows, as data."""
        return json.loads(self.kubectl(context, "get", "--output=json", *words))

    def apply(self, *objects: dict[str, Any], namespace: str | None = None) -> None:
        """Applies the objects as the administrator."""
        where = (f"--namespace={namespace}",) if namespace else ()
        everything = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl(None, *where, "apply", "-f", "-", given=json.dumps(everything))

    def load_image(self, reference: str) -> None:
        """Carries an image into the cluster's nodes."""
        command = (self.kind, "load", "docker-image", f"--name={self.name}", reference)
        subprocess.run(command, check=True, capture_output=True)

    def kill_container(self, identity: str) -> None:
        """Ends the first process of a container by SIGKILL, on the node that runs it."""
        self._containerd("tasks", "kill", "--signal=SIGKILL", identity)

    def restart(self) -> None:
        """Ends everything that runs on the node, starts it again on what it kept, and awaits it."""
        begun = datetime.now(UTC).replace(microsecond=0)
        if clusters.named(self.name).process is not None:
            command = (self.kind, "restart", "cluster", f"--name={self.name}")
            subprocess.run(command, check=True, capture_output=True)
        else:
            for verb in ("stop", "start"):
                command = ("docker", verb, f"{self.name}-control-plane")
                subprocess.run(command, check=True, capture_output=True)
        until(
            lambda: self._every_pod_runs_since(begun),
            what="every pod runs again",
            within=180,
        )

    def _every_pod_runs_since(self, begun: datetime) -> bool:
        """What pods said before is still there; when their containers began tells the time."""
        pods = self.get("pods", "--all-namespaces")["items"]
        alive = [pod["status"] for pod in pods if pod["status"]["phase"] not in _ENDED]
        containers = [c for status in alive for c in status.get("containerStatuses", [{}])]
        return all(
            container.get("ready")
            and datetime.fromisoformat(container["state"]["running"]["startedAt"]) >= begun
            for container in containers
        )

    def kill_api_server(self) -> None:
        """Ends the API server by SIGKILL; the node starts it again."""
        processes = clusters.named(self.name)
        if processes.process is not None:
            os.kill(processes.processes()["kube-apiserver"], signal.SIGKILL)
        else:
            kill = ("pkill", "--signal=KILL", "--exact", "kube-apiserver")
            command = ("docker", "exec", f"{self.name}-control-plane", *kill)
            subprocess.run(command, check=True, capture_output=True)

    def by_digest(self, reference: str) -> str:
        """The name by digest of an image that was loaded, by which pods then find it.

        Images that are pulled have such a name; those that are carried into a node have none.
        """
        listed = self._containerd("images", "list", f"name=={_whole(reference)}")
        digest = next(word for word in listed.split() if word.startswith("sha256:"))
        name = f"{reference.rpartition(':')[0]}@{digest}"
        self._containerd("images", "tag", "--force", _whole(reference), _whole(name))
        return name

    def _containerd(self, *words: str) -> str:
        """Talks to the containerd of the node that runs everything."""
        whole = ("--namespace=k8s.io", *words)
        processes = clusters.named(self.name)
        if processes.process is not None:
            ctr = (str(node.PROGRAMS / "ctr"), f"--address={node.SOCKET}")
            done = processes.run_inside(*ctr, *whole, capture_output=True)
        else:
            command = ("docker", "exec", f"{self.name}-control-plane", "ctr", *whole)
            done = subprocess.run(command, check=True, capture_output=True)
        return bytes(done.stdout).decode()

    def service_account(self, namespace: str, name: str) -> str:
        """Makes a service account if absent, and gives the name of a context that acts as it."""
        return users.add_service_account(self.kubeconfig, namespace, name)

    @contextmanager
    def namespace(self, purpose: str) -> Iterator[str]:
        """A new namespace under restricted Pod Security, deleted when the caller is done."""
        name = f"{_as_label(purpose)}-{secrets.token_hex(3)}"
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        self.apply(
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": name, "labels": labels},
            }
        )
        try:
            yield name
        finally:
            self.kubectl(None, "label", "namespace", name, "modelwarden.io/records-")
            self.kubectl(None, "delete", "namespace", name, "--wait=false")

    @contextmanager
    def reachable(self, namespace: str, service: str, port: int) -> Iterator[str]:
        """An address of this machine's side, `host:port`, that leads to the Service.

        The node's own port of a NodePort Service where this machine reaches the node, else a
        forwarded port.
        """
        direct = self._node_port(namespace, service)
        if direct and _answers(*direct):
            yield f"{direct[0]}:{direct[1]}"
            return
        with self.forwarded(namespace, f"service/{service}", port) as address:
            yield address

    @contextmanager
    def forwarded(self, namespace: str, target: str, port: int) -> Iterator[str]:
        """An address on this machine's loopback, `host:port`, forwarded to a pod behind target."""
        words = ("port-forward", f"--namespace={namespace}", target, f":{port}")
        with subprocess.Popen(
            self.command(None, *words), stdout=subprocess.PIPE, text=True
        ) as forwarding:
            try:
                line = forwarding.stdout.readline() if forwarding.stdout else ""
                found = re.search(r"127\.0\.0\.1:(\d+)", line)
                if not found:
                    raise RefusedError(f"no port was forwarded to {target}: {line!r}")
                yield f"127.0.0.1:{found[1]}"
            finally:
                forwarding.kill()

    def _node_port(self, namespace: str, service: str) -> tuple[str, int] | None:
        ports = self.get(f"--namespace={namespace}", "service", service)["spec"]["ports"]
        addresses = self.get("nodes")["items"][0]["status"]["addresses"]
        address = next(a["address"] for a in addresses if a["type"] == "InternalIP")
        return (address, ports[0]["nodePort"]) if "nodePort" in ports[0] else None


def kind_program() -> Path:
    """The program that makes clusters: KIND names it; else ours, or kind itself."""
    ours = str(Path(__file__).parent / "kind")
    chosen = os.environ.get("KIND") or (ours if machine.is_a_home_for_processes() else "kind")
    return Path(shutil.which(chosen) or chosen)


def is_to_be_kept() -> bool:
    """True if whoever runs this wants to find the cluster afterwards."""
    return os.environ.get("MODELWARDEN_KEEP_CLUSTER", "") not in {"", "0"}


def runs(name: str, *, kind: Path | None = None) -> bool:
    """True if a cluster of that name runs."""
    command = (kind or kind_program(), "get", "clusters")
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return name in answer.stdout.splitlines()


def start(name: str, kubeconfig: Path, *, kind: Path | None = None) -> RunningCluster:
    """Makes the cluster if it does not run, and writes the logins of all its users."""
    program = kind or kind_program()
    programs.build(programs.FOR_EVERY_CLUSTER)
    if not runs(name, kind=program):
        command = (program, "create", "cluster", f"--name={name}", f"--kubeconfig={kubeconfig}")
        subprocess.run(command, check=True)
    return attach(name, kubeconfig, kind=program)


def stop_if_running(name: str, kubeconfig: Path) -> None:
    """Takes the cluster away, should there be one."""
    if runs(name):
        stop(name, kubeconfig)


def stop(name: str, kubeconfig: Path, *, kind: str | Path | None = None) -> None:
    """Takes the cluster away."""
    program = Path(kind) if kind else kind_program()
    command = (program, "delete", "cluster", f"--name={name}", f"--kubeconfig={kubeconfig}")
    subprocess.run(command, check=True, capture_output=True)


def attach(name: str, kubeconfig: Path, *, kind: Path | None = None) -> RunningCluster:
    """The cluster that runs under that name, its users' logins written into the file."""
    program = kind or kind_program()
    command = (program, "get", "kubeconfig", f"--name={name}")
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    kubeconfig.parent.mkdir(parents=True, exist_ok=True)
    kubeconfig.write_text(answer.stdout)
    kubeconfig.chmod(0o600)
    users.add(kubeconfig)
    return RunningCluster(name=name, kubeconfig=kubeconfig, kind=program)


def until(
    look: Callable[[], Answer],
    *,
    what: str,
    within: float = 60,
    every: float = 0.2,
    instead: Callable[[], str] | None = None,
) -> Answer:
    """The first answer that is not empty; a refusal is looked past until the time is up.

    `instead` is asked how things stand only once it is too late.
    """
    deadline = time.monotonic() + within
    last: object = None
    while time.monotonic() < deadline:
        try:
            last = answer = look()
        except RefusedError as refusal:
            last = refusal
        else:
            if answer:
                return answer
        time.sleep(every)
    found = instead() if instead else f"last seen: {last!r}"
    raise TooLateError(f"{what}: not within {within:.0f} s; {found}")


def _as_label(words: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:40].strip("-")


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=2):
            return True
    except OSError:
        return False


def _whole(reference: str) -> str:
    """The reference as containerd writes it: with a registry."""
    first, _, rest = reference.partition("/")
    is_registry = bool(rest) and ("." in first or ":" in first or first == "localhost")
    return reference if is_registry else f"docker.io/{reference}"
