from datetime import UTC, datetime, timedelta

import pytest

from modelwarden.domain.ages import age, ago, point_in_time, seconds_of

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("passed", "short", "long"),
    [
        (timedelta(seconds=-1), "0s", "just now"),
        (timedelta(seconds=4), "4s", "just now"),
        (timedelta(seconds=5), "5s", "5 seconds ago"),
        (timedelta(seconds=60), "1m", "1 minute ago"),
        (timedelta(minutes=119), "1h", "1 hour ago"),
        (timedelta(hours=47), "47h", "47 hours ago"),
        (timedelta(hours=48), "2d", "2 days ago"),
        (timedelta(days=400), "400d", "400 days ago"),
    ],
)
def test_an_age_is_said_in_one_unit(passed: timedelta, short: str, long: str) -> None:
    assert (age(NOW - passed, NOW), ago(NOW - passed, NOW)) == (short, long)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15m", 900), ("1h30m", 5400), ("2d", 172_800), ("0s", 0)]
)
def test_a_duration_is_read_in_all_its_units(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "15", "m", "15 m", "-1s", "1h!", "1.5h", "\uff11s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write 90s, 15m or 1h30m"):
        seconds_of(text)


@pytest.mark.parametrize(
    "text", ["2026-11-24T12:00:00Z", "2026-11-24T13:00:00+01:00", " 2026-11-24 12:00+00:00 "]
)
def test_a_moment_is_read_with_its_zone(text: str) -> None:
    assert point_in_time(text) == NOW


@pytest.mark.parametrize("text", ["2026-11-24T12:00:00", "2026-11-24", "yesterday", ""])
def test_a_moment_without_a_zone_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="with its zone"):
        point_in_time(text)
