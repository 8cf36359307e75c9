"""Named clusters of this machine: made, found, spoken to and taken away without a trace."""

import hashlib
import ipaddress
import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import certificates, cgroups, images, kubeconfigs, machine, node, programs, users
from .api import Api, UnavailableError, eventually
from .cache import folder, held
from .terminal import say, step

# Addresses set aside for benchmarks of networks: nobody's office or VPN is there.
_LINKS = ipaddress.ip_network("198.18.0.0/16")
_NAMES = "abcdefghijklmnopqrstuvwxyz0123456789-"
_COMPONENTS = (
    ("admin", "/O=system:masters/CN=kubernetes-admin"),
    ("controllers", "/CN=system:kube-controller-manager"),
    ("scheduler", "/CN=system:kube-scheduler"),
)


class ClusterError(Exception):
    """A cluster could not be made or found; the message says why and what to look at."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A cluster by name, and the folder of its data."""

    name: str
    home: Path

    @property
    def kubeconfig(self) -> Path:
        """The logins of all its users, written when it is ready."""
        return self.home / "kubeconfig"

    @property
    def group(self) -> str:
        """Its control group: one of its own, else a kubelet takes another's pods for orphans."""
        return f"{_group_prefix()}{self.name}"

    @property
    def address(self) -> str:
        """The address of its node, which this machine can reach."""
        return str(self._facts("node.json")["address"])

    @property
    def node(self) -> str:
        """The name of its node."""
        return node.Node(**self._facts("node.json")).name

    @property
    def process(self) -> int | None:
        """The process outside that holds the cluster, if it runs."""
        facts = self._facts("process.json")
        if facts and _birth_of(facts["pid"]) == facts["birth"]:
            return int(facts["pid"])
        return None

    @property
    def first_process(self) -> int | None:
        """The cluster's process 1, by the number that this machine gives it."""
        return next(iter(_children_of(self.process)), None) if self.process else None

    @property
    def is_ready(self) -> bool:
        """True if it was made to the end and runs."""
        return self.kubeconfig.exists() and self.process is not None

    def processes(self) -> dict[str, int]:
        """The programs of the node by name, with the numbers that this machine gives them."""
        found: dict[str, int] = {}
        for child in _children_of(self.first_process) if self.first_process else ():
            with suppress(OSError):
                command = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")[0].decode()
                found.setdefault(Path(command).name, child)
        return found

    def run_inside(self, *command: str, **options: Any) -> subprocess.CompletedProcess[Any]:
        """Runs a command in the cluster's namespaces."""
        enter = ("nsenter", f"--target={self.first_process}", "--mount", "--net", "--pid")
        return subprocess.run([*enter, "--", *command], check=True, **options)

    def _facts(self, name: str) -> Any:
        try:
            return json.loads((self.home / name).read_text())
        except (OSError, ValueError):
            return {}


def named(name: str) -> Cluster:
    """The cluster of that name, which may not exist."""
    if not name or set(name) - set(_NAMES):
        raise ClusterError(f"{name!r} is no name: small letters, digits and hyphens are")
    return Cluster(name=name, home=_homes() / name)


def ready() -> list[Cluster]:
    """The clusters that run, by name."""
    return [cluster for cluster in known() if cluster.is_ready]


def known() -> list[Cluster]:
    """Every cluster that left data or control groups on this machine, running or not."""
    with_data = {home.name for home in _homes().iterdir() if home.is_dir()}
    prefix = _group_prefix()
    with_groups = {name.removeprefix(prefix) for name in cgroups.starting_with(prefix)}
    return [named(name) for name in sorted(with_data | with_groups)]


def create(name: str) -> Cluster:
    """Makes a cluster and waits until its node is ready and its users can log in."""
    cluster = named(name)
    if cluster.is_ready:
        raise ClusterError(f"a cluster {name!r} runs already")
    machine.prepare()
    programs.build()
    with held(_homes() / f".{name}.lock"):
        if cluster in ready():  # another process was asked for it too, and was first
            return cluster
        _remove(cluster)
        with step(f"starting cluster {name}"):
            try:
                _start(cluster)
            except BaseException:
                _keep_logs(cluster)
                _remove(cluster)
                raise
    return cluster


