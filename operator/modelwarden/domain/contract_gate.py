"""The contract gate: what callers rely on stays true, by the Model's contract and by Production.

The Job of the gate measures the file; what follows from that is decided here, from frozen facts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from modelwarden.domain.gate_results import Check, GateResult
from modelwarden.domain.signatures import Signature, Tensor, unpacked
from modelwarden.domain.state import GateOutcome

# A sentence stays readable; every difference is in the evidence.
MOST_TOLD = 5


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One thing that does not fit: about which input or output, and in a sentence's words."""

    about: str
    observed: str
    expected: str
    words: str

    def to_check(self, prefix: str) -> Check:
        """The difference as a check that failed."""
        return Check(
            name=f"{prefix}: {self.about}",
            outcome=GateOutcome.FAILED,
            observed=self.observed,
            expected=self.expected,
        )


@dataclass(frozen=True, kw_only=True)
class Predecessor:
    """The version in Production when the attempt opened; its signature, if one was recorded."""

    version: int
    signature: Signature | None


def contract_is_kept(
    measured: GateResult,
    *,
    recorded: Signature | None,
    contract: Signature | None,
    champion: Predecessor | None,
) -> GateResult:
    """Judge what the Job of a contract gate measured; a Job that did not pass has the last word."""
    if measured.outcome is not GateOutcome.PASSED:
        return measured
    found = _signature(measured, recorded)
    if isinstance(found, GateResult):
        nothing_asked = contract is None and (champion is None or champion.signature is None)
        return _nothing_promised(measured, champion) if nothing_asked else found
    return _compared(measured, found, contract=contract, champion=champion)


def signature_differences(measured: Signature, recorded: Signature) -> Iterator[Difference]:
    """Say where a recorded signature is not the file's own.

    It may leave out an input that the file does not need, and must name everything else as it is.
    """
    yield from _named_twice("input", recorded.inputs)
    yield from _named_twice("output", recorded.outputs)
    named = {tensor.name for tensor in recorded.inputs}
    inputs = [tensor for tensor in measured.inputs if not tensor.optional or tensor.name in named]
    yield from _not_equal("input", inputs, recorded.inputs)
    yield from _not_equal("output", measured.outputs, recorded.outputs)


def contract_differences(offered: Signature, contract: Signature) -> Iterator[Difference]:
    """Say where a version does not do what callers were promised.

    Callers send every input of the contract that is not optional and nothing else for sure, in
    any size where it says -1; they get every output of the contract, with at least its promises.
    """
    takes = {tensor.name: tensor for tensor in offered.inputs}
    for promised in contract.inputs:
        yield from _input_differences(takes.get(promised.name), promised)
    yield from _new_demands(offered, contract)
    yield from _output_differences(offered, contract)


def succession_differences(offered: Signature, before: Signature) -> Iterator[Difference]:
    """Say where callers of the version before would have to change.

    Inputs may gain optional ones, outputs may gain any; nothing may go or mean something else.
    """
    takes = {tensor.name: tensor for tensor in offered.inputs}
    for taken in before.inputs:
        found = takes.get(taken.name)
        if found is None:
            yield _missing(f"input {taken.name}", taken, words="is not taken any more")
        else:
            yield from _input_differences(found, taken)
    yield from _new_demands(offered, before)
    yield from _output_differences(offered, before)


def _signature(measured: GateResult, recorded: Signature | None) -> Signature | GateResult:
    """Find what to judge: the recorded signature, which the Job compared, else the measured one."""
    if recorded is not None:
        return recorded
    if not measured.facts.get("hasSignature"):
        return _failed(
            measured,
            "SignatureUnknown",
            f"A {measured.facts.get('format', 'file')} file does not say what it takes and gives, "
            "and none is recorded. Register the next version with spec.signature.",
        )
    left_out = sum(measured.omitted.get(kind, 0) for kind in ("inputs", "outputs"))
    if left_out:
        return _failed(
            measured,
            "SignatureTooLarge",
            f"The file has {left_out} more inputs and outputs than a result has room for. Register "
            "the next version with spec.signature: then the file is compared with that.",
        )
    try:
        return Signature(
            inputs=unpacked(measured.facts["inputs"]), outputs=unpacked(measured.facts["outputs"])
        )
    except (KeyError, TypeError, ValueError):
        return _failed(measured, "ResultUnreadable", "What was measured is no signature.")


