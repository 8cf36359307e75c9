"""What is told of a record, on which object and how loud."""

from typing import Any

import pytest

from modelwarden.domain.announcements import Announcement, announcement
from modelwarden.domain.records import Actor, Operation
from modelwarden.domain.stages import Stage
from tests.domain.builders import MANAGER, OWNER, move, record

GATE: dict[str, Any] = {"gate": "metrics", "code": "MetricsNotMet", "sentence": "auc is 0.8."}
VOTE: dict[str, Any] = {
    "actor": Actor(username=OWNER.username),
    "rationale": "Fine.",
}
UP, OUT = (
    move(2, Stage.STAGING, Stage.PRODUCTION),
    move(1, Stage.PRODUCTION, Stage.RETIRING),
)


@pytest.mark.parametrize(
    ("operation", "changes", "told"),
    [
        (
            Operation.REQUESTED,
            {"actor": Actor(username=MANAGER.username), "facts": {"to": "Staging"}},
            ("ModelVersion", False, "Requested", "manager@example.com asked for Staging."),
        ),
        (
            Operation.REGISTERED,
            {},
            ("ModelVersion", False, "Registered", "Registered: the record and the file were read."),
        ),
        (
            Operation.GATE_FINISHED,
            {"facts": {**GATE, "outcome": "Failed"}},
            ("ModelVersion", True, "MetricsNotMet", "metrics Failed: auc is 0.8."),
        ),
        (
            Operation.GATE_FINISHED,
            {"facts": {**GATE, "outcome": "Passed", "code": "MetricsMet"}},
            ("ModelVersion", False, "MetricsMet", "metrics Passed: auc is 0.8."),
        ),
        (
            Operation.VOTED,
            {**VOTE, "facts": {"vote": "Approve"}},
            ("ModelTransition", False, "Voted", 'owner@example.com: Approve, "Fine."'),
        ),
        (
            Operation.VOTED,
            {**VOTE, "facts": {"vote": "Reject"}},
            ("ModelTransition", True, "Voted", 'owner@example.com: Reject, "Fine."'),
        ),
        (
            Operation.RETRACTED,
            {**VOTE, "facts": {"code": "Retracted"}},
            ("ModelTransition", False, "Retracted", "owner@example.com took a vote back."),
        ),
        (
            Operation.RETRACTED,
            {**VOTE, "facts": {"code": "Replaced"}},
            ("ModelTransition", False, "Retracted", "owner@example.com voted again."),
        ),
        (
            Operation.SUPERSEDED,
            {"facts": {"sentence": "owners changed."}},
            ("ModelTransition", False, "Superseded", "owners changed."),
        ),
        (
            Operation.ROLLOUT_BEGUN,
            {"facts": {"deployments": ["a", "b"]}},
            ("Model", False, "RolloutBegun", "Version 1 is being rolled out to a, b."),
        ),
        (
            Operation.ROLLOUT_FAILED,
            {"facts": {"sentence": "No progress."}},
            ("Model", True, "RolloutFailed", "Version 1: No progress."),
        ),
        (
            Operation.ROLLOUT_ABORTED,
            {"facts": {"sentence": "Taken back."}},
            ("Model", True, "RolloutAborted", "Version 1: Taken back."),
        ),
        (
            Operation.PROMOTED,
            {"moves": (UP, OUT)},
            ("Model", False, "Promoted", "2 is in Production; 1 is in Retiring (replaces 1)."),
        ),
        (
            Operation.PROMOTED,
            {"moves": (UP,)},
            ("Model", False, "Promoted", "2 is in Production."),
        ),
        (
            Operation.DEMOTED,
            {"moves": (move(2, Stage.STAGING, Stage.REGISTERED),), "rationale": "Wrong data."},
            ("Model", True, "Demoted", '2 went from Staging to Registered: "Wrong data."'),
        ),
        (
            Operation.WITHDRAWN,
            {"moves": (move(2, Stage.PRODUCTION, Stage.STAGING),), "rationale": "taken back: r"},
            ("Model", True, "Withdrawn", '2 went from Production to Staging: "taken back: r"'),
        ),
        (
            Operation.ROLLED_BACK,
            {
                "moves": (
                    move(1, Stage.ARCHIVED, Stage.PRODUCTION),
                    move(2, Stage.PRODUCTION, Stage.STAGING),
                ),
                "rationale": "It drifts.",
            },
            (
                "Model",
                True,
                "RolledBack",
                '1 is in Production again; 2 went from Production to Staging: "It drifts."',
            ),
        ),
        (
            Operation.ARCHIVED,
            {
                "moves": (move(1, Stage.STAGING, Stage.ARCHIVED),),
                "rationale": "Not needed.",
                "transition": "fraud-detector-1-archived-1",
            },
            ("Model", True, "Archived", '1 went from Staging to Archived: "Not needed."'),
        ),
        (
            Operation.ARCHIVED,
            {
                "moves": (move(1, Stage.RETIRING, Stage.ARCHIVED),),
                "rationale": "no consumer is left",
            },
            (
                "Model",
                False,
                "Archived",
                '1 went from Retiring to Archived: "no consumer is left"',
            ),
        ),
        (
            Operation.ROLLOUT_OBSERVED,
            {"facts": {"deployments": ["fraud-api"]}},
            ("Model", False, "RolloutObserved", "No pod runs version 1 any more."),
        ),
    ],
    ids=[
        "requested", "registered", "a gate failed", "a gate passed", "approved", "rejected",
        "retracted", "voted again", "superseded", "rollout begun", "rollout failed",
        "rollout aborted", "replaced", "promoted", "demoted", "withdrawn", "rolled back",
        "archived", "at rest", "observed",
    ],
)  # fmt: skip
def test_a_record_is_told_in_a_sentence(
    operation: Operation, changes: dict[str, Any], told: tuple[str, bool, str, str]
) -> None:
    assert announcement(record(operation, **changes)) == Announcement(*told)


@pytest.mark.parametrize("operation", [Operation.GENESIS, Operation.STARTED, Operation.ADOPTED])
def test_what_nobody_waits_for_is_not_told(operation: Operation) -> None:
    assert announcement(record(operation)) is None
