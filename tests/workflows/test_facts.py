"""What is read of versions and policies, and what of them is malformed."""

from typing import Any

import pytest

from modelwarden.domain.stages import Stage
from modelwarden.errors import MalformedObjectError
from modelwarden.workflows.facts import policy_facts, version_facts
from tests import builders
from tests.resources import manifests

IMAGE = "registry.example/eval@sha256:" + "0" * 64
BROUGHT = {"image": IMAGE}

GATES: dict[str, tuple[dict[str, Any], str, dict[str, Any] | None]] = {
    "a claim": ({"metrics": {}}, "metrics", None),
    "a Job alone": ({"job": BROUGHT}, "job", BROUGHT),
    "a claim about what a Job measures": ({"metrics": {}, "job": BROUGHT}, "metrics", BROUGHT),
    "a claim with a Job of its own": (
        {"reproduction": {"tolerance": "0.002", "job": BROUGHT}},
        "reproduction",
        BROUGHT,
    ),
    "early, for models about people": (
        {"fairness": {"minRatio": "0.8"}, "runAt": "Registration", "when": "AffectsPeople"},
        "fairness",
        None,
    ),
}


@pytest.mark.parametrize(("stored", "kind", "job"), GATES.values(), ids=GATES)
def test_a_gate_is_of_the_kind_of_its_claim(
    stored: dict[str, Any], kind: str, job: dict[str, Any] | None
) -> None:
    step = {"to": "Staging", "gates": [{"name": "one", **stored}]}

    (gate,) = policy_facts(builders.policy(steps=[step])).steps[Stage.STAGING].gates

    assert (gate.kind, gate.job) == (kind, job)


# One text, composed and decomposed: two keys to the schema, and one to the ledger.
TWICE = {"\u00e9": "1", "e\u0301": "2"}


@pytest.mark.parametrize("field", ["hyperparameters", "notes"])
def test_a_version_that_no_digest_can_name_is_malformed_and_the_field_is_said(field: str) -> None:
    spec = {"hyperparameters": {"hyperparameters": TWICE}, "notes": {"notes": {"tags": TWICE}}}
    raw = manifests.version(**spec[field])
    raw["metadata"] |= {"uid": "u", "resourceVersion": "1", "generation": 1}

    with pytest.raises(MalformedObjectError, match=rf"^spec\.{field}: two keys are the same text"):
        version_facts(raw)


def test_a_policy_that_no_digest_can_name_is_malformed_and_the_field_is_said() -> None:
    job = {**BROUGHT, "nodeSelector": TWICE}
    step = {"to": "Staging", "gates": [{"name": "one", "job": job}]}

    with pytest.raises(MalformedObjectError, match=r"^spec\.steps: two keys are the same text"):
        policy_facts(builders.policy(steps=[step]))
