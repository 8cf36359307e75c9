"""A decision as an object: what was looked at, by whom, and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from modelwarden.domain.attempts_told import (
    Raw,
    condition,
    ended_badly,
    is_open,
    latest_attempts,
)
from modelwarden.domain.identity import Caller
from modelwarden.domain.labels import API_VERSION
from modelwarden.domain.rights import DECISION_PARTS
from modelwarden.domain.stages import Stage
from modelwarden.domain.verdicts import Verdict, deny, wait

# Whoever votes says what was looked at.
_VOTES = frozenset({"Approve", "Reject"})


@dataclass(frozen=True, kw_only=True)
class Ballot:
    """One act of one person about one attempt."""

    kind: str
    attempt: Raw
    rationale: str
    by: Caller

    def to_json(self) -> dict[str, Any]:
        """Write the ModelDecision; votes say what was reviewed, and die when any of it changes."""
        spec, metadata = self.attempt["spec"], self.attempt["metadata"]
        name = f"{spec['model']}-{spec['version']}-{spec['to'].lower()}-"
        written: dict[str, Any] = {
            "model": spec["model"],
            "version": spec["version"],
            "stage": DECISION_PARTS[spec["to"]].capitalize(),
            "transition": {"name": metadata["name"], "uid": metadata["uid"]},
            "decision": self.kind,
        }
        if self.kind in _VOTES:
            written["reviewed"] = {
                "subjectDigest": spec["subjectDigest"],
                "policyDigest": spec["policy"]["digest"],
                "evidenceDigest": self.attempt["status"]["evidenceDigest"],
            }
        return {
            "apiVersion": API_VERSION,
            "kind": "ModelDecision",
            "metadata": {"generateName": name, "namespace": metadata["namespace"]},
            "spec": written | {"rationale": self.rationale, "by": stamped(self.by)},
        }


@dataclass(frozen=True, kw_only=True)
class Look:
    """One person's review of a Model as it is in Production."""

    model: str
    namespace: str
    rationale: str
    by: Caller

    def to_json(self) -> dict[str, Any]:
        """Write the ModelDecision; it is about no attempt."""
        return {
            "apiVersion": API_VERSION,
            "kind": "ModelDecision",
            "metadata": {"generateName": f"{self.model}-review-", "namespace": self.namespace},
            "spec": {
                "model": self.model,
                "stage": Stage.PRODUCTION.value,
                "decision": "Review",
                "rationale": self.rationale,
                "by": stamped(self.by),
            },
        }


def stamped(by: Caller) -> dict[str, Any]:
    """Write who decides as admission would: an absent uid or group is left out."""
    return {name: value for name, value in by.to_json().items() if value}


def open_attempt(attempts: Iterable[Raw], target: Stage) -> Raw | Verdict:
    """Find the open attempt to enter a stage, or say what became of the last one."""
    own = sorted(
        (attempt for attempt in attempts if attempt["spec"]["to"] == target),
        key=lambda attempt: int(attempt["spec"]["attempt"]),
    )
    opened = next((attempt for attempt in own if is_open(attempt)), None)
    if opened is not None:
        return opened
    if not own:
        return deny("NotAsked", f"Nothing is under way that would bring it into {target}.")
    last = condition(own[-1], "Succeeded")
    return deny("Closed", f"The attempt to enter {target} is closed: {last.get('message', '')}")


def attempt_to_retry(attempts: Iterable[Raw], target: Stage | None) -> Raw | Verdict:
    """Find the latest attempt that ended badly, or say why there is none to try again."""
    latest = [
        attempt
        for attempt in latest_attempts(attempts)
        if target is None or attempt["spec"]["to"] == target
    ]
    if not latest:
        where = "" if target is None else f" to enter {target}"
        return deny("NotAsked", f"There was no attempt{where}, so there is none to try again.")
    newest = next((a for a in reversed(latest) if ended_badly(a)), latest[-1])
    name = newest["metadata"]["name"]
    if is_open(newest):
        return deny("AttemptOpen", f"{name} has not ended, so there is nothing to try again.")
    if not ended_badly(newest):
        return deny("AttemptSucceeded", f"{name} has succeeded, so there is nothing to try again.")
    return newest


def may_be_voted_on(attempt: Raw) -> Verdict | None:
    """Say why no vote on the attempt would count yet; None where one would."""
    if "policy" not in attempt["spec"] or "approvals" not in attempt["spec"].get("step", {}):
        return deny("NoVoteNeeded", f"The step to {attempt['spec']['to']} asks for no approval.")
    if attempt.get("status", {}).get("evidenceDigest"):
        return None
    return wait(
        "EvidenceNotReady",
        "Approvals open once the gates have passed.",
        f"See kubectl model why {attempt['spec']['model']} {attempt['spec']['version']}.",
    )


def has_vote_to_take_back(attempt: Raw, decisions: Iterable[Raw], username: str) -> bool:
    """Say whether a vote of this login counts on the attempt, or is too new to be counted."""
    votes = attempt.get("status", {}).get("votes", {})
    if any(vote["by"] == username for vote in votes.get("counted", ())):
        return True
    looked_at = {vote["decision"] for vote in votes.get("discarded", ())}
    own = [item for item in decisions if _is_by(item, attempt, username)]
    taken_back = [_time(item) for item in own if item["spec"]["decision"] == "Retract"]
    return any(
        item["spec"]["decision"] in ("Approve", "Reject")
        and item["metadata"]["name"] not in looked_at
        and all(_time(item) > time for time in taken_back)
        for item in own
    )


def _is_by(decision: Raw, attempt: Raw, username: str) -> bool:
    """Say whether a decision is one of this login about this attempt."""
    spec = decision["spec"]
    return bool(
        spec.get("transition", {}).get("uid") == attempt["metadata"]["uid"]
        and spec.get("by", {}).get("username") == username
    )


def _time(decision: Raw) -> str:
    return str(decision["metadata"].get("creationTimestamp", ""))
