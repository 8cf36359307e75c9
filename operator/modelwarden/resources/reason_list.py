"""The README's list of reasons, written from the table of them.

`python -m modelwarden.resources.reason_list` in the repository's top folder writes it between its
two marks; nothing else of the file is touched.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from modelwarden.domain.reasons import HOLDING, SUBJECTS
from modelwarden.domain.reasons.reason import Reason
from modelwarden.errors import MisconfiguredError

BEGIN: Final = (
    "<!-- reasons: generated from operator/modelwarden/domain/reasons by `make generate` -->"
)
END: Final = "<!-- end of reasons -->"


def listed() -> str:
    """Write every reason that holds something back, by subject; the same bytes every time."""
    subjects = (each for name, rows in SUBJECTS.items() for each in _subject(name, rows))
    return "\n".join((BEGIN, "", *subjects, END))


def with_reasons(readme: str) -> str:
    """Write the list into a README, between its marks."""
    before, found, rest = readme.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise MisconfiguredError(f"The README lacks the line {BEGIN} or {END}.")
    return before + listed() + after


def _subject(name: str, reasons: Mapping[str, Reason]) -> Iterator[str]:
    if name == HOLDING:
        return
    yield from (f"<details><summary>{name} ({len(reasons)})</summary>", "")
    yield from ("| code | who acts | what it means, and what to do |", "|---|---|---|")
    for code in sorted(reasons):
        reason = reasons[code]
        yield f"| `{code}` | {reason.who} | {f'{reason.meaning} {reason.next_step}'.strip()} |"
    yield from ("", "</details>", "")


if __name__ == "__main__":
    path = Path(sys.argv[1] if len(sys.argv) > 1 else ".") / "README.md"
    path.write_text(with_reasons(path.read_text(encoding="utf-8")), encoding="utf-8")
