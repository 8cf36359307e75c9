"""Images without a container engine: made, kept and carried into a cluster."""

import hashlib
import io
import json
import os
import platform
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from . import machine, node, programs
from .cache import folder

if TYPE_CHECKING:
    from .clusters import Cluster

_OF_ITS_OWN = ("--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--")
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


class NoSuchImageError(Exception):
    """No image of that name is in Docker, in buildah's storage, among our own or in a file."""


@dataclass(frozen=True, kw_only=True)
class Scratch:
    """An image made of a few files, with nothing below them."""

    reference: str
    entrypoint: tuple[str, ...]
    files: Mapping[str, Path | bytes]
    links: Mapping[str, str] = field(default_factory=dict)
    user: str = "65532:65532"


def pause() -> Path:
    """The archive of the image that holds a pod's namespaces open."""
    program = programs.built("pause")
    return archive(Scratch(reference=node.PAUSE, entrypoint=("/pause",), files={"/pause": program}))


def archive(image: Scratch) -> Path:
    """The image as a file that Docker and containerd load; the same files make the same bytes."""
    target = _own_archive(image.reference)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    _write(image, unfinished)
    unfinished.replace(target)
    return target


def make(image: Scratch) -> str:
    """Makes the image known to `load` and, where there is one, to the container engine."""
    written = archive(image)
    if machine.has_docker():
        command = ("docker", "load", "--quiet", "--input", str(written))
        subprocess.run(command, check=True, capture_output=True)
    return image.reference


def load(cluster: "Cluster", reference: str) -> None:
    """Carries an image, by name or by file, into the cluster's node."""
    with archive_of(reference) as (file, identity):
        if not _has(cluster, reference, identity):
            load_archive(cluster, file)
            _remember(cluster, reference, identity)


def load_archive(cluster: "Cluster", file: Path) -> None:
    """Carries the images of an archive into the cluster's node."""
    ctr = (str(node.PROGRAMS / "ctr"), "--address", str(node.SOCKET), "--namespace", "k8s.io")
    with file.open("rb") as content:
        outcome = cluster.run_inside(
            *ctr, "images", "import", "-", stdin=content, capture_output=True
        )
    if not outcome.stdout and not outcome.stderr:
        raise NoSuchImageError(f"{file} holds no image")


def buildah(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs buildah on the storage that is ours, apart from the machine's own."""
    options = {"text": True, "env": buildah_environment(), **options}
    check = options.pop("check", True)
    return subprocess.run(buildah_command(*words), check=check, **options)


def buildah_command(*words: str) -> list[str]:
    """The words that run buildah on our storage; what it mounts and starts ends with it."""
    storage = folder("images", "storage")
    places = ("--root", str(storage), "--runroot", str(storage / "run"))
    return ["unshare", *_OF_ITS_OWN, "buildah", *places, *words]


def buildah_environment() -> dict[str, str]:
    """The environment for it: a build needs no more of the machine than its root."""
    overlay = machine.snapshotter_for(folder("images")) == "overlayfs"
    driver = "overlay" if overlay else "vfs"
    return {**os.environ, "STORAGE_DRIVER": driver, "BUILDAH_ISOLATION": "chroot"}


@contextmanager
def archive_of(reference: str) -> Iterator[tuple[Path, str]]:
    """The image as an archive, and what tells it from another of the same name."""
    own = _own_archive(reference)
    if Path(reference).is_file():
        yield Path(reference), _digest(Path(reference))
    elif machine.has_docker() and (identity := _docker_identity(reference)):
        with _temporary() as file:
            subprocess.run(["docker", "save", "--output", str(file), reference], check=True)
            yield file, identity
    elif own.exists():
        yield own, _digest(own)
    elif identity := buildah_identity(reference):
        with _temporary() as file:
            target = f"docker-archive:{file}:{reference}"
            buildah("push", "--quiet", reference, target, capture_output=True)
            yield file, identity
    else:
        raise NoSuchImageError(f"no image {reference!r}: not in Docker, not in buildah's storage")


def buildah_identity(reference: str) -> str | None:
    """The id of an image in buildah's storage, if it is there."""
    words = ("inspect", "--type", "image", "--format", "{{.FromImageID}}", reference)
    outcome = buildah(*words, check=False, capture_output=True)
    return outcome.stdout.strip() if outcome.returncode == 0 else None


def _docker_identity(reference: str) -> str | None:
    command = ("docker", "image", "inspect", "--format", "{{.Id}}", reference)
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    return outcome.stdout.strip() if outcome.returncode == 0 else None


@contextmanager
def _temporary() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=folder("images")) as place:
        yield Path(place) / "image.tar"


def _own_archive(reference: str) -> Path:
    return folder("images", "archives") / f"{quote(reference, safe=':')}.tar"


def _mark(cluster: "Cluster", reference: str) -> Path:
    marks = cluster.home / "images"
    marks.mkdir(exist_ok=True)
    return marks / quote(reference, safe=":")


def _has(cluster: "Cluster", reference: str, identity: str) -> bool:
    mark = _mark(cluster, reference)
    return mark.exists() and mark.read_text() == identity


def _remember(cluster: "Cluster", reference: str, identity: str) -> None:
    _mark(cluster, reference).write_text(identity)


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _write(image: Scratch, target: Path) -> None:
    layer = _layer(image)
    layer_digest = hashlib.sha256(layer).hexdigest()
    configuration = {
        "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {"Entrypoint": list(image.entrypoint), "User": image.user},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_digest}"]},
        "history": [{"created_by": "files"}],
    }
    encoded = json.dumps(configuration).encode()
    name = f"{hashlib.sha256(encoded).hexdigest()}.json"
    manifest = [
        {"Config": name, "RepoTags": [image.reference], "Layers": [f"{layer_digest}/layer.tar"]}
    ]
    with tarfile.open(target, "w") as tar:
        _add(tar, f"{layer_digest}/layer.tar", layer)
        _add(tar, name, encoded)
        _add(tar, "manifest.json", json.dumps(manifest).encode())


def _layer(image: Scratch) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        scratch = tarfile.TarInfo("tmp")
        scratch.type, scratch.mode = tarfile.DIRTYPE, 0o1777
        tar.addfile(scratch)
        for path, source in sorted(image.files.items()):
            data = source.read_bytes() if isinstance(source, Path) else source
            _add(tar, path.lstrip("/"), data, mode=0o755)
        for path, target in sorted(image.links.items()):
            link = tarfile.TarInfo(path.lstrip("/"))
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
    return content.getvalue()


def _add(tar: tarfile.TarFile, path: str, data: bytes, *, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode = len(data), mode
    tar.addfile(entry, io.BytesIO(data))
