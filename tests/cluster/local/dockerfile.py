"""Builds the targets of a Dockerfile: by Docker where its engine answers, else by buildah.

Without Docker the image that Dockerfiles begin with is made from the machine's own Debian archive.
"""

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from . import images, machine
from .cache import folder, held
from .terminal import say, step

_BASE_PACKAGES = ("ca-certificates", "python3", "python3-venv")
_LABEL = "modelwarden.test/sources"
# What a Debian base carries for people at a terminal, and nobody in a container reads.
_NOT_NEEDED = (
    "usr/share/doc",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/man",
    "var/cache/apt",
    "var/lib/apt/lists",
    "var/log",
)
_LAYERS_KEPT = 100
_TAGS_KEPT = 6
_NEVER_SOURCE = ("__pycache__", ".pyc")


class CannotBuildError(Exception):
    """The image was not built; the builder's words are on the terminal."""


def build(context: Path, target: str, reference: str) -> bool:
    """Builds the target under that name; False if the same sources are built already."""
    digest = sources_digest(context, target)
    with held(folder("images") / ".lock"):
        if machine.has_docker():
            if _docker_label(reference) == digest:
                return False
            with step(f"building image {reference}"):
                _build_by_docker(context, target, reference, digest)
        else:
            machine.prepare()
            if _buildah_label(reference) == digest:
                return False
            images.buildah("rm", "--all", capture_output=True)  # of a build that was interrupted
            _forget_old_builds(reference)
            base = base_image()
            with step(f"building image {reference}"):
                _build_by_buildah(context, target, reference, digest=digest, base=base)
    return True


