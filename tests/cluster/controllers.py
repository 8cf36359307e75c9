"""Controllers as processes of this machine, against the real API server: to be killed, or doubled.

In a pod the kubelet waits ever longer before it starts a container again; here it is at once.
"""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from modelwarden.audit.directory import DirectoryReader
from modelwarden.audit.keys import load_signer
from modelwarden.audit.verify import verify

from .installed import GATES, SYSTEM, TOP, Installed
from .running import until
from .unguarded import without

ACCOUNT = "modelwarden-controller"
LEASE = "modelwarden-controller"
_CONTROLLER = "app.kubernetes.io/component=controller"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class HostController:
    """One controller; its ledger, settings and log are in a folder of this machine."""

    installed: Installed
    folder: Path
    name: str = "controller"
    words: Sequence[str] = ()
    process: "subprocess.Popen[bytes] | None" = None
    port: int = field(default_factory=_free_port)

    @property
    def pid(self) -> int:
        """The process, which was started."""
        if self.process is None:
            raise ValueError(f"{self.name} was not started")
        return self.process.pid

    @property
    def ledger(self) -> Path:
        """The ledger's folder; controllers of one folder share it."""
        return self.folder / "ledger"

    @property
    def log(self) -> Path:
        """What it said."""
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        """Start it, as the account that the chart gave the controller."""
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = self.folder / f"{self.name}.yaml"
        settings.write_text(yaml.safe_dump(self._settings()))
        words = [sys.executable, "-m", "tests.cluster.disturbed", "--no-lease", *self.words]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*words, f"--settings={settings}"],
                cwd=TOP,
                env={**os.environ, "KUBECONFIG": str(self._kubeconfig())},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """End it by SIGKILL, with all that it has started."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self) -> None:
        """End it as the kubelet does, and say how it ended if that was not well."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.kill()

    def is_ready(self) -> bool:
        """Say whether it leads, its ledger open and every Model listed."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}/readyz", timeout=2
            ) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def metrics(self) -> Mapping[str, float]:
        """Read its numbers, by name and labels."""
        address = f"http://127.0.0.1:{self.port}/metrics"
        with urllib.request.urlopen(address, timeout=5) as told:
            lines = told.read().decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def _settings(self) -> dict[str, Any]:
        config = self.installed.cluster.get(
            "configmap", "modelwarden-settings", f"--namespace={SYSTEM}"
        )
        settings: dict[str, Any] = yaml.safe_load(config["data"]["settings.yaml"])
        ledger = settings.get("ledger", {}) | {"directory": str(self.ledger), "port": _free_port()}
        http = {"port": self.port, "address": "127.0.0.1"}
        return settings | {"ledger": ledger, "http": http}

    def _kubeconfig(self) -> Path:
        own = self.folder / "kubeconfig"
        if not own.exists():
            cluster = self.installed.cluster
            with _tokens_for_everybody(self.installed):
                context = cluster.service_account(SYSTEM, ACCOUNT)
            own.write_bytes(cluster.kubeconfig.read_bytes())
            content = yaml.safe_load(own.read_text())
            own.write_text(yaml.safe_dump(content | {"current-context": context}))
            own.chmod(0o600)
        return own


def records_in(ledger: Path, namespace: str) -> list[dict[str, Any]]:
    """Read what is on record of a namespace's models, in order."""
    found = []
    for file in sorted((ledger / "ledger").iterdir()):
        found += json.loads(file.read_text())["records"]
    return [record for record in found if record["namespace"] == namespace]


def findings_of(installed: Installed, ledger: Path) -> list[str]:
    """Verify a ledger against the installation's own key; empty if it is whole."""
    secret = installed.cluster.get("secret", "modelwarden-ledger-key", f"--namespace={SYSTEM}")
    key = load_signer(base64.b64decode(secret["data"]["ed25519.pem"]).decode()).key
    return [str(finding) for finding in verify(DirectoryReader(ledger), key).findings]


@contextmanager
def jobs_seen(installed: Installed, namespace: str) -> Iterator[Callable[[], set[str]]]:
    """Watch the gate Jobs of a namespace; what is given tells the uids of all there ever were."""
    columns = r"UID:.metadata.uid,NS:.metadata.annotations.modelwarden\.io/namespace"
    words = ("get", "jobs", f"--namespace={GATES}", "--watch", "--no-headers")
    command = installed.cluster.command(None, *words, f"--output=custom-columns={columns}")
    is_over = threading.Event()
    with tempfile.TemporaryFile("a+") as told:

        def watch() -> None:
            # A watch ends with its API server, and lists everything when it begins again.
            while not is_over.is_set():
                with subprocess.Popen(command, stdout=told, stderr=subprocess.DEVNULL) as watching:
                    while watching.poll() is None and not is_over.wait(0.1):
                        continue
                    watching.kill()

        def seen() -> set[str]:
            told.seek(0)
            rows = (line.split() for line in told.read().splitlines())
            return {row[0] for row in rows if row[1:] == [namespace]}

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            yield seen
        finally:
            is_over.set()
            watching.join()


@contextmanager
def instead_of_the_pod(installed: Installed) -> Iterator[None]:
    """Let the chart's controller stand by for a while: somebody else holds the Lease.

    Not by scaling: helm would not touch a field again that somebody else has written.
    """
    cluster, where = installed.cluster, f"--namespace={SYSTEM}"
    cluster.apply(_lease_of_somebody(), namespace=SYSTEM)
    cluster.kubectl(None, "delete", "pods", where, f"--selector={_CONTROLLER}")
    try:
        yield
    finally:
        cluster.kubectl(None, "delete", "lease", LEASE, where)
        until(lambda: _is_led(installed), what="the pod leads again", within=60)


def _lease_of_somebody() -> dict[str, Any]:
    now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    spec = {
        "holderIdentity": "a test",
        "leaseDurationSeconds": 86400,
        "acquireTime": now,
        "renewTime": now,
    }
    metadata = {"name": LEASE}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": metadata,
        "spec": spec,
    }


def _is_led(installed: Installed) -> bool:
    lease = installed.cluster.get("lease", LEASE, f"--namespace={SYSTEM}")
    return bool(lease["spec"].get("holderIdentity"))


@contextmanager
def running(*controllers: HostController) -> Iterator[None]:
    """Run controllers, and end them whatever happens."""
    try:
        for controller in controllers:
            controller.start()
        for controller in controllers:
            until(controller.is_ready, what=f"{controller.name} is ready", every=0.05)
        yield
    finally:
        for controller in controllers:
            controller.stop()


@contextmanager
def _tokens_for_everybody(installed: Installed) -> Iterator[None]:
    """Take away for a moment what keeps the operator's token to its own pod."""
    with without(installed.cluster, "modelwarden-operator-token"):
        until(lambda: installed.cluster.kubectl(None, *_TOKEN), what="a token is given", within=30)
        yield


_TOKEN = ("create", "token", ACCOUNT, f"--namespace={SYSTEM}")
