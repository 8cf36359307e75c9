from typing import Any

import pytest

from modelwarden.domain.names import (
    HIGHEST_VERSION,
    attempt_name,
    job_name,
    version_name,
    version_of_attempt,
)
from modelwarden.domain.stages import Stage
from modelwarden.resources import scalars

LONGEST = "m" * scalars.LONGEST_MODEL_NAME
# What a label value, the name of a pod and a generateName have room for.
ROOM = 63


def test_the_api_and_the_domain_know_the_same_highest_version() -> None:
    assert HIGHEST_VERSION == scalars.HIGHEST_VERSION


@pytest.mark.parametrize("target", list(Stage))
def test_the_longest_name_of_an_attempt_fits(target: Stage) -> None:
    name = attempt_name(LONGEST, HIGHEST_VERSION, target=target, number=scalars.HIGHEST_ATTEMPT)

    assert len(name) <= ROOM


def test_the_longest_name_of_a_version_fits() -> None:
    assert len(version_name(LONGEST, HIGHEST_VERSION)) <= ROOM


def test_names_say_what_they_name() -> None:
    assert (
        version_name("fraud-detector", 3),
        attempt_name("fraud-detector", 3, target=Stage.PRODUCTION, number=2),
    ) == ("fraud-detector-3", "fraud-detector-3-production-2")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (attempt_name("fraud", 3, target=Stage.PRODUCTION, number=2), 3),
        (attempt_name("fraud-1", 3, target=Stage.PRODUCTION, number=2), None),
        (version_name("fraud", 3), None),
        ("fraud-3-limbo-1", None),
        ("fraud-x-staging-1", None),
        ("fraud-3-staging-x", None),
        ("3-staging-1", None),
    ],
)
def test_the_name_of_an_attempt_says_which_version_it_is_about(
    name: str, expected: int | None
) -> None:
    assert version_of_attempt("fraud", name) == expected


def named(origin: str = "origin", namespace: str = "risk", **changes: Any) -> str:
    run = {"attempt": "fraud-1-registered-1", "gate": "artifact", "tries": 1}
    return job_name(origin, namespace, **{**run, **changes})


def test_the_name_of_a_job_is_the_same_for_the_same_run() -> None:
    # Pinned: another release must find the Jobs that this one made.
    assert named() == "mw-d761eb36433a05f5ebafb4456d64156ab7dae08a"


@pytest.mark.parametrize(
    "other",
    [
        {"origin": "other"},
        {"namespace": "other"},
        {"attempt": "fraud-1-registered-2"},
        {"gate": "other"},
        {"tries": 2},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_run_has_a_job_of_another_name(other: dict[str, Any]) -> None:
    assert named(**other) != named()
