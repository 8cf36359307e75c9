from typing import Any

import pytest

from modelwarden.domain.references import Reference, parse, version_meant
from modelwarden.domain.verdicts import Verdict

MODEL: dict[str, Any] = {
    "metadata": {"name": "fraud-detector"},
    "spec": {"aliases": [{"name": "candidate", "version": 3}]},
    "status": {
        "aliases": [
            {"name": "champion", "version": 2},
            {"name": "latest", "version": 5},
            {"name": "production", "version": 2},
            {"name": "staging", "version": 4},
        ]
    },
}


def code(answer: object) -> str:
    assert isinstance(answer, Verdict)
    return answer.code


def test_a_reference_is_a_model_and_which_version() -> None:
    assert parse("fraud-detector@production") == Reference("fraud-detector", "production")


@pytest.mark.parametrize("text", ["fraud-detector", "fraud-detector@", "@production", ""])
def test_half_a_reference_is_refused(text: str) -> None:
    assert code(parse(text)) == "ReferenceNotUnderstood"


@pytest.mark.parametrize(
    ("which", "version"),
    [
        ("production", 2),
        ("champion", 2),
        ("staging", 4),
        ("latest", 5),
        ("candidate", 3),
        ("v1", 1),
        ("v999999", 999_999),
    ],
)
def test_every_name_means_one_version(which: str, version: int) -> None:
    assert version_meant(which, MODEL) == version


@pytest.mark.parametrize("which", ["v0", "v", "v1000000", "v01", "v\u0661", "Production", "stable"])
def test_what_is_no_name_of_a_version_is_refused_with_those_that_are(which: str) -> None:
    answer = version_meant(which, MODEL)

    assert (code(answer), answer.next_step if isinstance(answer, Verdict) else "") == (
        "NoSuchAlias",
        "It has production, staging, champion, latest, candidate and v<number>.",
    )


@pytest.mark.parametrize(
    ("which", "sentence"),
    [
        ("production", "No version of fraud-detector is in Production."),
        ("champion", "No version of fraud-detector is in Production."),
        ("staging", "No version of fraud-detector is in Staging."),
        ("latest", "No version of fraud-detector is registered."),
    ],
)
def test_a_stage_that_is_empty_is_said_to_be(which: str, sentence: str) -> None:
    answer = version_meant(which, {"metadata": {"name": "fraud-detector"}, "spec": {}})

    assert isinstance(answer, Verdict)
    assert (answer.code, answer.sentence) == ("NoSuchVersion", sentence)
