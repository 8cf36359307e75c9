"""Who has approved an attempt, who is still to, and whose vote does not count."""

from collections.abc import Sequence
from typing import Any

from modelwarden.domain.attempts_told import Line, Mark, Raw, condition, is_open

# Beyond so many names people are counted, not listed.
_NAMED = 3


def approval_lines(attempt: Raw) -> tuple[Line, ...]:
    """Tell the approvals of an attempt; nothing where its step asks for none."""
    rule = attempt["spec"].get("step", {}).get("approvals")
    if not rule or not rule.get("owners", 0) + rule.get("reviewers", 0):
        return ()
    return (_approvals(attempt, rule), *_discarded(attempt))


def who_must_approve(attempt: Raw) -> str:
    """Say whom the attempt's step asks for: `one owner and one of group risk-reviewers`."""
    spec = attempt["spec"]
    rule = spec.get("step", {}).get("approvals", {})
    excluded = {person["name"] for person in spec.get("excluded", ())}
    asked = [
        _some(rule.get(role + "s", 0), role, subjects=spec.get(role + "s", ()), excluded=excluded)
        for role in ("owner", "reviewer")
        if rule.get(role + "s", 0)
    ]
    return " and ".join(asked)


def _approvals(attempt: Raw, rule: Raw) -> Line:
    counted = attempt.get("status", {}).get("votes", {}).get("counted", ())
    given = [vote for vote in counted if vote["kind"] == "Approve"]
    names = ", ".join(_voter(vote) for vote in given)
    wanted = rule.get("owners", 0) + rule.get("reviewers", 0)
    state = condition(attempt, "Approved").get("status", "Unknown")
    if state == "True":
        return Line(Mark.PASSED, "approvals", names or "approved")
    if not attempt.get("status", {}).get("evidenceDigest"):
        text = f"{who_must_approve(attempt)}, once the gates have passed"
        return Line(Mark.NOT_OPEN, "approvals", text)
    if not is_open(attempt):
        text = f"{len(given)} of {wanted} when the attempt ended" + (f": {names}" if names else "")
        return Line(Mark.NOT_OPEN, "approvals", text)
    has = f"; approved: {names}" if names else ""
    text = f"{len(given)} of {wanted}: needs {who_must_approve(attempt)}{has}"
    return Line(Mark.WAITING, "approvals", text)


def _voter(vote: Raw) -> str:
    return f"{vote['by']} as {vote['as'].lower()}" if vote.get("as") else str(vote["by"])


def _discarded(attempt: Raw) -> tuple[Line, ...]:
    votes = attempt.get("status", {}).get("votes", {}).get("discarded", ())
    return tuple(
        Line(Mark.NOT_COUNTED, "vote", f"{vote['message']} ({vote['reason']})") for vote in votes
    )


def _some(number: int, role: str, *, subjects: Sequence[Any], excluded: set[str]) -> str:
    counted = "one" if number == 1 else str(number)
    free = [s for s in subjects if s["kind"] == "Group" or s["name"] not in excluded]
    groups = [subject["name"] for subject in free if subject["kind"] == "Group"]
    people = [subject["name"] for subject in free if subject["kind"] == "User"]
    if len(groups) == 1 and not people:
        return f"{counted} of group {groups[0]}"
    if people and not groups and len(people) <= _NAMED:
        return f"{counted} {role}{'' if number == 1 else 's'} ({' or '.join(people)})"
    return f"{counted} {role}{'' if number == 1 else 's'}"
