"""kubectl model lineage: what a version was made from, to the end."""

from collections.abc import Mapping
from typing import Any

from modelwarden.cli.answers import Answer, name_of
from modelwarden.cli.options import (
    Context,
    Kubeconfig,
    ModelName,
    Namespace,
    Output,
    VersionNumber,
)
from modelwarden.cli.pages.lineage import lineage_page
from modelwarden.cli.reading import read_version
from modelwarden.cli.session import Place, Session, run
from modelwarden.cluster.answers import ApiError
from modelwarden.cluster.paths import MODEL_VERSIONS
from modelwarden.domain.names import version_name
from modelwarden.lineage.ancestors import ancestry, still_unknown
from modelwarden.lineage.origins import VersionKey


def command(
    model: ModelName,
    version: VersionNumber,
    *,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Output = None,
) -> None:
    """Show the data, code, environment, features and models that a version was made from."""
    place = Place(namespace=namespace, context=context, kubeconfig=kubeconfig)
    run(place, output, lambda session: lineage(session, model, version))


async def lineage(session: Session, model: str, version: int) -> Answer:
    """Read a version and, round by round, every version of ours that it was trained from."""
    record = await read_version(session, model, version)
    start = VersionKey(record["metadata"]["namespace"], model, version)
    specs: dict[VersionKey, Mapping[str, Any] | None] = {start: record["spec"]}
    while unknown := still_unknown(start, specs):
        for key in sorted(unknown):
            specs[key] = await _spec(session, key)
    told = ancestry(start, specs)
    names = [name_of("modelversions", version_name(model, version))]
    return Answer(page=lineage_page(told), data=told.to_json(), names=names)


async def _spec(session: Session, key: VersionKey) -> Mapping[str, Any] | None:
    """Read a spec; one that the caller may not read is as good as not there, and is said to be."""
    client = await session.client()
    name = version_name(key.model, key.version)
    try:
        found = await client.find(MODEL_VERSIONS, name, key.namespace)
    except ApiError as error:
        if not error.is_forbidden:
            raise
        session.screen.warn(f"You may not read versions in {key.namespace}.")
        return None
    return None if found is None else found["spec"]
