"""kubectl model demote: asking a version down, out of Staging or out of Production."""

from enum import StrEnum
from typing import Annotated

import typer

from modelwarden.cli.answers import Answer
from modelwarden.cli.edits import Manner
from modelwarden.cli.moving_down import Departure, move_down
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
from modelwarden.cli.session import Place, Session, run
from modelwarden.cli.waiting import seconds_to_wait
from modelwarden.domain.stages import Stage


class Destination(StrEnum):
    """The stages that a version is asked down into."""

    REGISTERED = "registered"
    STAGING = "staging"
    ARCHIVED = "archived"


def command(
    model: ModelName,
    version: VersionNumber,
    *,
    reason: Reason,
    to: Annotated[
        Destination | None,
        typer.Option(help="Where to; one rung down without it, which is asked about first."),
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
    """Ask a version down: out of Staging, or out of Production with nothing in its place.

    To put an older version back into Production there is rollback.
    """
    target = None if to is None else Stage(to.value.capitalize())
    departure = Departure(model=model, version=version, target=target, reason=reason)

    async def verb(session: Session) -> Answer:
        seconds = seconds_to_wait(timeout) if wait else 0
        # Whoever has said where to has said what is to happen.
        is_said = yes or to is not None
        manner = Manner(
            force=force, yes=yes, is_said=is_said, trial=dry_run, seconds=seconds, output=output
        )
        return await move_down(session, departure, manner=manner)

    run(Place(namespace=namespace, context=context, kubeconfig=kubeconfig), output, verb)
