"""What callers rely on stays true: by the Model's contract, and by what is in Production."""

from dataclasses import replace
from typing import Any

import pytest

from modelwarden.domain.contract_gate import (
    Predecessor,
    contract_differences,
    contract_is_kept,
    signature_of,
    succession_differences,
)
from modelwarden.domain.gate_results import Check, GateResult
from modelwarden.domain.signatures import Signature, Tensor, packed, unpacked
from modelwarden.domain.state import GateOutcome

AMOUNT = Tensor(name="amount", type="float64", shape=(-1,))
CHANNEL = Tensor(name="channel", type="string", shape=(-1,), optional=True)
SCORE = Tensor(name="score", type="float64", shape=(-1,))
REASON = Tensor(name="reason", type="string", shape=(-1, 3))

CONTRACT = Signature(inputs=(AMOUNT, CHANNEL), outputs=(SCORE,))
READ = Check(name="loads", outcome=GateOutcome.PASSED, observed="model.onnx", expected="ONNX")


def signature(*inputs: Tensor, gives: tuple[Tensor, ...] = (SCORE,)) -> Signature:
    return Signature(inputs=inputs, outputs=gives)


def changed(tensor: Tensor, **changes: Any) -> Tensor:
    return replace(tensor, **changes)


def measured(found: Signature | None = CONTRACT, **changes: Any) -> GateResult:
    """What the Job of the gate left: the signature of the file, if its format has one."""
    lists = (
        {} if found is None else {"inputs": packed(found.inputs), "outputs": packed(found.outputs)}
    )
    built = GateResult(
        outcome=GateOutcome.PASSED,
        code="SignatureMeasured",
        sentence="What it takes and gives was read.",
        checks=(READ,),
        facts={
            "format": "ONNX" if found else "Safetensors",
            "hasSignature": found is not None,
            **lists,
        },
    )
    return replace(built, **changes)


def words(found: Any) -> list[str]:
    return [difference.words for difference in found]


@pytest.mark.parametrize(
    ("offered", "told"),
    [
        (signature(AMOUNT, CHANNEL), []),
        # Callers may leave it out, so a file that does not take it breaks nobody.
        (signature(AMOUNT), []),
        (signature(changed(AMOUNT, optional=True)), []),
        (signature(AMOUNT, Tensor(name="device", type="int64", shape=(), optional=True)), []),
        (signature(AMOUNT, gives=(SCORE, REASON)), []),
        (signature(changed(AMOUNT, shape=None)), []),
        (signature(AMOUNT, gives=(changed(SCORE, shape=(1,)),)), []),
        (signature(AMOUNT, gives=(changed(SCORE, shape=None),)), []),
        (signature(AMOUNT, gives=(REASON,)), ["output score is missing"]),
        (
            signature(AMOUNT, gives=(changed(SCORE, type="float32"),)),
            ["output score is float32[-1], callers rely on float64[-1]"],
        ),
        (
            signature(AMOUNT, gives=(changed(SCORE, shape=(-1, 2)),)),
            ["output score is float64[-1, 2], callers rely on float64[-1]"],
        ),
        (signature(CHANNEL), ["input amount is not taken"]),
        (
            signature(changed(AMOUNT, type="float32")),
            ["input amount takes float32[-1], callers rely on float64[-1]"],
        ),
        # Callers choose the size, and the file takes one only.
        (
            signature(changed(AMOUNT, shape=(1,))),
            ["input amount takes float64[1], callers rely on float64[-1]"],
        ),
        (
            signature(AMOUNT, Tensor(name="device", type="int64", shape=(-1,))),
            ["input device is required, and no caller knows of it"],
        ),
        (
            signature(AMOUNT, changed(CHANNEL, optional=False)),
            ["input channel is required, and callers may leave it out"],
        ),
        (
            signature(changed(CHANNEL, type="int64"), gives=()),
            [
                "input amount is not taken",
                "input channel takes int64[-1], callers rely on string[-1]",
                "output score is missing",
            ],
        ),
    ],
)
def test_a_version_does_what_callers_were_promised(offered: Signature, told: list[str]) -> None:
    assert words(contract_differences(offered, CONTRACT)) == told


def test_a_size_that_the_contract_fixes_may_be_left_open_by_the_file() -> None:
    promised = signature(changed(AMOUNT, shape=(-1, 4)), gives=(REASON,))
    offered = signature(changed(AMOUNT, shape=(-1, -1)), gives=(changed(REASON, shape=(-1, -1)),))

    assert words(contract_differences(offered, promised)) == []


