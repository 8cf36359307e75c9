"""Argo CD itself, its controller and its repository server run as processes beside a cluster."""

import base64
import json
import os
import secrets
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .local import clusters, kubeconfigs, machine, programs
from .local.terminal import step
from .running import RunningCluster, until

NAMESPACE = "argocd"
MODULE = "github.com/argoproj/argo-cd/v3"
ACCOUNT = "argocd-application-controller"
_RESYNC = 10
_CONFIGURATION = ("argocd-cm", "argocd-cmd-params-cm", "argocd-gpg-keys-cm", "argocd-rbac-cm")
_CONFIGURATION += ("argocd-secret", "argocd-ssh-known-hosts-cm", "argocd-tls-certs-cm")
_OPERATION = "reason=OperationStarted"
_COMPARE = "argocd.argoproj.io/compare-options"


@dataclass(frozen=True, kw_only=True)
class ArgoCD:
    """A running Argo CD, and what it says of its Applications."""

    cluster: RunningCluster
    logs: Path

    def destination(self, namespace: str, *, token: str) -> None:
        """Let it reach a namespace of this cluster with the token in a Secret there.

        The destination has the name of its namespace.
        """
        server = kubeconfigs.read(self.cluster.kubeconfig)["clusters"][0]["cluster"]["server"]
        login = until(lambda: self._login(namespace, token), what=f"the token {token} is issued")
        content = {
            "name": namespace,
            "server": server,
            "namespaces": namespace,
            "clusterResources": "false",
            "config": json.dumps(login),
        }
        secret = _secret(f"cluster-{namespace}", content)
        secret["metadata"]["labels"] = {"argocd.argoproj.io/secret-type": "cluster"}
        self.cluster.apply(secret, namespace=NAMESPACE)

    def _login(self, namespace: str, token: str) -> dict[str, Any] | None:
        data = self.cluster.get("secret", token, f"--namespace={namespace}").get("data", {})
        if "token" not in data:
            return None
        return {
            "bearerToken": base64.b64decode(data["token"]).decode(),
            "tlsClientConfig": {"caData": data["ca.crt"]},
        }

    def application(self, name: str) -> Any:
        """An Application as it is stored."""
        return self.cluster.get("application.argoproj.io", name, f"--namespace={NAMESPACE}")

    def refresh(self, name: str) -> None:
        """Ask it to look at Git and at the cluster now, as a webhook of a Git server does."""
        words = ("annotate", "application.argoproj.io", name, "argocd.argoproj.io/refresh=normal")
        self.cluster.kubectl(None, *words, "--overwrite", f"--namespace={NAMESPACE}")
        until(
            lambda: (
                "argocd.argoproj.io/refresh"
                not in self.application(name)["metadata"].get("annotations", {})
            ),
            what=f"application {name} is refreshed",
            within=60,
        )

    def apply_again(self, name: str) -> None:
        """Have everything applied once more, as the button Sync does, and wait for the end."""
        before = self.application(name)["status"]["operationState"]["startedAt"]
        options = self.application(name)["spec"]["syncPolicy"].get("syncOptions", [])
        self._patch(name, {"operation": {"sync": {"syncOptions": options}}})
        until(
            lambda: self._has_applied_since(name, before),
            what=f"application {name} is applied again",
            within=60,
        )

    @contextmanager
    def without_the_servers_help(self, name: str) -> Iterator[None]:
        """Let it apply and compare an Application by itself, as it does unless told otherwise."""
        before = self.application(name)
        self._patch(name, _help(compare=None, sync=None))
        yield
        compare = before["metadata"]["annotations"][_COMPARE]
        sync = before["spec"]["syncPolicy"]["syncOptions"]
        self._patch(name, _help(compare=compare, sync=sync))

    def forget(self, *names: str) -> None:
        """Take Applications away, not what they applied."""
        words = ("delete", "application.argoproj.io", *names, "--ignore-not-found")
        self.cluster.kubectl(None, *words, f"--namespace={NAMESPACE}")

    def status(self, name: str) -> tuple[str, str]:
        """Whether what runs is what Git says, and how it fares."""
        status = self.application(name).get("status", {})
        return (
            status.get("sync", {}).get("status", ""),
            status.get("health", {}).get("status", ""),
        )

    def await_status(self, name: str, *wanted: str, within: float = 120) -> None:
        """Wait until an Application is so, for example Synced and Healthy."""
        until(
            lambda: self.status(name) == wanted or None,
            what=f"application {name} is {' and '.join(wanted)}",
            within=within,
        )

    def operations(self, name: str) -> int:
        """How many times it has begun to apply what Git says, for whatever reason."""
        selector = f"--field-selector=involvedObject.name={name},{_OPERATION}"
        events = self.cluster.get("events", f"--namespace={NAMESPACE}", selector)["items"]
        return sum(event.get("count") or 1 for event in events)

    def complaints(self, name: str) -> list[str]:
        """What keeps it from comparing an Application, or from applying it."""
        status = self.application(name).get("status", {})
        last = status.get("operationState", {})
        failed = [last["message"]] if last.get("phase") in ("Failed", "Error") else []
        return [*(condition["message"] for condition in status.get("conditions", [])), *failed]

    def health(self, name: str, kind: str) -> list[tuple[str, str]]:
        """How it says that an Application's objects of a kind fare, each with its sentence."""
        resources = self.application(name).get("status", {}).get("resources", [])
        found = [item["health"] for item in resources if item["kind"] == kind and "health" in item]
        return [(health["status"], health.get("message", "")) for health in found]

    def _patch(self, name: str, patch: dict[str, Any]) -> None:
        words = ("patch", "application.argoproj.io", name, "--type=merge")
        words += (f"--patch={json.dumps(patch)}", f"--namespace={NAMESPACE}")
        self.cluster.kubectl(None, *words)

    def _has_applied_since(self, name: str, time: str) -> bool:
        state = self.application(name)["status"]["operationState"]
        return state["startedAt"] > time and state["phase"] == "Succeeded"


