"""kubectl model versions: all versions of a model."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from modelwarden.cli.answers import Answer, name_of
from modelwarden.cli.options import Context, Kubeconfig, ModelName, Namespace, Output
from modelwarden.cli.pages.versions import versions_page
from modelwarden.cli.reading import read_model, read_versions
from modelwarden.cli.session import Place, Session, run


class InStage(StrEnum):
    """The stages that versions are listed by."""

    REGISTERED = "registered"
    STAGING = "staging"
    PRODUCTION = "production"
    RETIRING = "retiring"
    ARCHIVED = "archived"


def command(
    model: ModelName,
    *,
    stage: Annotated[
        InStage | None, typer.Option(help="Only the versions that are in this stage.")
    ] = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Output = None,
) -> None:
    """List the versions of a model, newest first; -o wide shows digests and people too."""
    place = Place(namespace=namespace, context=context, kubeconfig=kubeconfig)
    run(place, output, lambda session: versions(session, model, stage=stage))


async def versions(session: Session, name: str, *, stage: InStage | None) -> Answer:
    """Read the versions, all or those of one stage."""
    model = await read_model(session, name)
    found = [
        version
        for version in reversed(await read_versions(session, name))
        if stage is None or version.get("status", {}).get("stage") == stage.value.capitalize()
    ]
    now = datetime.now(UTC)
    return Answer(
        page=versions_page(model, found, now=now, wide=False),
        wide=versions_page(model, found, now=now, wide=True),
        data={"apiVersion": "v1", "kind": "List", "items": found},
        names=[name_of("modelversions", item["metadata"]["name"]) for item in found],
    )
