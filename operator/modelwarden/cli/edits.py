"""Editing the stages of a Model: one way for every verb that moves a version."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import typer

from modelwarden.cli.answers import Answer, CannotError, Format, name_of, sentences
from modelwarden.cli.failures import failure_of
from modelwarden.cli.git_managed import edit_to_commit, may_be_forced
from modelwarden.cli.options import Trial
from modelwarden.cli.reading import find_version, read_model
from modelwarden.cli.render import as_yaml
from modelwarden.cli.session import Session
from modelwarden.cli.waiting import Ended, Watch, wait_for
from modelwarden.cli.writing import MANAGER, merge
from modelwarden.cluster.answers import ApiError
from modelwarden.cluster.client import JsonObject
from modelwarden.cluster.paths import MODELS
from modelwarden.domain.settling import Wish
from modelwarden.domain.stage_edit import (
    Line,
    difference,
    last_reason,
    other_keepers,
    part_of,
    request_id,
)
from modelwarden.domain.stages import Stage

# Somebody else may write the Model between our read and our write; so often it is read again.
TRIES = 5


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How an edit is made: tried only, waited for, and what the caller has answered already.

    `is_said` is for a caller who named what is to happen, and need not be asked about it.
    """

    yes: bool = False
    is_said: bool = False
    force: bool = False
    trial: Trial = Trial.NONE
    seconds: int = 0
    output: Format | None = None


@dataclass(frozen=True, kw_only=True)
class Edit:
    """The stages as they are to be, and what is said about it.

    `question` is asked first, where something is lost that nobody has named; `otherwise` says what
    to write instead of an answer. `ended` makes of the written Model what is waited for.
    """

    version: int
    stages: Mapping[str, Any]
    said: Sequence[str]
    ended: Callable[[JsonObject], Ended]
    said_before: Sequence[str] = ()
    question: str = ""
    otherwise: str = ""


# Makes the edit of the Model as it was just read, or answers without one.
Planner: TypeAlias = Callable[[JsonObject], Awaitable[Edit | Answer]]


async def edit_stages(session: Session, name: str, plan: Planner, *, manner: Manner) -> Answer:
    """Read the Model, make the edit and write it as a compare-and-swap, until nobody interferes."""
    asked = manner.yes or manner.is_said
    for _ in range(TRIES):
        model = await read_model(session, name)
        edit = await plan(model)
        if isinstance(edit, Answer):
            return edit
        change = difference(model["spec"].get("stages", {}), edit.stages)
        keepers = other_keepers(model["metadata"].get("managedFields", ()), MANAGER)
        if change and keepers and not manner.force:
            if manner.trial is not Trial.CLIENT:
                await _warn_of_refusal(session, model, change)
            return edit_to_commit(model, edit.stages, keepers=keepers)
        if change and keepers:
            await may_be_forced(session, model, keepers, yes=manner.yes)
        if manner.trial is Trial.CLIENT:
            return _tried(model, edit, said="Nothing was sent.")
        try:
            if change and (manner.trial is Trial.SERVER or (edit.question and not asked)):
                # Whoever may not do it hears that at once, and nothing else.
                await _write(session, model, change, dry_run=True)
            if manner.trial is Trial.SERVER:
                return _tried(model, edit, said="The server would take it. Nothing was changed.")
            if edit.question and not asked:
                _confirm(session, edit, output=manner.output)
                asked = True
            written = await _write(session, model, change) if change else model
        except ApiError as error:
            if not error.is_conflict:
                raise
            continue
        return await _answer(session, edit, written, is_new=bool(change), manner=manner)
    raise CannotError(f"{name} is written by others all the time; try again.")


def needs_reason(reason: str) -> None:
    """Refuse an empty reason before anything is read."""
    if not reason.strip():
        raise CannotError("--reason says why; it cannot be empty.")


def where(model: JsonObject) -> str:
    """Say in which namespace to look further."""
    return f"-n {model['metadata']['namespace']}"


def follow(model: JsonObject, version: int) -> str:
    """Say how to follow what was asked."""
    return f"Follow it: kubectl model why {model['metadata']['name']} {version} {where(model)}"


def unchanged(model: JsonObject, text: str) -> Answer:
    """Say that there is nothing to do."""
    names = [name_of("models", model["metadata"]["name"])]
    return Answer(page=sentences(f"{text}; nothing was changed."), data=model, names=names)


def wish_of(written: JsonObject, version: int, target: Stage, *, part: str | None = None) -> Wish:
    """Name what the written Model asks for."""
    return Wish(
        version=version,
        target=target,
        request_id=request_id(written, part or part_of(version, target)),
        generation=written["metadata"].get("generation", 0),
    )


async def line_of_production(session: Session, model: JsonObject) -> Line | None:
    """Write the line of the version that status shows in Production, with its own reason."""
    shown = model.get("status", {}).get("stages", {}).get("production")
    if shown is None:
        return None
    return await line_of(session, model, shown["version"], Stage.PRODUCTION)


async def line_of(session: Session, model: JsonObject, version: int, stage: Stage) -> Line:
    """Write the line of a version in a stage, with the reason for which it came there last."""
    record = await find_version(session, model["metadata"]["name"], version)
    reason = last_reason(record or {}, stage) or f"It is in {stage}."
    return {"version": version, "reason": reason}


async def _write(
    session: Session, model: JsonObject, change: Mapping[str, Any], *, dry_run: bool = False
) -> JsonObject:
    version = {"resourceVersion": model["metadata"]["resourceVersion"]}
    patch = {"metadata": version, "spec": {"stages": change}}
    return await merge(session, MODELS, model["metadata"]["name"], patch=patch, dry_run=dry_run)


async def _warn_of_refusal(session: Session, model: JsonObject, change: Mapping[str, Any]) -> None:
    """Say beside the edit to commit what the server would say of it to the caller."""
    try:
        await _write(session, model, change, dry_run=True)
    except ApiError as error:
        if not error.is_conflict:
            said = " ".join(failure_of(error).sentences)
            session.screen.warn(f"Sent with your own login it would be refused: {said}")


async def _answer(
    session: Session, edit: Edit, written: JsonObject, *, is_new: bool, manner: Manner
) -> Answer:
    name = written["metadata"]["name"]
    if not manner.seconds:
        said = edit.said if is_new else (edit.said_before or edit.said)
        return Answer(page=sentences(*said), data=written, names=[name_of("models", name)])
    watch = Watch(
        model=name,
        version=edit.version,
        ended=edit.ended(written),
        seconds=manner.seconds,
        output=manner.output,
    )
    return await wait_for(session, watch)


def _tried(model: JsonObject, edit: Edit, *, said: str) -> Answer:
    data = {"spec": {"stages": dict(edit.stages)}}
    names = [name_of("models", model["metadata"]["name"])]
    page = (*sentences(f"# {said}"), *sentences(*as_yaml(data).splitlines()))
    return Answer(page=page, data=data, names=names)


def _confirm(session: Session, edit: Edit, *, output: Format | None) -> None:
    if not session.screen.is_interactive:
        raise CannotError(f"{edit.question} {edit.otherwise}", "Nothing was changed.")
    # What reads the answer for a machine does not get the question.
    on_stderr = not session.screen.is_read_by_a_person(output)
    if not typer.confirm(f"{edit.question} Go on?", err=on_stderr):
        raise CannotError("Nothing was changed.")
