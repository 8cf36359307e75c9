"""kubectl model serving-at: which version served at a moment, and how sure that is."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from modelwarden.audit.evidence import read_evidence
from modelwarden.cli.answers import Answer, CannotError, name_of
from modelwarden.cli.ledgers import Ask, Key, Offline, OpenLedger, open_ledger
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
from modelwarden.cli.pages.serving import Serving, from_status, serving_page
from modelwarden.cli.reading import read_model
from modelwarden.cli.session import Place, Session, run
from modelwarden.domain import point_in_time
from modelwarden.domain.ages import point_in_time as read_moment
from modelwarden.domain.names import version_name
from modelwarden.domain.scribe import moment
from modelwarden.domain.state import ModelKey


def command(
    model: ModelName,
    *,
    at: Annotated[str, typer.Option(help="The moment, as 2026-03-01T12:00:00Z, or now.")],
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
    """Say which version served at a moment, and how sure that is.

    From the Model's status, which everybody may read; with --ledger from the ledger itself, with
    what the version was made from, who approved it, and the records that say so.
    """

    async def verb(session: Session) -> Answer:
        when = _moment(at)
        if ledger is None:
            return await from_model(session, model, at=when)
        ask = Ask(
            where=ledger, key=key, offline=offline, namespace=operator_namespace, name=operator_name
        )
        return await from_ledger(session, model, at=when, ask=ask)

    run(Place(namespace=namespace, context=context, kubeconfig=kubeconfig), output, verb)


async def from_model(session: Session, name: str, *, at: datetime) -> Answer:
    """Answer from the Model's status."""
    model = await read_model(session, name)
    answer = from_status(model, at=at, now=datetime.now(UTC))
    index = model.get("status", {}).get("ledgerIndex")
    source = f"From the Model's status, a picture of the ledger up to record {index}."
    serving = Serving(answer=answer, specs={}, source=f"{source} More: --ledger pod")
    return _answer(serving)


async def from_ledger(session: Session, name: str, *, at: datetime, ask: Ask) -> Answer:
    """Answer from the records, with the specs that they name as evidence."""
    namespace = session.place.namespace if ask.offline else await session.namespace()
    if namespace is None:
        raise CannotError("Without a cluster the namespace must be given: -n <namespace>.")
    async with open_ledger(session, ask) as ledger:
        records = await ledger.records()
        until = datetime.now(UTC) if ledger.is_live else moment(records[-1].time)
        key = ModelKey(namespace, name)
        answer = point_in_time.serving_at(records, key, at=at, until=until)
        specs = {
            served.version: await _spec(ledger, served.evidence["version"])
            for served in answer.served
            if "version" in served.evidence
        }
    source = f"From the ledger, {len(records)} records, each object verified. {ledger.trust}"
    return _answer(Serving(answer=answer, specs=specs, source=source))


async def _spec(ledger: OpenLedger, digest: str) -> Mapping[str, Any]:
    content = await asyncio.to_thread(read_evidence, ledger.reader, digest)
    spec: Mapping[str, Any] = json.loads(content)
    return spec


def _answer(serving: Serving) -> Answer:
    answer = serving.answer
    return Answer(
        page=serving_page(serving),
        data=serving.to_json(),
        names=[
            name_of("modelversions", version_name(answer.key.name, served.version))
            for served in answer.served
        ],
    )


def _moment(text: str) -> datetime:
    if text == "now":
        return datetime.now(UTC)
    try:
        return read_moment(text)
    except ValueError as error:
        raise CannotError(f"--at: {error}.") from error
