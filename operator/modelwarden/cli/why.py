"""kubectl model why: all that holds a version back, and what to do next."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from modelwarden.cli.answers import Answer, CannotError, name_of
from modelwarden.cli.options import Context, Kubeconfig, ModelName, Namespace, Output
from modelwarden.cli.pages.why import why_all_page, why_page
from modelwarden.cli.reading import read_attempts, read_model, read_subject, read_versions
from modelwarden.cli.session import Place, Session, run
from modelwarden.domain.explain import explain, versions_in_question
from modelwarden.domain.names import version_name


def command(
    model: ModelName,
    version: Annotated[
        int | None, typer.Argument(metavar="[VERSION]", help="One version.", min=1)
    ] = None,
    *,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Output = None,
) -> None:
    """Say why a version is where it is, or what holds back all that is asked of a model."""
    place = Place(namespace=namespace, context=context, kubeconfig=kubeconfig)
    if version is None:
        run(place, output, lambda session: why_all(session, model))
    run(place, output, lambda session: why(session, model, version))


async def why(session: Session, name: str, version: int) -> Answer:
    """Explain one version."""
    model = await read_model(session, name)
    subject = await read_subject(session, model, version)
    named = versions_in_question(model, subject.attempts)
    if subject.record is None and version not in named:
        numbers = [str(item["spec"]["version"]) for item in await read_versions(session, name)]
        raise CannotError(
            f"{name} has no version {version}. It has {', '.join(numbers[-10:]) or 'none'}."
        )
    explanation = explain(subject, now=datetime.now(UTC))
    return Answer(
        page=why_page(explanation),
        data=explanation.to_json(),
        names=[name_of("modelversions", version_name(name, version))],
    )


async def why_all(session: Session, name: str) -> Answer:
    """Explain every version about which something is open or refused."""
    model = await read_model(session, name)
    numbers = versions_in_question(model, await read_attempts(session, name))
    now = datetime.now(UTC)
    told = [explain(await read_subject(session, model, number), now=now) for number in numbers]
    return Answer(
        page=why_all_page(name, told),
        data=[explanation.to_json() for explanation in told],
        names=[name_of("modelversions", version_name(name, number)) for number in numbers],
    )
