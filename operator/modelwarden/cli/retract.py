"""kubectl model retract: taking back one's own vote."""

from modelwarden.cli.answers import Answer, CannotError, Format
from modelwarden.cli.ballots import is_own_vote
from modelwarden.cli.decisions import Rationale, To, Vote, find_attempt, prepare, send
from modelwarden.cli.options import (
    Context,
    Kubeconfig,
    ModelName,
    Namespace,
    Output,
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
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Output = None,
) -> None:
    """Take back your own vote on a version that is asked into a stage."""

    async def verb(session: Session) -> Answer:
        about = Vote(
            kind="Retract",
            model=model,
            version=version,
            target=to.stage,
            rationale=rationale,
            yes=True,
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
    if not any(is_own_vote(item, attempt, ballot.by.username) for item in decisions):
        raise CannotError(
            f"{ballot.by.username} has not voted on {about.model} {about.version} for "
            f"{about.target}."
        )
    if about.output in (Format.YAML, Format.JSON):
        return Answer(page=(), data=ballot.to_json())
    return await send(session, about, ballot)
