"""The policies that are shipped as examples must work with this release as they are."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from modelwarden.domain.floor import SUPPORTED_GATES
from modelwarden.resources.model_policy import ModelPolicy

POLICIES = {path.stem: path for path in sorted(Path("examples/policies").glob("*.yaml"))}


def stored(name: str) -> dict[str, Any]:
    manifest: dict[str, Any] = yaml.safe_load(POLICIES[name].read_text())
    return manifest


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_is_what_its_kind_allows_and_is_named_as_its_file(name: str) -> None:
    policy = ModelPolicy.parse(stored(name))

    assert policy.metadata.name == name


@pytest.mark.parametrize("name", POLICIES)
def test_every_gate_of_a_policy_can_be_run(name: str) -> None:
    gates = [gate for step in stored(name)["spec"]["steps"] for gate in step["gates"]]

    assert {kind for gate in gates for kind in gate} - {"name", "when"} <= SUPPORTED_GATES
    assert not {"soakSeconds"} & {key for step in stored(name)["spec"]["steps"] for key in step}


@pytest.mark.parametrize("name", POLICIES)
def test_every_step_of_the_ladder_is_guarded(name: str) -> None:
    steps = {step["to"]: step["gates"] for step in stored(name)["spec"]["steps"]}

    assert list(steps) == ["Registered", "Staging", "Production"]
    assert all(steps.values())
    assert any("artifact" in gate for gate in steps["Registered"])
    assert any("metrics" in gate for gate in steps["Staging"])


@pytest.mark.parametrize("name", sorted(POLICIES.keys() - {"solo"}))
def test_before_production_a_version_is_compared_with_it_and_groups_of_people_are(
    name: str,
) -> None:
    gates = {gate["name"]: gate for gate in stored(name)["spec"]["steps"][2]["gates"]}

    assert "maxDrop" in gates["champion"]["champion"]
    assert gates["fairness"]["when"] == "AffectsPeople"
    assert float(gates["fairness"]["fairness"]["minRatio"]) >= 0.8


def test_only_standard_governs_models_that_name_no_policy() -> None:
    assert [name for name in POLICIES if stored(name)["spec"].get("default")] == ["standard"]


def test_only_solo_is_below_the_floor_and_it_says_why() -> None:
    approvals = {name: stored(name)["spec"]["steps"][2]["approvals"] for name in POLICIES}
    below = {
        name
        for name, rule in approvals.items()
        if rule["owners"] < 1 or rule["reviewers"] < 1 or "Trainer" not in rule["exclude"]
    }

    assert below == {name for name in POLICIES if "belowFloor" in stored(name)["spec"]} == {"solo"}
    assert stored("solo")["spec"]["belowFloor"]["reason"]
