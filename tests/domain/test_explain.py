from datetime import UTC, datetime
from typing import Any

import pytest

from modelwarden.domain.attempts_told import Line, Mark, failed_gates
from modelwarden.domain.explain import (
    Explanation,
    State,
    Subject,
    explain,
    failed_registrations,
    versions_in_question,
    without_model,
)
from tests.domain.told_objects import a_gate, a_model, a_version, an_attempt, asked_for, held

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TWO_PEOPLE = {"owners": 1, "reviewers": 1, "exclude": ["Trainer"]}
PASSED = a_gate("quality", "Passed", "auc is 0.951, needs at least 0.90.")


def explained(
    model: dict[str, Any], *attempts: dict[str, Any], record: dict[str, Any] | None = None
) -> Explanation:
    shown = a_version() if record is None else record
    return explain(Subject(model=model, version=3, record=shown, attempts=attempts), now=NOW)


def test_a_failed_gate_is_told_with_all_others_and_the_attempt_is_closed() -> None:
    attempt = an_attempt(
        a_gate("champion", "Passed", "auc 0.951, Production has 0.943"),
        a_gate("fairness", "Failed", "ratio 0.74, needs 0.80"),
        succeeded=("False", "GateFailed", "fairness: ratio 0.74, needs 0.80"),
        approvals=TWO_PEOPLE,
    )
    model = a_model(
        held(
            "GateFailed",
            "fairness: ratio 0.74, needs 0.80",
            outcome="Deny",
            version=3,
            to="Production",
        ),
        **asked_for(production=3),
    )

    told = explained(model, attempt)

    assert told == Explanation(
        namespace="risk",
        model="fraud-detector",
        version=3,
        stage="Staging",
        state=State.REFUSED,
        headline=(
            "fraud-detector 3 is in Staging. manager@example.com asked for Production 2 hours ago: "
            '"Device features".'
        ),
        lines=(
            Line(Mark.PASSED, "champion", "auc 0.951, Production has 0.943"),
            Line(Mark.FAILED, "fairness", "ratio 0.74, needs 0.80"),
            Line(
                Mark.NOT_OPEN,
                "approvals",
                "one owner (owner@example.com) and one of group risk-reviewers, once the gates "
                "have passed",
            ),
        ),
        next_steps=(
            (
                "register a version that meets fairness, or mend what failed and have it tried "
                "again: kubectl model retry fraud-detector 3 -n risk --rationale ..."
            ),
        ),
    )


def test_everything_unmet_is_told_at_once() -> None:
    attempt = an_attempt(
        PASSED,
        a_gate("artifact", "Running", "Gate artifact is running."),
        approvals=TWO_PEOPLE,
        unmet=[
            held("GateRunning", "Gate artifact is running."),
            held("EvidenceNotReady", "Approvals open once the gates have passed."),
            held("QuorumImpossible", "Too few are left.", nextStep="Name more owners."),
            held("Soaking", "The version must stay in its stage until 2026-11-25 10:00Z."),
            held("DeploymentMissing", "Deployment fraud-api does not exist in risk."),
        ],
    )

    told = explained(a_model(**asked_for(production=3)), attempt)

    assert (told.state, told.lines, told.next_steps) == (
        State.WAITING,
        (
            Line(Mark.PASSED, "quality", "auc is 0.951, needs at least 0.90."),
            Line(Mark.RUNNING, "artifact", "Gate artifact is running."),
            Line(
                Mark.NOT_OPEN,
                "approvals",
                "one owner (owner@example.com) and one of group risk-reviewers, once the gates "
                "have passed",
            ),
            Line(Mark.WAITING, "QuorumImpossible", "Too few are left."),
            Line(
                Mark.WAITING,
                "Soaking",
                "The version must stay in its stage until 2026-11-25 10:00Z.",
            ),
            Line(Mark.WAITING, "DeploymentMissing", "Deployment fraud-api does not exist in risk."),
        ),
        ("Name more owners.",),
    )


