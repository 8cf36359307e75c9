"""kubectl model retract: taking back one's own vote."""

from modelwarden.cli.answers import Answer, CannotError
from modelwarden.cli.ballots import has_vote_to_take_back
from modelwarden.cli.decisions import Rationale, To, Vote, find_attempt, prepare, send, unsent
from modelwarden.cli.options import (
    Context,
    DryRun,
    Kubeconfig,
    ModelName,
    Namespace,
    Output,
    TriedOnly,
    VersionNumber,
)
from modelwarden.cli.promote import Target
from modelwarden.cli.session import Place, Session, run
from modelwarden.cluster.paths import MODEL_DECISIONS


def command(
    model: ModelName,
    version: VersionNumber,
    *,
    rationale: Rationale = "Taken back by its voter.",
    to: To = Target.PRODUCTION,
    dry_run: TriedOnly = DryRun.NONE,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Output = None,
) -> None:
    """Take back your own vote on a version that is asked into a stage.

    With -o yaml or --dry-run client the decision is printed and not sent.
    """

    async def verb(session: Session) -> Answer:
        about = Vote(
            kind="Retract",
            model=model,
            version=version,
            target=to.stage,
            rationale=rationale,
            yes=True,
            dry_run=dry_run is DryRun.CLIENT,
            output=output,
        )
        return await retract(session, about)

    run(Place(namespace=namespace, context=context, kubeconfig=kubeconfig), output, verb)


async def retract(session: Session, about: Vote) -> Answer:
    """Take back all own votes on the open attempt; CannotError where there is none."""
    attempt = await find_attempt(session, about)
    ballot = await prepare(session, about, attempt)
    client, namespace = await session.client(), await session.namespace()
    fields = f"spec.transition.name={attempt['metadata']['name']}"
    decisions = await client.list(MODEL_DECISIONS, namespace, fields=fields)
    if not has_vote_to_take_back(attempt, decisions, ballot.by.username):
        raise CannotError(
            f"{ballot.by.username} has no vote on {about.model} {about.version} for "
            f"{about.target} to take back. Nothing was changed."
        )
    if about.is_only_written:
        return unsent(session, ballot)
    return await send(session, about, ballot)
