"""Writing records: what every record of one append has in common, said once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from modelwarden.domain.canonical import digest_of
from modelwarden.domain.identity import Caller
from modelwarden.domain.records import Actor, Operation, Record, StageMove
from modelwarden.domain.state import AttemptState, ModelKey, VersionState


@dataclass(frozen=True, kw_only=True)
class Scribe:
    """Who writes, when, about which model, in which transaction."""

    key: ModelKey
    now: datetime
    transaction: str
    operator: str
    build: str

    def of_attempt(
        self,
        operation: Operation,
        attempt: AttemptState,
        *,
        actor: Actor | None = None,
        rationale: str = "",
        moves: tuple[StageMove, ...] = (),
        evidence: Mapping[str, str] | None = None,
        uids: Mapping[str, str] | None = None,
        policy: str = "",
        facts: Mapping[str, Any] | None = None,
    ) -> Record:
        """Write what happened to an attempt; without an actor the operator itself did it."""
        return Record(
            operation=operation,
            time=timestamp(self.now),
            transaction=self.transaction,
            actor=actor or Actor(username=self.operator),
            namespace=self.key.namespace,
            model=self.key.name,
            version=attempt.key.version,
            transition=attempt.name,
            rationale=rationale,
            moves=moves,
            subject=attempt.subject,
            policy=policy,
            evidence=evidence or {},
            uids=uids or {},
            facts=facts or {},
            build=self.build,
        )

    def of_version(
        self,
        operation: Operation,
        version: VersionState,
        *,
        actor: Actor | None = None,
        rationale: str = "",
        moves: tuple[StageMove, ...] = (),
        uids: Mapping[str, str] | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> Record:
        """Write what happened to a version outside of any attempt."""
        return Record(
            operation=operation,
            time=timestamp(self.now),
            transaction=self.transaction,
            actor=actor or Actor(username=self.operator),
            namespace=self.key.namespace,
            model=self.key.name,
            version=version.number,
            rationale=rationale,
            moves=moves,
            subject=version.subject,
            uids=uids or {},
            facts=facts or {},
            build=self.build,
        )


# One group is enough to have a role, and a record has an end.
GROUPS_NAMED = 8


def actor_of(caller: Caller, groups_that_mattered: tuple[str, ...] = ()) -> Actor:
    """Write a person into a record: all groups by digest, by name only those that mattered."""
    mattered = tuple(group for group in caller.groups if group in groups_that_mattered)
    return Actor(
        username=caller.username,
        uid=caller.uid,
        groups=mattered[:GROUPS_NAMED],
        groups_digest=digest_of(sorted(caller.groups)),
    )


def timestamp(time: datetime) -> str:
    """Write a time as RFC 3339 in UTC with milliseconds."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """Read a time that a record or an object tells."""
    return datetime.fromisoformat(text)
