from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from modelwarden.domain.history import history
from modelwarden.domain.point_in_time import Answer, Approval, serving_at
from modelwarden.domain.records import Actor, Operation, Record, StageMove
from modelwarden.domain.scribe import moment
from modelwarden.domain.stages import Stage
from modelwarden.domain.state import Certainty, ModelKey

FRAUD = ModelKey("risk", "fraud-detector")
OPERATOR = Actor(username="operator")
SPEC = "sha256:" + "1" * 64
# Until when the records of these tests reach.
END = moment("2026-11-24T20:00:00Z")


def at(clock: str) -> str:
    return f"2026-11-24T{clock}:00Z"


def placed(records: Iterable[Record]) -> tuple[Record, ...]:
    return tuple(record.at(index) for index, record in enumerate(records))


def a_record(operation: Operation, clock: str, version: int | None = None, **fields: Any) -> Record:
    return Record(
        operation=operation,
        time=at(clock),
        transaction=f"{operation}-{clock}",
        actor=fields.pop("actor", OPERATOR),
        namespace=FRAUD.namespace,
        model=FRAUD.name,
        version=version,
        **fields,
    )


def of_the_ledger(operation: Operation, clock: str, **facts: Any) -> Record:
    record = a_record(operation, clock, facts=facts)
    return replace(record, namespace="", model="")


def begun(clock: str = "08:00") -> tuple[Record, ...]:
    return (
        of_the_ledger(Operation.GENESIS, clock, origin="o-1", key="k-1"),
        of_the_ledger(Operation.STARTED, clock),
    )


def requested(version: int, to: Stage, clock: str, **fields: Any) -> Record:
    kind = "Register" if to is Stage.REGISTERED else "Promote"
    return a_record(
        Operation.REQUESTED,
        clock,
        version,
        transition=f"fraud-detector-{version}-{to.lower()}-1",
        actor=Actor(username="manager@example.com"),
        rationale=fields.pop("rationale", f"release {version}"),
        subject=f"sha256:{version}",
        evidence={"version": SPEC, "transition": "sha256:t"},
        uids={"transition": f"t-{version}", "version": f"v-{version}"},
        facts={
            "kind": kind,
            "from": "" if kind == "Register" else "Staging",
            "to": to.value,
            "number": 1,
            "requestId": f"r-{version}",
            "gates": [],
            "artifact": {"uri": f"s3://models/risk/{version}/", "digest": f"sha256:{version}"},
            "label": f"gbm-{version}",
        },
    )


def voted(version: int, clock: str, by: str, role: str) -> Record:
    return a_record(
        Operation.VOTED,
        clock,
        version,
        transition=f"fraud-detector-{version}-production-1",
        actor=Actor(username=by),
        rationale=f"fine for {role}",
        uids={"decision": f"d-{by}"},
        facts={"decision": f"d-{by}", "vote": "Approve", "person": by, "roles": [role]},
    )


def approvals(*votes: Record) -> list[dict[str, Any]]:
    return [
        {
            "decision": vote.facts["decision"],
            "by": vote.actor.username,
            "as": vote.facts["roles"],
            "index": vote.index,
        }
        for vote in votes
    ]


def rollout_begun(version: int, clock: str, **facts: Any) -> Record:
    return a_record(
        Operation.ROLLOUT_BEGUN,
        clock,
        version,
        transition=f"fraud-detector-{version}-production-1",
        facts={
            "deployments": ["fraud-api"],
            "approvals": [],
            "evidenceDigest": "sha256:e",
            **facts,
        },
    )


def rollout_failed(version: int, clock: str, **facts: Any) -> Record:
    return a_record(
        Operation.ROLLOUT_FAILED,
        clock,
        version,
        transition=f"fraud-detector-{version}-production-1",
        facts={"code": "RolloutTimedOut", "sentence": "Too slow.", **facts},
    )


def put_back(version: int, clock: str) -> Record:
    return a_record(
        Operation.ROLLOUT_OBSERVED,
        clock,
        version,
        facts={"attempt": f"fraud-detector-{version}-production-1", "deployments": ["fraud-api"]},
    )


