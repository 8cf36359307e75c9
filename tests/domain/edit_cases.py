"""Edits of a Model and the rights they ask for: one table for the rules and for the policies.

It is run through the pure rules, and on a real API server through the policies, where a caller
with exactly these rights is let through and one who lacks any of them is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from modelwarden.domain import rights
from modelwarden.domain.rights import Right, right_to_patch, right_to_use

OWNER = {"kind": "User", "name": "owner@example.com"}
BASE: Mapping[str, Any] = {"owners": [OWNER], "affectsPeople": False}
OTHERWISE = "for another reason"


@dataclass(frozen=True)
class Case:
    """An edit by name: what was stored, what is sent, where status shows the versions."""

    title: str
    old: Mapping[str, Any] | None
    new: Mapping[str, Any]
    status: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[Right, ...] = ()


def spec(**fields: Any) -> dict[str, Any]:
    """A Model's spec with some fields of its own."""
    return {**BASE, **fields}


def staged(
    production: int | None = None,
    *,
    staging: tuple[int, ...] = (),
    archived: tuple[int, ...] = (),
    registered: tuple[int, ...] = (),
    reasons: Mapping[int, str] | None = None,
) -> dict[str, Any]:
    """A spec whose stages name these versions."""

    def entry(version: int) -> dict[str, Any]:
        return {"version": version, "reason": (reasons or {}).get(version, f"about {version}")}

    lists = {"staging": staging, "archived": archived, "registered": registered}
    stages = {place: [entry(v) for v in named] for place, named in lists.items() if named}
    if production is not None:
        stages["production"] = entry(production)  # type: ignore[assignment]  # the one that is no list
    return spec(stages=stages)


def shown(
    production: int | None = None,
    *,
    staging: tuple[int, ...] = (),
    retiring: tuple[int, ...] = (),
    archived: tuple[int, ...] = (),
    rollback_to: tuple[int, ...] = (),
) -> dict[str, Any]:
    """What `status.stages` shows."""
    until = "2030-01-01T00:00:00Z"
    lists = {"staging": staging, "retiring": retiring, "archived": archived}
    stages: dict[str, Any] = {place: list(found) for place, found in lists.items() if found}
    if production is not None:
        stages["production"] = {"version": production}
    if rollback_to:
        stages["rollbackTo"] = [{"version": version, "until": until} for version in rollback_to]
    return stages


def serving(*names: str, stage: str = "Production") -> dict[str, Any]:
    """A spec that names these Deployments."""
    return spec(serving=[{"stage": stage, "deployment": {"name": name}} for name in names])


