"""The cluster is looked through seldom, for all Models at once, and never taken for empty."""

import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from modelwarden.cluster.paths import CRON_JOBS, HTTP_ROUTES, PODS, STATEFUL_SETS
from modelwarden.domain import labels
from modelwarden.domain.state import ModelKey
from modelwarden.domain.uses import Uses
from modelwarden.workflows.uses import LOOKED_THROUGH, UsesFinder
from tests.fakes.api_server import FakeApiServer
from tests.fakes.store import RefusalError

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
RISK = ModelKey("risk", "fraud-detector")


class Clock:
    """A clock that moves when told."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
async def server() -> AsyncIterator[FakeApiServer]:
    """Give an API server with one CronJob that uses a version."""
    async with FakeApiServer() as server:
        server.put(CRON_JOBS, consuming("nightly", "risk/fraud-detector:1"))
        yield server


@pytest.fixture
def clock() -> Clock:
    """Give a clock that stands still."""
    return Clock()


@pytest.fixture
async def finder(server: FakeApiServer, clock: Clock) -> AsyncIterator[UsesFinder]:
    """Give a finder that goes by that clock."""
    async with server.client() as client:
        yield UsesFinder(client, clock)


def consuming(name: str, what: str) -> dict[str, Any]:
    annotations = {labels.CONSUMES: what}
    return {"metadata": {"name": name, "namespace": "batch", "annotations": annotations}}


def names(found: Uses | None) -> list[str] | None:
    if found is None:
        return None
    return [use.place.name for use in found.by_annotation.get(RISK, ())]


def lists(server: FakeApiServer) -> int:
    return len(server.calls)


async def test_what_was_found_is_kept_until_something_newer_is_asked_for(
    server: FakeApiServer, finder: UsesFinder, clock: Clock
) -> None:
    first = await finder.found(since=NOW - timedelta(seconds=30))
    server.put(STATEFUL_SETS, consuming("server", "risk/fraud-detector:1"))
    second = await finder.found(since=NOW)
    looked = lists(server)
    clock.now += timedelta(seconds=40)

    third = await finder.found(since=NOW + timedelta(seconds=10))

    assert (names(first), names(second), looked) == (["nightly"], ["nightly"], len(LOOKED_THROUGH))
    assert names(third) == ["server", "nightly"]


async def test_what_could_not_be_read_is_not_taken_for_nothing(
    server: FakeApiServer, finder: UsesFinder, caplog: pytest.LogCaptureFixture
) -> None:
    server.fail(
        where=lambda call: call.resource == PODS,
        answer=RefusalError(403, "Forbidden", "pods is forbidden"),
        times=9,
    )

    with caplog.at_level(logging.WARNING):
        found = await finder.found(since=NOW)
        asked = lists(server)
        again = await finder.found(since=NOW)

    assert (found, again, finder.last) == (None, None, None)
    assert lists(server) == asked
    assert "Who uses versions is not known" in caplog.text


async def test_what_was_found_before_a_failure_is_still_there_for_who_does_not_need_it_new(
    server: FakeApiServer, finder: UsesFinder
) -> None:
    await finder.found(since=NOW)
    server.fail(where=lambda call: call.resource == PODS, times=9)

    found = await finder.found(since=NOW + timedelta(seconds=1))

    assert (found, names(finder.last)) == (None, ["nightly"])


async def test_routes_of_a_gateway_need_not_be_there(
    server: FakeApiServer, finder: UsesFinder
) -> None:
    server.fail(
        where=lambda call: call.resource == HTTP_ROUTES,
        answer=RefusalError(404, "NotFound", "the server could not find the requested resource"),
    )

    assert names(await finder.found(since=NOW)) == ["nightly"]


async def test_a_malformed_annotation_is_told_once(
    server: FakeApiServer, finder: UsesFinder, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    server.put(CRON_JOBS, consuming("odd", "fraud detector"))

    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            clock.now += timedelta(seconds=1)
            await finder.found(since=clock.now)

    assert [record.message.split(" names ")[0] for record in caplog.records] == [
        "CronJob batch/odd: modelwarden.io/consumes: 'fraud detector'"
    ]