def promoted(version: int, clock: str, *, over: int | None = None, **facts: Any) -> Record:
    moves = [StageMove(version=version, source=Stage.STAGING, target=Stage.PRODUCTION)]
    if over is not None:
        moves += [StageMove(version=over, source=Stage.PRODUCTION, target=Stage.RETIRING)]
    return a_record(
        Operation.PROMOTED,
        clock,
        version,
        transition=f"fraud-detector-{version}-production-1",
        rationale=f"release {version}",
        moves=tuple(moves),
        facts={
            "approvals": [],
            "gates": {"quality": "sha256:q"},
            "evidenceDigest": "sha256:e",
            **facts,
        },
    )


def two_versions() -> tuple[Record, ...]:
    """One in Production from 10:05, and two from 12:05, each after a rollout of five minutes."""
    return placed(
        (
            *begun(),
            requested(1, Stage.REGISTERED, "09:00"),
            requested(1, Stage.PRODUCTION, "09:30"),
            rollout_begun(1, "10:00"),
            promoted(1, "10:05", certainty="Exact", rolloutBegun=at("10:00")),
            requested(2, Stage.REGISTERED, "11:00"),
            requested(2, Stage.PRODUCTION, "11:30"),
            rollout_begun(2, "12:00"),
            promoted(2, "12:05", over=1, certainty="Exact", rolloutBegun=at("12:00")),
        )
    )


def asked(records: tuple[Record, ...], clock: str, *, until: datetime = END) -> Answer:
    return serving_at(records, FRAUD, at=moment(at(clock)), until=until)


@pytest.mark.parametrize(
    ("clock", "certainty", "code", "versions"),
    [
        ("08:30", Certainty.UNKNOWN, "BeforeTheFirstRecord", []),
        ("09:15", Certainty.EXACT, "NothingInProduction", []),
        ("10:00", Certainty.ROLLOUT_WINDOW, "RolloutWindow", [1]),
        ("10:04", Certainty.ROLLOUT_WINDOW, "RolloutWindow", [1]),
        ("10:05", Certainty.EXACT, "Served", [1]),
        ("11:59", Certainty.EXACT, "Served", [1]),
        ("12:00", Certainty.ROLLOUT_WINDOW, "RolloutWindow", [1, 2]),
        ("12:05", Certainty.EXACT, "Served", [2]),
        ("19:59", Certainty.EXACT, "Served", [2]),
        ("20:01", Certainty.UNKNOWN, "AfterTheLastRecord", []),
    ],
)
def test_every_moment_has_its_version_and_its_certainty(
    clock: str, certainty: Certainty, code: str, versions: list[int]
) -> None:
    answer = asked(two_versions(), clock)

    assert (answer.certainty, answer.code, [served.version for served in answer.served]) == (
        certainty,
        code,
        versions,
    )


def test_a_model_without_records_is_unknown_with_the_reason() -> None:
    answer = serving_at(
        two_versions(), ModelKey("risk", "churn"), at=moment(at("10:30")), until=END
    )

    assert (answer.certainty, answer.sentence) == (
        Certainty.UNKNOWN,
        "The ledger has no record of risk/churn.",
    )


def test_before_the_first_record_the_answer_names_that_record() -> None:
    assert asked(two_versions(), "08:30").sentence == (
        "The ledger's first record of risk/fraud-detector is number 2 of 2026-11-24T09:00:00Z."
    )


def test_within_a_rollout_both_versions_are_told_with_its_span() -> None:
    assert asked(two_versions(), "12:03").sentence == (
        "Version 2 was rolled out over version 1 from 2026-11-24T12:00:00Z to "
        "2026-11-24T12:05:00Z: both may have answered."
    )


def test_within_a_rollout_each_version_has_the_span_of_what_it_was_in() -> None:
    old, new = asked(two_versions(), "12:03").served

    assert (
        (old.since, old.until, old.is_rolling_out),
        (new.since, new.until, new.is_rolling_out),
    ) == (
        (at("10:05"), at("12:05"), False),
        (at("12:00"), at("12:05"), True),
    )


def test_a_rollout_that_has_not_ended_is_a_window_without_an_end() -> None:
    answer = asked(two_versions()[:-1], "13:00")

    sentence = (
        "Version 2 was rolled out over version 1 from 2026-11-24T12:00:00Z on: both may have "
        "answered."
    )
    assert (answer.certainty, [s.version for s in answer.served], answer.sentence) == (
        Certainty.ROLLOUT_WINDOW,
        [1, 2],
        sentence,
    )


