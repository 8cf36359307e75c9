"""Names derived from what they name, so that the same thing is never made twice."""

import hashlib

from modelwarden.domain.stages import Stage

# Names of attempts end at 63 characters with numbers of six digits.
HIGHEST_VERSION = 999_999
# <version>-<to>-<n>, behind the model.
ATTEMPT_PARTS = 3


def version_name(model: str, version: int) -> str:
    """Name the ModelVersion; its creation is the lock on the number."""
    return f"{model}-{version}"


def attempt_name(model: str, version: int, *, target: Stage, number: int) -> str:
    """Name the ModelTransition of the n-th attempt to bring a version into a stage."""
    return f"{model}-{version}-{target.value.lower()}-{number}"


def version_of_attempt(model: str, name: str) -> int | None:
    """Read which version of a model an attempt is about; None if it has no such name."""
    parts = name.removeprefix(f"{model}-").split("-")
    is_one = (
        name.startswith(f"{model}-")
        and len(parts) == ATTEMPT_PARTS
        and parts[0].isdigit()
        and parts[1] in {stage.value.lower() for stage in Stage}
        and parts[2].isdigit()
    )
    return int(parts[0]) if is_one else None


def job_name(origin: str, namespace: str, *, attempt: str, gate: str, tries: int) -> str:
    """Name one run of a gate; all tenants of all ledgers may share one gates namespace."""
    whole = "\n".join((origin, namespace, attempt, gate, str(tries)))
    return "mw-" + hashlib.sha256(whole.encode()).hexdigest()[:40]
