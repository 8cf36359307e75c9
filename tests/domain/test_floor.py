"""What is asked of every version and of every policy, whatever the policy says."""

from typing import Any

import pytest

from modelwarden.domain.facts import ModelFacts, PolicyFacts, PolicyStep
from modelwarden.domain.floor import (
    format_is_allowed,
    gates_are_supported,
    metadata_is_complete,
    policy_has_step,
    policy_meets_floor,
)
from modelwarden.domain.stages import Stage
from modelwarden.domain.verdicts import allow, deny
from tests.domain.builders import approvals, gate, model, policy, step, version, version_spec

FULL = version_spec()


def lineage(**changes: Any) -> dict[str, Any]:
    return {"lineage": {**FULL["lineage"], **changes}}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in FULL.items() if key != name}


def trained_on(*datasets: dict[str, str]) -> dict[str, Any]:
    return {**FULL, **lineage(datasets=list(datasets))}


TRAINING = {"name": "payments", "role": "Training"}
DATA = "lineage.datasets (training data with a version or a query)"
CODE = "lineage.code (repository and commit)"

# One thing is missing, and this is what is said of it.
MISSING: dict[str, tuple[dict[str, Any], str]] = {
    "no lineage": (
        without("lineage"),
        f"{DATA}, {CODE}, lineage.run (the training run)",
    ),
    "no training data": (trained_on(), DATA),
    "data for tests only": (trained_on({**TRAINING, "role": "Test", "version": "1"}), DATA),
    "data without a version": (trained_on(TRAINING), DATA),
    "one of two data sets without a version": (
        trained_on({**TRAINING, "version": "1"}, {**TRAINING, "name": "devices"}),
        DATA,
    ),
    "no code": ({**FULL, **lineage(code={})}, CODE),
    "no commit": ({**FULL, **lineage(code={"repository": "https://git.example.com"})}, CODE),
    "no run": ({**FULL, **lineage(run={})}, "lineage.run (the training run)"),
    "no hyperparameters": (without("hyperparameters"), "hyperparameters (at least one)"),
    "empty hyperparameters": (
        {**FULL, "hyperparameters": {}},
        "hyperparameters (at least one)",
    ),
    "no metrics": (
        without("metrics"),
        "metrics (a value for the whole data set), metrics.segment (values per segment)",
    ),
    "no total": (
        {**FULL, "metrics": [{"name": "auc", "value": "0.9", "segment": {"age": "18-25"}}]},
        "metrics (a value for the whole data set)",
    ),
    "no segments": (
        {**FULL, "metrics": [{"name": "auc", "value": "0.9"}]},
        "metrics.segment (values per segment)",
    ),
    "no training": (without("training"), "training (how long and on what it was trained)"),
}


@pytest.mark.parametrize(("spec", "lacks"), MISSING.values(), ids=MISSING)
def test_missing_metadata_is_named(spec: dict[str, Any], lacks: str) -> None:
    assert metadata_is_complete(version(spec=spec), ()) == deny(
        "MetadataMissing",
        f"The record lacks {lacks}.",
        "Register the next version with them, or with the reason under spec.notApplicable.",
    )


