"""The README lists every reason, as the table of them says."""

from pathlib import Path

import pytest

from modelwarden.domain.reasons import HOLDING, REASONS, SUBJECTS
from modelwarden.errors import MisconfiguredError
from modelwarden.resources.reason_list import BEGIN, END, listed, with_reasons

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_has_the_list_as_the_table_writes_it() -> None:
    text = README.read_text(encoding="utf-8")

    assert with_reasons(text) == text


def test_every_reason_that_holds_something_back_has_one_row() -> None:
    rows = [line.split("`")[1] for line in listed().splitlines() if line.startswith("| `")]

    assert sorted(rows) == sorted(REASONS.keys() - SUBJECTS[HOLDING].keys())


def test_what_stands_around_the_list_stays() -> None:
    written = with_reasons(f"above\n{BEGIN}\nan older list\n{END}\nbelow\n")

    assert written == f"above\n{listed()}\nbelow\n"


@pytest.mark.parametrize("readme", ["no marks", f"only the first {BEGIN}"])
def test_a_readme_without_the_marks_is_left_alone(readme: str) -> None:
    with pytest.raises(MisconfiguredError, match="lacks the line"):
        with_reasons(readme)
