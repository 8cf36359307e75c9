"""Lines of words, aligned and harmless: what is printed, before anything is printed."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Tone(StrEnum):
    """What a word means, whatever colour that has."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"
    BUSY = "busy"
    QUIET = "quiet"
    STRONG = "strong"


@dataclass(frozen=True)
class Span:
    """Some words of one tone."""

    text: str
    tone: Tone = Tone.PLAIN


Row: TypeAlias = Sequence[Span | str]
# Spans that are printed one after the other, then the end of the line.
PageLine: TypeAlias = tuple[Span, ...]
Page: TypeAlias = tuple[PageLine, ...]

GAP = 3


def line(*parts: Span | str) -> PageLine:
    """Write one line."""
    return tuple(_span(part) for part in parts)


def aligned(rows: Iterable[Row], *, indent: int = 0, gap: int = GAP) -> Page:
    """Align rows in columns as wide as their widest cell; the last cell of a row is as it is."""
    cells = [[_span(cell) for cell in row] for row in rows]
    columns = max((len(row) for row in cells), default=0)
    # A cell that ends its row makes no column wider.
    widths = [
        max((_width(row[column].text) for row in cells if len(row) > column + 1), default=0)
        for column in range(columns)
    ]
    return tuple(_padded(row, widths, indent=indent, gap=gap) for row in cells)


def table(header: Sequence[str], rows: Iterable[Row]) -> Page:
    """Align rows under a header; a column that no row fills says `-`."""
    heads = tuple(Span(name.upper(), Tone.QUIET) for name in header)
    filled = [[_span(cell) if _span(cell).text else "-" for cell in row] for row in rows]
    return aligned((heads, *filled))


def section(title: str, body: Page) -> Page:
    """Put a title above some lines; nothing where there are none."""
    return (line(Span(title, Tone.STRONG)), *body) if body else ()


def plain(page: Page) -> str:
    """Write a page without tones."""
    return "\n".join("".join(span.text for span in printed) for printed in page)


def visible(text: str) -> str:
    """Show what would act on a terminal, or hide in it, as the code of the character.

    Reasons and rationales come from anybody; a line is one line.
    """
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character in "\n\t":
        return " "
    # Control, format (such as the direction of writing), surrogates; separators of lines.
    if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
        return f"\\u{ord(character):04x}"
    return character


def _span(part: Span | str) -> Span:
    span = Span(part) if isinstance(part, str) else part
    return Span(visible(span.text), span.tone)


def _padded(row: Sequence[Span], widths: Sequence[int], *, indent: int, gap: int) -> PageLine:
    last = len(row) - 1
    while last > 0 and not row[last].text:
        last -= 1
    spans = [Span(" " * indent)] if indent else []
    for column, cell in enumerate(row[: last + 1]):
        spans.append(cell)
        if column < last:
            spans.append(Span(" " * (widths[column] - _width(cell.text) + gap)))
    return tuple(spans)


def _width(text: str) -> int:
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
