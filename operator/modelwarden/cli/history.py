"""kubectl model history: what happened to a model, in order."""

from typing import Annotated

import typer

from modelwarden.cli.answers import Answer, CannotError, name_of
from modelwarden.cli.layout import Span, Tone, line
from modelwarden.cli.ledgers import Ask, Key, Offline, open_ledger
from modelwarden.cli.options import (
    OPERATOR_NAME,
    OPERATOR_NAMESPACE,
    Context,
    Kubeconfig,
    ModelName,
    Namespace,
    OperatorName,
    OperatorNamespace,
    Output,
)
from modelwarden.cli.pages.history import history_page, projection_line, told_by_objects
from modelwarden.cli.reading import read_attempts, read_model, read_versions
from modelwarden.cli.session import Place, Session, run
from modelwarden.domain import history as told_by_records
from modelwarden.domain.state import ModelKey


def command(
    model: ModelName,
    *,
    ledger: Annotated[
        str | None,
        typer.Option(
            metavar="pod|DIR",
            help="Ask the ledger: in the controller's pod, or the folder of a copy.",
        ),
    ] = None,
    key: Key = None,
    offline: Offline = False,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    operator_namespace: OperatorNamespace = OPERATOR_NAMESPACE,
    operator_name: OperatorName = OPERATOR_NAME,
    output: Output = None,
) -> None:
    """Tell what happened to a model, in order: from its objects, or all of it from the ledger."""

    async def verb(session: Session) -> Answer:
        if ledger is None:
            return await from_objects(session, model)
        ask = Ask(
            where=ledger, key=key, offline=offline, namespace=operator_namespace, name=operator_name
        )
        return await from_ledger(session, model, ask)

    run(Place(namespace=namespace, context=context, kubeconfig=kubeconfig), output, verb)


async def from_objects(session: Session, name: str) -> Answer:
    """Tell what the objects' status shows."""
    model = await read_model(session, name)
    versions, attempts = await read_versions(session, name), await read_attempts(session, name)
    told = told_by_objects(model, versions, attempts)
    return Answer(
        page=(*history_page(told), *projection_line(model)),
        data={
            "projection": True,
            "ledgerIndex": model.get("status", {}).get("ledgerIndex"),
            "history": [one.to_json() for one in told],
        },
        names=[name_of("models", name)],
    )


async def from_ledger(session: Session, name: str, ask: Ask) -> Answer:
    """Tell what the records say."""
    namespace = session.place.namespace if ask.offline else await session.namespace()
    if namespace is None:
        raise CannotError("Without a cluster the namespace must be given: -n <namespace>.")
    async with open_ledger(session, ask) as ledger:
        records = await ledger.records()
    told = told_by_records.history(records, ModelKey(namespace, name))
    source = f"From the ledger, {len(records)} records, each object verified. {ledger.trust}"
    return Answer(
        page=(*history_page(told), line(Span(source, Tone.QUIET))),
        data={"projection": False, "history": [one.to_json() for one in told]},
        names=[name_of("models", name)],
    )
