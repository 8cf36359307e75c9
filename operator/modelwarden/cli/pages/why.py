"""`why`: the sentences and lines of an explanation."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from modelwarden.cli.layout import Page, PageLine, Row, Span, Tone, aligned, line
from modelwarden.domain.attempts_told import Line, Mark, Raw
from modelwarden.domain.explain import Explanation

# So many registrations that failed are told of a model, the newest.
FAILURES_SHOWN = 10

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


def why_all_page(
    model: Raw, explanations: Iterable[Explanation], failed: Sequence[Explanation]
) -> Page:
    """Show why a model's versions are not where they should be; a failed registration in a line."""
    pages = [why_page(_of_the_version(explanation)) for explanation in explanations]
    below = _failures(failed)
    if not pages:
        which = "every other version" if failed else "every version"
        settled = line(f"{model['metadata']['name']}: {which} is where it was asked to be.")
        return (settled, *below)
    return tuple(_joined([*pages, below] if below else pages))


def claims(lines: Iterable[Line]) -> Page:
    """Show claims in three columns: how it stands, what it is about, what was found."""
    rows: list[Row] = [
        (Span(claim.mark.value, TONES[claim.mark]), claim.subject, claim.text) for claim in lines
    ]
    return aligned(rows, indent=2, gap=2)


def _of_the_version(explanation: Explanation) -> Explanation:
    own = tuple(claim for claim in explanation.lines if claim.mark is not Mark.NOTE)
    return replace(explanation, lines=own)


def _failures(failed: Sequence[Explanation]) -> Page:
    """Show the newest registrations that failed, each with the first thing that is wrong."""
    newest = failed[-FAILURES_SHOWN:]
    told = claims([_first_failure(explanation) for explanation in newest])
    left_out = len(failed) - len(newest)
    said = f"  and {left_out} more whose registration failed (kubectl model get --all)"
    return (*told, *((line(Span(said, Tone.QUIET)),) if left_out else ()))


def _first_failure(explanation: Explanation) -> Line:
    texts = [claim.text for claim in explanation.lines if claim.mark is Mark.FAILED]
    why = texts[0] if texts else "its registration failed."
    return Line(Mark.FAILED, f"version {explanation.version}", f"invalid: {why}")


def _joined(pages: Iterable[Page]) -> Iterable[PageLine]:
    for number, page in enumerate(pages):
        if number:
            yield ()
        yield from page
