"""The health checks for Argo CD, against their own files in upstream's format."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lupa.lua51
import pytest
import yaml

EXAMPLE = Path(__file__).parents[2] / "examples/10-gitops-with-argo-cd"
CHECKS = EXAMPLE / "resource_customizations/modelwarden.io"
STATUSES = {"Healthy", "Progressing", "Degraded", "Suspended"}
# What Argo CD gives a script: the base library, tables, and of `os` the time only.
GIVEN = ("_G", "_VERSION", "assert", "error", "ipairs", "next", "pairs", "pcall", "rawequal")
GIVEN += ("rawget", "rawset", "select", "table", "tonumber", "tostring", "type", "unpack")


def cases() -> Iterator[tuple[str, str, dict[str, str]]]:
    """Every case of every kind: the kind, the file of its object, the health expected."""
    for file in sorted(CHECKS.glob("*/health_test.yaml")):
        for case in yaml.safe_load(file.read_text())["tests"]:
            yield file.parent.name, case["inputPath"], case["healthStatus"]


def health(kind: str, manifest: Any) -> dict[str, str]:
    """Run a kind's script on an object, with no more of Lua than Argo CD has."""
    lua = lupa.lua51.LuaRuntime(register_eval=False, unpack_returned_tuples=True)
    sandbox = lua.table_from({name: lua.globals()[name] for name in GIVEN})
    sandbox["obj"] = lua.table_from(manifest, recursive=True)
    lua.execute('getmetatable("").__index = nil')  # no text:sub() either
    run = lua.eval("function(code, env) return setfenv(assert(loadstring(code)), env)() end")
    told = run((CHECKS / kind / "health.lua").read_text(), sandbox)
    return {"status": told["status"], "message": told["message"]}


@pytest.mark.parametrize(("kind", "file", "expected"), list(cases()))
def test_a_script_says_what_its_own_file_expects(
    kind: str, file: str, expected: dict[str, str]
) -> None:
    manifest = yaml.safe_load((CHECKS / kind / file).read_text())

    assert health(kind, manifest) == expected


def test_every_kind_has_a_case_for_each_of_its_objects_and_each_health() -> None:
    found = {kind: set[str]() for kind, _, _ in cases()}
    for kind, _, expected in cases():
        found[kind].add(expected["status"])
    unused = {str(path.relative_to(CHECKS)) for path in CHECKS.glob("*/testdata/*.yaml")} - {
        f"{kind}/{file}" for kind, file, _ in cases()
    }

    assert (found, unused) == (
        {
            "Model": STATUSES,
            "ModelTransition": STATUSES,
            "ModelVersion": STATUSES - {"Suspended"},  # people are awaited by attempts
        },
        set(),
    )


def test_every_script_is_in_the_configuration() -> None:
    written = yaml.safe_load((EXAMPLE / "kustomization.yaml").read_text())
    files = written["configMapGenerator"][0]["files"]

    assert sorted(files) == sorted(
        f"resource.customizations.health.modelwarden.io_{script.parent.name}="
        f"{script.relative_to(EXAMPLE)}"
        for script in CHECKS.glob("*/health.lua")
    )
