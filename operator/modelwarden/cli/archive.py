"""kubectl model archive: asking for the end of a version that nobody is to use any more."""

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


def command(
    model: ModelName,
    version: VersionNumber,
    *,
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
    """Archive a version; one that served is Archived when nothing uses it any more."""
    departure = Departure(model=model, version=version, target=Stage.ARCHIVED, reason=reason)

    async def verb(session: Session) -> Answer:
        seconds = seconds_to_wait(timeout) if wait else 0
        manner = Manner(force=force, yes=yes, trial=dry_run, seconds=seconds, output=output)
        return await move_down(session, departure, manner=manner)

    run(Place(namespace=namespace, context=context, kubeconfig=kubeconfig), output, verb)
