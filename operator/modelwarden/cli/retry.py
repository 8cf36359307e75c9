"""kubectl model retry: having an attempt tried again that ended badly."""

from enum import StrEnum
from functools import partial
from typing import Annotated

import typer

from modelwarden.cli.answers import Answer, CannotError, Format, cannot, name_of, sentences
from modelwarden.cli.ballots import Ballot, attempt_to_retry
from modelwarden.cli.decisions import Rationale, caller, unsent
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
)
from modelwarden.cli.reading import read_attempts, read_version
from modelwarden.cli.session import Place, Session, run
from modelwarden.cli.waiting import Watch, seconds_to_wait, wait_for
from modelwarden.cli.writing import create
from modelwarden.cluster.paths import MODEL_DECISIONS
from modelwarden.domain.settling import tried_again
from modelwarden.domain.stages import Stage
from modelwarden.domain.verdicts import Verdict


class Tried(StrEnum):
    """The stages that attempts lead into."""

    REGISTERED = "registered"
    STAGING = "staging"
    PRODUCTION = "production"
    RETIRING = "retiring"
    ARCHIVED = "archived"


def command(
    model: ModelName,
    version: VersionNumber,
    *,
    rationale: Rationale,
    stage: Annotated[
        Tried | None,
        typer.Option(help="The stage of the attempt; without it, that of the last that failed."),
    ] = None,
    dry_run: TriedOnly = DryRun.NONE,
    wait: Wait = False,
    timeout: Timeout = "15m",
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Output = None,
) -> None:
    """Have the latest attempt tried again that failed or was rejected; a registration too.

    The request stays the same, its gates are asked again and every vote is cast anew. With -o yaml
    or --dry-run client the decision is printed and not sent.
    """

    async def verb(session: Session) -> Answer:
        return await retry(
            session,
            model,
            version,
            target=None if stage is None else Stage(stage.value.capitalize()),
            rationale=rationale,
            is_only_written=dry_run is DryRun.CLIENT or output is Format.YAML,
            seconds=seconds_to_wait(timeout) if wait else 0,
            output=output,
        )

    run(Place(namespace=namespace, context=context, kubeconfig=kubeconfig), output, verb)


async def retry(
    session: Session,
    model: str,
    version: int,
    *,
    target: Stage | None,
    rationale: str,
    is_only_written: bool,
    seconds: int,
    output: Format | None,
) -> Answer:
    """Create the Retry of the latest attempt, and wait for the next one where that is wished."""
    if not rationale.strip():
        raise CannotError("--rationale says why; it cannot be empty.")
    await read_version(session, model, version)
    attempt = attempt_to_retry(await read_attempts(session, model, version), target)
    if isinstance(attempt, Verdict):
        raise cannot(attempt)
    ballot = Ballot(kind="Retry", attempt=attempt, rationale=rationale, by=await caller(session))
    if is_only_written:
        return unsent(session, ballot)
    created = await create(session, MODEL_DECISIONS, ballot.to_json())
    decision = created["metadata"]["name"]
    if seconds:
        ended = partial(tried_again, attempt, decision)
        watch = Watch(model=model, version=version, ended=ended, seconds=seconds, output=output)
        return await wait_for(session, watch)
    namespace = created["metadata"]["namespace"]
    return Answer(
        page=sentences(
            f"{attempt['metadata']['name']} is to be tried again ({decision}).",
            f"Follow it: kubectl model why {model} {version} -n {namespace}",
        ),
        data=created,
        names=[name_of("modeldecisions", decision)],
    )
