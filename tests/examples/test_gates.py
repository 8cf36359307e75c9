"""The example's own rules and its policy's gates, asked of the versions that were trained."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from modelwarden.domain.facts import GateSpec, VersionFacts
from modelwarden.domain.gates import Case, judge
from modelwarden.domain.stages import Stage
from modelwarden.workflows.facts import model_facts, policy_facts, version_facts
from tests.domain.builders import transition

MODEL = Path("examples/01-register/3-model.yaml")
URI = "s3://models/risk/sha256/{digest}/"
NEW = {"uid": "1", "resourceVersion": "1", "generation": 1}


def stored(path: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = yaml.safe_load(path.read_text())
    manifest["metadata"] |= NEW
    return manifest


def gate_named(name: str) -> GateSpec:
    policy = policy_facts(stored(Path("examples/policies/demo.yaml")))
    return next(gate for gate in policy.steps[Stage.PRODUCTION].gates if gate.name == name)


def version(trained: dict[int, Any], number: int) -> VersionFacts:
    manifest = trained[number].manifest(URI)
    manifest["metadata"] |= NEW
    return version_facts(manifest)


def asked(name: str, trained: dict[int, Any], number: int, *, against: int | None) -> str:
    case = Case(
        attempt=transition(metrics=model_facts(stored(MODEL)).metrics),
        version=version(trained, number),
        champion=None if against is None else version(trained, against),
    )
    result = judge(gate_named(name), case)
    return f"{result.outcome} {result.code}: {result.sentence}"


@pytest.mark.parametrize("number", [1, 2])
def test_the_first_two_versions_treat_the_age_bands_alike(
    trained: dict[int, Any], number: int
) -> None:
    assert asked("fairness", trained, number, against=None).startswith("Passed GroupsTreatedAlike")


def test_the_third_is_held_by_how_far_and_between_whom(trained: dict[int, Any]) -> None:
    told = asked("fairness", trained, 3, against=2)

    begin = (
        "Failed GroupsTreatedUnequally: approval_rate by age_band: ratio 0.71, needs 0.80 (18-25"
    )
    assert told.startswith(begin)


@pytest.mark.parametrize(("number", "against"), [(1, None), (2, 1), (3, 2)])
def test_each_is_no_worse_than_the_one_before(
    trained: dict[int, Any], number: int, against: int | None
) -> None:
    assert asked("champion", trained, number, against=against).startswith("Passed")


def test_the_first_is_worse_than_the_second(trained: dict[int, Any]) -> None:
    assert asked("champion", trained, 1, against=2).startswith("Failed WorseThanChampion: auc ")
