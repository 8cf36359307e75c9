"""kubectl model describe: everything about a model, or about one version, on one page."""

from datetime import UTC, datetime

from modelwarden.cli.answers import Answer, name_of
from modelwarden.cli.get import wanted_replicas
from modelwarden.cli.options import (
    Context,
    Kubeconfig,
    ModelName,
    Namespace,
    Output,
    SomeVersion,
)
from modelwarden.cli.pages.describe import VersionView, model_description, version_description
from modelwarden.cli.pages.models import ModelView
from modelwarden.cli.reading import (
    find_version,
    read_attempts,
    read_model,
    read_version,
    read_versions,
)
from modelwarden.cli.session import Place, Session, run
from modelwarden.domain.explain import Subject, explain
from modelwarden.domain.names import version_name


def command(
    model: ModelName,
    version: SomeVersion = None,
    *,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Output = None,
) -> None:
    """Show everything about a model, or about one version, on one page."""
    place = Place(namespace=namespace, context=context, kubeconfig=kubeconfig)
    if version is None:
        run(place, output, lambda session: describe_model(session, model))
    run(place, output, lambda session: describe_version(session, model, version))


async def describe_model(session: Session, name: str) -> Answer:
    """Describe a model with its versions by stage."""
    model = await read_model(session, name)
    versions = await read_versions(session, name)
    view = ModelView(
        model=model,
        versions=versions,
        replicas=await wanted_replicas(session, versions),
        now=datetime.now(UTC),
    )
    return Answer(
        page=model_description(view),
        data={"model": model, "versions": list(versions)},
        names=[name_of("models", name)],
    )


async def describe_version(session: Session, name: str, version: int) -> Answer:
    """Describe one version beside the one in Production."""
    record = await read_version(session, name, version)
    model = await read_model(session, name)
    attempts = await read_attempts(session, name, version)
    there = model.get("status", {}).get("stages", {}).get("production", {}).get("version")
    champion = await find_version(session, name, there) if there not in (None, version) else None
    subject = Subject(model=model, version=version, record=record, attempts=attempts)
    explanation = explain(subject, now=datetime.now(UTC))
    view = VersionView(
        model=model,
        record=record,
        champion=champion,
        attempts=attempts,
        explanation=explanation,
    )
    return Answer(
        page=version_description(view),
        data={
            "version": record,
            "explanation": explanation.to_json(),
            "transitions": list(attempts),
        },
        names=[name_of("modelversions", version_name(name, version))],
    )