def test_what_holds_back_a_wish_before_its_attempt_is_told_from_the_model() -> None:
    model = a_model(
        held(
            "NoPolicy", "No policy governs it.", version=3, to="Production", nextStep="Apply one."
        ),
        held("VersionNotFound", "Version 4 does not exist.", version=4, to="Staging"),
        **asked_for(production=3),
    )
    earlier = an_attempt(
        PASSED, to="Staging", part="stages.staging/3", request="r0", succeeded=("True", "", "")
    )

    told = explained(model, earlier)

    assert (told.headline, told.lines, told.next_steps) == (
        (
            "fraud-detector 3 is in Staging. manager@example.com asked for Production: "
            '"Device features".'
        ),
        (Line(Mark.WAITING, "NoPolicy", "No policy governs it."),),
        ("Apply one.",),
    )


def test_the_step_on_the_way_to_production_is_named() -> None:
    attempt = an_attempt(PASSED, to="Staging")

    told = explained(
        a_model(**asked_for(production=3)), attempt, record=a_version(stage="Registered")
    )

    assert told.headline == (
        "fraud-detector 3 is in Registered. manager@example.com asked for Production 2 hours ago: "
        '"Device features". The step to Staging:'
    )


def test_approvals_say_who_has_voted_who_is_missing_and_whose_vote_does_not_count() -> None:
    attempt = an_attempt(
        PASSED,
        approvals=TWO_PEOPLE,
        evidenceDigest="sha256:e",
        votes={
            "counted": [{"kind": "Approve", "by": "owner@example.com", "as": "Owner"}],
            "discarded": [
                {"by": "s@example.com", "reason": "TrainerExcluded", "message": "s trained it."},
                {"by": "owner@example.com", "reason": "Replaced", "message": "Voted again."},
            ],
        },
        unmet=[held("ApprovalsMissing", "Waiting for 1 of 1 reviewers.")],
    )

    told = explained(a_model(**asked_for(production=3)), attempt)

    assert (told.lines[1:], told.next_steps) == (
        (
            Line(
                Mark.WAITING,
                "approvals",
                "1 of 2: owner@example.com as owner; needs one of group risk-reviewers",
            ),
            Line(Mark.NOT_COUNTED, "vote", "s trained it. (TrainerExcluded)"),
        ),
        (
            (
                "whoever is missing looks at it and votes: kubectl model approve fraud-detector 3 "
                "--to production -n risk --rationale ..."
            ),
        ),
    )


def test_whoever_is_excluded_is_not_named_as_one_who_may_approve() -> None:
    attempt = an_attempt(PASSED, approvals=TWO_PEOPLE)
    attempt["spec"]["owners"].append({"kind": "User", "name": "scientist@example.com"})
    attempt["spec"]["excluded"] = [{"name": "scientist@example.com", "as": "Trainer"}]

    told = explained(a_model(**asked_for(production=3)), attempt)

    assert told.lines[1].text == (
        "one owner (owner@example.com) and one of group risk-reviewers, once the gates have passed"
    )


def test_a_rejection_is_told_once() -> None:
    sentence = 'reviewer@example.com rejected it: "Too old."'
    attempt = an_attempt(PASSED, succeeded=("False", "Rejected", sentence))
    model = a_model(
        held("Rejected", sentence, outcome="Deny", version=3, to="Production"),
        **asked_for(production=3),
    )

    told = explained(model, attempt)

    assert (told.state, told.lines[1:]) == (
        State.REFUSED,
        (Line(Mark.FAILED, "Rejected", sentence),),
    )


@pytest.mark.parametrize(
    ("status", "message", "line"),
    [
        ("Unknown", "They are.", Line(Mark.RUNNING, "rollout", "1 of 2 updated.")),
        ("True", "Every Deployment serves it.", Line(Mark.PASSED, "rollout", "1 of 2 updated.")),
        ("False", "Too slow.", Line(Mark.FAILED, "rollout", "1 of 2 updated.")),
    ],
)
def test_a_rollout_is_told_with_what_its_deployments_still_lack(
    status: str, message: str, line: Line
) -> None:
    rolled = {"type": "RolledOut", "status": status, "reason": "R", "message": message}
    attempt = an_attempt(PASSED, conditions=[rolled], unmet=[held("RollingOut", "1 of 2 updated.")])

    assert explained(a_model(**asked_for(production=3)), attempt).lines[1] == line


