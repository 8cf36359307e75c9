"""The contract gate's half of the work: what the registered file takes and gives, measured.

Whether that is what callers rely on is decided where the Model and the version in Production are
known: by the operator, which never opens a file.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from modelwarden.artifacts.sources import Source
from modelwarden.domain.gate_results import GateResult
from modelwarden.domain.state import GateOutcome
from modelwarden.validation import artifact_gate
from modelwarden.validation.artifact_gate import ArtifactClaim


def measure(claim: ArtifactClaim, open_source: Callable[[], Source], *, work: Path) -> GateResult:
    """Measure the signature of an artifact; one that is not the registered one has none."""
    result = artifact_gate.judge(claim, open_source, work=work)
    if result.outcome is not GateOutcome.PASSED:
        return result
    return replace(result, code="SignatureMeasured", sentence="What it takes and gives was read.")