def sources_digest(context: Path, target: str) -> str:
    """What the target is made of, as one digest: its instructions and every file they copy."""
    instructions = _instructions_for(target, (context / "Dockerfile").read_text())
    digest = hashlib.sha256("\n".join(instructions).encode())
    for file in sorted(set(_copied_files(context, instructions))):
        name = file.relative_to(context).as_posix()
        digest.update(f"{name}\0{file.stat().st_mode & 0o111}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def forget(reference: str) -> None:
    """Removes an image that was built here."""
    if machine.has_docker():
        subprocess.run(["docker", "rmi", reference], capture_output=True, check=False)
    elif images.buildah_identity(reference):
        images.buildah("rmi", reference, capture_output=True)


def base_image() -> str:
    """A Debian with Python, made once per user, and its name."""
    release = _release()
    reference = f"localhost/modelwarden-test/python:{release['ID']}-{release['VERSION_CODENAME']}"
    if images.buildah_identity(reference):
        return reference
    with step("making a base image of Debian and Python"), _scratch() as place:
        root = place / "root"
        _debootstrap(root, release["VERSION_CODENAME"])
        for name in _NOT_NEEDED:
            shutil.rmtree(root / name, ignore_errors=True)
            (root / name).mkdir()
        (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
        container = images.buildah("from", "scratch", capture_output=True).stdout.strip()
        images.buildah("add", "--quiet", container, str(root), "/", capture_output=True)
        images.buildah("config", "--cmd", "python3", container)
        images.buildah("commit", "--quiet", "--rm", container, reference, capture_output=True)
    return reference


def _build_by_docker(context: Path, target: str, reference: str, digest: str) -> None:
    words = ["docker", "build", "--target", target, "--tag", reference]
    words += ["--label", f"{_LABEL}={digest}"]
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST"):
        if os.environ.get(name):
            words += ["--build-arg", name]
    _run_quietly([*words, str(context)], os.environ)


def _build_by_buildah(
    context: Path, target: str, reference: str, *, digest: str, base: str
) -> None:
    with _scratch() as place:
        words = ["bud", "--layers", "--target", target, "--tag", reference]
        words += ["--label", f"{_LABEL}={digest}", "--build-arg", f"PYTHON={base}"]
        words += ["--pull-never", "--file", str(context / "Dockerfile")]
        for source, inside in _pip_settings(place).items():
            words += ["--volume", f"{source}:{inside}:ro"]
        _run_quietly(images.buildah_command(*words, str(context)), images.buildah_environment())


def _pip_settings(place: Path) -> Mapping[Path, str]:
    """How pip reaches this machine's index, mounted for the build and left out of the image."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    settings: dict[str, str] = {}
    mounts: dict[Path, str] = {}
    for line in sorted(listed.splitlines()):  # ":env:" comes before files, and counts more
        found = re.match(r"(?::env:|\w+)\.([\w-]+)='(.*)'$", line)
        if found and found[1] not in settings:
            settings[found[1]] = found[2]
    for name, value in settings.items():
        path = Path(value)
        if name in {"cert", "find-links"} and path.exists():
            mounts[path.parent if path.is_file() else path] = str(
                path.parent if path.is_file() else path
            )
    written = place / "pip.conf"
    lines = (f"{name} = {value}" for name, value in settings.items())
    written.write_text("\n".join(("[global]", *lines, "")))
    certificates = Path("/etc/ssl/certs")
    return {written: "/etc/pip.conf", certificates: str(certificates), **mounts}


def _debootstrap(root: Path, codename: str) -> None:
    words = ["debootstrap", "--variant=minbase", f"--include={','.join(_BASE_PACKAGES)}"]
    _run_quietly([*words, codename, str(root), _mirror(codename)], os.environ)


def _mirror(codename: str) -> str:
    """The archive that this machine installs Debian from."""
    for file in sorted(Path("/etc/apt").glob("sources.list.d/*.sources")):
        for stanza in file.read_text().split("\n\n"):
            fields = dict(re.findall(r"^(\w[\w-]*):\s*(.*)$", stanza, re.MULTILINE))
            if codename in fields.get("Suites", "").split() and fields.get("URIs"):
                return str(fields["URIs"].split()[0])
    for file in (
        Path("/etc/apt/sources.list"),
        *sorted(Path("/etc/apt").glob("sources.list.d/*.list")),
    ):
        if file.exists():
            line = re.compile(rf"^deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+{codename}\s", re.MULTILINE)
            found = line.search(file.read_text())
            if found:
                return found[1]
    raise CannotBuildError(f"no Debian archive for {codename} in /etc/apt")


def _release() -> dict[str, str]:
    lines = Path("/etc/os-release").read_text().splitlines()
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {name: value.strip('"') for name, _, value in pairs}


def _instructions_for(target: str, dockerfile: str) -> list[str]:
    """The instructions of the target and of the stages it builds on, in the file's order."""
    stages: dict[str, list[str]] = {"": []}
    uses: dict[str, set[str]] = {"": set()}
    name = ""
    joined = re.sub(r"^\s*#.*\n", "", dockerfile, flags=re.MULTILINE).replace("\\\n", " ")
    for line in filter(str.strip, joined.splitlines()):
        words = line.split()
        if words[0].upper() == "FROM":
            name = words[-1]
            stages[name], uses[name] = [], {"", words[1]}
        stages[name].append(line)
        uses[name].update(re.findall(r"--from=(\S+)", line))
    if target not in stages:
        raise CannotBuildError(f"the Dockerfile has no stage {target!r}")
    wanted, more = set[str](), {target}
    while more:
        wanted |= more
        more = {used for stage in more for used in uses.get(stage, ())} - wanted
    return [line for stage, lines in stages.items() if stage in wanted for line in lines]


def _copied_files(context: Path, instructions: list[str]) -> Iterator[Path]:
    for line in instructions:
        words = shlex.split(line)
        if words[0].upper() not in {"COPY", "ADD"} or "--from=" in line:
            continue
        for source in (word for word in words[1:-1] if not word.startswith("--")):
            for path in context.glob(source.removeprefix("./").strip("/") or "*"):
                yield from _files_of(path)


def _files_of(path: Path) -> Iterator[Path]:
    for file in path.rglob("*") if path.is_dir() else (path,):
        if file.is_file() and not any(part.endswith(_NEVER_SOURCE) for part in file.parts):
            yield file


def _docker_label(reference: str) -> str | None:
    form = f'{{{{index .Config.Labels "{_LABEL}"}}}}'
    command = ("docker", "image", "inspect", "--format", form, reference)
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    return outcome.stdout.strip() if outcome.returncode == 0 else None


def _buildah_label(reference: str) -> str | None:
    form = f'{{{{index .OCIv1.Config.Labels "{_LABEL}"}}}}'
    words = ("inspect", "--type", "image", "--format", form, reference)
    outcome = images.buildah(*words, check=False, capture_output=True)
    return outcome.stdout.strip() if outcome.returncode == 0 else None


def _forget_old_builds(reference: str) -> None:
    """Keeps the last few tags of the image, and the layers of the last few builds."""
    form = ("--format", "{{.CreatedAtRaw}} {{.Name}}:{{.Tag}}")
    repository = reference.rpartition(":")[0].removeprefix("localhost/")
    listed = images.buildah("images", *form, capture_output=True).stdout.splitlines()
    names = [line.split()[-1] for line in sorted(listed, reverse=True)]
    tags = [name for name in names if name.rpartition(":")[0] == f"localhost/{repository}"]
    for name in tags[_TAGS_KEPT:]:
        images.buildah("rmi", name, check=False, capture_output=True)
    words = ("images", "--quiet", "--all", "--filter", "dangling=true")
    if len(images.buildah(*words, capture_output=True).stdout.split()) > _LAYERS_KEPT:
        images.buildah("rmi", "--prune", check=False, capture_output=True)


def _run_quietly(command: list[str], environment: Mapping[str, str]) -> None:
    outcome = subprocess.run(
        command,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if outcome.returncode:
        say(outcome.stdout)
        raise CannotBuildError(f"{command[0]} failed")


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=folder("images")) as place:
        yield Path(place)
