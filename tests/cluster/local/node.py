"""Process 1 of a cluster: makes its namespaces a home for Kubernetes, then runs the programs in it.

It is started in namespaces of its own and everything it starts lives in them, so that the end of
this one process is the end of every process, mount, address and rule of the cluster.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import cgroups, volumes
from .api import Api, eventually

POD_NETWORK = "10.244.0.0/24"
SERVICE_NETWORK = "10.96.0.0/16"
PAUSE = "modelwarden-test/pause:1"
CNI_PLUGINS = Path("/usr/lib/cni")

# Where a cluster sees its own parts; its mounts are private, so the paths are every cluster's.
HOME = Path("/run/cluster")
PROGRAMS = Path("/run/programs")
KEYS = HOME / "keys"
SOCKET = Path("/run/containerd.sock")

# kubelet sets these for the whole machine; it is given a private copy to write into.
_MACHINE_SETTINGS = (
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
    "kernel/panic",
    "kernel/panic_on_oops",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
)

_RULES = f"""table ip modelwarden {{
    chain out {{
        type nat hook postrouting priority srcnat
        oifname "eth0" ip saddr {POD_NETWORK} masquerade
    }}
}}
"""


@dataclass(frozen=True, kw_only=True)
class Node:
    """What a node has to know of itself."""

    cluster: str
    group: str
    address: str
    snapshotter: str

    @property
    def name(self) -> str:
        """The node's name, as kind names a control plane."""
        return f"{self.cluster}-control-plane"


def main(home: Path, programs: Path) -> None:
    """Runs the cluster whose data is in the home folder, until killed."""
    node = Node(**json.loads((home / "node.json").read_text()))
    cgroups.enter(node.group)
    _make_private_mounts(home, programs)
    _make_network(node)
    programs_of_node = Programs()
    programs_of_node.start("etcd", _etcd())
    programs_of_node.start("kube-apiserver", _api_server(node))
    programs_of_node.start("containerd", _containerd(node))
    api = _api(node)
    _await("the API server", api.is_ready)
    _await("containerd", SOCKET.exists)
    volumes.make_class(api)
    for name, command in _that_need_the_api(node).items():
        programs_of_node.start(name, command)
    threading.Thread(target=volumes.provide, args=(api, node.name), daemon=True).start()
    programs_of_node.keep_running()


