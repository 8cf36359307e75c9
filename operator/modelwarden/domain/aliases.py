"""What a name of a version means now: the derived names, and those that the team chose."""

from collections.abc import Mapping

from modelwarden.domain.stages import Stage
from modelwarden.domain.state import UNREGISTERED, ModelState
from modelwarden.domain.verdicts import Verdict, wait

DERIVED = ("production", "staging", "champion", "latest")


def derived_aliases(state: ModelState) -> Mapping[str, int]:
    """Give the names that follow from where versions are; one that means nothing is left out.

    `v<number>` is derived too: it means its number, and stands in no list.
    """
    found = {
        "production": state.production,
        "champion": state.production,
        "staging": max(state.in_stage(Stage.STAGING), default=None),
        "latest": latest(state),
    }
    return {name: number for name, number in found.items() if number is not None}


def aliases_now(chosen: Mapping[str, int], state: ModelState) -> Mapping[str, int]:
    """Give every name that means a version now, in order."""
    there = {name: number for name, number in chosen.items() if _is_there(number, state)}
    return dict(sorted({**there, **derived_aliases(state)}.items()))


def unresolved(chosen: Mapping[str, int], state: ModelState) -> tuple[tuple[int, Verdict], ...]:
    """List the versions that a chosen name means and that are not there, each with what to do."""
    return tuple(
        (
            number,
            wait(
                "AliasUnresolved",
                f"Alias {name} names version {number}, which is not registered.",
                "Register it, or correct the number in spec.aliases.",
            ),
        )
        for name, number in sorted(chosen.items())
        if not _is_there(number, state)
    )


def latest(state: ModelState) -> int | None:
    """Find the highest version that has passed registration."""
    versions, failed = state.versions, frozenset(state.versions.group(UNREGISTERED))
    if versions.highest in versions and versions.highest not in failed:
        return versions.highest
    return max((number for number in versions if number not in failed), default=None)


def _is_there(number: int, state: ModelState) -> bool:
    """A version is there once it is registered, and until its object is gone."""
    known = state.versions.get(number)
    return known is not None and known.valid and bool(known.uid)
