"""`--wait`: watching a request to its end, and telling what happens until then."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from modelwarden.cli.answers import Answer, CannotError, Exit, Format, is_for_people
from modelwarden.cli.layout import Page, Span, Tone, line
from modelwarden.cli.pages.why import claims, why_page
from modelwarden.cli.reading import read_model, read_subject
from modelwarden.cli.session import Session
from modelwarden.domain.ages import seconds_of
from modelwarden.domain.attempts_told import Line
from modelwarden.domain.explain import Explanation, Subject, explain
from modelwarden.domain.settling import BROKEN
from modelwarden.domain.verdicts import Verdict

# Says how what is waited for ended; None while it has not.
Ended: TypeAlias = Callable[[Subject], Verdict | None]

# Often enough to see a gate begin and end, seldom enough for a cluster full of waiting pipelines.
POLL_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Watch:
    """What is waited for: how long, and whether the answer is for a machine."""

    model: str
    version: int
    ended: Ended
    seconds: int
    output: Format | None


def seconds_to_wait(timeout: str) -> int:
    """Read `--timeout`; CannotError for what is no duration."""
    try:
        return seconds_of(timeout)
    except ValueError as error:
        raise CannotError(f"--timeout: {error}.") from error


async def wait_for(session: Session, watch: Watch) -> Answer:
    """Wait until the request is settled, and tell every change of what holds it back."""
    until = time.monotonic() + watch.seconds
    told: tuple[Line, ...] = ()
    while True:
        model = await read_model(session, watch.model)
        subject = await read_subject(session, model, watch.version)
        end = watch.ended(subject)
        explanation = explain(subject, now=datetime.now(UTC))
        _tell(session, watch, _news(told, explanation.lines))
        told = explanation.lines
        if end is not None or time.monotonic() >= until:
            return _answer(explanation, end)
        await asyncio.sleep(min(POLL_SECONDS, max(0.0, until - time.monotonic())))


def _news(before: Sequence[Line], after: Sequence[Line]) -> Sequence[Line]:
    return [claim for claim in after if claim not in before]


def _tell(session: Session, watch: Watch, news: Sequence[Line]) -> None:
    # A machine that reads the answer gets the answer alone.
    tell = session.screen.print if is_for_people(watch.output) else session.screen.note
    tell(claims(news))


def _answer(explanation: Explanation, end: Verdict | None) -> Answer:
    data = explanation.to_json()
    name = f"modelversion.modelwarden.io/{explanation.model}-{explanation.version}"
    if end is None:
        page: Page = (line(Span("Still waiting.", Tone.BUSY)), *why_page(explanation))
        return Answer(page=page, data=data, names=[name], ending=Exit.WAITING)
    data |= {"end": {"code": end.code, "message": end.message}}
    if end.allows:
        page = (line(Span(end.sentence, Tone.GOOD)),)
        return Answer(page=page, data=data, names=[name])
    page = (line(Span(end.message, Tone.BAD)),)
    ending = Exit.FAILED if end.code in BROKEN else Exit.REFUSED
    return Answer(page=page, data=data, names=[name], ending=ending)
