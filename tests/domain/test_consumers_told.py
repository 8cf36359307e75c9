"""Who uses a version, as its status tells."""

from dataclasses import replace

import pytest

from modelwarden.domain.conditions import Condition, is_false, is_true
from modelwarden.domain.consumers import Consumer, Consumers, How
from modelwarden.domain.consumers_told import (
    consumed_after_archive,
    consumers_told,
    in_use,
)
from modelwarden.domain.facts import Snapshot
from modelwarden.domain.stages import Stage
from tests.domain.builders import carrying, interval, snapshot, state

LEDGER = state({1: Stage.RETIRING, 2: Stage.PRODUCTION}, intervals=(interval(2),))
NIGHTLY = Consumer("CronJob", "batch", "nightly", How.ANNOTATION, "@production")
API = Consumer("Deployment", "risk", "fraud-api", How.LABEL, ready=1)
POD = Consumer("Pod", "risk", "fraud-api-1-abc", How.LABEL, ready=1)
REPORT = Consumer("Report", "risk", "Weekly report", How.DECLARED, "bi@example.com")


def seen(consumers: Consumers | None = None) -> Snapshot:
    deployments = {"fraud-api": carrying(2, ready=2)}
    return replace(snapshot(deployments=deployments), consumers=consumers)


def test_the_deployments_of_the_model_are_told_as_the_ledger_has_them() -> None:
    found = seen({1: (API, POD), 2: (NIGHTLY, REPORT)})

    told = [consumers_told(number, found, state=LEDGER) for number in (1, 2)]

    assert told == [
        {
            "consumers": [{"kind": "Pod", "name": "fraud-api-1-abc", "how": "Label", "ready": 1}],
            "consumersFound": 1,
        },
        {
            "consumers": [
                {"kind": "Deployment", "name": "fraud-api", "how": "Label", "ready": 2},
                {
                    "kind": "CronJob",
                    "name": "nightly",
                    "namespace": "batch",
                    "how": "Annotation",
                    "detail": "@production",
                },
                {
                    "kind": "Report",
                    "name": "Weekly report",
                    "how": "Declared",
                    "detail": "bi@example.com",
                },
            ],
            "consumersFound": 3,
        },
    ]


def test_the_list_has_an_end_and_the_count_has_none() -> None:
    many = tuple(Consumer("Pod", "risk", f"p{number}", How.LABEL) for number in range(60))

    told = consumers_told(1, seen({1: many}), state=LEDGER)

    assert (len(told["consumers"]), told["consumersFound"]) == (50, 60)


def test_nothing_is_told_of_a_version_that_nothing_uses() -> None:
    assert consumers_told(1, seen({}), state=LEDGER) == {}


IN_USE = {
    "its own Deployment": (2, None, is_true("InUse", "Served", "Served by deploy/fraud-api.")),
    "others beside it": (
        2,
        {2: (NIGHTLY, REPORT)},
        is_true(
            "InUse",
            "Served",
            "Served by deploy/fraud-api. Used by CronJob nightly in batch. "
            "Declared to be used by Report Weekly report.",
        ),
    ),
    "others": (1, {1: (POD,)}, is_true("InUse", "Used", "Used by Pod fraud-api-1-abc in risk.")),
    "only what is declared": (
        1,
        {1: (REPORT,)},
        is_true("InUse", "Declared", "Declared to be used by Report Weekly report."),
    ),
    "nothing": (1, {}, is_false("InUse", "NotUsed", "Nothing was found to use it.")),
    "nobody looked": (1, None, is_false("InUse", "NotUsed", "Nothing was found to use it.")),
}


@pytest.mark.parametrize(("number", "consumers", "condition"), IN_USE.values(), ids=IN_USE)
def test_a_version_is_in_use(
    *, number: int, consumers: Consumers | None, condition: Condition
) -> None:
    assert in_use(number, seen(consumers), state=LEDGER) == condition


def test_a_version_that_is_used_after_it_was_archived_says_so() -> None:
    after = state({1: Stage.ARCHIVED})

    assert consumed_after_archive(1, seen({1: (NIGHTLY, REPORT)}), state=after) == (
        is_true(
            "ConsumedAfterArchive",
            "ConsumedAfterArchive",
            "The version is archived, and CronJob nightly in batch would use it. "
            "Let them use another one.",
        ),
    )


@pytest.mark.parametrize("consumers", [None, {}, {1: (REPORT,)}], ids=["?", "nothing", "declared"])
def test_an_archived_version_that_nothing_is_seen_to_use_says_nothing(
    consumers: Consumers | None,
) -> None:
    assert consumed_after_archive(1, seen(consumers), state=state({1: Stage.ARCHIVED})) == ()
