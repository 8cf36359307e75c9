from pathlib import Path
from typing import Any

import pytest
import yaml

from modelwarden.admission.model_policies import judged

from .requests import review

EXAMPLES = sorted(Path("examples/policies").glob("*.yaml"))


def said(spec: dict[str, Any]) -> tuple[str, ...]:
    answer = judged(review("ModelPolicy", spec))

    assert answer.verdict.code == "Admitted"
    return answer.warnings


def warned(spec: dict[str, Any]) -> list[str]:
    return [warning.partition(":")[0] for warning in said(spec)]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_policies_that_are_shipped_are_admitted_in_silence(path: Path) -> None:
    assert warned(yaml.safe_load(path.read_text())["spec"]) == []


def test_steps_that_no_version_passes_are_said() -> None:
    spec = {
        "allowedFormats": ["ONNX"],
        "steps": [
            {"to": "Registered", "gates": [{"name": "artifact", "artifact": {}}]},
            {"to": "Staging", "gates": [{"name": "artifact", "artifact": {}}]},
        ],
    }

    assert warned(spec) == ["PolicyBelowFloor", "NoGates"]


def test_a_policy_below_the_floor_that_says_why_is_admitted_in_silence() -> None:
    artifact = [{"name": "artifact", "artifact": {}}]
    steps = [{"to": stage, "gates": artifact} for stage in ("Registered", "Staging", "Production")]

    spec = {"allowedFormats": ["ONNX"], "steps": steps, "belowFloor": {"reason": "A team of one."}}

    assert warned(spec) == []


def test_what_this_release_does_not_act_on_is_said() -> None:
    standard = yaml.safe_load(Path("examples/policies/standard.yaml").read_text())["spec"]
    latency = {"p95Milliseconds": 50, "requests": 500}
    for_people = {"name": "fast", "benchmark": latency, "when": "AffectsPeople"}
    for step in standard["steps"]:
        if step["to"] == "Production":
            step["gates"].append(for_people)

    later = {"automation": {"maxStage": "Staging"}, "rollback": {"withinDays": 30}}

    assert said({**standard, **later, "retention": {"archivedDays": 2555}}) == (
        (
            "NotYetSupported: This release cannot run fast (benchmark) yet. "
            "Name another policy, or wait for a release that can."
        ),
    )
