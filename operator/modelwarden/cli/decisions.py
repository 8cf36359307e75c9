"""Deciding about an attempt: what approve, reject and retract have in common."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, TypeAlias

import typer

from modelwarden.cli.answers import (
    Answer,
    CannotError,
    Exit,
    Format,
    cannot,
    is_for_people,
    name_of,
    sentences,
)
from modelwarden.cli.ballots import Ballot, Look, may_be_voted_on, open_attempt
from modelwarden.cli.pages.dossier import Dossier, dossier_page
from modelwarden.cli.promote import Target
from modelwarden.cli.reading import find_version, read_attempts, read_version
from modelwarden.cli.render import as_yaml
from modelwarden.cli.session import Session
from modelwarden.cli.waiting import Watch, wait_for
from modelwarden.cli.writing import create
from modelwarden.cluster.access import who_am_i
from modelwarden.cluster.client import JsonObject
from modelwarden.cluster.paths import MODEL_DECISIONS
from modelwarden.domain.attempts_told import Raw
from modelwarden.domain.identity import Caller
from modelwarden.domain.settling import Wish, settled
from modelwarden.domain.stages import Stage
from modelwarden.domain.verdicts import Outcome, Verdict

To: TypeAlias = Annotated[Target, typer.Option(help="The stage that the attempt is to enter.")]
Rationale: TypeAlias = Annotated[str, typer.Option(help="Why; it goes into the ledger.")]


@dataclass(frozen=True, kw_only=True)
class Vote:
    """What a person is about to decide."""

    kind: str
    model: str
    version: int
    target: Stage
    rationale: str
    yes: bool
    output: Format | None
    dry_run: bool = False
    seconds: int = 0

    @property
    def is_only_written(self) -> bool:
        """Whether the decision is printed instead of sent: `-o yaml` alone asks for that too."""
        return self.dry_run or self.output is Format.YAML


async def vote(session: Session, about: Vote) -> Answer:
    """Show what is decided about, ask once more on a terminal, and decide.

    With `-o yaml` or `--dry-run client` the decision is printed and not sent.
    """
    if not about.rationale.strip():
        raise CannotError("--rationale says why; it cannot be empty.")
    record = await read_version(session, about.model, about.version)
    attempt = await find_attempt(session, about)
    held = may_be_voted_on(attempt)
    if held is not None:
        raise cannot(held, Exit.WAITING if held.outcome is Outcome.WAIT else Exit.FAILED)
    ballot = await prepare(session, about, attempt)
    if about.is_only_written:
        return unsent(session, ballot)
    # Whoever may not decide hears that at once, and nothing else.
    await create(session, MODEL_DECISIONS, ballot.to_json(), dry_run=True)
    champion = await _champion(session, attempt)
    now = datetime.now(UTC)
    dossier = Dossier(attempt=attempt, record=record, champion=champion, now=now)
    if is_for_people(about.output):
        session.screen.print(dossier_page(dossier))
    question = f"{about.kind} {about.model} {about.version} for {about.target}?"
    confirm(session, question, yes=about.yes, output=about.output)
    return await send(session, about, ballot)


async def find_attempt(session: Session, about: Vote) -> Raw:
    """Read the open attempt that is decided about."""
    attempts = await read_attempts(session, about.model, about.version)
    found = open_attempt(attempts, about.target)
    if isinstance(found, Verdict):
        raise cannot(found)
    return found


async def prepare(session: Session, about: Vote, attempt: Raw) -> Ballot:
    """Fill in who decides; without that stamp a decision is refused where stamping is off."""
    by = await caller(session)
    return Ballot(kind=about.kind, attempt=attempt, rationale=about.rationale, by=by)


async def caller(session: Session) -> Caller:
    """Ask the API server whom it takes the caller for."""
    me = await who_am_i(await session.client())
    return Caller(username=me.username, uid=me.uid, groups=me.groups)


def unsent(session: Session, ballot: Ballot | Look) -> Answer:
    """Print the decision as it would be sent, and say beside it that it was not."""
    session.screen.warn("Not sent.")
    body = ballot.to_json()
    page = sentences(*as_yaml(body).splitlines())
    return Answer(page=page, data=body)


async def send(session: Session, about: Vote, ballot: Ballot) -> Answer:
    """Create the decision; a refusal is the API server's own."""
    created = await create(session, MODEL_DECISIONS, ballot.to_json())
    if about.seconds:
        wish = Wish(
            version=about.version,
            target=about.target,
            request_id=ballot.attempt["spec"]["request"]["id"],
        )
        watch = Watch(
            model=about.model,
            version=about.version,
            ended=partial(settled, wish),
            seconds=about.seconds,
            output=about.output,
        )
        return await wait_for(session, watch)
    return _sent(about, created)


def _sent(about: Vote, created: JsonObject) -> Answer:
    did = {"Approve": "approved", "Reject": "rejected", "Retract": "took the vote back on"}
    name = created["metadata"]["name"]
    who = created["spec"].get("by", {}).get("username", "")
    where = f"-n {created['metadata']['namespace']}"
    return Answer(
        page=sentences(
            f"{who} {did[about.kind]} {about.model} {about.version} for {about.target} ({name}).",
            f"Follow it: kubectl model why {about.model} {about.version} {where}",
        ),
        data=created,
        names=[name_of("modeldecisions", name)],
    )


async def _champion(session: Session, attempt: Raw) -> JsonObject | None:
    champion = attempt["spec"].get("champion")
    if champion is None:
        return None
    return await find_version(session, attempt["spec"]["model"], champion["version"])


def confirm(session: Session, question: str, *, yes: bool, output: Format | None) -> None:
    """Ask once more on a terminal; elsewhere only --yes decides."""
    if yes:
        return
    if not session.screen.is_interactive:
        raise CannotError("Nothing was decided: say --yes to decide without being asked.")
    # What reads the answer for a machine does not get the question.
    if not typer.confirm(question, err=not session.screen.is_read_by_a_person(output)):
        raise CannotError("Nothing was decided.")
