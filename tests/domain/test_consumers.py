"""Who uses a version, and whether it may go to rest."""

import pytest

from modelwarden.domain.consumers import (
    Consumer,
    Consumers,
    How,
    consumers_of,
    nothing_consumes,
)
from modelwarden.domain.verdicts import Verdict, allow, wait

API = Consumer("Deployment", "risk", "fraud-api", How.LABEL)
REPORT = Consumer("Dashboard", "risk", "Weekly report", How.DECLARED)
MANY = tuple(Consumer("Pod", "risk", f"pod-{n}", How.LABEL) for n in range(7))


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (None, wait("ConsumersUnknown", "Who uses version 1 was not looked at yet.")),
        ({}, allow("NotConsumed", "Nothing in the cluster uses version 1.")),
        ({2: (API,)}, allow("NotConsumed", "Nothing in the cluster uses version 1.")),
        ({1: (REPORT,)}, allow("NotConsumed", "Nothing in the cluster uses version 1.")),
        (
            {1: (REPORT, API)},
            wait(
                "StillConsumed",
                "Version 1 is still used by Deployment fraud-api in risk.",
                "Move them to another version, or take them down.",
            ),
        ),
        (
            {1: MANY},
            wait(
                "StillConsumed",
                "Version 1 is still used by Pod pod-0 in risk, Pod pod-1 in risk, Pod pod-2 in "
                "risk, Pod pod-3 in risk, Pod pod-4 in risk and 2 more.",
                "Move them to another version, or take them down.",
            ),
        ),
    ],
    ids=["nobody looked", "none", "of another version", "only declared", "one", "many"],
)
def test_a_version_rests_once_nothing_that_can_be_seen_uses_it(
    found: Consumers | None, verdict: Verdict
) -> None:
    assert nothing_consumes(found, 1) == verdict


def test_consumers_are_listed_in_a_stable_order() -> None:
    assert consumers_of({1: (API, REPORT)}, 1) == (REPORT, API)
    assert consumers_of(None, 1) == ()
