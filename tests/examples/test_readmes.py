"""What every example's README must be, so that whoever types what it says gets what it says."""

import re
from pathlib import Path

import pytest

from .commands import EXAMPLES, NUMBERED, commands_of

PATH = re.compile(r"\bexamples/[\w./-]*\w")


@pytest.mark.parametrize("folder", NUMBERED, ids=lambda folder: folder.name)
def test_an_example_states_its_one_idea(folder: Path) -> None:
    paragraphs = (folder / "README.md").read_text().split("\n\n")

    assert paragraphs[1].startswith("One idea: ")


@pytest.mark.parametrize("folder", NUMBERED, ids=lambda folder: folder.name)
def test_every_file_that_a_command_names_is_there(folder: Path) -> None:
    commands = "\n".join(commands_of((folder / "README.md").read_text()))

    missing = [path for path in PATH.findall(commands) if not (EXAMPLES.parent / path).exists()]
    assert missing == []


@pytest.mark.parametrize("folder", NUMBERED, ids=lambda folder: folder.name)
def test_every_command_on_the_cluster_says_whose_login_it_needs(folder: Path) -> None:
    commands = commands_of((folder / "README.md").read_text())

    nobodys = [text for text in commands if "kubectl " in text and "--context" not in text]
    assert nobodys == []


def test_the_examples_are_numbered_without_a_gap() -> None:
    numbers = [int(folder.name[:2]) for folder in NUMBERED]

    assert numbers == list(range(1, len(numbers) + 1))


def test_a_command_ends_where_its_line_does_not_go_on() -> None:
    readme = "Do:\n\n```sh\na \\\n  -b ||\n  c\nd\n```\n\n```yaml\nno: command\n```\n"

    assert commands_of(readme) == ("a \\\n  -b ||\n  c", "d")