def test_an_inconclusive_gate_waits_while_it_is_tried_again_and_has_failed_when_it_is_not() -> None:
    gate = a_gate("artifact", "Inconclusive", "The store did not answer.")
    again = held("GateRunning", "Gate artifact is running. The last try was inconclusive.")
    ended = ("False", "GateFailed", "artifact: The store did not answer.")

    lines = [
        explained(a_model(**asked_for(production=3)), attempt).lines[0]
        for attempt in (an_attempt(gate, unmet=[again]), an_attempt(gate, succeeded=ended))
    ]

    assert lines == [
        Line(Mark.WAITING, "artifact", "Gate artifact is running. The last try was inconclusive."),
        Line(Mark.FAILED, "artifact", "The store did not answer."),
    ]


def test_a_version_that_is_where_it_should_be_is_told_with_what_led_there() -> None:
    attempt = an_attempt(PASSED, succeeded=("True", "Succeeded", "In Production."))
    model = a_model(**asked_for(production=3))

    told = explained(model, attempt, record=a_version(stage="Production"))

    assert (told.state, told.headline, told.next_steps) == (
        State.SETTLED,
        (
            "fraud-detector 3 is in Production. manager@example.com asked for Production 2 hours "
            'ago: "Device features".'
        ),
        (),
    )


def test_a_version_whose_number_was_taken_is_not_registered() -> None:
    record = a_version(ready="False")
    record["status"]["conditions"][0] |= {"reason": "NumberTaken", "message": "It is taken."}

    told = explained(a_model(), record=record)

    assert (told.state, told.headline, told.lines) == (
        State.REFUSED,
        "fraud-detector 3 is not registered.",
        (Line(Mark.FAILED, "NumberTaken", "It is taken."),),
    )


def test_a_registration_that_failed_leads_to_the_next_version() -> None:
    sound = a_gate("artifact", "Failed", "Not a valid ONNX file.")
    ended = ("False", "GateFailed", "artifact: Not a valid ONNX file.")
    attempt = an_attempt(sound, to="Registered", succeeded=ended)
    record = a_version(stage="Registered", ready="False")

    told = explained(a_model(), attempt, record=record)

    assert (told.state, told.headline, told.next_steps) == (
        State.REFUSED,
        (
            "fraud-detector 3 is Registered, but invalid: its registration failed. "
            "manager@example.com registered it 2 hours ago."
        ),
        (
            (
                "register a version that meets artifact, or mend what failed and have it tried "
                "again: kubectl model retry fraud-detector 3 -n risk --rationale ..."
            ),
        ),
    )


@pytest.mark.parametrize(
    ("code", "sentence", "advice"),
    [
        (
            "RegistrationFailed",
            "The registration of version 3 failed: artifact: It is no ONNX file.",
            "Register the next version.",
        ),
        ("NoPolicy", "No policy governs it.", "Apply one."),
        ("PolicyAmbiguous", "Two are marked as default.", "Mark one."),
    ],
)
def test_what_model_and_version_both_say_is_told_once(
    code: str, sentence: str, advice: str
) -> None:
    told_by_model = held(code, sentence, outcome="Deny", version=3, to="Staging", nextStep=advice)
    record = a_version(stage="Registered", ready="False")
    said = {"reason": code, "message": f"{sentence.rpartition('failed: ')[2]} {advice}"}
    record["status"]["conditions"][0] |= said

    told = explained(a_model(told_by_model, **asked_for(staging=3)), record=record)

    assert (told.lines, told.next_steps) == ((Line(Mark.FAILED, code, sentence),), (advice,))


def test_what_a_gate_has_said_is_not_told_again_in_a_longer_sentence() -> None:
    gate = a_gate("artifact", "Failed", "It is no ONNX file.")
    sentence = "The registration of version 3 failed: artifact: It is no ONNX file."
    ended = ("False", "GateFailed", "artifact: It is no ONNX file.")
    attempt = an_attempt(gate, to="Registered", request="r0", succeeded=ended)
    model = a_model(held("RegistrationFailed", sentence, outcome="Deny", version=3, to="Staging"))

    told = explained(model, attempt, record=a_version(stage="Registered", ready="False"))

    assert told.lines == (Line(Mark.FAILED, "artifact", "It is no ONNX file."),)


