"""A version by name: `fraud-detector@production`, `@staging`, `@champion`, `@latest`, `@v3`, or an
alias that the team chose."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from modelwarden.domain.aliases import DERIVED
from modelwarden.domain.verdicts import Verdict, deny

_NUMBER = re.compile(r"v([1-9][0-9]{0,5})", re.ASCII)


@dataclass(frozen=True)
class Reference:
    """A model, and which version of it is meant."""

    model: str
    version: str


def parse(text: str) -> Reference | Verdict:
    """Read `<model>@<which>`, or say what is wrong with it."""
    model, separator, version = text.partition("@")
    if model and separator and version:
        return Reference(model, version)
    return deny(
        "ReferenceNotUnderstood",
        f"{text!r} names no version.",
        f"Write {model or '<model>'}@production, @staging, @latest, @v3 or an alias of the Model.",
    )


def version_meant(which: str, model: Mapping[str, Any]) -> int | Verdict:
    """Find the number that a reference means, from the Model as it was read."""
    numbered = _NUMBER.fullmatch(which)
    if numbered:
        return int(numbered[1])
    name = model["metadata"]["name"]
    if which in DERIVED:
        found = _derived(which, model.get("status", {}).get("aliases", ()))
        nothing = "is registered" if which == "latest" else f"is in {_stage_of(which)}"
        return found or deny("NoSuchVersion", f"No version of {name} {nothing}.")
    aliases = {alias["name"]: alias["version"] for alias in model["spec"].get("aliases", ())}
    if which in aliases:
        return int(aliases[which])
    known = ", ".join((*DERIVED, *aliases))
    return deny("NoSuchAlias", f"{name} has no alias {which}.", f"It has {known} and v<number>.")


def _derived(which: str, shown: Iterable[Mapping[str, Any]]) -> int | None:
    return next((int(alias["version"]) for alias in shown if alias["name"] == which), None)


def _stage_of(which: str) -> str:
    return "Staging" if which == "staging" else "Production"
