"""A model's records as sentences, in order."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from modelwarden.domain.records import Operation, Record
from modelwarden.domain.state import ModelKey


@dataclass(frozen=True, kw_only=True)
class Told:
    """One thing that happened: which record says so, about which version, in a sentence."""

    time: str
    index: int
    version: int | None
    operation: str
    by: str
    sentence: str

    def to_json(self) -> dict[str, Any]:
        """Write it as JSON."""
        return {
            "time": self.time,
            "record": self.index,
            "version": self.version,
            "operation": self.operation,
            "by": self.by,
            "sentence": self.sentence,
        }


def history(records: Iterable[Record], key: ModelKey) -> tuple[Told, ...]:
    """Tell what the records say of one model, oldest first."""
    return tuple(
        told(record)
        for record in records
        if ModelKey(record.namespace, record.model) == key and _is_news(record)
    )


def _is_news(record: Record) -> bool:
    """Leave out the daily checks that found what the one before them found."""
    return record.operation is not Operation.ARTIFACT_CHECKED or bool(record.facts["turned"])


def told(record: Record) -> Told:
    """Say one record in a sentence."""
    tell = _SENTENCES.get(record.operation, _plain)
    return Told(
        time=record.time,
        index=record.index,
        version=record.version,
        operation=record.operation.value,
        by=record.actor.username,
        sentence=tell(record),
    )


def _plain(record: Record) -> str:
    return _with_reason("", record)


def _requested(record: Record) -> str:
    if record.facts["kind"] == "Register":
        asked = f"registered by {record.actor.username}"
    else:
        order = "the automation of " if by_automation(record) else ""
        asker = f"{order}{record.actor.username}"
        asked = _with_reason(f"{record.facts['to']} asked for by {asker}", record)
    return asked + _retried(record.facts)


def _retried(facts: Mapping[str, Any]) -> str:
    """Say who had an earlier attempt tried again, and why."""
    if "retry" not in facts:
        return ""
    retry = facts["retry"]
    return f'; tried again by {retry["actor"]["username"]}: "{retry["rationale"]}"'


def _registered(_: Record) -> str:
    return "registration passed"


def _gate_finished(record: Record) -> str:
    facts = record.facts
    return f"gate {facts['gate']} {facts['outcome'].lower()}: {facts['sentence']}"


def _voted(record: Record) -> str:
    did = {"Approve": "approved", "Reject": "rejected"}.get(record.facts["vote"], "voted")
    roles = " and ".join(record.facts["roles"])
    return _with_reason(f"{did} by {record.actor.username} as {roles}", record)


def _retracted(record: Record) -> str:
    return f"vote taken back by {record.actor.username}"


def _ended(record: Record) -> str:
    said = {
        Operation.SUPERSEDED: "attempt superseded",
        Operation.ROLLOUT_ABORTED: "rollout aborted",
        Operation.ROLLOUT_FAILED: "rollout failed",
    }[record.operation]
    return f"{said}: {record.facts.get('sentence', '')}".removesuffix(": ")


def _rollout_begun(record: Record) -> str:
    deployments = ", ".join(f"deploy/{name}" for name in record.facts["deployments"])
    return f"rollout begun on {deployments}"


def _moved(record: Record) -> str:
    moves = "; ".join(
        f"{move.version} from {move.source or 'nowhere'} to {move.target}" for move in record.moves
    )
    return _with_reason(moves, record)


def _observed(record: Record) -> str:
    deployments = ", ".join(f"deploy/{name}" for name in record.facts.get("deployments", ()))
    return f"no pod of {deployments} runs it any more"


def _notes_changed(record: Record) -> str:
    votes = " (earlier votes do not count any more)" if _discards_votes(record) else ""
    return f"notes changed by {named(record)}{votes}"


def _discards_votes(record: Record) -> bool:
    return bool(record.facts["discardsVotes"] and record.facts["attempts"])


def _governed_changed(record: Record) -> str:
    fields = ", ".join(record.facts["fields"])
    did = "set" if record.facts["first"] else "changed"
    return f"{fields} {did} by {named(record)}"


def _reviewed(record: Record) -> str:
    what = [*(["the Model"] if record.facts.get("ofModel") else [])]
    what += [f"rollback {attempt}" for attempt in record.facts.get("rollbacks", ())]
    return _with_reason(f"{' and '.join(what) or 'it'} reviewed by {named(record)}", record)


def _policy_changed(record: Record) -> str:
    return f"the content of policy {record.facts['name']} changed"


def _deletion_observed(record: Record) -> str:
    what = "the Model" if record.version is None else f"the record of version {record.version}"
    return f"{what} was deleted by somebody unknown; what serves was not touched"


def _artifact_checked(record: Record) -> str:
    facts = record.facts
    return f"artifact looked at again, {facts['outcome'].lower()}: {facts['sentence']}"


def _adopted(record: Record) -> str:
    what = "the Model" if record.version is None else f"version {record.version}"
    return f"{what} was made again with the same content"


def by_automation(record: Record) -> bool:
    """Say whether nobody wrote this very request: a standing order asked for it."""
    return bool(record.facts.get("byAutomation"))


def named(record: Record) -> str:
    """Name who did it, as far as anybody knows."""
    return record.actor.username or "somebody unknown"


def _with_reason(text: str, record: Record) -> str:
    quoted = f'"{record.rationale}"' if record.rationale else ""
    return ": ".join(part for part in (text, quoted) if part)


_SENTENCES: dict[Operation, Callable[[Record], str]] = {
    Operation.REQUESTED: _requested,
    Operation.REGISTERED: _registered,
    Operation.GATE_FINISHED: _gate_finished,
    Operation.VOTED: _voted,
    Operation.RETRACTED: _retracted,
    Operation.SUPERSEDED: _ended,
    Operation.ROLLOUT_BEGUN: _rollout_begun,
    Operation.ROLLOUT_ABORTED: _ended,
    Operation.ROLLOUT_FAILED: _ended,
    Operation.PROMOTED: _moved,
    Operation.DEMOTED: _moved,
    Operation.ROLLED_BACK: _moved,
    Operation.WITHDRAWN: _moved,
    Operation.RETIRED: _moved,
    Operation.ARCHIVED: _moved,
    Operation.ROLLOUT_OBSERVED: _observed,
    Operation.NOTES_CHANGED: _notes_changed,
    Operation.REVIEW: _reviewed,
    Operation.GOVERNED_CHANGED: _governed_changed,
    Operation.POLICY_CHANGED: _policy_changed,
    Operation.DELETION_OBSERVED: _deletion_observed,
    Operation.ARTIFACT_CHECKED: _artifact_checked,
    Operation.ADOPTED: _adopted,
}