MOVEMENT = (
    Case("a registered version into Staging", staged(), staged(staging=(1,)),
         needs=(rights.PROMOTE_STAGING,)),
    Case("one more into Staging", staged(staging=(1,)), staged(staging=(1, 2)),
         shown(staging=(1,)), needs=(rights.PROMOTE_STAGING,)),
    Case("straight to Production", staged(), staged(1), needs=(rights.PROMOTE_PRODUCTION,)),
    Case("from Staging to Production, the entry stays", staged(staging=(1,)),
         staged(1, staging=(1,)), shown(staging=(1,)), needs=(rights.PROMOTE_PRODUCTION,)),
    Case("from Staging to Production, the entry moves", staged(staging=(1,)), staged(1),
         shown(staging=(1,)), needs=(rights.PROMOTE_PRODUCTION,)),
    Case("a new Production replaces the old", staged(1, staging=(2,)), staged(2, staging=(2,)),
         shown(1, staging=(2,)), needs=(rights.PROMOTE_PRODUCTION,)),
    Case("another candidate instead of the pending one", staged(2), staged(3),
         shown(1, staging=(2, 3)), needs=(rights.PROMOTE_PRODUCTION,)),
    Case("withdrawn to the archive", staged(1), staged(archived=(1,)), shown(1),
         needs=(rights.DEMOTE_PRODUCTION,)),
    Case("withdrawn to Registered", staged(1), staged(registered=(1,)), shown(1),
         needs=(rights.DEMOTE_PRODUCTION,)),
    Case("withdrawn to Staging", staged(1), staged(staging=(1,)), shown(1),
         needs=(rights.DEMOTE_PRODUCTION,)),
    Case("the first promotion is reverted", staged(1, staging=(1,)), staged(staging=(1,)),
         shown(1), needs=(rights.DEMOTE_PRODUCTION,)),
    Case("out of Staging to Registered", staged(staging=(1,)), staged(registered=(1,)),
         shown(staging=(1,)), needs=(rights.DEMOTE_STAGING,)),
    Case("out of Staging to the archive", staged(staging=(1, 2)),
         staged(staging=(2,), archived=(1,)), shown(staging=(1, 2)),
         needs=(rights.DEMOTE_STAGING,)),
    Case("put into Staging by automation, demoted", staged(), staged(registered=(1,)),
         shown(staging=(1,)), needs=(rights.DEMOTE_STAGING,)),
    Case("put into Staging by automation, archived", staged(), staged(archived=(1,)),
         shown(staging=(1,)), needs=(rights.DEMOTE_STAGING,)),
    Case("put into Staging by automation, now named", staged(), staged(staging=(1,)),
         shown(staging=(1,)), needs=(rights.ANY_STAGING,)),
    Case("a registered version to the archive", staged(), staged(archived=(1,)),
         needs=(rights.DEMOTE_ARCHIVED,)),
    Case("a retiring version to the archive", staged(2), staged(2, archived=(1,)),
         shown(2, retiring=(1,)), needs=(rights.DEMOTE_ARCHIVED,)),
    Case("the old Production gets a place in Staging while it is replaced", staged(1),
         staged(2, staging=(1,)), shown(1, staging=(2,)),
         needs=(rights.PROMOTE_PRODUCTION, rights.DEMOTE_PRODUCTION)),
    Case("the Production version gets an entry in Staging beside it", staged(1),
         staged(1, staging=(1,)), shown(1), needs=(rights.PROMOTE_STAGING,)),
)  # fmt: skip

BACK = (
    Case("back to a version that may come back", staged(2), staged(1),
         shown(2, retiring=(1,), rollback_to=(1,)), needs=(rights.ROLLBACK_PRODUCTION,)),
    Case("back to one in Staging that may come back", staged(2, staging=(1,)),
         staged(1, staging=(1,)), shown(2, staging=(1,), rollback_to=(1,)),
         needs=(rights.ROLLBACK_PRODUCTION,)),
    Case("back to a version whose time is over", staged(2), staged(1), shown(2, retiring=(1,)),
         needs=(rights.PROMOTE_PRODUCTION,)),
    Case("back to another version than the one that may come back", staged(3), staged(1),
         shown(3, retiring=(1, 2), rollback_to=(2,)), needs=(rights.PROMOTE_PRODUCTION,)),
    Case("cancelled by naming what is in Production", staged(2), staged(1), shown(1),
         needs=(rights.ANY_PRODUCTION,)),
    Case("cancelled by removing the line", staged(1, staging=(1,)), staged(staging=(1,)),
         shown(staging=(1,)), needs=(rights.ANY_PRODUCTION,)),
    Case("cancelled by removing the line beside a Production", staged(2), staged(), shown(1),
         needs=(rights.ANY_PRODUCTION,)),
    Case("a pending rollback cancelled", staged(1), staged(2),
         shown(2, retiring=(1,), rollback_to=(1,)), needs=(rights.ANY_PRODUCTION,)),
    Case("a pending request for Staging cancelled", staged(staging=(1, 2)), staged(staging=(1,)),
         shown(staging=(1,)), needs=(rights.ANY_STAGING,)),
    Case("a typo removed", staged(staging=(7,)), staged(), needs=(rights.ANY_STAGING,)),
    Case("a typo corrected", staged(staging=(7,)), staged(staging=(1,)),
         needs=(rights.ANY_STAGING, rights.PROMOTE_STAGING)),
    Case("a spent entry in Staging removed", staged(1, staging=(1,)), staged(1), shown(1),
         needs=(rights.ANY_PRODUCTION,)),
    Case("the entry in Staging of a pending Production removed later", staged(1, staging=(1,)),
         staged(1), shown(staging=(1,)), needs=(rights.ANY_STAGING,)),
    Case("a pending archive cancelled", staged(archived=(1,)), staged(), shown(retiring=(1,)),
         needs=(rights.ANY_ARCHIVED,)),
    Case("a pending archive out of Staging cancelled", staged(archived=(1,)),
         staged(staging=(1,)), shown(staging=(1,)), needs=(rights.ANY_STAGING,)),
    Case("a demotion taken back", staged(registered=(1,)), staged(staging=(1,)),
         shown(staging=(1,)), needs=(rights.ANY_STAGING,)),
    Case("a demotion taken back without naming it", staged(registered=(1,)), staged(),
         shown(staging=(1,)), needs=(rights.ANY_STAGING,)),
    Case("a withdrawal taken back", staged(archived=(1,)), staged(1), shown(1),
         needs=(rights.ANY_PRODUCTION,)),
    Case("a withdrawal to Registered taken back", staged(registered=(1,)), staged(1), shown(1),
         needs=(rights.ANY_PRODUCTION,)),
)  # fmt: skip