def test_a_rollout_that_failed_was_a_window_and_the_old_version_serves_after_it() -> None:
    records = placed((*two_versions()[:-1], rollout_failed(2, "12:20")))

    answers = [asked(records, clock) for clock in ("12:10", "12:30")]

    assert [(a.certainty, [s.version for s in a.served]) for a in answers] == [
        (Certainty.ROLLOUT_WINDOW, [1, 2]),
        (Certainty.EXACT, [1]),
    ]


def answers_of(*more: Record) -> list[tuple[str, Certainty, list[int]]]:
    records = placed((*two_versions()[:-1], rollout_failed(2, "12:20", putBack=True), *more))
    clocks = ("12:10", "12:25", "12:40", "19:00")
    answers = [(clock, asked(records, clock)) for clock in clocks]
    return [(clock, a.certainty, [s.version for s in a.served]) for clock, a in answers]


def test_after_a_failed_rollout_both_may_answer_until_the_last_pod_is_gone() -> None:
    assert answers_of(put_back(2, "12:30")) == [
        ("12:10", Certainty.ROLLOUT_WINDOW, [1, 2]),
        ("12:25", Certainty.ROLLOUT_WINDOW, [1, 2]),
        ("12:40", Certainty.EXACT, [1]),
        ("19:00", Certainty.EXACT, [1]),
    ]


def test_until_somebody_has_seen_that_it_is_gone_it_may_answer() -> None:
    assert answers_of()[-1] == ("19:00", Certainty.ROLLOUT_WINDOW, [1, 2])


def test_the_next_version_that_serves_alone_ends_what_was_being_put_back() -> None:
    third = (
        requested(3, Stage.REGISTERED, "12:21"),
        requested(3, Stage.PRODUCTION, "12:22"),
        rollout_begun(3, "12:23"),
        promoted(3, "12:30", over=1, certainty="Exact", rolloutBegun=at("12:23")),
    )

    assert answers_of(*third) == [
        ("12:10", Certainty.ROLLOUT_WINDOW, [1, 2]),
        ("12:25", Certainty.ROLLOUT_WINDOW, [1, 2, 3]),
        ("12:40", Certainty.EXACT, [3]),
        ("19:00", Certainty.EXACT, [3]),
    ]


def withdrawn() -> tuple[Record, ...]:
    """Version 2 was withdrawn at 13:00; its last pod was seen to be gone at 13:20."""
    return placed(
        (
            *two_versions(),
            a_record(
                Operation.WITHDRAWN,
                "13:00",
                2,
                moves=(StageMove(version=2, source=Stage.PRODUCTION, target=Stage.STAGING),),
                facts={"stillServedBy": ["fraud-api"]},
            ),
            a_record(Operation.ROLLOUT_OBSERVED, "13:20", 2, facts={"deployments": ["fraud-api"]}),
        )
    )


@pytest.mark.parametrize(
    ("clock", "certainty", "code", "versions"),
    [
        ("12:59", Certainty.EXACT, "Served", [2]),
        ("13:00", Certainty.ROLLOUT_WINDOW, "StillServing", [2]),
        ("13:19", Certainty.ROLLOUT_WINDOW, "StillServing", [2]),
        ("13:20", Certainty.EXACT, "NothingInProduction", []),
    ],
)
def test_a_withdrawn_version_may_answer_until_its_last_pod_is_gone(
    clock: str, certainty: Certainty, code: str, versions: list[int]
) -> None:
    answer = asked(withdrawn(), clock)

    assert (answer.certainty, answer.code, [served.version for served in answer.served]) == (
        certainty,
        code,
        versions,
    )


def test_as_long_as_pods_are_left_the_answer_says_where() -> None:
    answer = asked(withdrawn()[:-1], "15:00")

    assert answer.sentence == (
        "Version 2 was withdrawn at 2026-11-24T13:00:00Z, but pods of deploy/fraud-api were left "
        "and still are: it may have answered."
    )


def test_a_version_without_a_watched_deployment_is_declared() -> None:
    records = placed(
        (
            *begun(),
            requested(1, Stage.REGISTERED, "09:00"),
            requested(1, Stage.PRODUCTION, "09:30"),
            promoted(1, "10:00", certainty="Declared", rolloutBegun=""),
        )
    )

    answer = asked(records, "11:00")

    assert (answer.certainty, answer.code, [s.version for s in answer.served]) == (
        Certainty.DECLARED,
        "Declared",
        [1],
    )


