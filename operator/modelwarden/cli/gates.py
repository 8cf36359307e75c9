"""kubectl model gates: what was looked at for a version, and what was found."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from modelwarden.cli.answers import Answer, CannotError, name_of
from modelwarden.cli.options import (
    Context,
    Kubeconfig,
    ModelName,
    Namespace,
    Output,
    VersionNumber,
)
from modelwarden.cli.pages.gates import gates_json, gates_page
from modelwarden.cli.reading import read_attempts, read_version
from modelwarden.cli.session import Place, Session, run
from modelwarden.cluster.client import JsonObject
from modelwarden.domain.attempts_told import Raw, latest_attempts, order_of


def command(
    model: ModelName,
    version: VersionNumber,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Show the earlier attempts too.")
    ] = False,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Output = None,
) -> None:
    """Show every gate of a version's latest attempts: what was found and what was needed."""
    place = Place(namespace=namespace, context=context, kubeconfig=kubeconfig)
    run(place, output, lambda session: gates(session, model, version, everything=everything))


async def gates(session: Session, model: str, version: int, *, everything: bool) -> Answer:
    """Read the latest attempt to enter each stage, or all attempts."""
    found = await attempts_of(session, model, version)
    shown: Sequence[Raw] = sorted(found, key=order_of) if everything else latest_attempts(found)
    now = datetime.now(UTC)
    return Answer(
        page=gates_page(shown, now=now),
        wide=gates_page(shown, now=now, wide=True),
        data=gates_json(shown),
        names=[name_of("modeltransitions", item["metadata"]["name"]) for item in shown],
    )


async def attempts_of(session: Session, model: str, version: int) -> Sequence[JsonObject]:
    """Read the attempts of a version; CannotError where there is no such version, or none yet."""
    found = await read_attempts(session, model, version)
    if not found:
        await read_version(session, model, version)
        raise CannotError(f"Nothing was looked at yet for {model} {version}.")
    return found
