import io
import json

import pytest
import yaml
from typing_extensions import override

from modelwarden.cli.answers import Answer, Format
from modelwarden.cli.layout import Span, Tone, line
from modelwarden.cli.render import Screen

PAGE = (line(Span("FAILED", Tone.BAD), " [bold]quality[/bold] " + "x" * 300),)
ANSWER = Answer(page=PAGE, data={"name": "fräud", "value": "0.90"}, names=["model/a", "model/b"])


class Terminal(io.StringIO):
    @override
    def isatty(self) -> bool:
        return True


def shown(out: io.StringIO, output: Format | None = None) -> str:
    Screen(out, io.StringIO()).show(ANSWER, output)
    return out.getvalue()


@pytest.fixture(autouse=True)
def _a_colourful_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)


def test_a_pipe_gets_lines_as_they_are_without_colour_and_however_long() -> None:
    assert shown(io.StringIO()) == "FAILED [bold]quality[/bold] " + "x" * 300 + "\n"


def test_a_terminal_gets_colour() -> None:
    assert "\x1b[1;31mFAILED\x1b[0m" in shown(Terminal())


def test_no_color_is_honoured_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    assert "\x1b" not in shown(Terminal())


def test_a_pipe_gets_no_colour_even_if_the_environment_forces_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")

    assert "\x1b" not in shown(io.StringIO())


def test_json_is_json() -> None:
    assert json.loads(shown(io.StringIO(), Format.JSON)) == ANSWER.data


def test_yaml_is_yaml_with_decimals_as_text() -> None:
    text = shown(io.StringIO(), Format.YAML)

    assert (yaml.safe_load(text), text) == (ANSWER.data, "name: fräud\nvalue: '0.90'\n")


def test_names_are_one_in_each_line() -> None:
    assert shown(io.StringIO(), Format.NAME) == "model/a\nmodel/b\n"


def test_warnings_and_failures_go_beside_the_answer() -> None:
    out, err = io.StringIO(), io.StringIO()
    screen = Screen(out, err)

    screen.warn("Careful.")
    screen.note((line("sending model.onnx"),))
    screen.fail(["It is not.", "\x1b[2J"])

    assert (out.getvalue(), err.getvalue()) == (
        "",
        "Careful.\nsending model.onnx\nIt is not.\n\\u001b[2J\n",
    )
