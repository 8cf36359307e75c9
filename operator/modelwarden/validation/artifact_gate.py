"""The artifact gate: the bytes are the registered ones, and a model that can be read.

The checks come in an order that is security: what is allowed, how much it is, that it is what was
registered, and only then is anything opened.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Self

from modelwarden.artifacts.bringing import bring
from modelwarden.artifacts.failures import (
    ArtifactNotFoundError,
    ArtifactRefusedError,
    StoreDeniedError,
    StoreUnavailableError,
)
from modelwarden.artifacts.sources import Limits, Source, StoredFile
from modelwarden.domain.gate_results import Check, GateResult
from modelwarden.domain.state import GateOutcome
from modelwarden.validation.facts import (
    ModelFacts,
    Tensor,
    UnreadableModelError,
    tensors_from_json,
)
from modelwarden.validation.formats import FORMATS, main_file
from modelwarden.validation.reading import read_apart

DEFAULT_LIMITS: Final = Limits()
_MOST_DIFFERENCES: Final = 5


@dataclass(frozen=True)
class Signature:
    """What a version says it takes and gives."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


@dataclass(frozen=True, kw_only=True)
class ArtifactClaim:
    """What was registered, and what the policy allows."""

    uri: str
    digest: str
    format: str
    allowed_formats: tuple[str, ...]
    size_bytes: int | None = None
    signature: Signature | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what the operator put into the Job; KeyError or TypeError for anything else."""
        artifact, signature = data["artifact"], data.get("signature")
        return cls(
            uri=artifact["uri"],
            digest=artifact["digest"],
            format=artifact["format"],
            allowed_formats=tuple(data["allowedFormats"]),
            size_bytes=artifact.get("sizeBytes"),
            signature=signature and _signature(signature),
        )


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One check and what came of it: a code and a sentence where it failed, facts it brought."""

    check: str
    observed: str
    expected: str
    code: str = ""
    sentence: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_check(self) -> Check:
        """The finding as it is reported."""
        return Check(
            name=self.check,
            outcome=GateOutcome.FAILED if self.code else GateOutcome.PASSED,
            observed=self.observed,
            expected=self.expected,
        )


def judge(
    claim: ArtifactClaim,
    open_source: Callable[[], Source],
    *,
    work: Path,
    limits: Limits = DEFAULT_LIMITS,
) -> GateResult:
    """Judge an artifact by bringing it into an empty folder and reading its main file.

    The first check that fails is the last one made. What the store does not let us see is
    inconclusive; everything else that is not as claimed is a failure.
    """
    findings: list[Finding] = []
    try:
        for finding in _examine(claim, open_source, work=work, limits=limits):
            findings.append(finding)
            if finding.code:
                break
    except (ArtifactNotFoundError, ArtifactRefusedError, UnreadableModelError) as error:
        findings.append(_refusal(error))
    except StoreDeniedError as error:
        return _inconclusive(findings, code="StoreDenied", sentence=str(error))
    except StoreUnavailableError as error:
        return _inconclusive(findings, code="StoreUnavailable", sentence=str(error))
    return _concluded(claim, findings)


def _examine(
    claim: ArtifactClaim, open_source: Callable[[], Source], *, work: Path, limits: Limits
) -> Iterator[Finding]:
    yield _format_is_allowed(claim)
    source = open_source()
    files = source.files(limits)
    yield _size_is_the_registered_one(claim, files)
    yield _digest_is_the_registered_one(claim, bring(source, files, into=work))
    known = FORMATS[claim.format]
    main = main_file(known, [file.name for file in files], is_folder=source.is_folder)
    facts = read_apart(known, work / main)
    yield _reads(claim, facts, main=main)
    yield _signature_is_the_files(claim, facts)


def _format_is_allowed(claim: ArtifactClaim) -> Finding:
    allowed = ", ".join(claim.allowed_formats) or "none"
    finding = Finding(check="format", observed=claim.format, expected=allowed)
    if claim.format not in claim.allowed_formats:
        sentence = f"The policy does not allow {claim.format}; it allows {allowed}."
        return replace(finding, code="FormatNotAllowed", sentence=sentence)
    if claim.format not in FORMATS:
        sentence = f"This release cannot read {claim.format} yet; it reads {', '.join(FORMATS)}."
        return replace(finding, code="FormatNotYetSupported", sentence=sentence)
    return finding


