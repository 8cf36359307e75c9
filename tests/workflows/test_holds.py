"""What holds wishes back is counted by code, over all Models, and by who must act."""

from collections.abc import AsyncIterator

import pytest

from modelwarden.cluster.client import ApiClient
from modelwarden.domain.facts import Snapshot
from modelwarden.domain.projection import StatusOrder
from modelwarden.domain.state import ModelKey
from modelwarden.metrics import Metrics
from modelwarden.workflows.report import Reporter
from tests import builders
from tests.domain.builders import snapshot
from tests.fakes.api_server import FakeApiServer
from tests.workflows.world import World

A, B = ModelKey("risk", "a"), ModelKey("risk", "b")


def about(key: ModelKey) -> Snapshot:
    return snapshot(key=key)


def drawn(*unmet: tuple[str, str]) -> list[StatusOrder]:
    """The statuses of a look at a Model that these hold back."""
    status = {"unmet": [{"code": code, "outcome": outcome} for code, outcome in unmet]}
    return [StatusOrder(kind="Model", name="a", resource_version="1", uid="u", status=status)]


def counted(metrics: Metrics) -> dict[tuple[str, str, str], float]:
    """The samples that are not zero."""
    return {
        (sample.labels["code"], sample.labels["outcome"], sample.labels["who"]): sample.value
        for family in metrics.holds.collect()
        for sample in family.samples
        if sample.value
    }


@pytest.fixture
def reporter() -> Reporter:
    return Reporter(client=ApiClient.__new__(ApiClient), metrics=Metrics.create())


def test_what_holds_several_models_back_is_counted_together(reporter: Reporter) -> None:
    reporter.count_holds(about(A), drawn(("NoPolicy", "Wait"), ("Rejected", "Deny")))
    reporter.count_holds(about(B), drawn(("NoPolicy", "Wait"), ("NoPolicy", "Wait")))

    assert counted(reporter.metrics) == {
        ("NoPolicy", "Wait", "PlatformTeam"): 3.0,
        ("Rejected", "Deny", "Requester"): 1.0,
    }


def test_what_holds_back_no_more_is_counted_no_more(reporter: Reporter) -> None:
    reporter.count_holds(about(A), drawn(("NoPolicy", "Wait")))
    reporter.count_holds(about(A), drawn(("ApprovalsMissing", "Wait")))

    assert counted(reporter.metrics) == {("ApprovalsMissing", "Wait", "Approver"): 1.0}


def test_a_model_that_is_gone_holds_nothing_back(reporter: Reporter) -> None:
    reporter.count_holds(about(A), drawn(("NoPolicy", "Wait")))
    reporter.count_holds(about(A), [])

    assert (counted(reporter.metrics), reporter.held) == ({}, {})


def test_a_word_that_an_image_made_up_is_no_label_of_its_own(reporter: Reporter) -> None:
    reporter.count_holds(about(A), drawn(("MadeUp", "Deny"), ("MadeUpToo", "Deny")))

    assert counted(reporter.metrics) == {("OfTheImage", "Deny", "PlatformTeam"): 2.0}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with FakeApiServer() as server:
        yield World.of(server)


async def test_a_request_is_counted_from_its_first_look_until_it_is_done(world: World) -> None:
    world.register(1)
    world.ask("r1", builders.stages(production=1), "stages.production")
    await world.settle("fraud-detector-1")
    awaited = counted(world.metrics)
    for person in (builders.OWNER, builders.REVIEWER):
        world.vote("fraud-detector-1-production-1", person)

    await world.settle()

    assert (awaited, world.stage(1), counted(world.metrics)) == (
        {("ApprovalsMissing", "Wait", "Approver"): 1.0},
        "Production",
        {},
    )
