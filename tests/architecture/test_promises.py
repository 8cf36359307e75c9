"""What the repository promises about itself."""

import ast
import operator
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
SOURCE = TOP / "operator"
PURE_SHARE = 0.40
TOP_LEVEL = {
    "CHANGELOG.md",
    "Dockerfile",
    "LICENSE",
    "Makefile",
    "README.md",
    "charts",
    "crds",
    "examples",
    "operator",
    "pyproject.toml",
    "tests",
}


@cache
def modules() -> Mapping[str, ast.Module]:
    """Every module of ours, parsed."""
    return {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): (
            ast.parse(path.read_text())
        )
        for path in SOURCE.rglob("*.py")
    }


def imports_of(module: str) -> Iterator[str]:
    """The modules that a module imports, ours by their full names, others by their top."""
    for node in ast.walk(modules()[module]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            named = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if name in modules() else node.module for name in named)


def reaches_only_the_standard_library(module: str) -> bool:
    """Follow the imports of a module through our own ones."""
    seen, waiting = set[str](), [module]
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        for name in imports_of(current):
            if name in modules():
                waiting.append(name)
            elif name.split(".")[0] not in sys.stdlib_module_names:
                return False
    return True


def code_lines(module: str) -> int:
    """Lines with code: no blank ones, no comments, no docstrings."""
    tree = modules()[module]
    documented = {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    path = SOURCE / (module.replace(".", "/") + ".py")
    text = path if path.exists() else SOURCE / module.replace(".", "/") / "__init__.py"
    return sum(
        1
        for number, line in enumerate(text.read_text().splitlines(), start=1)
        if line.strip() and not line.strip().startswith("#") and number not in documented
    )


def test_the_folder_operator_never_shadows_the_standard_library() -> None:
    intruders = [name for name in ("__init__.py", "operator.py") if (SOURCE / name).exists()]

    assert (intruders, operator.itemgetter(0)([1])) == ([], 1)


def test_two_fifths_of_the_code_reach_only_the_standard_library() -> None:
    lines = {module: code_lines(module) for module in modules()}

    pure = sum(n for module, n in lines.items() if reaches_only_the_standard_library(module))
    assert pure / sum(lines.values()) >= PURE_SHARE


def tracked() -> list[Path]:
    """The files of the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=TOP, capture_output=True, text=True, check=True
    )
    return [TOP / name for name in listed.stdout.split("\0") if name]


def test_the_top_level_holds_what_was_agreed_and_dotfiles() -> None:
    tops = {path.relative_to(TOP).parts[0] for path in tracked()}

    assert {top for top in tops if not top.startswith(".")} <= TOP_LEVEL


def test_lock_files_name_no_address() -> None:
    named = [path.name for path in (TOP / ".requirements").iterdir() if "://" in path.read_text()]

    assert named == []


def test_every_locked_package_has_a_digest() -> None:
    unhashed = [
        (path.name, line)
        for path in (TOP / ".requirements").iterdir()
        for line in path.read_text().splitlines()
        if "==" in line and not line.startswith((" ", "#")) and not line.endswith("\\")
    ]

    assert unhashed == []


@pytest.mark.parametrize("module", ["handlers.models", "handlers.gates", "handlers.deployments"])
def test_a_handler_only_says_what_is_to_be_looked_at(module: str) -> None:
    bodies = [
        len(node.body)
        for node in ast.walk(modules()[f"modelwarden.{module}"])
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]

    assert max(bodies) < 10
