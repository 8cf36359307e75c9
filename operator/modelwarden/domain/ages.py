"""Times as people say them: `12d`, `2 hours ago`, `15m`."""

import re
from datetime import UTC, datetime

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION = re.compile(r"([0-9]+)([dhms])", re.ASCII)


def age(since: datetime, now: datetime) -> str:
    """Say how old something is in one unit, as kubectl does: `12d`, `3h`, `40s`."""
    number, unit = _largest(since, now)
    return f"{number}{unit[0]}"


def ago(since: datetime, now: datetime) -> str:
    """Say how long ago something was: `2 hours ago`, `just now`."""
    number, unit = _largest(since, now)
    if unit == "second" and number < 5:
        return "just now"
    return f"{number} {unit}{'' if number == 1 else 's'} ago"


def seconds_of(text: str) -> int:
    """Read a duration such as `90s`, `15m` or `1h30m`; ValueError for anything else."""
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is no duration: write 90s, 15m or 1h30m")
    return sum(int(number) * _SECONDS[unit] for number, unit in parts)


def point_in_time(text: str) -> datetime:
    """Read a moment with its zone, as RFC 3339; ValueError for anything else.

    A time without a zone is refused: it would mean another moment to another reader.
    """
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ValueError(f"{text!r} is no moment: write it with its zone, as 2026-03-01T12:00:00Z")
    return found.astimezone(UTC)


def _largest(since: datetime, now: datetime) -> tuple[int, str]:
    passed = max(0, int((now - since).total_seconds()))
    for unit, length in _UNITS:
        # 1 day and 23 hours is better said in hours.
        if passed >= (2 * length if unit == "day" else length):
            return passed // length, unit
    return 0, "second"