def test_while_nobody_watched_the_answer_is_unknown_and_says_what_the_records_show() -> None:
    records = placed((*two_versions(), of_the_ledger(Operation.STARTED, "15:00")))

    answer = asked(records, "13:00")

    sentence = (
        "The operator was last heard of at 2026-11-24T12:05:00Z and started again at "
        "2026-11-24T15:00:00Z: between, nobody watched. In Production by the records: 2."
    )
    assert (answer.certainty, answer.code, [s.version for s in answer.served], answer.sentence) == (
        Certainty.UNKNOWN,
        "NobodyWatched",
        [2],
        sentence,
    )


def test_a_quiet_time_is_no_gap_where_the_lease_says_that_somebody_watched() -> None:
    started = of_the_ledger(Operation.STARTED, "15:00", watchedUntil="2026-11-24T14:59:00Z")
    records = placed((*two_versions(), started))

    certainties = [asked(records, clock).certainty for clock in ("13:00", "14:59:30")]

    assert certainties == [Certainty.EXACT, Certainty.UNKNOWN]


@pytest.mark.parametrize("clock", ["12:05", "15:00", "15:01"])
def test_the_ends_of_a_gap_are_not_in_it(clock: str) -> None:
    records = placed((*two_versions(), of_the_ledger(Operation.STARTED, "15:00")))

    assert asked(records, clock).certainty is Certainty.EXACT


def test_the_answer_says_what_it_was_who_approved_it_and_which_records_say_so() -> None:
    votes = (
        voted(1, "09:40", "owner@example.com", "Owner"),
        voted(1, "09:50", "reviewer@example.com", "Reviewer"),
    )
    before = placed(
        (
            *begun(),
            requested(1, Stage.REGISTERED, "09:00", rationale="gbm-1"),
            requested(1, Stage.PRODUCTION, "09:30"),
            *votes,
        )
    )
    approved = approvals(*before[-2:])
    records = placed((*before, promoted(1, "10:00", certainty="Declared", approvals=approved)))

    (served,) = asked(records, "11:00").served

    assert (
        served.artifact_digest,
        served.registered_by,
        served.requested_by,
        served.reason,
        served.approvals,
        dict(served.gates),
        served.evidence["version"],
        served.indices,
    ) == (
        "sha256:1",
        "manager@example.com",
        "manager@example.com",
        "release 1",
        (
            Approval(
                by="owner@example.com",
                roles=("Owner",),
                rationale="fine for Owner",
                time=at("09:40"),
                index=4,
            ),
            Approval(
                by="reviewer@example.com",
                roles=("Reviewer",),
                rationale="fine for Reviewer",
                time=at("09:50"),
                index=5,
            ),
        ),
        {"quality": "sha256:q"},
        SPEC,
        (3, 4, 5, 6),
    )


def test_an_answer_is_written_as_json() -> None:
    told = asked(two_versions(), "10:30").to_json()

    assert told == {
        "namespace": "risk",
        "model": "fraud-detector",
        "at": "2026-11-24T10:30:00.000Z",
        "certainty": "Exact",
        "code": "Served",
        "sentence": "Version 1 served: its rollout had ended, and no other ran.",
        "served": [
            {
                "version": 1,
                "label": "gbm-1",
                "artifact": {"uri": "s3://models/risk/1/", "digest": "sha256:1"},
                "subjectDigest": "sha256:1",
                "registeredBy": "manager@example.com",
                "requestedBy": "manager@example.com",
                "reason": "release 1",
                "from": at("10:05"),
                "to": at("12:05"),
                "rollingOut": False,
                "approvals": [],
                "gates": {"quality": "sha256:q"},
                "evidence": {"version": SPEC, "transition": "sha256:t"},
                "records": [3, 4, 5],
            }
        ],
    }


def test_the_history_of_a_model_is_its_records_as_sentences() -> None:
    told = history(two_versions(), FRAUD)

    assert [(one.index, one.sentence) for one in told] == [
        (2, "registered by manager@example.com"),
        (3, 'Production asked for by manager@example.com: "release 1"'),
        (4, "rollout begun on deploy/fraud-api"),
        (5, '1 from Staging to Production: "release 1"'),
        (6, "registered by manager@example.com"),
        (7, 'Production asked for by manager@example.com: "release 2"'),
        (8, "rollout begun on deploy/fraud-api"),
        (9, '2 from Staging to Production; 1 from Production to Retiring: "release 2"'),
    ]
