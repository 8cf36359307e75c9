"""A withdrawn version serves on until its last pod is gone."""

from dataclasses import replace
from typing import Any

import pytest

from modelwarden.domain.consumers import Consumer, Consumers, How
from modelwarden.domain.facts import DeploymentFacts
from modelwarden.domain.leaving import nothing_serves, observed, still_leaving
from modelwarden.domain.records import Operation
from modelwarden.domain.stages import Stage
from tests.domain.builders import NOW_TEXT, SCRIBE, carrying, deployment, interval, snapshot, state

LEAVING = interval(1, left=NOW_TEXT, served_by=("fraud-api",))
WITHDRAWN = replace(state({1: Stage.STAGING}), intervals=(LEAVING,))
POD: Consumers = {1: (Consumer("Pod", "risk", "fraud-api-7d9-x2", How.LABEL),)}
OTHERS: Consumers = {1: (Consumer("Pod", "risk", "fraud-shadow-7d9-x2", How.LABEL),)}

DEPLOYMENTS: dict[str, tuple[DeploymentFacts | None, Consumers | None, str]] = {
    "still labelled": (carrying(1), None, "StillServing"),
    "its change was not seen yet": (deployment(generation=5), None, "StillServing"),
    "old pods beside new ones": (deployment(current=3, updated=1), None, "StillServing"),
    "an old pod is ending": (deployment(terminating=1), None, "StillServing"),
    "every pod is new": (deployment(), None, "NothingServes"),
    "scaled to nothing": (deployment(replicas=0, current=0, updated=0), None, "NothingServes"),
    "it has another version": (carrying(2), None, "NothingServes"),
    "deleted, its pods not yet": (None, POD, "StillServing"),
    "deleted, and nobody looked for pods": (None, None, "StillServing"),
    "deleted, and its pods with it": (None, OTHERS, "NothingServes"),
}


@pytest.mark.parametrize(("live", "found", "code"), DEPLOYMENTS.values(), ids=DEPLOYMENTS)
def test_a_deployment_serves_a_withdrawn_version_as_long_as_it_has_pods_of_it(
    live: DeploymentFacts | None, found: Consumers | None, code: str
) -> None:
    facts = snapshot(deployments={} if live is None else {live.name: live}, consumers=found)

    assert [verdict.code for verdict in nothing_serves(LEAVING, facts)] == [code]


def test_what_to_scale_is_said() -> None:
    facts = snapshot(deployments={"fraud-api": deployment(current=3, updated=1)})

    (verdict,) = nothing_serves(LEAVING, facts)

    assert verdict.next_step == "Stop them: kubectl scale deploy/fraud-api --replicas=0 -n risk"


@pytest.mark.parametrize(
    ("intervals", "leaves"),
    [
        ((), None),
        ((interval(1),), None),
        ((LEAVING,), LEAVING),
        ((replace(LEAVING, end=NOW_TEXT),), None),
    ],
    ids=["nothing served", "it serves", "withdrawn", "gone"],
)
def test_a_version_is_leaving_from_its_withdrawal_until_it_is_gone(
    intervals: Any, leaves: object
) -> None:
    assert still_leaving(replace(WITHDRAWN, intervals=intervals)) == leaves


def test_that_the_last_pod_is_gone_is_recorded_once() -> None:
    facts = snapshot(deployments={"fraud-api": deployment()})

    (record,) = observed(facts, WITHDRAWN, scribe=SCRIBE)
    after = replace(WITHDRAWN, intervals=(replace(LEAVING, end=NOW_TEXT),))

    assert (record.operation, record.version, record.facts) == (
        Operation.ROLLOUT_OBSERVED,
        1,
        {"deployments": ["fraud-api"]},
    )
    assert observed(facts, after, scribe=SCRIBE) == ()


def test_nothing_is_observed_while_a_pod_is_left_or_nobody_owns_the_model() -> None:
    busy = snapshot(deployments={"fraud-api": deployment(terminating=1)})
    orphaned = snapshot(deployments={"fraud-api": deployment()}, model=None)

    found = [observed(facts, WITHDRAWN, scribe=SCRIBE) for facts in (busy, orphaned)]

    assert found == [(), ()]
