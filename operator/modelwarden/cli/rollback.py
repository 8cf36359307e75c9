"""kubectl model rollback: putting an older version back into Production."""

from collections.abc import Sequence
from dataclasses import dataclass
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
    where,
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
    Wait,
    Yes,
    version_number,
)
from modelwarden.cli.session import Place, Session, run
from modelwarden.cli.waiting import seconds_to_wait
from modelwarden.cluster.client import JsonObject
from modelwarden.domain.attempts_told import Raw
from modelwarden.domain.settling import settled
from modelwarden.domain.stage_edit import with_request
from modelwarden.domain.stages import Stage


@dataclass(frozen=True, kw_only=True)
class Return:
    """What is to go back, where to, and why; `to` is None for the version replaced last."""

    model: str
    to: int | None
    reason: str


def command(
    model: ModelName,
    *,
    reason: Reason,
    to: Annotated[
        int | None,
        typer.Option(
            help="The version; without it the one that was replaced last.",
            metavar="VERSION",
            parser=version_number,
        ),
    ] = None,
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
    """Put the version that was replaced last, or an older one, back into Production.

    It needs no gates but the look at its file, and no approvals unless the policy says so.
    """
    wished = Return(model=model, to=to, reason=reason)

    async def verb(session: Session) -> Answer:
        seconds = seconds_to_wait(timeout) if wait else 0
        manner = Manner(force=force, yes=yes, trial=dry_run, seconds=seconds, output=output)
        return await rollback(session, wished, manner=manner)

    run(Place(namespace=namespace, context=context, kubeconfig=kubeconfig), output, verb)


async def rollback(session: Session, wished: Return, *, manner: Manner) -> Answer:
    """Write the older version into `production`, or print that edit for a Model kept in Git."""
    needs_reason(wished.reason)

    async def plan(model: JsonObject) -> Edit | Answer:
        return _plan(wished, model)

    return await edit_stages(session, wished.model, plan, manner=manner)


def _plan(wished: Return, model: JsonObject) -> Edit | Answer:
    stages = model["spec"].get("stages", {})
    shown = model.get("status", {}).get("stages", {})
    there = shown.get("production", {}).get("version")
    if wished.to is not None and wished.to == there:
        asked = stages.get("production", {}).get("version")
        if asked in (None, there):
            return unchanged(model, f"{wished.model} {there} is in Production already")
        cancel = f"kubectl model cancel {wished.model} {asked} {where(model)}"
        raise CannotError(
            f"{wished.model} {there} is in Production. {cancel} takes the request for {asked} "
            "back. Nothing was changed."
        )
    to = _target(wished, model, shown.get("rollbackTo", ()))
    name = f"{wished.model} {to}"
    return Edit(
        version=to,
        stages=with_request(stages, to, target=Stage.PRODUCTION, reason=wished.reason),
        said=(
            f"{name} is asked back into Production.",
            *_what_leaves(there, stages),
            *_what_is_dropped(stages, there=there, to=to),
            follow(model, to),
        ),
        said_before=(
            (
                f"{name} was asked back into Production with this reason before; another "
                "reason asks again."
            ),
            follow(model, to),
        ),
        ended=lambda written: partial(settled, wish_of(written, to, Stage.PRODUCTION)),
    )


def _target(wished: Return, model: JsonObject, offered: Sequence[Raw]) -> int:
    """Choose where to go back to, or say what there is to choose from."""
    numbers = [target["version"] for target in offered]
    if wished.to in numbers:
        return int(numbers[numbers.index(wished.to)])
    if not offered:
        raise CannotError(
            f"{wished.model} has no version to go back to: none was replaced in Production that "
            f"its policy still lets back. Nothing was changed.",
            f"Ask for any other version: kubectl model promote {wished.model} VERSION --to "
            f"production {where(model)} --reason ...",
        )
    choice = f"It may go back to {', '.join(_told(target) for target in offered)}."
    if wished.to is not None:
        raise CannotError(
            f"{wished.model} cannot go back to {wished.to}. {choice} Nothing was changed.",
            f"It takes the whole step: kubectl model promote {wished.model} {wished.to} --to "
            f"production {where(model)} --reason ...",
        )
    # The one that was replaced last may come back without an end.
    last = [target["version"] for target in offered if not target.get("until")]
    if len(last) != 1:
        raise CannotError(
            f"No version was replaced by the one in Production. {choice} Say which with --to. "
            "Nothing was changed."
        )
    return int(last[0])


def _told(target: Raw) -> str:
    return (
        f"{target['version']} (until {target['until']})"
        if target.get("until")
        else (f"{target['version']} (replaced last)")
    )


def _what_leaves(there: int | None, stages: JsonObject) -> tuple[str, ...]:
    if there is None:
        return ()
    stays = any(entry["version"] == there for entry in stages.get("staging", ()))
    goes = "goes to Staging, where its line stands" if stays else "is Retiring then"
    return (f"Version {there} {goes}; only the whole step brings it back.",)


def _what_is_dropped(stages: JsonObject, *, there: int | None, to: int) -> tuple[str, ...]:
    asked = stages.get("production", {}).get("version")
    if asked in (None, there, to):
        return ()
    return (f"The request for version {asked} is taken back by that.",)
