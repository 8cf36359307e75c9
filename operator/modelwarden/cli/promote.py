"""kubectl model promote: asking a version up into Staging or Production."""

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Annotated

import typer

from modelwarden.cli.answers import Answer, CannotError
from modelwarden.cli.edits import (
    Edit,
    Manner,
    edit_stages,
    follow,
    needs_reason,
    unchanged,
    wish_of,
)
from modelwarden.cli.options import (
    Context,
    Force,
    Kubeconfig,
    ModelName,
    Namespace,
    Output,
    Reason,
    Timeout,
    Trial,
    Tried,
    VersionNumber,
    Wait,
    Yes,
)
from modelwarden.cli.reading import read_version
from modelwarden.cli.session import Place, Session, run
from modelwarden.cli.waiting import seconds_to_wait
from modelwarden.cluster.client import JsonObject
from modelwarden.domain.attempts_told import condition
from modelwarden.domain.settling import settled
from modelwarden.domain.stage_edit import (
    is_asked_for,
    stage_shown,
    with_destination,
    with_request,
)
from modelwarden.domain.stages import Stage, is_above


class Target(StrEnum):
    """The stages that a version is promoted into through gates."""

    STAGING = "staging"
    PRODUCTION = "production"

    @property
    def stage(self) -> Stage:
        """The stage as the API writes it."""
        return Stage(self.value.capitalize())


class Rung(StrEnum):
    """The stages that a version is asked up into; back to Registered from Retiring or Archived."""

    REGISTERED = "registered"
    STAGING = "staging"
    PRODUCTION = "production"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked, and why."""

    model: str
    version: int
    target: Stage
    reason: str

    @property
    def name(self) -> str:
        """The model and the version."""
        return f"{self.model} {self.version}"


def command(
    model: ModelName,
    version: VersionNumber,
    *,
    to: Annotated[Rung, typer.Option(help="The stage.")],
    reason: Reason,
    wait: Wait = False,
    timeout: Timeout = "15m",
    force: Force = False,
    yes: Yes = False,
    dry_run: Tried = Trial.NONE,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Output = None,
) -> None:
    """Ask a version up into Staging or Production.

    A version that is Retiring or Archived is asked back with --to registered.
    """
    target = Stage(to.value.capitalize())
    request = Request(model=model, version=version, target=target, reason=reason)

    async def verb(session: Session) -> Answer:
        seconds = seconds_to_wait(timeout) if wait else 0
        manner = Manner(force=force, yes=yes, trial=dry_run, seconds=seconds, output=output)
        return await promote(session, request, manner=manner)

    run(Place(namespace=namespace, context=context, kubeconfig=kubeconfig), output, verb)


async def promote(session: Session, request: Request, *, manner: Manner) -> Answer:
    """Write the request into the Model, or print the edit where the Model is kept in Git."""
    needs_reason(request.reason)
    record = await read_version(session, request.model, request.version)
    ready = condition(record, "Ready")
    if ready.get("status") == "False":
        raise CannotError(f"{request.name} is invalid: {ready.get('message', '')}")

    async def plan(model: JsonObject) -> Edit | Answer:
        return _plan(request, model)

    return await edit_stages(session, request.model, plan, manner=manner)


def _plan(request: Request, model: JsonObject) -> Edit | Answer:
    stages = model["spec"].get("stages", {})
    shown = model.get("status", {}).get("stages", {})
    at = stage_shown(shown, request.version)
    if at is request.target and (
        request.target is Stage.REGISTERED or is_asked_for(stages, request.version, request.target)
    ):
        return unchanged(model, f"{request.name} is in {request.target} already")
    if is_above(at, request.target):
        raise CannotError(_is_a_move_down(request, at, model))
    return Edit(
        version=request.version,
        stages=_wanted(request, stages, shown),
        said=_said(request, model, at=at),
        said_before=(
            (
                f"{request.name} was asked into {request.target} with this reason before; another "
                "reason asks again."
            ),
            follow(model, request.version),
        ),
        ended=lambda written: partial(settled, wish_of(written, request.version, request.target)),
    )


def _wanted(request: Request, stages: JsonObject, shown: JsonObject) -> JsonObject:
    version, reason = request.version, request.reason
    if request.target is Stage.REGISTERED:
        to = request.target
        return with_destination(stages, version, to=to, reason=reason, shown=shown)
    return with_request(stages, version, target=request.target, reason=reason)


def _said(request: Request, model: JsonObject, *, at: Stage) -> tuple[str, ...]:
    if at is request.target:
        return (f"{request.name} is in {request.target}.",)
    asked = f"{request.name} is asked into {request.target}."
    back = model.get("status", {}).get("stages", {}).get("rollbackTo", ())
    if request.target is Stage.PRODUCTION and request.version in {o["version"] for o in back}:
        asked += " It was there before: that is a rollback."
    return (asked, follow(model, request.version))


def _is_a_move_down(request: Request, at: Stage, model: JsonObject) -> str:
    return (
        f"{request.name} is in {at}: {request.target} would be a move down, and nothing was "
        f"changed. kubectl model demote {request.name} --to {request.target.lower()} "
        f"-n {model['metadata']['namespace']} asks for that."
    )
