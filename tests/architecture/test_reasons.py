"""Every code that is said is in the table of reasons, and every reason there is said.

Whoever says a new one writes into operator/modelwarden/domain/reasons/ whom it asks for what, and
`make generate` lists it in the README.
"""

import ast
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from modelwarden.domain.gate_results import is_code
from modelwarden.domain.reasons import FREE_CODE, HOLDING, REASONS, SUBJECTS
from modelwarden.domain.reasons.reason import Who
from tests.architecture.said_codes import CannotFollowError, Said, Source

SOURCE = Path(__file__).parents[2] / "operator"
WITH_A_PERSON = {code for code, reason in REASONS.items() if reason.who is not Who.NOBODY}


@cache
def said() -> Mapping[str, tuple[Said, ...]]:
    """Every code of the source, and where it is said."""
    found = defaultdict[str, list[Said]](list)
    trees = {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): (
            ast.parse(path.read_text())
        )
        for path in SOURCE.rglob("*.py")
    }
    for each in Source(trees).said():
        found[each.code].append(each)
    # The empty code stands for "nothing is wrong" inside of a function.
    found.pop("", None)
    return {code: tuple(places) for code, places in found.items()}


def test_every_code_that_is_said_is_in_the_table() -> None:
    missing = {code: places for code, places in said().items() if code not in REASONS}

    assert missing == {}


def test_no_reason_of_the_table_is_dead() -> None:
    dead = REASONS.keys() - said().keys() - {FREE_CODE}

    assert dead == set()


def test_every_code_is_one_camel_case_word_that_a_condition_may_have() -> None:
    assert [code for code in REASONS if not is_code(code) or len(code) > 48] == []


def test_a_code_belongs_to_one_subject() -> None:
    assert sum(len(reasons) for reasons in SUBJECTS.values()) == len(REASONS)


def test_of_whom_something_is_asked_is_told_what() -> None:
    asked = {code for code, reason in REASONS.items() if reason.next_step}

    assert asked == WITH_A_PERSON


def test_nothing_is_asked_of_anybody_where_everything_is_as_it_should_be() -> None:
    assert SUBJECTS[HOLDING].keys() & WITH_A_PERSON == set()


def test_what_only_ever_allows_is_listed_as_it_should_be() -> None:
    allowed = {
        code for code, places in said().items() if {place.by for place in places} == {"allow"}
    }
    ends = {"AskedElsewhere", "CalledOff"}

    assert allowed - SUBJECTS[HOLDING].keys() - ends == set()


def test_what_refuses_is_never_listed_as_it_should_be() -> None:
    refused = {
        code for code, places in said().items() if {place.by for place in places} & {"deny", "wait"}
    }

    assert refused & SUBJECTS[HOLDING].keys() == set()


def test_a_reason_is_said_in_plain_sentences_that_a_table_can_hold() -> None:
    texts = [text for reason in REASONS.values() for text in (reason.meaning, reason.next_step)]

    assert [
        t for t in texts if t and (not t[0].isupper() or len(t) > 120 or set("<>|") & {*t})
    ] == []


WRITTEN = {
    "a literal": ('deny("Plain", "")', {"Plain"}),
    "by keyword": ('deny(sentence="", code="Named")', {"Named"}),
    "a choice": ('deny("One" if x else "Other", "")', {"One", "Other"}),
    "a constant": ("deny(TOP, '')", {"AtTheTop"}),
    "out of a table": ("deny(TABLE[x], '')", {"First", "Second"}),
    "out of a table, or else": ("deny(TABLE.get(x, 'Else'), '')", {"First", "Second", "Else"}),
    "what a function gives": ("deny(word(x), '')", {"Given"}),
    "under a key": ("{'code': 'Keyed'}", {"Keyed"}),
    "of another verdict": ("deny(x.code, '')", set()),
}
TOLD = """
TOP = "AtTheTop"
TABLE = {"a": "First", "b": "Second"}
def deny(code: str, sentence: str): ...
def word(x): return "Given"
def f(x): return
"""


@pytest.mark.parametrize(("expression", "codes"), WRITTEN.values(), ids=WRITTEN)
def test_a_code_is_found_however_it_is_written(expression: str, codes: set[str]) -> None:
    source = Source({"modelwarden.a": ast.parse(f"{TOLD.strip()} {expression}\n")})

    assert {each.code for each in source.said()} == codes


def test_a_code_that_is_put_together_cannot_be_hidden() -> None:
    source = Source({"modelwarden.a": ast.parse(TOLD.strip() + " deny(f'{x}Gone', '')\n")})

    with pytest.raises(CannotFollowError, match="Gone"):
        list(source.said())