def test_a_version_that_is_to_be_replaced_tells_what_brought_it_into_production() -> None:
    model = a_model()
    model["spec"]["stages"] = {
        "production": {"version": 8, "reason": "Better"},
        "staging": [{"version": 3, "reason": "Candidate"}],
    }
    attempts = (
        an_attempt(PASSED, succeeded=("True", "Succeeded", "In Production.")),
        an_attempt(
            PASSED, number=2, succeeded=("False", "TakenBack", "Nothing asks for it any more.")
        ),
    )

    told = explained(model, *attempts, record=a_version(stage="Production"))

    assert (told.state, told.headline, told.lines) == (
        State.SETTLED,
        (
            "fraud-detector 3 is in Production. manager@example.com asked for Production 2 hours "
            'ago: "Device features".'
        ),
        (Line(Mark.PASSED, "quality", "auc is 0.951, needs at least 0.90."),),
    )


def test_an_attempt_taken_back_after_its_gates_passed_does_not_say_that_approvals_will_open() -> (
    None
):
    attempt = an_attempt(
        PASSED, approvals=TWO_PEOPLE, succeeded=("False", "TakenBack", "Nothing asks for it.")
    )

    told = explained(a_model(), attempt)

    assert told.lines[1:] == (
        Line(Mark.NOT_OPEN, "approvals", "0 of 2 when the attempt ended"),
        Line(Mark.FAILED, "TakenBack", "Nothing asks for it."),
    )


@pytest.mark.parametrize(
    ("ready", "reason", "message", "own"),
    [
        ("True", "Registered", "It is.", ()),
        ("Unknown", "ModelNotFound", "Model fraud-detector does not exist in risk. Apply it.", ()),
        (
            "False",
            "RegistrationFailed",
            "It is no ONNX file.",
            (Line(Mark.FAILED, "RegistrationFailed", "It is no ONNX file."),),
        ),
    ],
)
def test_a_version_without_its_model_tells_that_and_its_own_condition(
    ready: str, reason: str, message: str, own: tuple[Line, ...]
) -> None:
    record = a_version(stage="Registered", ready=ready)
    record["metadata"]["namespace"] = "risk"
    record["status"]["conditions"][0] |= {"reason": reason, "message": message}

    told = explain(without_model(record), now=NOW)

    assert (told.lines, told.next_steps) == (
        (
            Line(Mark.WAITING, "ModelNotFound", "Model fraud-detector does not exist in risk."),
            *own,
        ),
        ("Apply the Model; the version waits for it.",),
    )


def test_what_the_operator_has_not_seen_is_said_to_be_unseen() -> None:
    model = a_model(**asked_for(production=3))
    model["metadata"]["generation"] = 2
    record = a_version()
    record["status"] = {"observedGeneration": -1}

    told = explained(model, record=record)

    assert (told.state, told.headline, [line.subject for line in told.lines]) == (
        State.WAITING,
        (
            "fraud-detector 3 is being registered. manager@example.com asked for Production: "
            '"Device features".'
        ),
        ["NotSeenYet", "NotSeenYet"],
    )


def test_a_version_that_does_not_exist_is_told_from_the_wish() -> None:
    model = a_model(
        held("VersionNotFound", "Version 3 does not exist.", version=3, to="Staging"),
        **asked_for(staging=3),
    )

    told = explain(Subject(model=model, version=3, record=None, attempts=()), now=NOW)

    assert (told.state, told.headline) == (
        State.REFUSED,
        (
            "fraud-detector 3 does not exist. manager@example.com asked for Staging: "
            '"Device features".'
        ),
    )


def test_an_explanation_is_written_as_json() -> None:
    told = explained(a_model(), record=a_version(stage="Registered"))

    assert told.to_json() == {
        "namespace": "risk",
        "model": "fraud-detector",
        "version": 3,
        "stage": "Registered",
        "state": "Settled",
        "headline": "fraud-detector 3 is in Registered.",
        "lines": [],
        "next": [
            (
                "ask for Staging: kubectl model promote fraud-detector 3 --to staging -n risk "
                "--reason ..."
            )
        ],
    }