BEFORE = signature(AMOUNT, CHANNEL, gives=(SCORE, REASON))


@pytest.mark.parametrize(
    ("offered", "told"),
    [
        (BEFORE, []),
        (
            signature(
                AMOUNT,
                CHANNEL,
                Tensor(name="device", type="int64", shape=(-1,), optional=True),
                gives=(REASON, SCORE, changed(SCORE, name="margin")),
            ),
            [],
        ),
        (
            signature(AMOUNT, CHANNEL, changed(AMOUNT, name="income"), gives=(SCORE, REASON)),
            ["input income is required, and no caller knows of it"],
        ),
        (signature(AMOUNT, gives=(SCORE, REASON)), ["input channel is not taken any more"]),
        (
            signature(AMOUNT, changed(CHANNEL, optional=False), gives=(SCORE, REASON)),
            ["input channel is required, and callers may leave it out"],
        ),
        (signature(AMOUNT, CHANNEL), ["output reason is missing"]),
        (
            signature(AMOUNT, CHANNEL, gives=(SCORE, changed(REASON, shape=(-1, 5)))),
            ["output reason is string[-1, 5], callers rely on string[-1, 3]"],
        ),
    ],
)
def test_callers_of_the_version_in_production_need_change_nothing(
    offered: Signature, told: list[str]
) -> None:
    assert words(succession_differences(offered, BEFORE)) == told


def test_a_version_that_keeps_the_contract_passes() -> None:
    result = contract_is_kept(
        measured(),
        recorded=CONTRACT,
        contract=CONTRACT,
        champion=Predecessor(version=2, signature=CONTRACT),
    )

    counted = "2 inputs, 1 outputs"
    assert (result.outcome, result.code, result.sentence, result.checks) == (
        GateOutcome.PASSED,
        "ContractKept",
        (
            "The file keeps the Model's contract (inputs: 2, outputs: 1); callers of version 2 in "
            "Production need change nothing."
        ),
        (
            READ,
            Check(name="contract", outcome=GateOutcome.PASSED, observed=counted, expected=counted),
            Check(
                name="production", outcome=GateOutcome.PASSED, observed=counted, expected=counted
            ),
        ),
    )


def test_every_break_is_told_and_checked() -> None:
    result = contract_is_kept(
        measured(signature(AMOUNT, gives=())),
        recorded=None,
        contract=CONTRACT,
        champion=Predecessor(version=2, signature=CONTRACT),
    )

    assert (result.outcome, result.code, result.sentence) == (
        GateOutcome.FAILED,
        "ContractBroken",
        (
            "The Model's contract is broken: output score is missing. Callers of version 2 in "
            "Production would have to change: input channel is not taken any more; output score is "
            "missing."
        ),
    )
    assert [(check.name, check.observed, check.expected) for check in result.checks[1:]] == [
        ("contract: output score", "missing", "float64[-1]"),
        ("production: input channel", "missing", "string[-1]"),
        ("production: output score", "missing", "float64[-1]"),
    ]


def test_a_break_with_production_alone_fails_too() -> None:
    result = contract_is_kept(
        measured(),
        recorded=None,
        contract=CONTRACT,
        champion=Predecessor(version=2, signature=BEFORE),
    )

    assert (result.outcome, result.code, result.sentence) == (
        GateOutcome.FAILED,
        "ProductionContractBroken",
        "Callers of version 2 in Production would have to change: output reason is missing.",
    )


def test_a_long_list_of_breaks_is_counted() -> None:
    many = tuple(changed(SCORE, name=f"score{number}") for number in range(8))

    result = contract_is_kept(
        measured(), recorded=None, contract=signature(AMOUNT, gives=many), champion=None
    )

    assert result.sentence.endswith("output score4 is missing; and 3 more.")
    assert len(result.checks) == 1 + len(many)


@pytest.mark.parametrize(
    ("champion", "sentence"),
    [
        (
            None,
            (
                "The Model promises nothing to callers: it has no spec.contract; nothing is in "
                "Production to compare with."
            ),
        ),
        (
            Predecessor(version=1, signature=None),
            (
                "The Model promises nothing to callers: it has no spec.contract; version 1 in "
                "Production has no signature to compare with."
            ),
        ),
        (
            Predecessor(version=1, signature=CONTRACT),
            (
                "The Model promises nothing to callers: it has no spec.contract; callers of "
                "version 1 in Production need change nothing."
            ),
        ),
    ],
)
def test_a_model_without_a_contract_says_so(champion: Predecessor | None, sentence: str) -> None:
    result = contract_is_kept(measured(), recorded=None, contract=None, champion=champion)

    assert (result.outcome, result.code, result.sentence) == (
        GateOutcome.PASSED,
        "NoContract",
        sentence,
    )