def restart(name: str) -> None:
    """Ends every process of a cluster, as a crash of its machine does, and starts it on its data.

    Kept are objects, images, volumes and logins; every container is made anew.
    """
    cluster = named(name)
    with held(_homes() / f".{name}.lock"):
        if not cluster.kubeconfig.exists():
            raise ClusterError(f"no cluster {name!r} was made")
        with step(f"restarting cluster {name}"):
            _end(cluster)
            begun = datetime.now(UTC)
            process = _start_node(cluster)
            api = api_of(cluster)
            _await(process, "its node", lambda: _is_heard_since(api, cluster.node, begun))


def delete(name: str) -> None:
    """Takes a cluster away: its processes, links, control groups and data."""
    cluster = named(name)
    with held(_homes() / f".{name}.lock"):
        _remove(cluster)
    (_homes() / f".{name}.lock").unlink(missing_ok=True)


def _homes() -> Path:
    return folder("clusters")


def _group_prefix() -> str:
    """Two users of one machine, or two homes of one user, may give a cluster the same name."""
    return f"modelwarden-{hashlib.sha256(bytes(_homes())).hexdigest()[:6]}-"


def _start(cluster: Cluster) -> None:
    with held(_homes() / ".links"):
        number = _free_number()
        _, inner = _addresses(number)
        cluster.home.mkdir(parents=True)
        facts = node.Node(
            cluster=cluster.name,
            group=cluster.group,
            address=inner,
            snapshotter=machine.snapshotter_for(cluster.home),
        )
        (cluster.home / "node.json").write_text(json.dumps(asdict(facts)))
        (cluster.home / "link.json").write_text(json.dumps({"number": number}))
    _make_keys(cluster, facts)
    process = _start_node(cluster)
    api = api_of(cluster)
    _await(process, "its node", lambda: _has_a_ready_node(api, facts.name))
    images.load_archive(cluster, images.pause())
    _await(process, "its service account", lambda: _has_a_service_account(api))
    unfinished = cluster.home / "kubeconfig.unfinished"
    unfinished.write_text(json.dumps(_admin_login(cluster)))
    users.add(unfinished)
    unfinished.rename(cluster.kubeconfig)


def _start_node(cluster: Cluster) -> subprocess.Popen[bytes]:
    """Starts the programs on the data that is there, at the address that the cluster has."""
    cgroups.make(cluster.group)
    process = _start_first_process(cluster)
    number = json.loads((cluster.home / "link.json").read_text())["number"]
    _link(cluster, number, address=_addresses(number)[0])
    return process


def _make_keys(cluster: Cluster, facts: node.Node) -> None:
    keys = cluster.home / "keys"
    certificates.make_authority(keys)
    certificates.make_signing_key(keys, "tokens")
    for name, subject in _COMPONENTS:
        certificates.issue(keys, name, subject=subject)
    certificates.issue(keys, "kubelet", subject=f"/O=system:nodes/CN=system:node:{facts.name}")
    service = "kubernetes.default.svc"
    names = ("kubernetes", "kubernetes.default", service, f"{service}.cluster.local", "localhost")
    first_service = str(next(ipaddress.ip_network(node.SERVICE_NETWORK).hosts()))
    addresses = (*names, first_service, facts.address, "127.0.0.1")
    certificates.issue(keys, "api", subject="/CN=kube-apiserver", addresses=addresses, server=True)


