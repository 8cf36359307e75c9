"""Every numbered example, executed: its README's commands as they are written, and its claim."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.example import MODEL, Example
from tests.cluster.installed import Installed
from tests.cluster.tour import Tour


def served_by(example: Example) -> tuple[str, str]:
    """The version and the digest that the service itself names."""
    cluster = example.installed.cluster
    with (
        cluster.reachable(example.namespace, "fraud-api", 80) as address,
        urllib.request.urlopen(f"http://{address}/model", timeout=10) as response,
    ):
        answer = json.load(response)
    return answer["version"], answer["digest"]


def digest_of(example: Example, number: int) -> str:
    """The digest with which a version was registered."""
    version = example.get("modelversion", f"{MODEL}-{number}")
    return str(version["spec"]["artifact"]["digest"])


def gates_of(example: Example, attempt: str) -> dict[str, tuple[str, str]]:
    """Outcome and code of every gate of an attempt."""
    status = example.get("modeltransition", attempt)["status"]
    return {gate["name"]: (gate["outcome"], gate["code"]) for gate in status["gates"]}


def moves_of(example: Example, number: int) -> list[str]:
    """Where a version has been."""
    return [
        move["to"] for move in example.get("modelversion", f"{MODEL}-{number}")["status"]["history"]
    ]


def said(words: dict[str, str], beginning: str) -> str:
    """What the last command that begins so has said, without its layout."""
    answers = [answer for command, answer in words.items() if command.startswith(beginning)]
    return " ".join(answers[-1].split())


@pytest.fixture(scope="module")
def tour(operator: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tour]:
    """A namespace for all examples: each begins where the one before it ended."""
    with operator.cluster.namespace("examples") as namespace:
        yield Tour(Example(operator, namespace, tmp_path_factory.mktemp("examples")))


Taken = tuple[Example, dict[str, str]]


@pytest.fixture(scope="module")
def registered(tour: Tour) -> Taken:
    return tour.example, tour.take("01-register")


@pytest.fixture(scope="module")
def promoted(tour: Tour, registered: Taken) -> Taken:
    return tour.example, tour.take("02-promote-with-approval")


@pytest.fixture(scope="module")
def held(tour: Tour, promoted: Taken) -> Taken:
    return tour.example, tour.take("03-a-gate-that-holds")


@pytest.fixture(scope="module")
def unfair(tour: Tour, held: Taken) -> Taken:
    return tour.example, tour.take("04-fairness")


@pytest.fixture(scope="module")
def rolled_back(tour: Tour, unfair: Taken) -> Taken:
    return tour.example, tour.take("05-roll-back")


@pytest.fixture(scope="module")
def retired(tour: Tour, rolled_back: Taken) -> Taken:
    return tour.example, tour.take("06-retire")


def test_a_version_is_registered_once_its_file_was_opened(registered: Taken) -> None:
    example, _ = registered

    version: dict[str, Any] = example.get("modelversion", f"{MODEL}-1")
    gates = gates_of(example, f"{MODEL}-1-registered-1")
    assert (version["status"]["stage"], gates["artifact"], gates["contract"]) == (
        "Registered",
        ("Passed", "ArtifactValid"),
        ("Passed", "ContractKept"),
    )


def test_two_people_who_did_not_train_it_bring_it_to_production(promoted: Taken) -> None:
    example, words = promoted

    refused = said(words, f'kubectl model approve {MODEL} 1 --rationale "It is good."')
    assert "scientist@example.com" in refused
    assert served_by(example) == ("1", digest_of(example, 1))


def test_a_missed_threshold_holds_a_version_until_it_is_lowered_on_record(held: Taken) -> None:
    example, words = held

    first, second = (gates_of(example, f"{MODEL}-2-staging-{n}")["quality"][0] for n in (1, 2))
    assert (first, second, example.stage(2), example.stage(1)) == (
        "Failed",
        "Passed",
        "Staging",
        "Production",
    )
    assert "FAILED quality" in said(words, "kubectl model why")


def test_a_gap_between_groups_holds_the_version_with_the_best_auc(unfair: Taken) -> None:
    example, words = unfair

    gates = gates_of(example, f"{MODEL}-3-production-1")
    assert (gates["champion"][0], gates["fairness"], example.stage(3)) == (
        "Passed",
        ("Failed", "GroupsTreatedUnequally"),
        "Staging",
    )
    assert "approval_rate by age_band: ratio 0.71, needs 0.80" in said(words, "kubectl model why")


def test_one_command_brings_the_replaced_version_and_its_bytes_back(rolled_back: Taken) -> None:
    example, _ = rolled_back

    assert served_by(example) == ("1", digest_of(example, 1))
    assert (example.stage(1), example.stage(2)) == ("Production", "Staging")


def test_what_served_is_archived_when_nobody_uses_it_any_more(retired: Taken) -> None:
    example, words = retired

    assert moves_of(example, 1)[-2:] == ["Retiring", "Archived"]
    assert "weekly-report" in said(words, "kubectl model consumers")
