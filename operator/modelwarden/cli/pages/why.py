"""`why`: the sentences and lines of an explanation."""

from collections.abc import Iterable

from modelwarden.cli.layout import Page, PageLine, Row, Span, Tone, aligned, line
from modelwarden.domain.attempts_told import Line, Mark
from modelwarden.domain.explain import Explanation

TONES = {
    Mark.PASSED: Tone.GOOD,
    Mark.FAILED: Tone.BAD,
    Mark.RUNNING: Tone.BUSY,
    Mark.WAITING: Tone.BUSY,
    Mark.NOT_OPEN: Tone.QUIET,
    Mark.NOT_COUNTED: Tone.BAD,
    Mark.NOTE: Tone.QUIET,
}


def why_page(explanation: Explanation) -> Page:
    """Show one version's explanation."""
    return (
        line(explanation.headline),
        *claims(explanation.lines),
        *(line(Span("Next: ", Tone.STRONG), step) for step in explanation.next_steps),
    )


def why_all_page(model: str, explanations: Iterable[Explanation]) -> Page:
    """Show the explanations of a model's versions that are not where they should be."""
    found = tuple(explanations)
    if not found:
        return (line(f"{model}: every version is where it was asked to be."),)
    pages = [why_page(explanation) for explanation in found]
    return tuple(_joined(pages))


def claims(lines: Iterable[Line]) -> Page:
    """Show claims in three columns: how it stands, what it is about, what was found."""
    rows: list[Row] = [
        (Span(claim.mark.value, TONES[claim.mark]), claim.subject, claim.text) for claim in lines
    ]
    return aligned(rows, indent=2, gap=2)


def _joined(pages: Iterable[Page]) -> Iterable[PageLine]:
    for number, page in enumerate(pages):
        if number:
            yield ()
        yield from page
