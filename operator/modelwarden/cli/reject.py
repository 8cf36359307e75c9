"""kubectl model reject: ending an attempt by voting against it."""

from modelwarden.cli.answers import Answer
from modelwarden.cli.decisions import Rationale, To, Vote, vote
from modelwarden.cli.options import (
    Context,
    DryRun,
    Kubeconfig,
    ModelName,
    Namespace,
    Output,
    Timeout,
    TriedOnly,
    VersionNumber,
    Wait,
    Yes,
)
from modelwarden.cli.promote import Target
from modelwarden.cli.session import Place, Session, run
from modelwarden.cli.waiting import seconds_to_wait


def command(
    model: ModelName,
    version: VersionNumber,
    *,
    rationale: Rationale,
    to: To = Target.PRODUCTION,
    yes: Yes = False,
    dry_run: TriedOnly = DryRun.NONE,
    wait: Wait = False,
    timeout: Timeout = "15m",
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Output = None,
) -> None:
    """Vote against a version that is asked into a stage; one such vote ends the attempt.

    With -o yaml or --dry-run client the decision is printed and not sent.
    """

    async def verb(session: Session) -> Answer:
        about = Vote(
            kind="Reject",
            model=model,
            version=version,
            target=to.stage,
            rationale=rationale,
            yes=yes,
            dry_run=dry_run is DryRun.CLIENT,
            output=output,
            seconds=seconds_to_wait(timeout) if wait else 0,
        )
        return await vote(session, about)

    run(Place(namespace=namespace, context=context, kubeconfig=kubeconfig), output, verb)