REASONS = (
    Case("the reason of a pending Production", staged(1), staged(1, reasons={1: OTHERWISE}),
         shown(staging=(1,)), needs=(rights.PROMOTE_PRODUCTION,)),
    Case("the reason of a settled Production", staged(1), staged(1, reasons={1: OTHERWISE}),
         shown(1), needs=(rights.PROMOTE_PRODUCTION,)),
    Case("the reason of a pending rollback", staged(1), staged(1, reasons={1: OTHERWISE}),
         shown(2, rollback_to=(1,)), needs=(rights.ROLLBACK_PRODUCTION,)),
    Case("the reason in Staging", staged(staging=(1,)),
         staged(staging=(1,), reasons={1: OTHERWISE}), shown(staging=(1,)),
         needs=(rights.PROMOTE_STAGING,)),
    Case("the reason of a settled archive", staged(archived=(1,)),
         staged(archived=(1,), reasons={1: OTHERWISE}), shown(archived=(1,)),
         needs=(rights.DEMOTE_ARCHIVED,)),
    Case("the reason of a pending withdrawal", staged(archived=(1,)),
         staged(archived=(1,), reasons={1: OTHERWISE}), shown(1),
         needs=(rights.DEMOTE_PRODUCTION,)),
    Case("the reason of a pending demotion", staged(registered=(1,)),
         staged(registered=(1,), reasons={1: OTHERWISE}), shown(staging=(1,)),
         needs=(rights.DEMOTE_STAGING,)),
    Case("the reason of a settled demotion", staged(registered=(1,)),
         staged(registered=(1,), reasons={1: OTHERWISE})),
)  # fmt: skip

ARCHIVE = (
    Case("out of the archive to Staging", staged(archived=(1,)), staged(staging=(1,)),
         shown(archived=(1,)), needs=(rights.PROMOTE_STAGING, rights.PROMOTE_ARCHIVED)),
    Case("out of the archive to Production", staged(archived=(1,)), staged(1),
         shown(archived=(1,)), needs=(rights.PROMOTE_PRODUCTION, rights.PROMOTE_ARCHIVED)),
    Case("out of the archive to Registered", staged(archived=(1,)), staged(registered=(1,)),
         shown(archived=(1,)), needs=(rights.PROMOTE_ARCHIVED,)),
    Case("out of the archive without an entry there", staged(), staged(staging=(1,)),
         shown(archived=(1,)), needs=(rights.PROMOTE_STAGING, rights.PROMOTE_ARCHIVED)),
    Case("a return from the archive taken back", staged(registered=(1,)), staged(),
         shown(archived=(1,)), needs=(rights.ANY_ARCHIVED,)),
    Case("an archived version named again", staged(), staged(archived=(1,)),
         shown(archived=(1,)), needs=(rights.ANY_ARCHIVED,)),
    Case("a settled line of the archive removed", staged(archived=(1, 2)), staged(archived=(2,)),
         shown(archived=(1, 2))),
    Case("a settled line of Registered removed", staged(registered=(1,)), staged()),
    Case("a retiring version to Registered", staged(2), staged(2, registered=(1,)),
         shown(2, retiring=(1,)), needs=(rights.ANY_PRODUCTION,)),
    Case("a retiring version's way to Registered taken back", staged(2, registered=(1,)),
         staged(2), shown(2, retiring=(1,)), needs=(rights.ANY_PRODUCTION,)),
)  # fmt: skip

