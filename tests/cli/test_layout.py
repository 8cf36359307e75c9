import pytest

from modelwarden.cli.layout import Span, Tone, aligned, line, plain, section, table, visible


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    page = aligned([("a", "bbb", "c"), ("aaaa", "b", "cc")], gap=2)

    assert plain(page) == "a     bbb  c\naaaa  b    cc"


def test_the_last_cell_of_a_row_makes_no_column_wider() -> None:
    page = aligned([("a very long sentence",), ("a", "b")], indent=2, gap=1)

    assert plain(page) == "  a very long sentence\n  a b"


def test_empty_cells_at_the_end_leave_no_blanks() -> None:
    assert plain(aligned([("a", "", ""), ("aa", "b", "c")], gap=1)) == "a\naa b c"


def test_wide_and_combining_characters_keep_the_columns() -> None:
    page = aligned([("模型", "x"), ("e\u0301clair", "x"), ("abcdefg", "x")], gap=1)

    assert plain(page) == "模型    x\ne\u0301clair  x\nabcdefg x"


def test_a_table_has_a_header_and_a_dash_for_nothing() -> None:
    assert plain(table(("name", "stage"), [("a", ""), ("b", "Staging")])) == (
        "NAME   STAGE\na      -\nb      Staging"
    )


def test_a_section_without_a_body_is_left_out() -> None:
    assert (section("Gates", ()), plain(section("Gates", (line("x"),)))) == ((), "Gates\nx")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünïcode 模型", "plain ünïcode 模型"),
        ("a\nb\tc", "a b c"),
        ("\x1b[31mred", "\\u001b[31mred"),
        ("\x9b31m", "\\u009b31m"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
        ("a\u2028b", "a\\u2028b"),
        ("a\rb\x07", "a\\u000db\\u0007"),
    ],
)
def test_what_would_act_on_a_terminal_is_shown_as_its_code(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_every_way_to_make_a_line_makes_it_harmless() -> None:
    assert (line(Span("\x1b", Tone.BAD)), aligned([("\x1b",)])) == (
        (Span("\\u001b", Tone.BAD),),
        ((Span("\\u001b"),),),
    )