def test_a_gate_that_ran_early_says_for_which_stage_and_holds_nothing_back() -> None:
    early = {"step": "Production", "code": "GroupsTreatedUnequally", "message": "ratio 0.74."}
    registration = an_attempt(
        a_gate("artifact", "Passed", "It is sound."),
        {"name": "fairness", "outcome": "Failed", **early},
        {"name": "latency", "outcome": "Running", "step": "Production"},
        to="Registered",
        succeeded=("True", "Succeeded", ""),
    )

    told = explained(a_model(), registration, record=a_version(stage="Registered"))

    assert told.lines == (
        Line(Mark.PASSED, "artifact", "It is sound."),
        Line(Mark.FAILED, "fairness", "ratio 0.74. (For Production.)"),
        Line(Mark.NOTE, "latency", "(For Production.)"),
    )
    assert (told.state, failed_gates(registration)) == (State.SETTLED, ())


def test_registrations_that_failed_are_listed_in_order() -> None:
    versions = [a_version(9, ready="False"), a_version(4, ready="False"), a_version(5)]

    assert failed_registrations(versions) == (4, 9)


def test_versions_in_question_are_those_held_back_or_under_way() -> None:
    model = a_model(held("NoPolicy", "None.", version=7, to="Staging"))
    ended = an_attempt(PASSED, succeeded=("True", "Succeeded", ""))
    ended["spec"]["version"] = 5

    assert versions_in_question(model, [an_attempt(PASSED), ended]) == (3, 7)


@pytest.mark.parametrize(
    ("kind", "to", "said"),
    [
        ("Rollback", "Production", "asked to roll back to it"),
        ("Withdraw", "Staging", "asked to take it out of Production"),
        ("Demote", "Registered", "asked to take it back to Registered"),
        ("Archive", "Archived", "asked to archive it"),
    ],
)
def test_a_move_down_or_back_is_told_by_its_name(kind: str, to: str, said: str) -> None:
    gates = (PASSED,) if kind == "Rollback" else ()
    unmet = [held("RightNotReviewed", "It is not known yet.")]

    told = explained(a_model(), an_attempt(*gates, kind=kind, to=to, unmet=unmet))

    assert (told.headline, told.lines[len(gates) :]) == (
        (
            f"fraud-detector 3 is in Staging. manager@example.com {said} 2 hours ago: "
            '"Device features".'
        ),
        (Line(Mark.WAITING, "RightNotReviewed", "It is not known yet."),),
    )


def test_a_version_at_rest_says_since_when_and_why() -> None:
    record = a_version(stage="Archived")
    record["status"]["history"] = [
        {"time": "2026-11-24T09:00:00Z", "to": "Retiring"},
        {"time": "2026-11-24T10:00:00Z", "to": "Archived", "reason": "no consumer is left"},
    ]
    promotion = an_attempt(PASSED, succeeded=("True", "Succeeded", ""))

    told = explained(a_model(), promotion, record=record)

    assert (told.headline, told.lines, told.state) == (
        'fraud-detector 3 is Archived. It went there 2 hours ago: "no consumer is left".',
        (),
        State.SETTLED,
    )


def test_the_staging_entry_of_a_version_that_left_production_asks_nothing_more() -> None:
    record = a_version(stage="Retiring")
    staged = an_attempt(PASSED, to="Staging", succeeded=("True", "Succeeded", ""))

    told = explained(a_model(**asked_for(staging=3)), staged, record=record)

    assert told.headline == "fraud-detector 3 is Retiring."


@pytest.mark.parametrize(
    ("of", "headline"),
    [
        (
            ["stages.production/3"],
            (
                "fraud-detector 3 is in Production. manager@example.com asked for Staging: "
                '"taken back".'
            ),
        ),
        (
            ["stages.production/3", "stages.staging/3"],
            (
                "fraud-detector 3 is in Production. manager@example.com asked for Staging: "
                '"Device features".'
            ),
        ),
        (["stages.production/4"], "fraud-detector 3 is in Production."),
    ],
    ids=["its line was removed", "and its staging entry changed", "another one's was removed"],
)
def test_what_takes_a_version_out_of_production_is_told(of: list[str], headline: str) -> None:
    model = a_model(**asked_for(staging=3))
    model["spec"]["authors"][0]["of"] = of

    told = explained(model, record=a_version(stage="Production"))

    assert told.headline == headline