def _size_is_the_registered_one(claim: ArtifactClaim, files: Sequence[StoredFile]) -> Finding:
    size = sum(file.size for file in files)
    expected = size if claim.size_bytes is None else claim.size_bytes
    differs = size != expected
    return Finding(
        check="size",
        observed=str(size),
        expected="any" if claim.size_bytes is None else str(expected),
        code="SizeDiffers" if differs else "",
        sentence=f"The artifact has {size} bytes; {expected} were registered." if differs else "",
        facts={"sizeBytes": size, "files": len(files)},
    )


def _digest_is_the_registered_one(claim: ArtifactClaim, digest: str) -> Finding:
    differs = digest != claim.digest
    return Finding(
        check="digest",
        observed=digest,
        expected=claim.digest,
        code="DigestDiffers" if differs else "",
        sentence=f"The bytes at {claim.uri} are not the registered ones: their digest is {digest}."
        if differs
        else "",
    )


def _reads(claim: ArtifactClaim, facts: ModelFacts, *, main: str) -> Finding:
    read = facts.to_json()
    return Finding(
        check="loads",
        observed=main,
        expected=f"readable {claim.format}",
        facts={
            "format": claim.format,
            "inputs": read["inputs"],
            "outputs": read["outputs"],
            **facts.details,
        },
    )


def _signature_is_the_files(claim: ArtifactClaim, facts: ModelFacts) -> Finding:
    if claim.signature is None:
        return Finding(check="signature", observed="none registered", expected="any")
    differences = [
        *_differences("input", facts.inputs, claimed=claim.signature.inputs),
        *_differences("output", facts.outputs, claimed=claim.signature.outputs),
    ]
    if not differences:
        return Finding(check="signature", observed="equal", expected="equal")
    shown = "; ".join(differences[:_MOST_DIFFERENCES])
    return Finding(
        check="signature",
        observed=f"differences: {len(differences)}",
        expected="equal",
        code="SignatureDiffers",
        sentence=f"The registered signature is not the file's own: {shown}.",
    )


def _differences(
    what: str, actual: Sequence[Tensor], *, claimed: Sequence[Tensor]
) -> Iterator[str]:
    in_file = {tensor.name: tensor for tensor in actual}
    in_signature = {tensor.name: tensor for tensor in claimed}
    if len(in_signature) != len(claimed):
        yield f"the signature names an {what} twice"
    for name in (*in_file, *(name for name in in_signature if name not in in_file)):
        found, said = in_file.get(name), in_signature.get(name)
        if found is None:
            yield f"{what} {name} is not in the file"
        elif said is None:
            yield f"{what} {name} is not in the signature"
        elif found != said:
            yield f"{what} {name} is {found.written} in the file, {said.written} in the signature"


def _refusal(error: Exception) -> Finding:
    match error:
        case UnreadableModelError():
            check, code = error.check, error.code
        case ArtifactRefusedError():
            check, code = "files", error.code
        case _:
            check, code = "present", "ArtifactNotFound"
    return Finding(check=check, observed="no", expected="yes", code=code, sentence=str(error))


def _concluded(claim: ArtifactClaim, findings: Sequence[Finding]) -> GateResult:
    facts = {name: fact for finding in findings for name, fact in finding.facts.items()}
    checks = tuple(finding.to_check() for finding in findings)
    if (last := findings[-1]).code:
        outcome, code, sentence = GateOutcome.FAILED, last.code, last.sentence
    else:
        outcome, code = GateOutcome.PASSED, "ArtifactValid"
        sentence = (
            f"The artifact is the registered one and reads as {claim.format} "
            f"(inputs: {len(facts['inputs'])}, outputs: {len(facts['outputs'])})."
        )
    return GateResult(outcome=outcome, code=code, sentence=sentence, checks=checks, facts=facts)


def _inconclusive(findings: Sequence[Finding], *, code: str, sentence: str) -> GateResult:
    return GateResult(
        outcome=GateOutcome.INCONCLUSIVE,
        code=code,
        sentence=sentence,
        checks=tuple(finding.to_check() for finding in findings),
    )


def _signature(data: Mapping[str, Any]) -> Signature:
    return Signature(tensors_from_json(data["inputs"]), tensors_from_json(data["outputs"]))
