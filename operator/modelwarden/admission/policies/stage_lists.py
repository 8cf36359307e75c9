"""The places of `spec.stages` and of `status.stages` as CEL variables, and the domain's facts.

`production` is read as a list of at most one entry, so that one pattern serves all four places.
"""

from collections.abc import Mapping

from modelwarden.admission.policies.cel import SPECS
from modelwarden.domain.edits import Change, Fact, Place, Row, rows_of
from modelwarden.domain.rights import Right

NOTHING = ""


def _entries(stages: str, place: Place) -> str:
    if place is Place.PRODUCTION:
        return f"has({stages}.production) ? [{stages}.production] : []"
    return f"{stages}.?{place}.orValue([])"


def _version(stages: str) -> str:
    return f"has({stages}.production) ? {stages}.production.version : 0"


def _lists() -> dict[str, str]:
    lists: dict[str, str] = {}
    for place in Place:
        before, now = f"{place}Before", f"{place}Now"
        lists[before] = _entries("variables.stagesBefore", place)
        lists[now] = _entries("variables.stagesNow", place)
        lists[f"{before}Named"] = f"variables.{before}.map(e, e.version)"
        lists[f"{now}Named"] = f"variables.{now}.map(e, e.version)"
    return lists


# Version 0 is no version: it stands for "none" wherever one number is compared.
STAGES: Mapping[str, str] = {
    **SPECS,
    "stagesBefore": "variables.was.?stages.orValue({})",
    "stagesNow": "variables.now.?stages.orValue({})",
    "status": "oldObject == null ? dyn({}) : dyn(oldObject.?status.?stages.orValue({}))",
    "askedBefore": _version("variables.stagesBefore"),
    "asked": _version("variables.stagesNow"),
    "inProduction": _version("variables.status"),
    "inStaging": "variables.status.?staging.orValue([])",
    "retiring": "variables.status.?retiring.orValue([])",
    "inArchived": "variables.status.?archived.orValue([])",
    "mayComeBack": "variables.status.?rollbackTo.orValue([]).map(r, r.version)",
    **_lists(),
}


def entered(place: Place) -> str:
    """Select the entries that are new or say something else than before."""
    # `in` compares whole entries, natively; an `exists` inside would be interpreted, and is slow.
    return f"variables.{place}Now.filter(e, !(e in variables.{place}Before))"


def left(place: Place) -> str:
    """Select the entries whose version the place names no more."""
    return f"variables.{place}Before.filter(e, !(e.version in variables.{place}NowNamed))"


def touched(place: Place, change: Change) -> str:
    """Select the entries that entered or left a place."""
    return entered(place) if change is Change.ENTERED else left(place)


def fact(claim: Fact, place: Place) -> str:
    """Say of the version of an entry `e` what the domain's fact says."""
    match claim:
        case Fact.IN_PRODUCTION:
            return "e.version == variables.inProduction"
        case Fact.IN_STAGING:
            return "e.version in variables.inStaging"
        case Fact.RETIRING:
            return "e.version in variables.retiring"
        case Fact.IN_ARCHIVED:
            return "e.version in variables.inArchived"
        case Fact.MAY_COME_BACK:
            return "e.version in variables.mayComeBack"
        case Fact.NEWLY_NAMED:
            return f"!(e.version in variables.{place}BeforeNamed)"
        case Fact.NOT_FOR_PRODUCTION:
            return "e.version != variables.asked"
        case Fact.NEWLY_FOR_PRODUCTION:
            return "e.version == variables.asked && e.version != variables.askedBefore"
        case Fact.REPLACED:
            return "variables.asked != 0 && e.version != variables.asked"


def needs_of(place: Place, change: Change) -> str:
    """Write the rows that compete for an entry as one choice; each touched entry yields a need."""
    *rows, last = rows_of(place, change)
    choices = [f"{_all(row)} ? {_need(row)}" for row in rows]
    choice = "\n  : ".join((*choices, _need(last)))
    return f"{touched(place, change)}.map(e,\n  {choice})"


def need(rights: tuple[Right, ...]) -> str:
    """Name what a row asks for in one text, by which the validations find it again."""
    return " and ".join(right.title for right in rights) or NOTHING


def _all(row: Row) -> str:
    return " && ".join(fact(claim, row.place) for claim in row.facts)


def _need(row: Row) -> str:
    return f"'{need(row.rights)}'"
