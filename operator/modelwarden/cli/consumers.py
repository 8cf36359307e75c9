"""kubectl model consumers: who uses a model, by version."""

from modelwarden.cli.answers import Answer, name_of
from modelwarden.cli.options import (
    Context,
    Kubeconfig,
    ModelName,
    Namespace,
    Output,
    SomeVersion,
)
from modelwarden.cli.pages.consumers import consumers_json, consumers_page
from modelwarden.cli.reading import read_model, read_version, read_versions
from modelwarden.cli.session import Place, Session, run


def command(
    model: ModelName,
    version: SomeVersion = None,
    *,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Output = None,
) -> None:
    """Show what uses a version, or every version: as found in the cluster, and as declared."""
    place = Place(namespace=namespace, context=context, kubeconfig=kubeconfig)
    run(place, output, lambda session: consumers(session, model, version))


async def consumers(session: Session, name: str, version: int | None) -> Answer:
    """Read who uses one version, or all of them."""
    model = await read_model(session, name)
    if version is None:
        found = list(reversed(await read_versions(session, name)))
    else:
        found = [await read_version(session, name, version)]
    return Answer(
        page=consumers_page(model, found),
        wide=consumers_page(model, found, wide=True),
        data=consumers_json(model, found),
        names=[name_of("modelversions", item["metadata"]["name"]) for item in found],
    )
