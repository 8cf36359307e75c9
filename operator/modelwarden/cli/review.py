"""kubectl model review: saying that somebody has looked at what is in Production."""

from datetime import UTC, datetime

from modelwarden.cli.answers import (
    Answer,
    CannotError,
    Format,
    is_for_people,
    name_of,
    sentences,
)
from modelwarden.cli.ballots import Look
from modelwarden.cli.decisions import Rationale, caller, confirm, unsent
from modelwarden.cli.options import (
    Context,
    DryRun,
    Kubeconfig,
    ModelName,
    Namespace,
    Output,
    TriedOnly,
    Yes,
)
from modelwarden.cli.pages.describe import reviewed_page
from modelwarden.cli.reading import read_model, read_version
from modelwarden.cli.session import Place, Session, run
from modelwarden.cli.writing import create
from modelwarden.cluster.paths import MODEL_DECISIONS
from modelwarden.domain.attempts_told import condition


def command(
    model: ModelName,
    *,
    rationale: Rationale,
    yes: Yes = False,
    dry_run: TriedOnly = DryRun.NONE,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Output = None,
) -> None:
    """Review a model as it is in Production, after looking at it; that restarts its cadence.

    With -o yaml or --dry-run client the decision is printed and not sent.
    """

    async def verb(session: Session) -> Answer:
        is_only_written = dry_run is DryRun.CLIENT or output is Format.YAML
        return await review(
            session,
            model,
            rationale=rationale,
            yes=yes,
            is_only_written=is_only_written,
            output=output,
        )

    run(Place(namespace=namespace, context=context, kubeconfig=kubeconfig), output, verb)


async def review(
    session: Session,
    name: str,
    *,
    rationale: str,
    yes: bool,
    is_only_written: bool,
    output: Format | None,
) -> Answer:
    """Show what is in Production and when a review is due, ask once more, and decide."""
    if not rationale.strip():
        raise CannotError("--rationale says why; it cannot be empty.")
    model = await read_model(session, name)
    there = model.get("status", {}).get("stages", {}).get("production", {}).get("version")
    if there is None:
        raise CannotError(f"No version of {name} is in Production: there is nothing to review.")
    record = await read_version(session, name, there)
    namespace = model["metadata"]["namespace"]
    by = await caller(session)
    look = Look(model=name, namespace=namespace, rationale=rationale, by=by)
    if is_only_written:
        return unsent(session, look)
    # Whoever may not decide hears that at once, and nothing else.
    await create(session, MODEL_DECISIONS, look.to_json(), dry_run=True)
    if is_for_people(output):
        session.screen.print(reviewed_page(model, record, now=datetime.now(UTC)))
    confirm(session, f"Review {name} {there} in Production?", yes=yes, output=output)
    created = await create(session, MODEL_DECISIONS, look.to_json())
    decision = created["metadata"]["name"]
    who = created["spec"].get("by", {}).get("username", by.username)
    due = condition(model, "ReviewOverdue")
    was = ("It was overdue.",) if due.get("status") == "True" else ()
    return Answer(
        page=sentences(f"{who} reviewed {name} {there} in Production ({decision}).", *was),
        data=created,
        names=[name_of("modeldecisions", decision)],
    )