class Programs:
    """The programs of a node: each restarted when it ends, with its output in a log of its own."""

    def __init__(self) -> None:
        self._commands: dict[str, list[str]] = {}
        self._names: dict[int, str] = {}

    def start(self, name: str, command: list[str]) -> None:
        """Starts the program and remembers how."""
        self._commands[name] = command
        with (HOME / "log" / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [str(PROGRAMS / command[0]), *command[1:]],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        process.returncode = 0  # reaped below, with all that ends in this namespace
        self._names[process.pid] = name

    def keep_running(self) -> None:
        """Reaps whatever ends, as process 1 must, and starts again what should not have."""
        while True:
            process, status = os.wait()
            name = self._names.pop(process, None)
            if name is not None:
                print(f"{name} ended with status {status}", flush=True)
                time.sleep(1)
                self.start(name, self._commands[name])


def _await(what: str, claim: Callable[[], bool]) -> None:
    if not eventually(claim, within=120):
        sys.exit(f"{what} did not become ready")


def _api(node: Node) -> Api:
    return Api(
        host=node.address,
        authority=KEYS / "ca.crt",
        certificate=KEYS / "admin.crt",
        key=KEYS / "admin.key",
    )


def _make_private_mounts(home: Path, programs: Path) -> None:
    _run("mount", "--make-rprivate", "/")
    _run("mount", "-t", "tmpfs", "-o", "mode=755", "run", "/run")
    for source, target in ((home, HOME), (programs, PROGRAMS)):
        target.mkdir()
        _run("mount", "--bind", str(source), str(target))
    for target in (Path("/var/lib"), Path("/var/log")):
        source = HOME / f"var-{target.name}"
        source.mkdir(exist_ok=True)
        _run("mount", "--bind", str(source), str(target))
    for setting in _MACHINE_SETTINGS:
        original = Path("/proc/sys") / setting
        copy = Path("/run/settings") / setting
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(original.read_text())
        _run("mount", "--bind", str(copy), str(original))
    _run("mount", "--make-rshared", "/")
    Path("/run/netns").mkdir()
    Path("/run/resolv.conf").write_text("")
    os.chdir("/")


def _make_network(node: Node) -> None:
    _run("ip", "link", "set", "lo", "up")
    _await("the link to the machine", _has_link)
    _run("ip", "address", "add", f"{node.address}/30", "dev", "eth0")
    _run("ip", "link", "set", "eth0", "up")
    # The API server calls webhooks by their Services: kube-proxy turns such a packet aside, but
    # only one that has a route to begin with.
    _run("ip", "route", "add", SERVICE_NETWORK, "dev", "eth0")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    # The machine knows no way back to a pod, so that what pods send there bears the node's address.
    _run("nft", _RULES)


def _has_link() -> bool:
    return Path("/proc/net/dev").read_text().count("eth0:") == 1


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


def _etcd() -> list[str]:
    local = "http://127.0.0.1"
    return [
        "etcd",
        f"--data-dir={HOME / 'etcd'}",
        f"--listen-client-urls={local}:2379",
        f"--advertise-client-urls={local}:2379",
        f"--listen-peer-urls={local}:2380",
        f"--initial-advertise-peer-urls={local}:2380",
        f"--initial-cluster=default={local}:2380",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def _api_server(node: Node) -> list[str]:
    return [
        "kube-apiserver",
        "--etcd-servers=http://127.0.0.1:2379",
        f"--advertise-address={node.address}",
        "--secure-port=6443",
        f"--tls-cert-file={KEYS / 'api.crt'}",
        f"--tls-private-key-file={KEYS / 'api.key'}",
        f"--client-ca-file={KEYS / 'ca.crt'}",
        f"--service-cluster-ip-range={SERVICE_NETWORK}",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={KEYS / 'tokens.pub'}",
        f"--service-account-signing-key-file={KEYS / 'tokens.key'}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged",
        "--kubelet-preferred-address-types=InternalIP",
        f"--kubelet-client-certificate={KEYS / 'admin.crt'}",
        f"--kubelet-client-key={KEYS / 'admin.key'}",
        "--profiling=false",
    ]


def _that_need_the_api(node: Node) -> dict[str, list[str]]:
    admin = f"--kubeconfig={_login(node, 'admin')}"
    return {
        "kube-controller-manager": [
            "kube-controller-manager",
            f"--kubeconfig={_login(node, 'controllers')}",
            "--use-service-account-credentials",
            # Each controller first asks for a login of its own: seconds, at the usual rate.
            "--kube-api-qps=200",
            "--kube-api-burst=400",
            f"--root-ca-file={KEYS / 'ca.crt'}",
            f"--cluster-signing-cert-file={KEYS / 'ca.crt'}",
            f"--cluster-signing-key-file={KEYS / 'ca.key'}",
            f"--service-account-private-key-file={KEYS / 'tokens.key'}",
            "--leader-elect=false",
        ],
        "kube-scheduler": [
            "kube-scheduler",
            f"--kubeconfig={_login(node, 'scheduler')}",
            "--leader-elect=false",
        ],
        "kubelet": [
            "kubelet",
            f"--kubeconfig={_login(node, 'kubelet')}",
            f"--config={_kubelet_settings(node)}",
            f"--root-dir={HOME / 'kubelet'}",
            f"--hostname-override={node.name}",
            f"--node-ip={node.address}",
        ],
        "kube-proxy": [
            "kube-proxy",
            admin,
            "--proxy-mode=nftables",
            f"--hostname-override={node.name}",
            f"--cluster-cidr={POD_NETWORK}",
            f"--nodeport-addresses={node.address}/32",
            "--conntrack-max-per-core=0",
        ],
        "coredns": ["coredns", "-conf", str(_corefile(node))],
    }


def _login(node: Node, who: str) -> Path:
    """A kubeconfig for a program of the node, by the certificate of that name."""
    written = HOME / f"{who}.kubeconfig"
    cluster = {
        "server": f"https://{node.address}:6443",
        "certificate-authority": str(KEYS / "ca.crt"),
    }
    user = {
        "client-certificate": str(KEYS / f"{who}.crt"),
        "client-key": str(KEYS / f"{who}.key"),
    }
    configuration = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "this", "cluster": cluster}],
        "users": [{"name": who, "user": user}],
        "contexts": [{"name": who, "context": {"cluster": "this", "user": who}}],
        "current-context": who,
    }
    written.write_text(json.dumps(configuration))
    return written