def test_without_a_contract_production_is_still_compared() -> None:
    result = contract_is_kept(
        measured(signature(AMOUNT)),
        recorded=None,
        contract=None,
        champion=Predecessor(version=1, signature=BEFORE),
    )

    assert (result.outcome, result.code) == (GateOutcome.FAILED, "ProductionContractBroken")


def test_what_the_job_could_not_measure_is_not_judged() -> None:
    failed = measured(outcome=GateOutcome.FAILED, code="DigestDiffers", sentence="Other bytes.")

    assert contract_is_kept(failed, recorded=None, contract=CONTRACT, champion=None) == failed


def test_a_format_without_a_signature_is_judged_by_the_recorded_one_and_says_so() -> None:
    result = contract_is_kept(measured(None), recorded=CONTRACT, contract=CONTRACT, champion=None)

    assert (result.outcome, result.code, result.sentence) == (
        GateOutcome.PASSED,
        "ContractDeclared",
        (
            "By its recorded signature, which no file proves, it keeps the Model's contract "
            "(inputs: 2, outputs: 1); nothing is in Production to compare with."
        ),
    )


def test_a_format_without_a_signature_and_none_recorded_keeps_no_contract() -> None:
    result = contract_is_kept(measured(None), recorded=None, contract=CONTRACT, champion=None)

    assert (result.outcome, result.code, result.sentence) == (
        GateOutcome.FAILED,
        "SignatureUnknown",
        (
            "A Safetensors file does not say what it takes and gives, and none is recorded. "
            "Register the next version with spec.signature."
        ),
    )


def test_where_nobody_asks_for_a_signature_none_is_needed() -> None:
    result = contract_is_kept(measured(None), recorded=None, contract=None, champion=None)

    assert (result.outcome, result.code) == (GateOutcome.PASSED, "NoContract")


@pytest.mark.parametrize("kind", ["inputs", "outputs"])
def test_a_signature_that_did_not_fit_is_judged_only_by_a_recorded_one(kind: str) -> None:
    cut = measured(omitted={kind: 40})
    alone = contract_is_kept(cut, recorded=None, contract=CONTRACT, champion=None)
    beside = contract_is_kept(cut, recorded=CONTRACT, contract=CONTRACT, champion=None)

    assert (alone.outcome, alone.code, beside.outcome, beside.code) == (
        GateOutcome.FAILED,
        "SignatureTooLarge",
        GateOutcome.PASSED,
        "ContractKept",
    )


@pytest.mark.parametrize(
    "facts",
    [
        {"hasSignature": True},
        {"hasSignature": True, "inputs": [], "outputs": 7},
        {"hasSignature": True, "inputs": [{"type": "int8", "shape": ["x"], "names": ["a"]}]},
        {"hasSignature": True, "inputs": [{"type": "int8", "names": ["a"]}], "outputs": []},
    ],
)
def test_a_result_that_is_no_signature_is_a_failure(facts: dict[str, Any]) -> None:
    result = contract_is_kept(
        measured(facts=facts), recorded=None, contract=CONTRACT, champion=None
    )

    assert (result.outcome, result.code) == (GateOutcome.FAILED, "ResultUnreadable")


def test_a_signature_is_read_from_a_stored_spec() -> None:
    assert (
        signature_of({"signature": CONTRACT.to_json()}),
        signature_of({"contract": CONTRACT.to_json()}, "contract"),
        signature_of({}),
    ) == (CONTRACT, CONTRACT, None)


def test_neighbours_of_one_kind_share_an_entry_and_the_order_stays() -> None:
    tensors = (AMOUNT, changed(AMOUNT, name="income"), CHANNEL, changed(AMOUNT, name="debt"))

    assert packed(tensors) == [
        {"type": "float64", "shape": [-1], "names": ["amount", "income"]},
        {"type": "string", "shape": [-1], "optional": True, "names": ["channel"]},
        {"type": "float64", "shape": [-1], "names": ["debt"]},
    ]
    assert unpacked(packed(tensors)) == tensors