def _compared(
    measured: GateResult,
    found: Signature,
    *,
    contract: Signature | None,
    champion: Predecessor | None,
) -> GateResult:
    broken = [] if contract is None else list(contract_differences(found, contract))
    changed = (
        []
        if champion is None or champion.signature is None
        else list(succession_differences(found, champion.signature))
    )
    checks = (
        *measured.checks,
        *(difference.to_check("contract") for difference in broken),
        *_held("contract", contract, broken),
        *(difference.to_check("production") for difference in changed),
        *_held("production", None if champion is None else champion.signature, changed),
    )
    judged = replace(measured, checks=checks)
    if broken or changed:
        code = "ContractBroken" if broken else "ProductionContractBroken"
        return _failed(judged, code, " ".join(_complaints(broken, changed, champion)))
    if contract is None:
        return _nothing_promised(judged, champion)
    return _kept(judged, contract, champion=champion)


def _complaints(
    broken: Sequence[Difference], changed: Sequence[Difference], champion: Predecessor | None
) -> Iterator[str]:
    if broken:
        yield f"The Model's contract is broken: {_told(broken)}."
    if changed and champion is not None:
        yield (
            f"Callers of version {champion.version} in Production would have to change: "
            f"{_told(changed)}."
        )


def _told(differences: Sequence[Difference]) -> str:
    told = "; ".join(difference.words for difference in differences[:MOST_TOLD])
    more = len(differences) - MOST_TOLD
    return f"{told}; and {more} more" if more > 0 else told


def _kept(judged: GateResult, contract: Signature, *, champion: Predecessor | None) -> GateResult:
    counted = f"(inputs: {len(contract.inputs)}, outputs: {len(contract.outputs)})"
    if judged.facts.get("hasSignature"):
        code, subject = "ContractKept", "The file"
    else:
        # Nothing in the file could prove it, and the sentence must not sound as if it had.
        code, subject = "ContractDeclared", "By its recorded signature, which no file proves, it"
    return _ended(
        judged,
        GateOutcome.PASSED,
        code=code,
        sentence=f"{subject} keeps the Model's contract {counted}{_succession(champion)}.",
    )


def _nothing_promised(judged: GateResult, champion: Predecessor | None) -> GateResult:
    return _ended(
        judged,
        GateOutcome.PASSED,
        code="NoContract",
        sentence="The Model promises nothing to callers: it has no spec.contract"
        f"{_succession(champion)}.",
    )


def _succession(champion: Predecessor | None) -> str:
    if champion is None:
        return "; nothing is in Production to compare with"
    if champion.signature is None:
        return f"; version {champion.version} in Production has no signature to compare with"
    return f"; callers of version {champion.version} in Production need change nothing"


def _held(
    name: str, asked: Signature | None, differences: Sequence[Difference]
) -> tuple[Check, ...]:
    if asked is None or differences:
        return ()
    counted = f"{len(asked.inputs)} inputs, {len(asked.outputs)} outputs"
    return (Check(name=name, outcome=GateOutcome.PASSED, observed=counted, expected=counted),)


def _input_differences(found: Tensor | None, promised: Tensor) -> Iterator[Difference]:
    about = f"input {promised.name}"
    if found is None:
        if not promised.optional:
            yield _missing(about, promised, words="is not taken")
        return
    if found.type != promised.type or not _takes_every(found.shape, promised.shape):
        yield _differs(about, found, promised, verb="takes")
    if promised.optional and not found.optional:
        yield Difference(
            about=about,
            observed="required",
            expected="optional",
            words=f"{about} is required, and callers may leave it out",
        )