def _kubelet_settings(node: Node) -> Path:
    settings = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": node.address,
        "authentication": {
            "anonymous": {"enabled": False},
            "x509": {"clientCAFile": str(KEYS / "ca.crt")},
        },
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{node.group}",
        "clusterDNS": [node.address],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
        "enforceNodeAllocatable": [],
        # A laptop's disk is often nearly full; a test cluster does not evict for it.
        "evictionHard": {"imagefs.available": "0%", "nodefs.available": "0%"},
        "failCgroupV1": False,
        "failSwapOn": False,
        "imageGCHighThresholdPercent": 100,
        "nodeStatusUpdateFrequency": "5s",
        "resolvConf": "/run/resolv.conf",
        "serializeImagePulls": False,
        "volumePluginDir": "/run/volume-plugins",
    }
    written = HOME / "kubelet.json"
    written.write_text(json.dumps(settings))
    return written


def _containerd(node: Node) -> list[str]:
    network = {
        "cniVersion": "1.0.0",
        "name": "modelwarden",
        "plugins": [
            {
                # Every packet of a pod passes the node's rules; over a bridge, two pods of one
                # Service would answer each other behind the back of its address translation.
                "type": "ptp",
                "ipam": {
                    "type": "host-local",
                    "dataDir": "/run/addresses",
                    "ranges": [[{"subnet": POD_NETWORK}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
        ],
    }
    networks = Path("/run/networks")
    networks.mkdir()
    (networks / "pods.conflist").write_text(json.dumps(network))
    written = HOME / "containerd.toml"
    written.write_text(f"""version = 3
root = "{HOME / "containerd"}"
state = "/run/containerd"
[grpc]
address = "{SOCKET}"
[plugins."io.containerd.cri.v1.images"]
snapshotter = "{node.snapshotter}"
[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "{PAUSE}"
[plugins."io.containerd.cri.v1.runtime"]
restrict_oom_score_adj = true
disable_apparmor = true
[plugins."io.containerd.cri.v1.runtime".containerd]
default_runtime_name = "runc"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
SystemdCgroup = false
[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["{CNI_PLUGINS}"]
conf_dir = "{networks}"
[plugins."io.containerd.transfer.v1.local"]
unpack_config = [{{ platform = "linux", snapshotter = "{node.snapshotter}" }}]
""")
    return ["containerd", "--config", str(written)]


def _corefile(node: Node) -> Path:
    written = HOME / "Corefile"
    written.write_text(f"""cluster.local:53 in-addr.arpa:53 {{
    bind {node.address}
    errors
    kubernetes cluster.local in-addr.arpa {{
        kubeconfig {_login(node, "admin")} admin
    }}
}}
.:53 {{
    bind {node.address}
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
""")
    return written


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    os.environ["PATH"] = f"{PROGRAMS}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    main(Path(sys.argv[1]), Path(sys.argv[2]))
