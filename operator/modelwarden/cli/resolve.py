"""kubectl model resolve: which bytes a name means now."""

from typing import Annotated

import typer

from modelwarden.cli.answers import Answer, cannot, name_of
from modelwarden.cli.layout import aligned
from modelwarden.cli.options import Context, Kubeconfig, Namespace, Output
from modelwarden.cli.reading import read_model, read_version
from modelwarden.cli.session import Place, Session, run
from modelwarden.domain.names import version_name
from modelwarden.domain.references import parse, version_meant
from modelwarden.domain.verdicts import Verdict


def command(
    reference: Annotated[
        str,
        typer.Argument(metavar="MODEL@WHICH", help="Such as fraud-detector@production or @v3."),
    ],
    *,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Output = None,
) -> None:
    """Say which version, and which bytes, a name means now."""
    place = Place(namespace=namespace, context=context, kubeconfig=kubeconfig)
    run(place, output, lambda session: resolve(session, reference))


async def resolve(session: Session, text: str) -> Answer:
    """Resolve one reference."""
    reference = parse(text)
    if isinstance(reference, Verdict):
        raise cannot(reference)
    model = await read_model(session, reference.model)
    number = version_meant(reference.version, model)
    if isinstance(number, Verdict):
        raise cannot(number)
    record = await read_version(session, reference.model, number)
    artifact = record["spec"]["artifact"]
    rows = (
        ("version", str(number)),
        ("uri", artifact["uri"]),
        ("digest", artifact["digest"]),
        ("format", artifact["format"]),
    )
    data = {
        "namespace": record["metadata"]["namespace"],
        "model": reference.model,
        "version": number,
        "uri": artifact["uri"],
        "digest": artifact["digest"],
        "format": artifact["format"],
    }
    names = [name_of("modelversions", version_name(reference.model, number))]
    return Answer(page=aligned(rows, gap=2), data=data, names=names)
