"""What the machine must have: root on Linux, a few Debian packages, namespaces, Go."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import programs
from .cache import folder, held
from .terminal import step

# The Debian package, and a file that shows it is there.
_PACKAGES = {
    "buildah": "/usr/bin/buildah",
    "ca-certificates": "/etc/ssl/certs/ca-certificates.crt",
    "conntrack": "/usr/sbin/conntrack",
    "containernetworking-plugins": "/usr/lib/cni/ptp",
    "debootstrap": "/usr/sbin/debootstrap",
    "iproute2": "/sbin/ip",
    "iptables": "/usr/sbin/iptables",
    "nftables": "/usr/sbin/nft",
    "openssl": "/usr/bin/openssl",
    "runc": "/usr/sbin/runc",
}
_NAMESPACES = ("--mount", "--pid", "--fork", "--net", "--kill-child", "--mount-proc")


class MachineLacksError(Exception):
    """The machine cannot run a cluster of processes; the message says what is missing."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of the doctor: what was looked at, and what to do if it is not well."""

    what: str
    is_well: bool
    remedy: str


def prepare() -> None:
    """Installs the missing Debian packages, or says what else is in the way."""
    for finding in (_runs_linux(), _is_root()):
        if not finding.is_well:
            raise MachineLacksError(f"{finding.what}: {finding.remedy}")
    with held(folder() / ".packages.lock"):
        lacking = _missing_packages()
        if lacking:
            _install(lacking)
    finding = _has_namespaces()
    if not finding.is_well:
        raise MachineLacksError(f"{finding.what}: {finding.remedy}")


def redis_server() -> Path:
    """The Redis server, to be started under the name redis-server; installed if it never was.

    Debian packs it with Redis's tools, under another name; the package that has its own name would
    start a service of the machine.
    """
    found = shutil.which("redis-server")
    if found:
        return Path(found)
    if not is_a_home_for_processes():
        raise MachineLacksError("redis-server: install Redis")
    program = Path("/usr/bin/redis-check-rdb")
    with held(folder() / ".packages.lock"):
        if not program.exists():
            _install(["redis-tools"])
    return program


def findings() -> list[Finding]:
    """Everything the doctor looks at."""
    looks: tuple[Callable[[], Finding], ...] = (
        (_runs_linux, _is_root, _has_packages, _has_namespaces)
        if is_a_home_for_processes()
        else (_has_engine, _has_kind, _has_openssl)
    )
    return [look() for look in (*looks, _has_go, _has_programs, _has_room)]


def is_a_home_for_processes() -> bool:
    """True if the cluster can be made of processes here; elsewhere it is kind's."""
    return _runs_linux().is_well and _is_root().is_well


def has_docker() -> bool:
    """True if a container engine answers; a client alone is no engine."""
    if not shutil.which("docker"):
        return False
    command = ("docker", "info", "--format", "{{.ServerVersion}}")
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except subprocess.TimeoutExpired:
        return False
    return answer.returncode == 0 and bool(answer.stdout.strip())


def snapshotter_for(place: Path) -> str:
    """How containerd keeps layers there: an overlay cannot lie on an overlay."""
    command = ("stat", "--file-system", "--format=%T", str(place))
    kind = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return "native" if kind == "overlayfs" else "overlayfs"


def _runs_linux() -> Finding:
    return Finding(
        what="Linux",
        is_well=sys.platform == "linux",
        remedy="elsewhere the cluster is kind's: install Docker and kind",
    )


def _is_root() -> Finding:
    return Finding(
        what="root",
        is_well=hasattr(os, "geteuid") and os.geteuid() == 0,
        remedy="a node of processes mounts and routes: run as root, or install Docker and kind",
    )


def _has_engine() -> Finding:
    return Finding(
        what="Docker (without root on Linux the cluster is kind's)",
        is_well=has_docker(),
        remedy="start its engine, or run as root on Linux",
    )


def _has_kind() -> Finding:
    return Finding(
        what="kind",
        is_well=shutil.which("kind") is not None,
        remedy="install kind, or run as root on Linux",
    )


def _has_openssl() -> Finding:
    return Finding(
        what="openssl", is_well=shutil.which("openssl") is not None, remedy="install openssl"
    )


def _has_packages() -> Finding:
    lacking = _missing_packages()
    can_install = shutil.which("apt-get") is not None
    return Finding(
        what="Debian packages" + (f" (to be installed: {' '.join(lacking)})" if lacking else ""),
        is_well=not lacking or can_install,
        remedy=f"install what has {', '.join(_PACKAGES[name] for name in lacking)}",
    )


def _has_namespaces() -> Finding:
    outcome = subprocess.run(["unshare", *_NAMESPACES, "true"], capture_output=True, check=False)
    return Finding(
        what="namespaces (unshare)",
        is_well=outcome.returncode == 0,
        remedy="this machine forbids them: in a container, run it privileged",
    )


def _has_go() -> Finding:
    there = shutil.which("go") is not None
    built = not programs.missing()
    return Finding(
        what="Go" if there else "Go (not on PATH: its PyPI wheel is used)",
        is_well=there or built or sys.platform == "linux",
        remedy="install Go 1.26 or newer",
    )


def _has_programs() -> Finding:
    lacking = programs.missing()
    return Finding(
        what=f"programs ({len(lacking)} to be built)" if lacking else "programs",
        is_well=True,
        remedy="",
    )


def _has_room() -> Finding:
    free = shutil.disk_usage(folder()).free / 2**30
    needed = 10 if programs.missing() else 3
    return Finding(
        what=f"disk ({free:.0f} GiB free)",
        is_well=free >= needed,
        remedy=f"{needed} GiB are needed in {folder()} and Go's cache",
    )


def _missing_packages() -> list[str]:
    return [name for name, file in _PACKAGES.items() if not Path(file).exists()]


def _install(names: list[str]) -> None:
    if not shutil.which("apt-get"):
        raise MachineLacksError(f"no apt-get to install {' '.join(names)} with")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *names]
    with step(f"installing {' '.join(names)}"):
        first = subprocess.run(install, env=environment, capture_output=True, check=False)
        if first.returncode == 0:
            return
        subprocess.run(["apt-get", "update", "--quiet"], capture_output=True, check=False)
        second = subprocess.run(
            install, env=environment, capture_output=True, text=True, check=False
        )
    if second.returncode:
        raise MachineLacksError(f"apt-get install failed: {second.stderr.strip()}")
