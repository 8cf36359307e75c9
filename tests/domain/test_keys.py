from typing import Any

import pytest

from modelwarden.domain.keys import (
    Touch,
    touched_by_deployment,
    touched_by_gate,
    touched_by_model,
    touched_by_spec,
    touched_by_transition,
    touched_by_version,
)
from modelwarden.domain.state import ModelKey

FRAUD = ModelKey("risk", "fraud-detector")


def stored(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "risk"}, "spec": spec}


def gate(
    *, transition: str = "risk/fraud-detector-3-production-1", **labels: str
) -> dict[str, Any]:
    return {
        "metadata": {
            "name": "mw-0",
            "namespace": "modelwarden-gates",
            "labels": {"modelwarden.io/model": "fraud-detector", **labels},
            "annotations": {"modelwarden.io/transition": transition},
        }
    }


def test_a_model_is_looked_at_itself() -> None:
    assert touched_by_model(stored("fraud-detector")) == Touch(FRAUD)


def test_a_version_touches_itself() -> None:
    version = stored("fraud-detector-3", model="fraud-detector", version=3)

    assert touched_by_version(version) == Touch(FRAUD, frozenset({"fraud-detector-3"}))


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"model": "fraud-detector", "version": 3}, Touch(FRAUD, frozenset({"fraud-detector-3"}))),
        ({"model": "fraud-detector"}, Touch(FRAUD)),
        ({"policy": {"name": "standard"}}, None),
    ],
    ids=["of a version", "a review of the model", "of a policy"],
)
def test_a_decision_touches_what_it_is_about(spec: dict[str, Any], expected: Touch | None) -> None:
    assert touched_by_spec(stored("d", **spec)) == expected


def test_an_attempt_touches_its_version_and_itself() -> None:
    attempt = stored("fraud-detector-3-staging-1", model="fraud-detector", version=3)

    touch = touched_by_transition(attempt)

    names = frozenset({"fraud-detector-3", "fraud-detector-3-staging-1"})
    assert (touch, touched_by_transition(stored("x"))) == (Touch(FRAUD, names), None)


def test_a_gate_touches_the_version_of_its_attempt_in_the_tenants_namespace() -> None:
    assert touched_by_gate(gate()) == Touch(FRAUD, frozenset({"fraud-detector-3"}))


@pytest.mark.parametrize("transition", ["", "risk", "risk/", "/a"])
def test_a_pod_that_names_no_attempt_touches_nothing(transition: str) -> None:
    assert touched_by_gate(gate(transition=transition)) is None


def test_a_deployment_touches_the_model_of_its_label() -> None:
    deployment = stored("fraud-api")
    unlabelled = touched_by_deployment(deployment)
    deployment["metadata"]["labels"] = {"modelwarden.io/model": "fraud-detector"}

    assert (unlabelled, touched_by_deployment(deployment)) == (None, Touch(FRAUD))
