"""What is read from the objects, where the objects say more than this release acts on."""

from typing import Any

import pytest

from modelwarden.workflows.facts import model_facts
from tests.resources import manifests

FAIR = {"name": "approval_rate", "fairness": {"by": "gender", "minRatio": "0.80"}}


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ({}, ()),
        ({"contract": {"inputs": [], "outputs": []}}, ("contract",)),
        ({"aliases": [{"name": "candidate", "version": 3}]}, ("aliases",)),
        ({"automation": {"to": "Staging", "keep": 1}}, ("automation",)),
        ({"retention": {"archivedDays": 30}, "reviewEveryDays": 90},
         ("retention", "reviewEveryDays")),
        ({"consumers": [{"name": "Report", "kind": "Dashboard"}]}, ("consumers",)),
        ({"metrics": [FAIR]}, ("metrics.fairness",)),
    ],
)  # fmt: skip
def test_what_this_release_does_not_act_on_is_named(
    spec: dict[str, Any], named: tuple[str, ...]
) -> None:
    raw = manifests.model(**spec)
    raw["metadata"] |= {"uid": "u", "resourceVersion": "1", "generation": 1}

    assert model_facts(raw).not_yet_supported == named
