"""kubectl model get: which models there are, or one with its versions by stage."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from modelwarden.cli.answers import Answer, name_of
from modelwarden.cli.options import Context, Kubeconfig, Namespace, Output
from modelwarden.cli.pages.models import ModelView, model_page, models_page, served_by
from modelwarden.cli.reading import read_model, read_versions
from modelwarden.cli.session import Place, Session, run
from modelwarden.cluster.answers import ApiError
from modelwarden.cluster.client import JsonObject
from modelwarden.cluster.paths import DEPLOYMENTS, MODELS


def command(
    model: Annotated[str | None, typer.Argument(metavar="[MODEL]", help="One model.")] = None,
    *,
    all_namespaces: Annotated[
        bool, typer.Option("--all-namespaces", "-A", help="List the models of all namespaces.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Show archived and all registered versions too.")
    ] = False,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Output = None,
) -> None:
    """List models, or show one with its versions by stage."""
    place = Place(namespace=namespace, context=context, kubeconfig=kubeconfig)
    if model is None:
        run(place, output, lambda session: get_all(session, all_namespaces=all_namespaces))
    run(place, output, lambda session: get_one(session, model, everything=everything))


async def get_all(session: Session, *, all_namespaces: bool) -> Answer:
    """List the models of one namespace, or of all."""
    client = await session.client()
    where = "" if all_namespaces else await session.namespace()
    models = await client.list(MODELS, where)
    return Answer(
        page=models_page(models, with_namespace=all_namespaces),
        wide=models_page(models, with_namespace=all_namespaces, wide=True),
        data={"apiVersion": "v1", "kind": "List", "items": list(models)},
        names=[name_of("models", item["metadata"]["name"]) for item in models],
    )


async def get_one(session: Session, name: str, *, everything: bool) -> Answer:
    """Show one model."""
    model = await read_model(session, name)
    versions = await read_versions(session, name)
    view = ModelView(
        model=model,
        versions=versions,
        replicas=await wanted_replicas(session, versions),
        now=datetime.now(UTC),
        everything=everything,
    )
    return Answer(page=model_page(view), data=model, names=[name_of("models", name)])


async def wanted_replicas(session: Session, versions: Sequence[JsonObject]) -> dict[str, int]:
    """Read how many replicas are wanted; whoever may not read Deployments sees those ready."""
    used = {consumer["name"] for version in versions for consumer in served_by(version)}
    client, namespace = await session.client(), await session.namespace()
    found = {}
    for name in sorted(used):
        try:
            deployment = await client.find(DEPLOYMENTS, name, namespace)
        except ApiError as error:
            if not error.is_forbidden:
                raise
            return {}
        if deployment is not None:
            found[name] = int(deployment["spec"].get("replicas", 1))
    return found