def _help(*, compare: str | None, sync: list[str] | None) -> dict[str, Any]:
    return {
        "metadata": {"annotations": {_COMPARE: compare}},
        "spec": {"syncPolicy": {"syncOptions": sync}},
    }


@contextmanager
def argo_cd(cluster: RunningCluster, work: Path) -> Iterator[ArgoCD]:
    """Run it beside the cluster, with the rights of its own namespace and no others.

    What its own account may do beyond that, and as whom it applies, is the caller's to say.
    """
    programs.build(programs.FOR_GITOPS)
    work.mkdir(parents=True, exist_ok=True)
    redis = work / "redis-server"
    redis.symlink_to(machine.redis_server())
    with step("installing Argo CD"):
        definitions = _install(cluster)
    login = _own_login(cluster, work)
    try:
        run = _Processes(beside=_network_of(cluster), work=work, login=login)
        with ExitStack() as running:
            for command in _commands(redis):
                running.enter_context(run(command))
            yield ArgoCD(cluster=cluster, logs=work)
    finally:
        cluster.kubectl(None, "delete", "crd", *definitions, "--wait=false")
        cluster.kubectl(None, "delete", "namespace", NAMESPACE)


@dataclass(frozen=True, kw_only=True)
class _Command:
    """A program under the name that says what it is, and what its log says once it serves."""

    name: str
    program: Path
    words: Sequence[str]
    ready: str


