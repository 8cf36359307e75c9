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
from modelwarden.domain.contract_gate import MOST_TOLD, signature_differences, signature_of
from modelwarden.domain.gate_results import Check, GateResult
from modelwarden.domain.signatures import Signature, packed
from modelwarden.domain.state import GateOutcome
from modelwarden.validation.facts import ModelFacts, UnreadableModelError
from modelwarden.validation.formats import FORMATS, main_file
from modelwarden.validation.reading import read_apart

DEFAULT_LIMITS: Final = Limits()


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
        artifact = data["artifact"]
        return cls(
            uri=artifact["uri"],
            digest=artifact["digest"],
            format=artifact["format"],
            allowed_formats=tuple(data["allowedFormats"]),
            size_bytes=artifact.get("sizeBytes"),
            signature=signature_of(data),
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
    own = facts.signature
    lists = {"inputs": packed(own.inputs), "outputs": packed(own.outputs)} if own else {}
    return Finding(
        check="loads",
        observed=main,
        expected=f"readable {claim.format}",
        facts={
            "format": claim.format,
            "hasSignature": own is not None,
            **lists,
            **facts.details,
        },
    )


def _signature_is_the_files(claim: ArtifactClaim, facts: ModelFacts) -> Finding:
    if claim.signature is None:
        return Finding(check="signature", observed="none registered", expected="any")
    if facts.signature is None:
        # The file neither proves it nor contradicts it, and the check must not say that it did.
        return Finding(check="signature", observed=f"{claim.format} has none", expected="any")
    found = list(signature_differences(facts.signature, claim.signature))
    if not found:
        return Finding(check="signature", observed="equal", expected="equal")
    shown = "; ".join(difference.words for difference in found[:MOST_TOLD])
    return Finding(
        check="signature",
        observed=f"differences: {len(found)}",
        expected="equal",
        code="SignatureDiffers",
        sentence=f"The registered signature is not the file's own: {shown}.",
    )


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
        sentence = f"The artifact is the registered one and reads as {claim.format} {_size(facts)}."
    return GateResult(outcome=outcome, code=code, sentence=sentence, checks=checks, facts=facts)


def _inconclusive(findings: Sequence[Finding], *, code: str, sentence: str) -> GateResult:
    return GateResult(
        outcome=GateOutcome.INCONCLUSIVE,
        code=code,
        sentence=sentence,
        checks=tuple(finding.to_check() for finding in findings),
    )


def _size(facts: Mapping[str, Any]) -> str:
    if not facts["hasSignature"]:
        return f"(tensors: {facts['tensors']}), which says nothing of inputs and outputs"
    inputs, outputs = (
        sum(len(run["names"]) for run in facts[kind]) for kind in ("inputs", "outputs")
    )
    return f"(inputs: {inputs}, outputs: {outputs})"
