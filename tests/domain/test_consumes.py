"""What the owner of a workload writes about the versions that it uses."""

import re

import pytest

from modelwarden.domain.consumes import ALL, Consumed, parse, version_meant
from modelwarden.domain.stages import Stage
from tests.domain.builders import state

READ = {
    "fraud-detector@production": Consumed("batch", "fraud-detector", name="production"),
    "fraud-detector:2": Consumed("batch", "fraud-detector", 2),
    "fraud-detector@v12": Consumed("batch", "fraud-detector", 12),
    "risk/fraud-detector:2": Consumed("risk", "fraud-detector", 2),
    "risk/fraud-detector@candidate_b": Consumed("risk", "fraud-detector", name="candidate_b"),
    "  risk/m:999999 ": Consumed("risk", "m", 999_999),
}
NOT_READ = (
    "",
    "fraud-detector",
    "fraud-detector:0",
    "fraud-detector:1000000",
    "fraud-detector:two",
    "fraud-detector@",
    "fraud-detector@Production",
    "Fraud:1",
    "a/b/c:1",
    "/c:1",
    "fraud-detector:2;",
    "fraud-detector :2",
    "s3://models/risk/1",
)


@pytest.mark.parametrize(("text", "consumed"), READ.items())
def test_an_entry_names_a_version_of_a_model(text: str, consumed: Consumed) -> None:
    assert parse(text, namespace="batch") == ((consumed,), ())


@pytest.mark.parametrize("text", NOT_READ)
def test_what_names_none_is_told(text: str) -> None:
    read, problems = parse(text, namespace="batch")

    assert (read, [problem.code for problem in problems]) == ((), ["ConsumesNotUnderstood"])
    assert repr(text.strip()) in problems[0].sentence


def test_one_bad_entry_does_not_hide_the_others() -> None:
    read, problems = parse("a:1, nonsense ,b@staging", namespace="n")

    assert read == (Consumed("n", "a", 1), Consumed("n", "b", name="staging"))
    assert [problem.sentence for problem in problems] == ["'nonsense' names no version of a model."]


def test_a_list_has_an_end() -> None:
    read, problems = parse(",".join(f"m:{number}" for number in range(1, 41)), namespace="n")

    assert (len(read), [problem.sentence for problem in problems]) == (
        32,
        ["It has 40 entries; 32 are read."],
    )


@pytest.mark.parametrize("text", [*READ, "a:1 , b@staging,n/c:3"])
def test_the_pattern_for_the_api_server_takes_what_is_read(text: str) -> None:
    assert re.fullmatch(ALL, text)


@pytest.mark.parametrize("text", [*NOT_READ, "a:1,", ",a:1", "a:1 b:2"])
def test_the_pattern_for_the_api_server_takes_nothing_else(text: str) -> None:
    assert not re.fullmatch(ALL, text)


LEDGER = state({1: Stage.PRODUCTION, 2: Stage.STAGING, 3: Stage.STAGING, 4: Stage.REGISTERED})


@pytest.mark.parametrize(
    ("consumed", "number"),
    [
        (Consumed("risk", "m", 7), 7),
        (Consumed("risk", "m", name="production"), 1),
        (Consumed("risk", "m", name="champion"), 1),
        (Consumed("risk", "m", name="staging"), 3),
        (Consumed("risk", "m", name="latest"), 4),
        (Consumed("risk", "m", name="candidate"), 2),
        (Consumed("risk", "m", name="unknown"), None),
    ],
    ids=lambda value: str(value.name or value.number) if isinstance(value, Consumed) else "",
)
def test_a_name_means_the_version_that_has_it_now(consumed: Consumed, number: int | None) -> None:
    assert version_meant(consumed, LEDGER, aliases={"candidate": 2}) == number


def test_where_there_is_none_no_version_is_meant() -> None:
    names = ("production", "staging", "latest")
    meant = [version_meant(Consumed("n", "m", name=n), state(), aliases={}) for n in names]

    assert meant == [None, None, None]