def _commands(redis: Path) -> tuple[_Command, ...]:
    store, manifests, *metrics = _free_ports(4)
    argocd = programs.path("argocd")
    logs = ("--logformat=text", "--loglevel=info", f"--redis=127.0.0.1:{store}")
    return (
        _Command(
            name="redis-server",
            program=redis,
            words=("--port", str(store), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"),
            ready="Ready to accept connections",
        ),
        _Command(
            name="argocd-repo-server",
            program=argocd,
            words=(
                *logs,
                *("--disable-tls", "--address=127.0.0.1", "--metrics-address=127.0.0.1"),
                *(f"--port={manifests}", f"--metrics-port={metrics[0]}"),
            ),
            ready="starting grpc server",
        ),
        _Command(
            name=ACCOUNT,
            program=argocd,
            words=(
                *logs,
                *(f"--repo-server=127.0.0.1:{manifests}", "--repo-server-plaintext"),
                *(f"--app-resync={_RESYNC}", "--app-resync-jitter=0", "--persist-resource-health"),
                f"--metrics-port={metrics[1]}",
            ),
            ready="Application Controller",
        ),
    )


@dataclass(frozen=True, kw_only=True)
class _Processes:
    """Starts processes in the network of a cluster, each with a log of its own."""

    beside: Sequence[str]
    work: Path
    login: Path

    @contextmanager
    def __call__(self, command: _Command) -> Iterator[None]:
        log = self.work / f"{command.name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*self.beside, str(command.program), *command.words],
                cwd=self.work,
                env=self._environment(command.name),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            until(
                lambda: process.poll() is not None or command.ready in log.read_text(),
                what=f"{command.name} serves ({log})",
            )
            if process.poll() is not None:
                raise RuntimeError(f"{command.name} ended: {log.read_text()[-2000:]}")
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _environment(self, name: str) -> dict[str, str]:
        scratch = self.work / "tmp"
        scratch.mkdir(exist_ok=True)
        return {
            "ARGOCD_ASK_PASS_SOCK": str(scratch / "ask-pass.sock"),
            "ARGOCD_BINARY_NAME": name,
            "ARGOCD_FAKE_IN_CLUSTER": "true",
            "ARGOCD_GPG_ENABLED": "false",
            "HOME": str(self.work),
            "KUBECONFIG": str(self.login),
            "PATH": os.environ["PATH"],
            "TMPDIR": str(scratch),
        }


def _network_of(cluster: RunningCluster) -> Sequence[str]:
    """What to put before a command so that it runs in the cluster's own network.

    The controller's metrics are served on every address, so nothing of this machine should lead
    there. They end with this process too, however it ends. kind's network belongs to its engine;
    beside kind the processes are in this machine's.
    """
    first = clusters.named(cluster.name).first_process
    if first is None:
        return ()
    return ("nsenter", f"--target={first}", "--net", "--", "setpriv", "--pdeathsig=TERM", "--")


def _install(cluster: RunningCluster) -> list[str]:
    """Install the kinds, the configuration and the rights of Argo CD's own namespace."""
    manifests = programs.source("argocd", MODULE) / "manifests"
    base, roles = manifests / "base/config", manifests / "base/application-controller-roles"
    kinds = ("application", "applicationset", "appproject")
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    files = [manifests / f"crds/{kind}-crd.yaml" for kind in kinds]
    files += [base / f"{name}.yaml" for name in _CONFIGURATION]
    files += [roles / f"{ACCOUNT}-{part}.yaml" for part in ("sa", "role", "rolebinding")]
    words = [word for file in files for word in ("-f", str(file))]
    cluster.kubectl(None, "apply", "--server-side", f"--namespace={NAMESPACE}", *words)
    cluster.apply(
        _secret("argocd-redis", {"auth": ""}),
        _secret("argocd-secret", {"server.secretkey": secrets.token_hex(16)}),
        namespace=NAMESPACE,
    )
    return [f"{kind}s.argoproj.io" for kind in kinds]


def _secret(name: str, content: Mapping[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/part-of": "argocd"}},
        "stringData": content,
    }


def _own_login(cluster: RunningCluster, work: Path) -> Path:
    """Write the login of Argo CD's own service account, in its own namespace."""
    context = cluster.service_account(NAMESPACE, ACCOUNT)
    content = kubeconfigs.read(cluster.kubeconfig)
    login = next(user["user"] for user in content["users"] if user["name"] == context)
    server = next(c["cluster"] for c in content["clusters"] if c["name"] == cluster.admin)
    place = {"cluster": context, "user": context, "namespace": NAMESPACE}
    file = work / "kubeconfig"
    kubeconfigs.write(
        file,
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": context, "cluster": server}],
            "users": [{"name": context, "user": login}],
            "contexts": [{"name": context, "context": place}],
            "current-context": context,
        },
    )
    return file


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
