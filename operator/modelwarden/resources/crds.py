"""The CustomResourceDefinitions, as documents and as files.

`python -m modelwarden.resources.crds` in the repository's top folder writes `crds/` and the copy
that the chart installs.
"""

import sys
from pathlib import Path
from typing import Any, Final

import yaml
from typing_extensions import override

from modelwarden import __version__
from modelwarden.domain.labels import GROUP, PREFIX, VERSION
from modelwarden.resources.kinds import KINDS
from modelwarden.resources.objects import Column, Object
from modelwarden.resources.schema import structural_schema

# The release that wrote a CRD: a controller does not start on CRDs older than itself.
RELEASE: Final = PREFIX + "release"
CATEGORY: Final = "modelwarden"
FOLDERS: Final = (Path("crds"), Path("charts/modelwarden/files/crds"))

_HEADER = "# Generated from operator/modelwarden/resources by `make generate`; edit those.\n"
_AGE = Column(
    name="Age", path=".metadata.creationTimestamp", description="Since when.", type="date"
)


def crd(kind: type[Object]) -> dict[str, Any]:
    """Write the CustomResourceDefinition of a kind."""
    names = kind.KIND
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{names.plural}.{GROUP}",
            "annotations": {RELEASE: __version__},
        },
        "spec": {
            "group": GROUP,
            "scope": "Namespaced" if names.namespaced else "Cluster",
            "names": {
                "kind": names.name,
                "listKind": f"{names.name}List",
                "plural": names.plural,
                "singular": names.singular,
                "shortNames": [names.short],
                "categories": [CATEGORY],
            },
            "versions": [_version(kind)],
        },
    }


def crd_yaml(kind: type[Object]) -> str:
    """Write the CustomResourceDefinition of a kind as YAML; the same bytes every time."""
    text: str = yaml.dump(crd(kind), Dumper=_Plain, sort_keys=False, width=100, allow_unicode=True)
    return _HEADER + text


def write_crds(directory: Path) -> tuple[Path, ...]:
    """Write one file per kind into a folder."""
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for kind in KINDS.values():
        path = directory / f"{kind.KIND.plural}.yaml"
        path.write_text(crd_yaml(kind), encoding="utf-8")
        written.append(path)
    return tuple(written)


class _Plain(yaml.SafeDumper):
    """YAML without anchors: every part is written where it is read."""

    @override
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _version(kind: type[Object]) -> dict[str, Any]:
    schema = structural_schema(kind)
    version: dict[str, Any] = {"name": VERSION, "served": True, "storage": True}
    if "status" in schema["properties"]:
        version["subresources"] = {"status": {}}
    version["additionalPrinterColumns"] = [_column(c) for c in (*kind.KIND.columns, _AGE)]
    version["selectableFields"] = [{"jsonPath": path} for path in kind.KIND.selectable]
    version["schema"] = {"openAPIV3Schema": schema}
    return version


def _column(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": column.type,
        "jsonPath": column.path,
        "description": column.description,
        "priority": 1 if column.wide else 0,
    }


if __name__ == "__main__":
    top = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    for folder in FOLDERS:
        write_crds(top / folder)
