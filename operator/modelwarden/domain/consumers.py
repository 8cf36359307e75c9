"""Who uses a version: what was found in the cluster, and whether it keeps the version from rest."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from modelwarden.domain.verdicts import Verdict, allow, wait

NAMED = 5


class How(StrEnum):
    """How it shows that something uses a version."""

    LABEL = "Label"
    ANNOTATION = "Annotation"
    ARTIFACT_URI = "ArtifactUri"
    SELECTOR = "Selector"
    DECLARED = "Declared"


@dataclass(frozen=True, order=True)
class Consumer:
    """Something that uses a version; `detail` says more to a person, and may be empty.

    What is only declared lies outside of the cluster, where nobody can see it stop. `ready` counts
    its pods that are ready, where it has any.
    """

    kind: str
    namespace: str
    name: str
    how: How
    detail: str = ""
    ready: int | None = field(default=None, compare=False)


# What was found, by version; None where nobody looked.
Consumers = Mapping[int, tuple[Consumer, ...]]


def consumers_of(found: Consumers | None, version: int) -> tuple[Consumer, ...]:
    """List what was found to use a version, in a stable order."""
    return tuple(sorted((found or {}).get(version, ())))


def seen_to_use(found: Consumers | None, version: int) -> tuple[Consumer, ...]:
    """List what the cluster shows to use a version; what is only declared is not among it."""
    return tuple(c for c in consumers_of(found, version) if c.how is not How.DECLARED)


def nothing_consumes(found: Consumers | None, version: int) -> Verdict:
    """Nothing in the cluster uses the version any more, and somebody has looked."""
    if found is None:
        return wait("ConsumersUnknown", f"Who uses version {version} was not looked at yet.")
    seen = seen_to_use(found, version)
    if not seen:
        return allow("NotConsumed", f"Nothing in the cluster uses version {version}.")
    return wait(
        "StillConsumed",
        f"Version {version} is still used by {named(seen)}.",
        "Move them to another version, or take them down.",
    )


def named(consumers: tuple[Consumer, ...]) -> str:
    """Name the first of them, and count the others."""
    first = ", ".join(_named(consumer) for consumer in consumers[:NAMED])
    others = f" and {len(consumers) - NAMED} more" if len(consumers) > NAMED else ""
    return f"{first}{others}"


def _named(consumer: Consumer) -> str:
    return f"{consumer.kind} {consumer.name} in {consumer.namespace}"
