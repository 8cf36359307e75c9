"""Names derived from what they name, so that the same thing is never made twice."""

import hashlib

from modelwarden.domain.stages import Stage

# Names of attempts end at 63 characters with numbers of six digits.
HIGHEST_VERSION = 999_999


def version_name(model: str, version: int) -> str:
    """Name the ModelVersion; its creation is the lock on the number."""
    return f"{model}-{version}"


def attempt_name(model: str, version: int, *, target: Stage, number: int) -> str:
    """Name the ModelTransition of the n-th attempt to bring a version into a stage."""
    return f"{model}-{version}-{target.value.lower()}-{number}"


def job_name(origin: str, namespace: str, *, attempt: str, gate: str, tries: int) -> str:
    """Name one run of a gate; all tenants of all ledgers may share one gates namespace."""
    whole = "\n".join((origin, namespace, attempt, gate, str(tries)))
    return "mw-" + hashlib.sha256(whole.encode()).hexdigest()[:40]
