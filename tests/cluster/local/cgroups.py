"""The machine's control groups, version 1 or 2: one for each cluster."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_CONTROLLERS = ("cpuset", "cpu", "io", "memory", "hugetlb", "pids")


def make(name: str) -> None:
    """Makes the group where the machine keeps its controllers, version 1 or 2."""
    for hierarchy in _mounted("cgroup"):
        group = hierarchy / name
        group.mkdir(exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems"):
            if (hierarchy / setting).exists():
                (group / setting).write_text((hierarchy / setting).read_text())
    if _memory_is_in_version_2():
        for hierarchy in _mounted("cgroup2"):
            group = hierarchy / name
            _delegate(hierarchy)
            group.mkdir(exist_ok=True)
            _delegate(group)


def enter(name: str) -> None:
    """Puts this process and its children to be into the group, in a leaf of its own."""
    for hierarchy in (*_mounted("cgroup"), *_mounted("cgroup2")):
        group = hierarchy / name
        if not group.exists():
            continue
        leaf = group / "programs"
        leaf.mkdir(exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems"):
            if hierarchy.joinpath("cgroup.controllers").exists() or not (group / setting).exists():
                continue
            (leaf / setting).write_text((group / setting).read_text())
        (leaf / "cgroup.procs").write_text(str(os.getpid()))


def kill(name: str) -> None:
    """Ends every process in the group."""
    for process in processes(name):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def processes(name: str) -> set[int]:
    """The processes in the group and those below it, pods included."""
    found: set[int] = set()
    for group in _all_groups(name):
        with suppress(OSError):
            found.update(map(int, (group / "cgroup.procs").read_text().split()))
    return found - {0}


def remove(name: str) -> None:
    """Removes the group and those below it, deepest first."""
    for group in sorted(_all_groups(name), key=lambda path: len(path.parts), reverse=True):
        with suppress(OSError):
            group.rmdir()


def remaining(name: str) -> list[Path]:
    """The folders that the group and those below it still have."""
    return list(_all_groups(name))


def starting_with(prefix: str) -> set[str]:
    """The names of the machine's groups that begin so."""
    hierarchies = (*_mounted("cgroup"), *_mounted("cgroup2"))
    return {group.name for hierarchy in hierarchies for group in hierarchy.glob(f"{prefix}*")}


def _all_groups(name: str) -> Iterator[Path]:
    for hierarchy in (*_mounted("cgroup"), *_mounted("cgroup2")):
        group = hierarchy / name
        if group.exists():
            yield from (Path(folder) for folder, _, _ in os.walk(group))


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
