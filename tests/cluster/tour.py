"""The examples as a reader meets them: their commands as they are written, in a fresh namespace."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.examples.commands import commands_of

from .example import Example
from .installed import TOP
from .local import dockerfile
from .running import RunningCluster

_TEXTS = {".yaml", ".md"}
_GATE = "registry.example.com/risk/holdout-gate"


class NotAsWrittenError(Exception):
    """A command of a README did not end as it says; the message has its words."""


@dataclass(frozen=True)
class Tour:
    """A copy of the examples that names this cluster's images and a namespace of its own.

    Nothing else in it differs from what is written.
    """

    example: Example
    images: Mapping[str, str]

    def take(self, name: str) -> dict[str, str]:
        """Run every command of an example's README; gives what each said."""
        readme = self.place / "examples" / name / "README.md"
        return {command: self._run(command) for command in commands_of(readme.read_text())}

    @cached_property
    def place(self) -> Path:
        """The folder in which the reader types."""
        place = self.example.work
        shutil.copytree(TOP / "examples", place / "examples")
        for file in (place / "examples").rglob("*"):
            if file.suffix in _TEXTS:
                file.write_text(self._moved(file.read_text()))
        (place / "build").mkdir()
        return place

    def _moved(self, text: str) -> str:
        namespace = self.example.namespace
        for before, after in (
            ("namespace: risk", f"namespace: {namespace}"),
            ("name: risk\n", f"name: {namespace}\n"),
            ("-n risk", f"-n {namespace}"),
            ("models/risk/", f"models/{namespace}/"),
            ("serviceaccount:risk:", f"serviceaccount:{namespace}:"),
            *self.images.items(),
        ):
            text = text.replace(before, after)
        return text

    def _run(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-uo", "pipefail", "-c", command],
            cwd=self.place,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise NotAsWrittenError(f"{command}\nexited with {done.returncode}:\n{done.stdout}")
        return done.stdout

    @cached_property
    def _environment(self) -> dict[str, str]:
        """A terminal in which the READMEs' few assumptions hold: keys and a place of the store."""
        installed = self.example.installed
        return {
            **self.example.environment,
            **installed.credentials(),
            "AWS_ENDPOINT_URL_S3": installed.store.outside,
            "AWS_REGION": "us-east-1",
            "STORE_IN_THE_CLUSTER": installed.store.inside,
            # The copy lies in no repository; its script has the commit of this one.
            "GIT_DIR": str(TOP / ".git"),
            "HOME": os.environ.get("HOME", "/"),
        }


def images_of(cluster: RunningCluster, installed: Mapping[str, str]) -> dict[str, str]:
    """The images that the examples name, and what they are called here; all are in the cluster."""
    trainer = _carried(cluster, TOP, "example-trainer")
    gate = _carried(cluster, TOP / "examples/07-bring-your-own-gate", "gate")
    named = {**installed, "example-trainer": trainer}
    return {
        **{f"modelwarden/{target}:0.1.0": image for target, image in named.items()},
        f"{_GATE}@sha256:{'0' * 64}": cluster.by_digest(gate),
    }


def _carried(cluster: RunningCluster, context: Path, target: str) -> str:
    digest = dockerfile.sources_digest(context, target)[:12]
    name = f"localhost/modelwarden/{target}:{digest}"
    dockerfile.build(context, target, name)
    cluster.load_image(name)
    return name