SEVERAL = (
    Case("promoted, and the old one archived", staged(1, staging=(2,)), staged(2, archived=(1,)),
         shown(1, staging=(2,)), needs=(rights.PROMOTE_PRODUCTION, rights.DEMOTE_PRODUCTION)),
    Case("rolled back, and the bad one archived", staged(2), staged(1, archived=(2,)),
         shown(2, retiring=(1,), rollback_to=(1,)),
         needs=(rights.ROLLBACK_PRODUCTION, rights.DEMOTE_PRODUCTION)),
    Case("one to Production, another to Staging", staged(staging=(1,)), staged(1, staging=(2,)),
         shown(staging=(1,)), needs=(rights.PROMOTE_PRODUCTION, rights.PROMOTE_STAGING)),
    Case("one out of Staging, another in", staged(staging=(1,)),
         staged(staging=(2,), registered=(1,)), shown(staging=(1,)),
         needs=(rights.PROMOTE_STAGING, rights.DEMOTE_STAGING)),
    Case("everything at once", staged(1, staging=(2, 3), archived=(4,)),
         staged(2, staging=(4, 5), archived=(1,), registered=(3,)),
         shown(1, staging=(2, 3), archived=(4,)),
         needs=(rights.PROMOTE_PRODUCTION, rights.DEMOTE_PRODUCTION, rights.PROMOTE_STAGING,
                rights.DEMOTE_STAGING, rights.PROMOTE_ARCHIVED)),
    Case("promoted, and serving changed", staged(staging=(1,)),
         {**serving("api"), "stages": staged(1)["stages"]}, shown(staging=(1,)),
         needs=(rights.PROMOTE_PRODUCTION, right_to_patch("api"))),
)  # fmt: skip

NOTHING = (
    Case("nothing", staged(1), staged(1), shown(1)),
    Case("a display name", spec(), spec(displayName="Fraud detector")),
    Case("a description beside a Production", staged(1),
         {**staged(1), "description": "Scores payments."}, shown(1)),
    Case("another order", staged(1, staging=(2, 3)), staged(1, staging=(3, 2)),
         shown(1, staging=(2, 3))),
    Case("empty stages", spec(), spec(stages={})),
)  # fmt: skip

CREATION = (
    Case("a Model with owners and rules", None,
         spec(reviewers=[{"kind": "Group", "name": "risk-reviewers"}], reviewEveryDays=90)),
    Case("a Model with a version for Production", None, staged(1),
         needs=(rights.PROMOTE_PRODUCTION,)),
    Case("a Model with a version for Staging", None, staged(staging=(1,)),
         needs=(rights.PROMOTE_STAGING,)),
    Case("a Model with an archived version", None, staged(archived=(1,)),
         needs=(rights.DEMOTE_ARCHIVED,)),
    Case("a Model with a registered version", None, staged(registered=(1,))),
    Case("a Model with a policy", None, spec(policy="standard"),
         needs=(right_to_use("standard"),)),
    Case("a Model with automation", None, spec(automation={"to": "Staging", "keep": 1}),
         needs=(rights.PROMOTE_STAGING, rights.DEMOTE_STAGING)),
    Case("a Model with serving", None, serving("api", "shadow"),
         needs=(right_to_patch("api"), right_to_patch("shadow"))),
)  # fmt: skip

