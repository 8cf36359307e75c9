"""Rendering the chart with a real Helm, and finding things in what came out."""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

CHART = Path("charts/modelwarden")
NAMESPACE = "modelwarden-system"

Manifest = dict[str, Any]


class RefusedError(Exception):
    """Helm did not render, and said why."""


@dataclass(frozen=True)
class Rendered:
    """The objects of one rendering, and the text they came as."""

    text: str

    @cached_property
    def objects(self) -> Sequence[Manifest]:
        # The CRDs are long: libyaml, where it is there, reads them in a tenth of the time.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        return [document for document in yaml.load_all(self.text, loader) if document]

    def named(self, kind: str, name: str) -> Manifest:
        [found] = [item for item in self.of(kind) if item["metadata"]["name"] == name]
        return found

    def of(self, *kinds: str) -> Sequence[Manifest]:
        return [item for item in self.objects if item["kind"] in kinds]

    def keyed(self) -> Mapping[tuple[str, str, str], Manifest]:
        return {
            (item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]): item
            for item in self.objects
        }


def render(
    helm: Path, values: Mapping[str, Any] | None = None, *, release: str = "modelwarden"
) -> Rendered:
    command = [str(helm), "template", release, str(CHART), "--namespace", NAMESPACE]
    command += ["--kube-version", "1.36.0", "--values", "-"]
    answer = subprocess.run(
        command, input=json.dumps(values or {}), capture_output=True, text=True, check=False
    )
    if answer.returncode:
        raise RefusedError(answer.stderr)
    return Rendered(answer.stdout)


def pod_templates(rendered: Rendered) -> Iterator[tuple[str, Manifest]]:
    for workload in rendered.of("Deployment", "Job", "StatefulSet", "DaemonSet"):
        yield workload["metadata"]["name"], workload["spec"]["template"]