def _new_demands(offered: Signature, known: Signature) -> Iterator[Difference]:
    names = {tensor.name for tensor in known.inputs}
    for tensor in offered.inputs:
        if tensor.name not in names and not tensor.optional:
            yield Difference(
                about=f"input {tensor.name}",
                observed="required",
                expected="optional, or no such input",
                words=f"input {tensor.name} is required, and no caller knows of it",
            )


def _output_differences(offered: Signature, promised: Signature) -> Iterator[Difference]:
    gives = {tensor.name: tensor for tensor in offered.outputs}
    for output in promised.outputs:
        about = f"output {output.name}"
        found = gives.get(output.name)
        if found is None:
            yield _missing(about, output, words="is missing")
        elif found.type != output.type or not _may_be(found.shape, output.shape):
            yield _differs(about, found, output, verb="is")


def _takes_every(taken: tuple[int, ...] | None, sent: tuple[int, ...] | None) -> bool:
    """Whatever size callers may send is taken; a shape that is not stated rules nothing out."""
    if taken is None or sent is None:
        return True
    if len(taken) != len(sent):
        return False
    return all(size in (-1, wanted) for size, wanted in zip(taken, sent, strict=True))


def _may_be(given: tuple[int, ...] | None, promised: tuple[int, ...] | None) -> bool:
    """No size contradicts the promise; files often leave open what their graph implies."""
    if given is None or promised is None:
        return True
    if len(given) != len(promised):
        return False
    return all(
        size == wanted or -1 in (size, wanted) for size, wanted in zip(given, promised, strict=True)
    )


def _missing(about: str, promised: Tensor, *, words: str) -> Difference:
    return Difference(
        about=about, observed="missing", expected=promised.written, words=f"{about} {words}"
    )


def _differs(about: str, found: Tensor, promised: Tensor, *, verb: str) -> Difference:
    return Difference(
        about=about,
        observed=found.written,
        expected=promised.written,
        words=f"{about} {verb} {found.written}, callers rely on {promised.written}",
    )


def _named_twice(kind: str, tensors: Iterable[Tensor]) -> Iterator[Difference]:
    seen: set[str] = set()
    for tensor in tensors:
        if tensor.name in seen:
            about = f"{kind} {tensor.name}"
            words = f"the signature names {about} twice"
            yield Difference(about=about, observed="twice", expected="once", words=words)
        seen.add(tensor.name)


def _not_equal(
    kind: str, measured: Sequence[Tensor], recorded: Sequence[Tensor]
) -> Iterator[Difference]:
    in_file = {tensor.name: tensor for tensor in measured}
    in_signature = {tensor.name: tensor for tensor in recorded}
    for name in dict.fromkeys((*in_file, *in_signature)):
        about = f"{kind} {name}"
        found, said = in_file.get(name), in_signature.get(name)
        if found is None or said is None:
            place = "the file" if found is None else "the signature"
            yield Difference(
                about=about,
                observed="missing" if found is None else found.written,
                expected="missing" if said is None else said.written,
                words=f"{about} is not in {place}",
            )
        elif (found.type, found.shape) != (said.type, said.shape):
            words = f"{about} is {found.written} in the file, {said.written} in the signature"
            yield Difference(
                about=about, observed=found.written, expected=said.written, words=words
            )
        elif said.optional and not found.optional:
            words = f"{about} is required by the file, optional in the signature"
            yield Difference(about=about, observed="required", expected="optional", words=words)


def _failed(measured: GateResult, code: str, sentence: str) -> GateResult:
    return _ended(measured, GateOutcome.FAILED, code=code, sentence=sentence)


def _ended(measured: GateResult, outcome: GateOutcome, *, code: str, sentence: str) -> GateResult:
    return replace(measured, outcome=outcome, code=code, sentence=sentence)


def signature_of(spec: Mapping[str, Any], field: str = "signature") -> Signature | None:
    """Read a signature out of a stored spec, which the API server has checked; None without one."""
    return Signature.from_json(spec[field]) if field in spec else None
