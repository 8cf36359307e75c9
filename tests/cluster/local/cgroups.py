"""The control groups of a cluster: one root of its own, else a kubelet takes another's for orphans."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_CONTROLLERS = ("cpuset", "cpu", "io", "memory", "hugetlb", "pids")


def root_of(cluster: str) -> str:
    """The path of the cluster's group in every hierarchy."""
    return f"/modelwarden-{cluster}"


def make(cluster: str) -> None:
    """Makes the cluster's group where the machine keeps its controllers, version 1 or 2."""
    for hierarchy in _mounted("cgroup"):
        group = _group(hierarchy, cluster)
        group.mkdir(exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems"):
            if (hierarchy / setting).exists():
                (group / setting).write_text((hierarchy / setting).read_text())
    if _memory_is_in_version_2():
        for hierarchy in _mounted("cgroup2"):
            group = _group(hierarchy, cluster)
            _delegate(hierarchy)
            group.mkdir(exist_ok=True)
            _delegate(group)


def enter(cluster: str) -> None:
    """Puts this process and its children to be into the cluster's group, in a leaf of its own."""
    for hierarchy in (*_mounted("cgroup"), *_mounted("cgroup2")):
        group = _group(hierarchy, cluster)
        if not group.exists():
            continue
        leaf = group / "programs"
        leaf.mkdir(exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems"):
            if hierarchy.joinpath("cgroup.controllers").exists() or not (group / setting).exists():
                continue
            (leaf / setting).write_text((group / setting).read_text())
        (leaf / "cgroup.procs").write_text(str(os.getpid()))


def kill(cluster: str) -> None:
    """Ends every process of the cluster that an earlier end left alive."""
    for process in processes(cluster):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def processes(cluster: str) -> set[int]:
    """The processes in any group of the cluster, pods included."""
    found: set[int] = set()
    for group in _all_groups(cluster):
        with suppress(OSError):
            found.update(map(int, (group / "cgroup.procs").read_text().split()))
    return found - {0}


def remove(cluster: str) -> None:
    """Removes the cluster's groups, deepest first."""
    for group in sorted(_all_groups(cluster), key=lambda path: len(path.parts), reverse=True):
        with suppress(OSError):
            group.rmdir()


def remaining(cluster: str) -> list[Path]:
    """The groups of the cluster that exist."""
    return list(_all_groups(cluster))


def _all_groups(cluster: str) -> Iterator[Path]:
    for hierarchy in (*_mounted("cgroup"), *_mounted("cgroup2")):
        group = _group(hierarchy, cluster)
        if group.exists():
            yield from (Path(folder) for folder, _, _ in os.walk(group))


def _group(hierarchy: Path, cluster: str) -> Path:
    return hierarchy / root_of(cluster).lstrip("/")


def _mounted(kind: str) -> list[Path]:
    lines = (line.split() for line in Path("/proc/self/mounts").read_text().splitlines())
    return [Path(fields[1]) for fields in lines if fields[2] == kind]


def _memory_is_in_version_2() -> bool:
    return any(
        "memory" in (hierarchy / "cgroup.controllers").read_text().split()
        for hierarchy in _mounted("cgroup2")
    )


def _delegate(group: Path) -> None:
    available = (group / "cgroup.controllers").read_text().split()
    for controller in _CONTROLLERS:
        if controller in available:
            with suppress(OSError):  # a machine may forbid one; kubelet says which it misses
                (group / "cgroup.subtree_control").write_text(f"+{controller}")
