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
    run = lua.eval("function(code, env) return setfenv(assert(loadstring(code)), env)() end")
    told = run((CHECKS / kind / "health.lua").read_text(), sandbox)
    return {"status": told["status"], "message": told["message"]}
