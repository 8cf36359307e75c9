"""Every numbered example, executed: its README's commands as they are written, and its claim."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.example import MODEL, Example
from tests.cluster.installed import Installed
from tests.cluster.tour import Tour, images_of


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
    images = images_of(operator.cluster, operator.images)
    with operator.cluster.namespace("examples") as namespace:
        yield Tour(Example(operator, namespace, tmp_path_factory.mktemp("examples")), images)


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


@pytest.fixture(scope="module")
def measured(tour: Tour, retired: Taken) -> Taken:
    return tour.example, tour.take("07-bring-your-own-gate")


@pytest.fixture(scope="module")
def retrained(tour: Tour, measured: Taken) -> Taken:
    return tour.example, tour.take("08-daily-retraining")


@pytest.fixture(scope="module")
def screened(tour: Tour, registered: Taken, promoted: Taken) -> Taken:
    return tour.example, tour.take("09-batch-model-without-a-deployment")


def test_a_version_is_registered_once_its_file_was_opened(registered: Taken) -> None:
    example, words = registered

    version: dict[str, Any] = example.get("modelversion", f"{MODEL}-1")
    gates = gates_of(example, f"{MODEL}-1-registered-1")
    assert (version["status"]["stage"], gates["artifact"], gates["contract"]) == (
        "Registered",
        ("Passed", "ArtifactValid"),
        ("Passed", "ContractKept"),
    )
    assert "never changes: register a new version" in said(words, "! kubectl patch modelversion")


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
    assert "engineer@example.com lacks the verb govern" in said(words, "! kubectl apply")


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


def test_a_gate_of_the_teams_own_judges_by_what_it_measured(measured: Taken) -> None:
    example, words = measured

    recorded = example.get("modelversion", f"{MODEL}-4")["spec"]["metrics"]
    claimed = {m["value"] for m in recorded if m["name"] == "recall" and "segment" not in m}
    gate = gates_of(example, f"{MODEL}-4-staging-1")["holdout"]
    assert (claimed, gate[0], example.stage(4)) == ({"0.9900"}, "Failed", "Registered")
    assert "FAILED holdout recall is 0.4004, needs at least 0.50" in said(
        words, "kubectl model why"
    )


def test_a_machines_version_comes_to_staging_by_itself_and_no_machine_lets_it_out(
    retrained: Taken,
) -> None:
    example, words = retrained

    version = example.get("modelversion", f"{MODEL}-5")
    account = f"system:serviceaccount:{example.namespace}:pipeline"
    assert (version["spec"]["registeredBy"]["username"], version["status"]["stage"]) == (
        account,
        "Staging",
    )
    assert "Version 5 is registered." in said(words, "kubectl logs")
    refused = said(words, f"! kubectl patch model {MODEL}")
    assert f'User "{account}" cannot patch' in refused


def test_a_batch_job_gets_the_bytes_that_were_approved_by_name(screened: Taken) -> None:
    example, words = screened

    version = example.get("modelversion", "credit-screening-1")
    digest = version["spec"]["artifact"]["digest"]
    scored = said(words, "kubectl logs job/screening-now")
    told = said(words, "kubectl model serving-at")
    assert (f"3 scored by version 1, {digest}" in scored, "(Declared)" in told) == (True, True)
