"""kubectl model why: all that holds a version back, and what to do next."""

from datetime import UTC, datetime

from modelwarden.cli.answers import Answer, CannotError, name_of
from modelwarden.cli.options import (
    Context,
    Kubeconfig,
    ModelName,
    Namespace,
    Output,
    SomeVersion,
)
from modelwarden.cli.pages.why import why_all_page, why_page
from modelwarden.cli.reading import (
    find_version,
    read_attempts,
    read_model,
    read_subject,
    read_versions,
)
from modelwarden.cli.session import Place, Session, run
from modelwarden.cluster.paths import MODELS
from modelwarden.domain.explain import (
    Subject,
    explain,
    failed_registrations,
    versions_in_question,
    without_model,
)
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
    """Say why a version is where it is, or what holds back all that is asked of a model."""
    place = Place(namespace=namespace, context=context, kubeconfig=kubeconfig)
    if version is None:
        run(place, output, lambda session: why_all(session, model))
    run(place, output, lambda session: why(session, model, version))


async def why(session: Session, name: str, version: int) -> Answer:
    """Explain one version."""
    subject = await _subject(session, name, version)
    model = subject.model
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
    """Explain every version about which something is open or refused, or that is invalid."""
    model = await read_model(session, name)
    versions, attempts = await read_versions(session, name), await read_attempts(session, name)
    held = versions_in_question(model, attempts)
    failed = [number for number in failed_registrations(versions) if number not in held]
    records = {item["spec"]["version"]: item for item in versions}
    now = datetime.now(UTC)
    told = {
        number: explain(
            Subject(
                model=model,
                version=number,
                record=records.get(number),
                attempts=[item for item in attempts if item["spec"]["version"] == number],
            ),
            now=now,
        )
        for number in (*held, *failed)
    }
    return Answer(
        page=why_all_page(model, [told[n] for n in held], [told[n] for n in failed]),
        data=[explanation.to_json() for explanation in told.values()],
        names=[name_of("modelversions", version_name(name, number)) for number in told],
    )


async def _subject(session: Session, name: str, version: int) -> Subject:
    """Read what explains a version; one whose Model does not exist explains itself."""
    client, namespace = await session.client(), await session.namespace()
    model = await client.find(MODELS, name, namespace)
    if model is not None:
        return await read_subject(session, model, version)
    record = await find_version(session, name, version)
    if record is None:
        # Says which models there are.
        await read_model(session, name)
        raise CannotError(f"There is no model {name} in {namespace}.")
    return without_model(record)