@pytest.mark.parametrize(
    "spec",
    [FULL, trained_on({**TRAINING, "query": "SELECT 1"})],
    ids=["with a version", "with a query"],
)
def test_a_full_record_is_complete(spec: dict[str, Any]) -> None:
    assert metadata_is_complete(version(spec=spec), ()) == allow(
        "MetadataComplete", "All required metadata is recorded."
    )


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        (trained_on(), "lineage.datasets"),
        ({**FULL, **lineage(code={})}, "lineage.code"),
        ({**FULL, **lineage(run={})}, "lineage.run"),
        (without("hyperparameters"), "hyperparameters"),
        (MISSING["no total"][0], "metrics"),
        (MISSING["no segments"][0], "metrics.segment"),
        (without("training"), "training"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_stated_reason_excuses_one_missing_field(spec: dict[str, Any], field: str) -> None:
    excused = {**spec, "notApplicable": [{"field": field, "reason": "there is none"}]}

    assert metadata_is_complete(version(spec=excused), ()).allows


def test_a_stated_reason_excuses_no_other_field() -> None:
    excused = {**trained_on(), "notApplicable": [{"field": "lineage.run", "reason": "by hand"}]}

    assert not metadata_is_complete(version(spec=excused), ()).allows


@pytest.mark.parametrize(
    ("changes", "allows"),
    [
        ({}, False),
        (lineage(features=[]), False),
        (lineage(features=[{"name": "age"}]), True),
        ({"notApplicable": [{"field": "lineage.features", "reason": "raw columns"}]}, True),
    ],
    ids=["missing", "empty", "there", "excused"],
)
def test_a_policy_may_ask_for_more_metadata(*, changes: dict[str, Any], allows: bool) -> None:
    spec = {**FULL, **changes}

    assert metadata_is_complete(version(spec=spec), ("lineage.features",)).allows is allows


@pytest.mark.parametrize(
    ("formats", "verdict"),
    [
        (("ONNX",), allow("FormatAllowed", "The policy allows ONNX.")),
        (
            ("Safetensors", "MLflow"),
            deny(
                "FormatNotAllowed",
                "The policy allows Safetensors, MLflow, not ONNX.",
                "Register the next version in an allowed format.",
            ),
        ),
        (
            (),
            deny(
                "FormatNotAllowed",
                "The policy allows no format, not ONNX.",
                "Register the next version in an allowed format.",
            ),
        ),
    ],
    ids=["allowed", "another", "none"],
)
def test_only_a_format_of_the_policy_is_allowed(formats: tuple[str, ...], verdict: Any) -> None:
    assert format_is_allowed(version(), formats) == verdict


PEOPLE = model(affects_people=True)
FAIRNESS = gate("fairness", applies_to_people_only=True)
TO_STAGING, TO_PRODUCTION = Stage.STAGING, Stage.PRODUCTION

STEPS: dict[str, tuple[PolicyStep, ModelFacts, str, str]] = {
    "metrics before Staging": (step(TO_STAGING), model(), "FloorMet", ""),
    "no metrics gate before Staging": (
        step(TO_STAGING, gate("artifact")),
        model(),
        "PolicyBelowFloor",
        "the step needs a metrics gate",
    ),
    "a metrics gate for other models only": (
        step(TO_STAGING, gate("artifact"), gate(applies_to_people_only=True)),
        model(),
        "PolicyBelowFloor",
        "the step needs a metrics gate",
    ),
    "two people before Production": (step(TO_PRODUCTION), model(), "FloorMet", ""),
    "nobody before Production": (
        step(TO_PRODUCTION, approvals=None),
        model(),
        "PolicyBelowFloor",
        "Production needs one owner and one reviewer, two different people",
    ),
    "no owner before Production": (
        step(TO_PRODUCTION, approvals=approvals(owners=0, reviewers=2)),
        model(),
        "PolicyBelowFloor",
        "Production needs one owner and one reviewer, two different people",
    ),
    "no reviewer before Production": (
        step(TO_PRODUCTION, approvals=approvals(owners=2, reviewers=0)),
        model(),
        "PolicyBelowFloor",
        "Production needs one owner and one reviewer, two different people",
    ),
    "the trainer may vote": (
        step(TO_PRODUCTION, approvals=approvals(exclude=("Registrant",))),
        model(),
        "PolicyBelowFloor",
        "approvals must exclude the Trainer",
    ),
    "people are affected and nothing asks for fairness": (
        step(TO_PRODUCTION),
        PEOPLE,
        "NoFairnessGate",
        "the model affects people and the step has no fairness gate",
    ),
    "people are affected and fairness is asked": (
        step(TO_PRODUCTION, gate(), FAIRNESS),
        PEOPLE,
        "FloorMet",
        "",
    ),
    "fairness is not asked before Staging": (step(TO_STAGING), PEOPLE, "FloorMet", ""),
    "nothing is asked of registration": (step(Stage.REGISTERED), PEOPLE, "FloorMet", ""),
}


@pytest.mark.parametrize(("guard", "facts", "code", "gap"), STEPS.values(), ids=STEPS)
def test_a_policy_below_the_floor_waits_and_says_what_it_lacks(
    guard: PolicyStep, facts: ModelFacts, code: str, gap: str
) -> None:
    verdict = policy_meets_floor(policy(guard), facts, target=guard.to)

    assert (verdict.code, verdict.allows) == (code, code == "FloorMet")
    assert gap in verdict.sentence


@pytest.mark.parametrize(
    ("guard", "facts"),
    [(guard, facts) for guard, facts, code, _ in STEPS.values() if code != "FloorMet"],
    ids=[name for name, row in STEPS.items() if row[2] != "FloorMet"],
)
def test_only_with_a_stated_reason_a_policy_may_be_below_the_floor(
    guard: PolicyStep, facts: ModelFacts
) -> None:
    stated = policy(guard, below_floor_reason="a team of one")

    assert policy_meets_floor(stated, facts, target=guard.to) == allow(
        "BelowFloor", "Below the floor on purpose: a team of one"
    )


@pytest.mark.parametrize(
    ("rules", "knows"),
    [
        (policy(), True),
        (policy(steps={}), False),
        (policy(steps={TO_STAGING: step(TO_STAGING, approvals=approvals())}), True),
        (policy(steps={TO_STAGING: step(TO_STAGING)}), True),
        (policy(step(TO_STAGING, gate(applies_to_people_only=True))), False),
    ],
    ids=["with gates", "no steps", "with people", "one step", "only gates for other models"],
)
def test_a_step_without_gates_is_a_mistake_and_no_free_pass(
    *, rules: PolicyFacts, knows: bool
) -> None:
    verdict = policy_has_step(rules, model(), target=TO_STAGING)

    assert (verdict.code, verdict.allows) == ("StepKnown" if knows else "NoGates", knows)


@pytest.mark.parametrize(
    ("guard", "facts", "said"),
    [
        (step(Stage.REGISTERED), model(), "GatesSupported"),
        (step(TO_PRODUCTION, gate(), FAIRNESS), model(), "GatesSupported"),
        (step(TO_PRODUCTION, gate("champion"), FAIRNESS), PEOPLE, "GatesSupported"),
        (
            step(TO_PRODUCTION, gate(), gate("benchmark", applies_to_people_only=True)),
            model(),
            "GatesSupported",
        ),
        (
            step(TO_PRODUCTION, gate(), gate("benchmark", applies_to_people_only=True)),
            PEOPLE,
            "cannot run benchmark (benchmark) yet",
        ),
        (step(TO_STAGING, gate("benchmark")), model(), "cannot run benchmark (benchmark) yet"),
        (
            step(TO_STAGING, gate("benchmark", "slow"), gate("benchmark", "latency")),
            model(),
            "cannot run latency (benchmark), slow (benchmark) yet",
        ),
        (
            step(TO_STAGING, gate(settings={"metrics": {}, "runAt": "Registration"})),
            model(),
            "GatesSupported",
        ),
    ],
    ids=[
        "artifact",
        "for others",
        "fairness",
        "later for others",
        "later",
        "job",
        "several",
        "early",
    ],
)
def test_a_gate_that_nobody_can_run_is_said_and_never_passed(
    guard: PolicyStep, facts: ModelFacts, said: str
) -> None:
    verdict = gates_are_supported(guard, facts)

    assert said in f"{verdict.code}: {verdict.sentence}"
    assert verdict.code == ("GatesSupported" if verdict.allows else "NotYetSupported")
