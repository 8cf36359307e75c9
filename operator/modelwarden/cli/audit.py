"""kubectl model audit: whether the ledger is whole, and what it holds."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

import typer

from modelwarden.audit.verify import verify
from modelwarden.cli.answers import Answer, CannotError, Exit
from modelwarden.cli.examples import epilog_of
from modelwarden.cli.ledgers import POD, Ask, Key, Offline, Where, open_ledger
from modelwarden.cli.options import (
    OPERATOR_NAME,
    OPERATOR_NAMESPACE,
    Context,
    Kubeconfig,
    Namespace,
    OperatorName,
    OperatorNamespace,
    Output,
)
from modelwarden.cli.pages.audit import records_page, verification_page
from modelwarden.cli.session import Place, Session, run
from modelwarden.domain.records import Operation, Record

app = typer.Typer(help="Verify and read the ledger.", no_args_is_help=True, rich_markup_mode=None)


@app.command("verify", epilog=epilog_of("audit verify"))
def verify_command(
    *,
    ledger: Where = POD,
    key: Key = None,
    offline: Offline = False,
    namespace: Annotated[
        str | None,
        typer.Option(
            "--namespace", "-n", help="Changes nothing: one ledger has the models of all."
        ),
    ] = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    operator_namespace: OperatorNamespace = OPERATOR_NAMESPACE,
    operator_name: OperatorName = OPERATOR_NAME,
    output: Output = None,
) -> None:
    """Verify every record, signature and piece of evidence, on this machine."""
    ask = Ask(
        where=ledger, key=key, offline=offline, namespace=operator_namespace, name=operator_name
    )
    place = Place(namespace=namespace, context=context, kubeconfig=kubeconfig)
    run(place, output, lambda session: verify_ledger(session, ask))


@app.command("show", epilog=epilog_of("audit show"))
def show_command(
    *,
    ledger: Where = POD,
    key: Key = None,
    offline: Offline = False,
    model: Annotated[str | None, typer.Option(help="Only records of this model.")] = None,
    version: Annotated[int | None, typer.Option(help="Only records of this version.")] = None,
    operation: Annotated[
        str | None, typer.Option(help="Only records of this operation, such as Promoted.")
    ] = None,
    tail: Annotated[int, typer.Option(help="How many, the newest; 0 for all.", min=0)] = 20,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    operator_namespace: OperatorNamespace = OPERATOR_NAMESPACE,
    operator_name: OperatorName = OPERATOR_NAME,
    output: Output = None,
) -> None:
    """Show records of the ledger, the newest last."""
    wanted = Wanted(
        namespace=namespace, model=model, version=version, operation=operation, tail=tail
    )
    ask = Ask(
        where=ledger, key=key, offline=offline, namespace=operator_namespace, name=operator_name
    )
    place = Place(context=context, kubeconfig=kubeconfig)
    run(place, output, lambda session: show(session, ask, wanted))


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which records are shown."""

    namespace: str | None
    model: str | None
    version: int | None
    operation: str | None
    tail: int

    def fits(self, record: Record) -> bool:
        """Say whether a record is one of them."""
        return (
            self.namespace in (None, record.namespace)
            and self.model in (None, record.model)
            and self.version in (None, record.version)
            and (self.operation is None or self.operation.lower() == record.operation.lower())
        )


async def verify_ledger(session: Session, ask: Ask) -> Answer:
    """Verify a whole ledger."""
    async with open_ledger(session, ask) as ledger:
        found = await asyncio.to_thread(verify, ledger.reader, ledger.trusted, anchor=ledger.anchor)
        trust = ledger.trust
    result = found.to_json()
    page = verification_page(result, [finding.text for finding in found.findings], trust=trust)
    pinned = {"key": ledger.trusted.text, "keyIsPinned": ledger.is_pinned}
    return Answer(page=page, data=result | pinned, ending=Exit.DONE if found.ok else Exit.FAILED)


async def show(session: Session, ask: Ask, wanted: Wanted) -> Answer:
    """Show the newest records that fit."""
    known = {operation.lower() for operation in Operation}
    if wanted.operation is not None and wanted.operation.lower() not in known:
        names = ", ".join(operation.value for operation in Operation)
        raise CannotError(f"There is no operation {wanted.operation}. There are {names}.")
    async with open_ledger(session, ask) as ledger:
        records = [record for record in await ledger.records() if wanted.fits(record)]
    shown = records[-wanted.tail :] if wanted.tail else records
    return Answer(
        page=records_page(shown),
        data=[record.to_json() for record in shown],
        names=[str(record.index) for record in shown],
    )
