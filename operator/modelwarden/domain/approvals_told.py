"""Who has approved an attempt, who is still to, and whose vote does not count."""

from collections.abc import Sequence
from typing import Any

from modelwarden.domain.attempts_told import Line, Mark, Raw, condition, have_all_passed, is_open

# Beyond so many names people are counted, not listed.
_NAMED = 3
# What voters did with their own votes needs no telling.
_OWN_ACTS = frozenset({"Replaced", "Retracted"})


def approval_lines(attempt: Raw) -> tuple[Line, ...]:
    """Tell the approvals of an attempt; nothing where its step asks for none."""
    rule = attempt["spec"].get("step", {}).get("approvals")
    if not rule or not rule.get("owners", 0) + rule.get("reviewers", 0):
        return ()
    return (_approvals(attempt, rule), *_discarded(attempt))


def _approvals(attempt: Raw, rule: Raw) -> Line:
    counted = attempt.get("status", {}).get("votes", {}).get("counted", ())
    given = [vote for vote in counted if vote["kind"] == "Approve"]
    names = ", ".join(_voter(vote) for vote in given)
    of = f"{len(given)} of {rule.get('owners', 0) + rule.get('reviewers', 0)}"
    if condition(attempt, "Approved").get("status") == "True":
        return Line(Mark.PASSED, "approvals", names or "approved")
    is_over = not is_open(attempt) and have_all_passed(attempt)
    if not is_over and not attempt.get("status", {}).get("evidenceDigest"):
        text = f"{_missing(attempt, rule, given=())}, once the gates have passed"
        return Line(Mark.NOT_OPEN, "approvals", text)
    told = f"{of}: {names}" if names else of
    if not is_open(attempt):
        return Line(Mark.NOT_OPEN, "approvals", f"{told} when the attempt ended")
    text = f"{told}; needs {_missing(attempt, rule, given=given)}"
    return Line(Mark.WAITING, "approvals", text)


def _missing(attempt: Raw, rule: Raw, *, given: Sequence[Raw]) -> str:
    """Say whom the step still asks for: `one owner and one of group risk-reviewers`."""
    excluded = {person["name"] for person in attempt["spec"].get("excluded", ())}
    asked = []
    for role in ("owner", "reviewer"):
        left = rule.get(role + "s", 0) - sum(vote.get("as") == role.title() for vote in given)
        if left > 0:
            subjects = attempt["spec"].get(role + "s", ())
            asked.append(_some(left, role, subjects=subjects, excluded=excluded))
    return " and ".join(asked) or "another person: one counts once"


def _voter(vote: Raw) -> str:
    return f"{vote['by']} as {vote['as'].lower()}" if vote.get("as") else str(vote["by"])


def _discarded(attempt: Raw) -> tuple[Line, ...]:
    votes = attempt.get("status", {}).get("votes", {}).get("discarded", ())
    return tuple(
        Line(Mark.NOT_COUNTED, "vote", f"{vote['message']} ({vote['reason']})")
        for vote in votes
        if vote["reason"] not in _OWN_ACTS
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
