"""Moves down: what demote and archive have in common."""

from dataclasses import dataclass
from functools import partial

from modelwarden.cli.answers import Answer, CannotError
from modelwarden.cli.edits import (
    Edit,
    Manner,
    edit_stages,
    follow,
    line_of_production,
    needs_reason,
    unchanged,
    where,
    wish_of,
)
from modelwarden.cli.reading import read_version
from modelwarden.cli.session import Session
from modelwarden.cluster.client import JsonObject
from modelwarden.domain.attempts_told import condition
from modelwarden.domain.settling import settled
from modelwarden.domain.stage_edit import stage_shown, with_destination
from modelwarden.domain.stages import Stage, is_above

# Where a version goes without --to.
_ONE_DOWN = {Stage.PRODUCTION: Stage.STAGING, Stage.STAGING: Stage.REGISTERED}


@dataclass(frozen=True, kw_only=True)
class Departure:
    """Which version is to leave where it is, and why; `target` is None for one rung down."""

    model: str
    version: int
    target: Stage | None
    reason: str

    @property
    def name(self) -> str:
        """The model and the version."""
        return f"{self.model} {self.version}"


async def move_down(session: Session, departure: Departure, *, manner: Manner) -> Answer:
    """Write where the version goes, or print that edit where the Model is kept in Git."""
    needs_reason(departure.reason)
    record = await read_version(session, departure.model, departure.version)
    ready = condition(record, "Ready")
    if ready.get("status") == "False":
        raise CannotError(f"{departure.name} is invalid: {ready.get('message', '')}")

    async def plan(model: JsonObject) -> Edit | Answer:
        return await _plan(session, departure, model)

    return await edit_stages(session, departure.model, plan, manner=manner)


async def _plan(session: Session, departure: Departure, model: JsonObject) -> Edit | Answer:
    version, name = departure.version, departure.name
    stages = model["spec"].get("stages", {})
    shown = model.get("status", {}).get("stages", {})
    at, named = stage_shown(shown, version), stages.get("production", {}).get("version")
    to = departure.target or _ONE_DOWN.get(at)
    if to is None:
        raise CannotError(_nothing_below(name, at, model))
    if at is to:
        return unchanged(model, f"{name} is {_in(to)} already{_asked_up(departure, model, named)}")
    if is_above(to, at):
        raise CannotError(
            f"{name} is {_in(at)}: {to} would be a move up, and nothing was changed. "
            f"kubectl model promote {name} --to {to.lower()} {where(model)} asks for that."
        )
    is_replaced = at is Stage.PRODUCTION and named not in (None, version)
    if is_replaced and to is Stage.STAGING:
        raise CannotError(
            f"{name} is in Production until {named} is. What another version replaces does not "
            "return to Staging: say --to registered or --to archived. Nothing was changed."
        )
    back = None if at is Stage.PRODUCTION else await line_of_production(session, model)
    wanted = with_destination(
        stages, version, to=to, reason=departure.reason, shown=shown, back=back
    )
    is_withdrawn = at is Stage.PRODUCTION and not is_replaced
    return Edit(
        version=version,
        stages=wanted,
        said=(
            *_said(name, at, to=to, until=named if is_replaced else None),
            follow(model, version),
        ),
        said_before=(
            f"{name} was asked out of {at} with this reason before.",
            follow(model, version),
        ),
        ended=lambda written: partial(settled, wish_of(written, version, to)),
        question=_question(name, model, to=to) if is_withdrawn else "",
        otherwise=_otherwise(departure, to),
    )


def _nothing_below(name: str, at: Stage, model: JsonObject) -> str:
    if at is Stage.REGISTERED:
        return (
            f"{name} is Registered: below is the archive only. kubectl model archive {name} "
            f"{where(model)} --reason ... asks for that. Nothing was changed."
        )
    return f"{name} is {at}: there is nothing below. Nothing was changed."


def _asked_up(departure: Departure, model: JsonObject, named: int | None) -> str:
    """Say how to take a request for Production back, which is no move down."""
    if named != departure.version:
        return ""
    cancel = f"kubectl model cancel {departure.name} {where(model)}"
    return f" (and asked into Production: {cancel} takes that back)"


def _said(name: str, at: Stage, *, to: Stage, until: int | None) -> tuple[str, ...]:
    if until is not None:
        return (f"{name} goes to {to} once {until} has replaced it in Production.",)
    if at is Stage.RETIRING:
        return (f"{name} is Retiring; it is Archived when nothing uses it any more.",)
    asked = f"{name} is asked out of {at} into {to}."
    if at is Stage.REGISTERED:
        asked = f"{name} is asked into {to}."
    through = at is Stage.PRODUCTION and to is Stage.ARCHIVED
    later = ("It is Retiring until nothing uses it any more.",) if through else ()
    return (asked, *later)


def _question(name: str, model: JsonObject, *, to: Stage) -> str:
    """Say what nobody has named: that nothing is in Production then."""
    serving = [
        f"deploy/{target['deployment']['name']}"
        for target in model["spec"].get("serving", ())
        if target["stage"] == Stage.PRODUCTION
    ]
    who = " and ".join(serving) or "whoever asks for it"
    gets = "get" if len(serving) > 1 else "gets"
    return (
        f"{name} is in Production and no version replaces it: it goes to {to}, and {who} {gets} no "
        "model."
    )


def _otherwise(departure: Departure, to: Stage) -> str:
    if departure.target is None:
        return f"Say --to staging, registered or archived, or --yes for {to}."
    return "Say --yes if that is meant."


def _in(stage: Stage) -> str:
    return f"in {stage}" if stage in (Stage.STAGING, Stage.PRODUCTION) else str(stage)