def _start_first_process(cluster: Cluster) -> subprocess.Popen[bytes]:
    (cluster.home / "log").mkdir(exist_ok=True)
    package = Path(__file__).parent
    namespaces = ("--mount", "--pid", "--fork", "--net", "--kill-child", "--mount-proc")
    main = (sys.executable, "-m", f"{package.name}.node", cluster.home, programs.directory())
    with (cluster.home / "log" / "node.log").open("ab") as log:
        process = subprocess.Popen(
            ["unshare", *namespaces, "--", *map(str, main)],
            cwd="/",
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(package.parent)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    facts = {"pid": process.pid, "birth": _birth_of(process.pid)}
    (cluster.home / "process.json").write_text(json.dumps(facts))
    return process


def _link(cluster: Cluster, number: int, *, address: str) -> None:
    if not eventually(lambda: cluster.first_process is not None, within=10):
        raise ClusterError("its first process did not start")
    link, inside = _link_name(number), str(cluster.first_process)
    _ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", inside)
    _ip("link", "set", link, "alias", f"modelwarden cluster {cluster.name}")
    _ip("address", "add", f"{address}/30", "dev", link)
    _ip("link", "set", link, "up")


def _remove(cluster: Cluster) -> None:
    _end(cluster)
    if cluster.home.exists():
        shutil.rmtree(cluster.home)


def _end(cluster: Cluster) -> None:
    """Ends its processes, and with them its links, control groups and mounts; its data stays."""
    for process in (cluster.first_process, cluster.process):
        if process:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
    cgroups.kill(cluster.group)
    if not eventually(lambda: not cgroups.processes(cluster.group), within=30, every=0.02):
        raise ClusterError(f"processes of {cluster.name!r} do not end: they wait for the disk")
    eventually(lambda: cluster.process is None, within=10, every=0.02)
    link = cluster.home / "link.json"
    if link.exists():
        name = _link_name(json.loads(link.read_text())["number"])
        subprocess.run(["ip", "link", "delete", name], capture_output=True, check=False)
    eventually(lambda: _groups_are_gone(cluster.group), within=10, every=0.02)
    for mount in _mounts_below(cluster.home):
        subprocess.run(["umount", "--lazy", mount], check=True)


def _groups_are_gone(name: str) -> bool:
    cgroups.remove(name)
    return not cgroups.remaining(name)


def _keep_logs(cluster: Cluster) -> None:
    """The logs of a start that failed outlive the cleaning up, for whoever asks why."""
    log = cluster.home / "log"
    if log.exists():
        kept = folder("failed") / cluster.name
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(log, kept)
        say(f"  its logs: {kept}")


def _await(process: subprocess.Popen[bytes], what: str, claim: Any) -> None:
    def settled() -> bool:
        if process.poll() is not None:
            raise ClusterError("its first process ended")
        with suppress(UnavailableError):
            return bool(claim())
        return False

    if not eventually(settled, within=180):
        raise ClusterError(f"{what} did not become ready")


def api_of(cluster: Cluster) -> Api:
    """The cluster's API server, as its administrator."""
    keys = cluster.home / "keys"
    return Api(
        host=cluster.address,
        authority=keys / "ca.crt",
        certificate=keys / "admin.crt",
        key=keys / "admin.key",
    )


def _has_a_ready_node(api: Api, name: str) -> bool:
    conditions = api.get(f"/api/v1/nodes/{name}")["status"].get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _is_heard_since(api: Api, name: str, begun: datetime) -> bool:
    """What the node said of itself before it ended is still there; its lease tells the time."""
    path = f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{name}"
    renewed = datetime.fromisoformat(api.get(path)["spec"]["renewTime"])
    return renewed > begun and _has_a_ready_node(api, name)


def _has_a_service_account(api: Api) -> bool:
    return bool(api.get("/api/v1/namespaces/default/serviceaccounts/default"))


def _admin_login(cluster: Cluster) -> dict[str, Any]:
    keys = cluster.home / "keys"
    return kubeconfigs.single(
        f"kind-{cluster.name}",
        server=f"https://{cluster.address}:6443",
        authority=(keys / "ca.crt").read_bytes(),
        certificate=(keys / "admin.crt").read_bytes(),
        key=(keys / "admin.key").read_bytes(),
    )


def _free_number() -> int:
    used = {json.loads(link.read_text())["number"] for link in _homes().glob("*/link.json")}
    routes = json.loads(_ip("-json", "-4", "route", "show", "table", "all"))
    taken = [ipaddress.ip_network(route["dst"]) for route in routes if route["dst"] != "default"]
    for number in range(1, 255):
        network = ipaddress.ip_network(f"{_addresses(number)[0]}/30", strict=False)
        if number not in used and not any(network.overlaps(other) for other in taken):
            return number
    raise ClusterError("no free addresses for one more cluster")


def _addresses(number: int) -> tuple[str, str]:
    """The machine's and the node's end of a cluster's link."""
    base = _LINKS.network_address + 256 * number
    return str(base + 1), str(base + 2)


def _link_name(number: int) -> str:
    return f"modelwarden{number}"


def _ip(*words: str) -> str:
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout


def _birth_of(process: int) -> str | None:
    """What tells a process from a later one of the same number; None once it has ended."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return None if fields[0] in "ZX" else f"{boot} {fields[19]}"


def _children_of(process: int) -> list[int]:
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in children.split()]


def _mounts_below(place: Path) -> list[str]:
    lines = Path("/proc/self/mounts").read_text().splitlines()
    points = [line.split()[1].replace("\\040", " ") for line in lines]
    return [point for point in reversed(points) if Path(point).is_relative_to(place)]
