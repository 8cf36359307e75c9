import asyncio
import time
from collections.abc import Callable

import pytest

from modelwarden.cluster.client import ApiClient
from modelwarden.cluster.lease import Elector, Timing
from modelwarden.cluster.paths import LEASES
from modelwarden.errors import LeadershipLostError
from tests.fakes.api_server import FakeApiServer
from tests.waiting import eventually

FAST = Timing(duration=1.0, renew=0.4, retry=0.02)


def elector(
    client: ApiClient, identity: str, clock: Callable[[], float] = time.monotonic
) -> Elector:
    return Elector(
        client,
        namespace="system",
        name="controller",
        identity=identity,
        timing=FAST,
        clock=clock,
    )


def holder(server: FakeApiServer) -> str:
    return str(server.get(LEASES, "controller", "system")["spec"]["holderIdentity"])


def annotations(server: FakeApiServer) -> object:
    return server.get(LEASES, "controller", "system")["metadata"].get("annotations")


async def test_the_first_one_takes_the_lease(client: ApiClient, server: FakeApiServer) -> None:
    one = elector(client, "one")

    await one.acquire()

    assert (one.is_leader, holder(server)) == (True, "one")


async def test_the_second_one_waits_until_the_first_gives_it_back(
    client: ApiClient, server: FakeApiServer
) -> None:
    one, two = elector(client, "one"), elector(client, "two")
    await one.acquire()
    holding = asyncio.create_task(one.hold())
    waiting = asyncio.create_task(two.acquire())
    await eventually(lambda: two.holder == "one")
    assert not waiting.done()

    holding.cancel()
    await one.release()

    await asyncio.wait_for(waiting, timeout=0.5)
    assert (one.is_leader, two.is_leader, holder(server)) == (False, True, "two")


async def test_a_dead_holders_lease_is_taken_when_it_has_not_moved_for_its_duration(
    client: ApiClient, server: FakeApiServer
) -> None:
    await elector(client, "dead").acquire()
    now = [0.0]
    two = elector(client, "two", clock=lambda: now[0])
    waiting = asyncio.create_task(two.acquire())
    await eventually(lambda: two.holder == "dead")
    now[0] = 0.9
    asked = len(server.calls)
    await eventually(lambda: len(server.calls) > asked + 2)
    assert not waiting.done()

    now[0] = 1.0

    await asyncio.wait_for(waiting, timeout=1)


async def test_a_restart_with_the_same_identity_takes_its_own_lease_back(
    client: ApiClient,
) -> None:
    await elector(client, "pod-uid").acquire()

    again = elector(client, "pod-uid")
    await asyncio.wait_for(again.acquire(), timeout=0.5)

    assert again.is_leader


async def test_a_lease_that_another_took_is_lost_at_once(
    client: ApiClient, server: FakeApiServer
) -> None:
    one = elector(client, "one")
    await one.acquire()
    body = server.get(LEASES, "controller", "system")
    server.put(LEASES, body | {"spec": body["spec"] | {"holderIdentity": "two"}})

    with pytest.raises(LeadershipLostError, match="held by two"):
        await asyncio.wait_for(one.hold(), timeout=1)

    assert not one.is_leader


async def test_a_server_that_is_away_for_too_long_costs_the_lease(
    client: ApiClient, server: FakeApiServer
) -> None:
    one = elector(client, "one")
    await one.acquire()
    server.is_down = True

    with pytest.raises(LeadershipLostError):
        await asyncio.wait_for(one.hold(), timeout=2)

    with pytest.raises(LeadershipLostError):
        one.ensure_leader()


async def test_a_failed_renewal_or_two_are_survived(
    client: ApiClient, server: FakeApiServer
) -> None:
    one = elector(client, "one")
    await one.acquire()
    server.fail(times=1, when="before")
    server.fail(times=1, when="after")
    holding = asyncio.create_task(one.hold())

    await eventually(lambda: len(server.calls) > 6)

    assert (one.is_leader, holding.done()) == (True, False)
    holding.cancel()


async def test_what_is_announced_travels_with_the_renewals_beside_what_others_wrote(
    client: ApiClient, server: FakeApiServer
) -> None:
    one = elector(client, "one")
    one.announce({"origin": "a"})
    await one.acquire()
    holding = asyncio.create_task(one.hold())
    body = server.get(LEASES, "controller", "system")
    body["metadata"]["annotations"] = {"origin": "forged", "theirs": "1"}
    server.put(LEASES, body)

    one.announce({"size": "5"})

    expected = {"origin": "a", "size": "5", "theirs": "1"}
    await eventually(lambda: annotations(server) == expected)
    holding.cancel()


async def test_the_next_holder_reads_what_the_last_announced(client: ApiClient) -> None:
    one = elector(client, "one")
    await one.acquire()
    one.announce({"size": "5"})
    await one.release()

    two = elector(client, "two")
    await two.acquire()

    assert two.annotations == {"size": "5"}


async def test_a_deleted_lease_is_made_again_with_what_was_announced(
    client: ApiClient, server: FakeApiServer
) -> None:
    one = elector(client, "one")
    one.announce({"size": "5"})
    await one.acquire()
    holding = asyncio.create_task(one.hold())
    server.remove(LEASES, "controller", "system")

    await eventually(lambda: bool(server.all(LEASES)))

    assert (annotations(server), holding.done()) == ({"size": "5"}, False)
    holding.cancel()


async def test_a_release_is_found_even_if_a_renewal_was_cut_short(
    client: ApiClient, server: FakeApiServer
) -> None:
    one = elector(client, "one")
    await one.acquire()
    body = server.get(LEASES, "controller", "system")
    server.put(LEASES, body | {"spec": body["spec"] | {"renewTime": "later"}})

    await one.release()

    assert holder(server) == ""
