"""What the ledger remembers: one record per thing that happened.

A record is plain data. Where it lies and whether it was altered is the business of the bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

from modelwarden.domain.stages import Stage

FORMAT = 1


class Operation(StrEnum):
    """Everything that can have happened."""

    GENESIS = "Genesis"
    STARTED = "Started"
    REGISTERED = "Registered"
    ADOPTED = "Adopted"
    REQUESTED = "Requested"
    GATE_FINISHED = "GateFinished"
    VOTED = "Voted"
    RETRACTED = "Retracted"
    SUPERSEDED = "Superseded"
    ROLLOUT_BEGUN = "RolloutBegun"
    ROLLOUT_ABORTED = "RolloutAborted"
    ROLLOUT_FAILED = "RolloutFailed"
    PROMOTED = "Promoted"
    DEMOTED = "Demoted"
    ROLLED_BACK = "RolledBack"
    WITHDRAWN = "Withdrawn"
    RETIRED = "Retired"
    ARCHIVED = "Archived"
    ROLLOUT_OBSERVED = "RolloutObserved"
    NOTES_CHANGED = "NotesChanged"
    GOVERNED_CHANGED = "GovernedChanged"
    POLICY_CHANGED = "PolicyChanged"
    OVERRIDE = "Override"
    REVIEW = "Review"
    DELETION_OBSERVED = "DeletionObserved"
    ARTIFACT_CHECKED = "ArtifactChecked"
    TAMPERING_REPAIRED = "TamperingRepaired"
    RESTORED = "Restored"


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who did it: the login, the groups that mattered, and a digest of all groups."""

    username: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    groups_digest: str = ""

    def to_json(self) -> dict[str, Any]:
        """Write the actor as JSON."""
        return {
            "username": self.username,
            "uid": self.uid,
            "groups": list(self.groups),
            "groupsDigest": self.groups_digest,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read an actor."""
        return cls(
            username=data["username"],
            uid=data["uid"],
            groups=tuple(data["groups"]),
            groups_digest=data["groupsDigest"],
        )


@dataclass(frozen=True, kw_only=True)
class StageMove:
    """One version leaving one stage for another; `source` is None at registration."""

    version: int
    source: Stage | None
    target: Stage

    def to_json(self) -> dict[str, Any]:
        """Write the move as JSON."""
        return {
            "version": self.version,
            "from": None if self.source is None else self.source.value,
            "to": self.target.value,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read a move."""
        source = data["from"]
        return cls(
            version=data["version"],
            source=None if source is None else Stage(source),
            target=Stage(data["to"]),
        )


@dataclass(frozen=True, kw_only=True)
class Record:
    """One thing that happened to one model, or to the ledger itself (then `model` is empty).

    `time` is RFC 3339 in UTC. `transaction` is the same for all records of one append. `evidence`
    names content by digest. `facts` holds what only this operation has. `index` is given by the
    ledger; -1 until then.
    """

    operation: Operation
    time: str
    transaction: str
    actor: Actor
    namespace: str = ""
    model: str = ""
    version: int | None = None
    transition: str = ""
    rationale: str = ""
    moves: tuple[StageMove, ...] = ()
    subject: str = ""
    policy: str = ""
    evidence: Mapping[str, str] = field(default_factory=dict)
    uids: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    build: str = ""
    index: int = -1

    def at(self, index: int) -> "Record":
        """Place the record in the ledger."""
        return replace(self, index=index)

    def to_json(self) -> dict[str, Any]:
        """Write the record as JSON; every key is there, so that absence never means anything."""
        return {
            "index": self.index,
            "operation": self.operation.value,
            "time": self.time,
            "transaction": self.transaction,
            "actor": self.actor.to_json(),
            "namespace": self.namespace,
            "model": self.model,
            "version": self.version,
            "transition": self.transition,
            "rationale": self.rationale,
            "moves": [move.to_json() for move in self.moves],
            "subject": self.subject,
            "policy": self.policy,
            "evidence": dict(self.evidence),
            "uids": dict(self.uids),
            "facts": dict(self.facts),
            "build": self.build,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read a record; KeyError or ValueError for what this release does not know."""
        return cls(
            index=data["index"],
            operation=Operation(data["operation"]),
            time=data["time"],
            transaction=data["transaction"],
            actor=Actor.from_json(data["actor"]),
            namespace=data["namespace"],
            model=data["model"],
            version=data["version"],
            transition=data["transition"],
            rationale=data["rationale"],
            moves=tuple(StageMove.from_json(move) for move in data["moves"]),
            subject=data["subject"],
            policy=data["policy"],
            evidence=data["evidence"],
            uids=data["uids"],
            facts=data["facts"],
            build=data["build"],
        )
