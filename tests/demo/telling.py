"""How the story is told: chapters with the time so far, and commands with what they said."""

import sys
import textwrap
import time
from dataclasses import dataclass, field

from tests.cluster.example import Told

WIDTH = 150
LINES = 40


@dataclass(frozen=True)
class Teller:
    """Writes to standard output; the clock runs from the first word."""

    began: float = field(default_factory=time.monotonic)

    def chapter(self, number: int, title: str) -> None:
        """Begin a chapter."""
        elapsed = time.monotonic() - self.began
        self._line(f"\n{self._bold(f'{number}. {title}')}  ({elapsed:.0f} s)")

    def say(self, *sentences: str) -> None:
        """Say something in words."""
        for line in textwrap.wrap(" ".join(sentences), WIDTH - 3):
            self._line(f"   {line}")

    def show(self, told: Told) -> None:
        """Show a command of `kubectl model` as it was run, by whom, and all that it said."""
        self.command(f"kubectl model {' '.join(_quoted(word) for word in told.words)}", told.person)
        self.output(told.output + told.complaint)

    def command(self, words: str, person: str) -> None:
        """Show a command and whose login ran it."""
        self._line(f"   {self._bold('$')} {words}   # {person}")

    def output(self, text: str) -> None:
        """Show what a command said, and how much of it was left out."""
        lines = text.rstrip().splitlines()
        for line in lines[:LINES]:
            self._line(f"     {line}")
        if len(lines) > LINES:
            self._line(f"     ... and {len(lines) - LINES} lines more")

    def _line(self, text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def _bold(self, text: str) -> str:
        return f"\033[1m{text}\033[0m" if sys.stdout.isatty() else text


def _quoted(word: str) -> str:
    name, equals, value = word.partition("=")
    return f'{name}="{value}"' if equals and " " in value else word
