"""The one place that prints: pages, data and warnings, in colour on a terminal only."""

import json
import os
import sys
from collections.abc import Iterable
from typing import Any, TextIO

import yaml
from rich.console import Console
from rich.text import Text

from modelwarden.cli.answers import Answer, Format, is_for_people
from modelwarden.cli.layout import Page, PageLine, Span, Tone, line

_STYLES = {
    Tone.PLAIN: "",
    Tone.GOOD: "green",
    Tone.BAD: "bold red",
    Tone.BUSY: "yellow",
    Tone.QUIET: "dim",
    Tone.STRONG: "bold",
}


class Screen:
    """Where answers go, and where warnings and failures go."""

    def __init__(self, out: TextIO, err: TextIO) -> None:
        self._out, self._err = _console(out), _console(err)
        self.is_interactive = sys.stdin.isatty()

    def is_read_by_a_person(self, output: Format | None) -> bool:
        """Say whether answers go to a terminal, as words."""
        return is_for_people(output) and self._out.file.isatty()

    def show(self, answer: Answer, output: Format | None) -> None:
        """Print an answer in the form that was asked for."""
        match output:
            case Format.JSON:
                self._raw(json.dumps(answer.data, indent=2, ensure_ascii=False))
            case Format.YAML:
                self._raw(as_yaml(answer.data).rstrip("\n"))
            case Format.NAME:
                for name in answer.names:
                    self._raw(name)
            case Format.WIDE:
                self.print(answer.page if answer.wide is None else answer.wide)
            case None:
                self.print(answer.page)

    def print(self, page: Page) -> None:
        """Print lines as they are, however wide."""
        for printed in page:
            _print(self._out, printed)

    def warn(self, *texts: str) -> None:
        """Say something beside the answer."""
        for text in texts:
            _print(self._err, line(Span(text, Tone.BUSY)))

    def note(self, page: Page) -> None:
        """Print lines beside the answer, which a pipe does not see."""
        for printed in page:
            _print(self._err, printed)

    def fail(self, texts: Iterable[str]) -> None:
        """Say why it did not go."""
        for text in texts:
            _print(self._err, line(Span(text, Tone.BAD)))

    def _raw(self, text: str) -> None:
        self._out.file.write(text + "\n")


def as_yaml(data: Any) -> str:
    """Write data as YAML, in its own order."""
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)


def _console(file: TextIO) -> Console:
    is_coloured = file.isatty() and not os.environ.get("NO_COLOR")
    return Console(
        file=file,
        force_terminal=is_coloured,
        no_color=not is_coloured,
        color_system="auto" if is_coloured else None,
        highlight=False,
        soft_wrap=True,
    )


def _print(console: Console, printed: PageLine) -> None:
    text = Text()
    for span in printed:
        text.append(span.text, style=_STYLES[span.tone])
    console.print(text)