_RULE = {"name": "auc", "direction": "HigherIsBetter", "min": "0.90"}
_PORT = {"name": "amount", "type": "float64", "shape": [-1]}

GOVERNANCE = (
    Case("owners", spec(), spec(owners=[OWNER, {"kind": "User", "name": "new@example.com"}]),
         needs=(rights.GOVERN,)),
    Case("reviewers", spec(), spec(reviewers=[OWNER]), needs=(rights.GOVERN,)),
    Case("affectsPeople", spec(), spec(affectsPeople=True), needs=(rights.GOVERN,)),
    Case("metrics", spec(), spec(metrics=[_RULE]), needs=(rights.GOVERN,)),
    Case("metrics made looser", spec(metrics=[_RULE]),
         spec(metrics=[{**_RULE, "min": "0.10"}]), needs=(rights.GOVERN,)),
    Case("contract", spec(), spec(contract={"inputs": [_PORT], "outputs": [_PORT]}),
         needs=(rights.GOVERN,)),
    Case("retention", spec(), spec(retention={"archivedDays": 10}), needs=(rights.GOVERN,)),
    Case("reviewEveryDays", spec(reviewEveryDays=90), spec(reviewEveryDays=9000),
         needs=(rights.GOVERN,)),
    Case("a first policy", spec(), spec(policy="solo"),
         needs=(rights.GOVERN, right_to_use("solo"))),
    Case("another policy", spec(policy="standard"), spec(policy="solo"),
         needs=(rights.GOVERN, right_to_use("solo"))),
    Case("no policy any more", spec(policy="standard"), spec(), needs=(rights.GOVERN,)),
    Case("automation", spec(), spec(automation={"to": "Staging", "keep": 1}),
         needs=(rights.GOVERN, rights.PROMOTE_STAGING, rights.DEMOTE_STAGING)),
    Case("automation with another number", spec(automation={"to": "Staging", "keep": 1}),
         spec(automation={"to": "Staging", "keep": 2}),
         needs=(rights.GOVERN, rights.PROMOTE_STAGING, rights.DEMOTE_STAGING)),
    Case("no automation any more", spec(automation={"to": "Staging", "keep": 1}), spec(),
         needs=(rights.GOVERN,)),
)  # fmt: skip

SERVING = (
    Case("a Deployment before anything serves", spec(), serving("api"),
         needs=(right_to_patch("api"),)),
    Case("a Deployment while a version is in Production", spec(), serving("api"), shown(1),
         needs=(right_to_patch("api"), rights.PROMOTE_PRODUCTION)),
    Case("no Deployment any more", serving("api"), spec(), needs=(right_to_patch("api"),)),
    Case("another Deployment", serving("api"), serving("other"), shown(1),
         needs=(right_to_patch("api"), right_to_patch("other"), rights.PROMOTE_PRODUCTION)),
    Case("a Deployment for another stage", serving("api"), serving("api", stage="Staging"),
         needs=(right_to_patch("api"),)),
    Case("one more Deployment", serving("api"), serving("api", "shadow"),
         needs=(right_to_patch("shadow"),)),
    Case("eight Deployments for eight others",
         serving(*(f"old-{number}" for number in range(8))),
         serving(*(f"new-{number}" for number in range(8))),
         needs=tuple(right_to_patch(f"{age}-{number}")
                     for age in ("old", "new") for number in range(8))),
    Case("eight Deployments for nine others",
         serving("api", *(f"old-{number}" for number in range(8))),
         serving(*(f"new-{number}" for number in range(8))),
         needs=(right_to_patch(""),)),
)  # fmt: skip

CASES = (
    *MOVEMENT, *BACK, *REASONS, *ARCHIVE, *SEVERAL, *NOTHING, *CREATION, *GOVERNANCE, *SERVING,
)  # fmt: skip
