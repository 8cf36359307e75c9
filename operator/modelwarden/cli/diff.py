"""kubectl model diff: two versions beside each other."""

from typing import Annotated

import typer

from modelwarden.cli.answers import Answer, CannotError, name_of
from modelwarden.cli.options import (
    Context,
    Kubeconfig,
    ModelName,
    Namespace,
    Output,
    SomeVersion,
    version_number,
)
from modelwarden.cli.pages.diff import diff_json, diff_page
from modelwarden.cli.reading import read_model, read_version
from modelwarden.cli.session import Place, Session, run
from modelwarden.domain.names import version_name


def command(
    model: ModelName,
    version: Annotated[
        int,
        typer.Argument(
            help="A version; alone it is compared with the one in Production.",
            metavar="VERSION",
            parser=version_number,
        ),
    ],
    other: SomeVersion = None,
    *,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Output = None,
) -> None:
    """Compare two versions: metrics in total and by segment, and what they were made from."""
    place = Place(namespace=namespace, context=context, kubeconfig=kubeconfig)
    run(place, output, lambda session: diff(session, model, version, other=other))


async def diff(session: Session, name: str, version: int, *, other: int | None) -> Answer:
    """Read both versions, the one in Production first where only one is named."""
    model = await read_model(session, name)
    old, new = (version, other) if other else (_in_production(model, version), version)
    if old == new:
        raise CannotError(f"{name} {new} is in Production itself: name another one beside it.")
    before = await read_version(session, name, old)
    after = await read_version(session, name, new)
    return Answer(
        page=diff_page(model, before, after),
        wide=diff_page(model, before, after, in_full=True),
        data=diff_json(model, before, after),
        names=[name_of("modelversions", version_name(name, number)) for number in (old, new)],
    )


def _in_production(model: dict[str, object], version: int) -> int:
    status = model.get("status")
    stages = status.get("stages", {}) if isinstance(status, dict) else {}
    found = stages.get("production", {}).get("version")
    if found is None:
        raise CannotError(
            f"No version is in Production to compare {version} with: name two versions."
        )
    return int(found)
