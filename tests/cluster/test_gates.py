"""Gates on a real cluster: beside the version in Production, between groups, and run early."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.example import MODEL, Example
from tests.cluster.installed import Installed
from tests.cluster.running import until

GAP = "approval_rate by age_band: ratio 0.71, needs 0.80 (18-25 "
EARLY_POLICY: dict[str, Any] = {
    "apiVersion": "modelwarden.io/v1alpha1",
    "kind": "ModelPolicy",
    "metadata": {"name": "early"},
    "spec": {
        "allowedFormats": ["ONNX"],
        "steps": [
            {"to": "Registered", "gates": [{"name": "artifact", "artifact": {}}]},
            {
                "to": "Staging",
                "gates": [
                    {"name": "quality", "metrics": {}},
                    {"name": "still-there", "artifact": {}, "runAt": "Registration"},
                    {
                        "name": "fairness",
                        "fairness": {"minRatio": "0.80"},
                        "runAt": "Registration",
                    },
                ],
            },
        ],
    },
}


@pytest.fixture(scope="module")
def first_in_production(
    operator: Installed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Example]:
    """Version 1 in Production, which the others are compared with."""
    with operator.cluster.namespace("gates") as namespace:
        example = Example(operator, namespace, tmp_path_factory.mktemp("gates"))
        example.set_up()
        example.declare()
        example.register(1)
        example.await_stage(1, "Registered")
        example.bring_to_production(1)
        yield example


@pytest.fixture
def early(operator: Installed, namespace: str, tmp_path: Path) -> Example:
    """The example under a policy that runs gates of Staging at registration."""
    example = Example(operator, namespace, tmp_path)
    operator.cluster.kubectl(None, "apply", "-f", "-", given=json.dumps(EARLY_POLICY))
    example.set_up()
    example.may_use("early")
    example.declare(policy="early")
    return example


def gate(example: Example, attempt: str, name: str) -> tuple[str, str, str]:
    """How a gate of an attempt ended: outcome, code and sentence."""

    def found() -> Any:
        gates = example.get("modeltransition", attempt).get("status", {}).get("gates", ())
        ended = [g for g in gates if g["name"] == name and g["outcome"] in {"Passed", "Failed"}]
        return ended[0] if ended else None

    result = until(found, what=f"gate {name} of {attempt} has ended", within=120)
    return result["outcome"], result["code"], result["message"]


def unwrapped(text: str) -> str:
    return " ".join(text.split())


def test_a_version_with_a_gap_between_age_bands_is_held_and_why_says_how_far(
    first_in_production: Example,
) -> None:
    example = first_in_production
    example.register(3)
    example.await_stage(3, "Registered")
    example.ask("engineer", "promote", MODEL, "3", "--to=staging", "--reason=Best auc of all")
    example.await_stage(3, "Staging")

    example.ask("manager", "promote", MODEL, "3", "--to=production", "--reason=Best auc of all")

    outcome, code, message = gate(example, f"{MODEL}-3-production-1", "fairness")
    assert (outcome, code, message[: len(GAP)]) == ("Failed", "GroupsTreatedUnequally", GAP)
    until(
        lambda: example.stage(3) == "Staging" and "GateFailed" in example.waits_for(3),
        what="the attempt of version 3 is over",
    )
    told = unwrapped(example.ask("engineer", "why", MODEL, "3").output)
    assert f"FAILED fairness {GAP}" in told
    assert "passed champion auc 0." in told
    assert "Production has 0." in told
    assert example.stage(1) == "Production"


def test_a_better_version_that_treats_them_alike_replaces_the_first(
    first_in_production: Example,
) -> None:
    example = first_in_production
    example.register(2)
    example.await_stage(2, "Registered")

    example.bring_to_production(2)

    told = unwrapped(example.ask("engineer", "why", MODEL, "2").output)
    assert "passed fairness approval_rate by age_band: ratio 0.86, needs 0.80" in told


def test_a_gate_that_ran_at_registration_is_not_run_again(early: Example) -> None:
    example = early
    example.register(1)
    example.await_stage(1, "Registered")
    measured = gate(example, f"{MODEL}-1-registered-1", "still-there")

    example.ask("engineer", "promote", MODEL, "1", "--to=staging", "--reason=First candidate")
    example.await_stage(1, "Staging")

    taken = gate(example, f"{MODEL}-1-staging-1", "still-there")
    assert (measured[0], taken[:2]) == ("Passed", measured[:2])
    assert taken[2].startswith(f"{measured[2]} (Measured at registration, record ")
    assert "Measured at registration" in gate(example, f"{MODEL}-1-staging-1", "fairness")[2]


def test_an_early_failure_leaves_a_version_registered_and_holds_it_at_its_step(
    early: Example,
) -> None:
    example = early
    example.register(3)
    example.await_stage(3, "Registered")
    measured = gate(example, f"{MODEL}-3-registered-1", "fairness")

    example.ask("engineer", "promote", MODEL, "3", "--to=staging", "--reason=Best auc of all")

    held = gate(example, f"{MODEL}-3-staging-1", "fairness")
    assert (measured[0], held[0], example.stage(3)) == ("Failed", "Failed", "Registered")
    assert held[2].startswith(measured[2])
    assert "Measured at registration" in held[2]
