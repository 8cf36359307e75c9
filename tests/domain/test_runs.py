"""What happened to a gate's run, and what that means for the gate: a table of every cause."""

import json
from dataclasses import replace

import pytest

from modelwarden.domain.facts import RunFacts, RunState
from modelwarden.domain.gate_results import GateResult, is_code
from modelwarden.domain.installation import GateLimits
from modelwarden.domain.run_causes import CAUSES, OTHER, advice_on
from modelwarden.domain.runs import given_up, rests_until, run_result
from modelwarden.domain.state import GateOutcome
from tests.domain.builders import DIGEST, NOW, at, gate, gate_state

FAILED, INCONCLUSIVE = GateOutcome.FAILED, GateOutcome.INCONCLUSIVE

MEANT = [
    ("ErrImagePull", INCONCLUSIVE, "ImageNotPulled"),
    ("ImagePullBackOff", INCONCLUSIVE, "ImageNotPulled"),
    ("ErrImageNeverPull", INCONCLUSIVE, "ImageNotPulled"),
    ("InvalidImageName", FAILED, "ImageNameInvalid"),
    ("Unschedulable", INCONCLUSIVE, "Unschedulable"),
    ("Evicted", INCONCLUSIVE, "Evicted"),
    ("NodeLost", INCONCLUSIVE, "NodeLost"),
    ("DeletionByTaintManager", INCONCLUSIVE, "NodeLost"),
    ("ContainerStatusUnknown", INCONCLUSIVE, "NodeLost"),
    ("Preempting", INCONCLUSIVE, "Preempted"),
    ("PreemptionByScheduler", INCONCLUSIVE, "Preempted"),
    ("OutOfcpu", INCONCLUSIVE, "NodeRefused"),
    ("PodDeleted", INCONCLUSIVE, "PodDeleted"),
    ("ResultLost", INCONCLUSIVE, "ResultLost"),
    ("FailedCreate", INCONCLUSIVE, "PodNotCreated"),
    ("FailedMount", INCONCLUSIVE, "VolumeNotMounted"),
    ("CreateContainerConfigError", INCONCLUSIVE, "ContainerNotConfigured"),
    ("CreateContainerError", INCONCLUSIVE, "ContainerNotCreated"),
    ("NeverStarted", INCONCLUSIVE, "NeverStarted"),
    ("Failed", INCONCLUSIVE, "NeverStarted"),
    ("BackOff", INCONCLUSIVE, "NeverStarted"),
    ("OOMKilled", FAILED, "OutOfMemory"),
    ("StartError", FAILED, "CommandNotStarted"),
    ("ContainerCannotRun", FAILED, "CommandNotStarted"),
    ("DeadlineExceeded", FAILED, "DeadlineExceeded"),
    ("JobInvalid", FAILED, "GateJobInvalid"),
    ("SomethingNew", INCONCLUSIVE, "RunFailed"),
]


def ended(reason: str = "", detail: str = "", message: str = "", exit_code: int = 1) -> RunFacts:
    """Build a run that has ended."""
    return RunFacts(
        job="mw-1",
        uid="job-1",
        inputs_digest="inputs",
        state=RunState.FINISHED,
        reason=reason,
        detail=detail,
        message=message,
        exit_code=exit_code,
    )


@pytest.mark.parametrize(("word", "outcome", "code"), MEANT)
def test_a_word_of_kubernetes_means_one_thing(word: str, outcome: GateOutcome, code: str) -> None:
    result = run_result(ended(word, "its own words"), gate("artifact"), digest=DIGEST)

    assert (result.outcome, result.code) == (outcome, code)
    assert result.sentence.endswith(": its own words.")


def test_no_cause_is_a_pass_and_each_has_a_code_a_sentence_and_a_next_step() -> None:
    every = (*CAUSES, OTHER)

    assert {cause.outcome for cause in every} == {FAILED, INCONCLUSIVE}
    assert all(is_code(cause.code) and cause.says for cause in every)
    assert all(
        advice_on(cause.code).endswith(("ask again.", "etry the attempt.")) for cause in every
    )
    assert len({cause.code for cause in every}) == len(every)


def test_no_word_means_two_things() -> None:
    words = [word for cause in CAUSES for word in cause.words]

    assert sorted(words) == sorted(set(words))


FETCHES = {
    "the artifact is another one": (
        {"outcome": "Failed", "code": "DigestDiffers", "sentence": "It is another one."},
        GateResult(outcome=FAILED, code="DigestDiffers", sentence="It is another one."),
    ),
    "the store is away": (
        {"outcome": "Inconclusive", "code": "StoreUnavailable", "sentence": "No answer."},
        GateResult(outcome=INCONCLUSIVE, code="StoreUnavailable", sentence="No answer."),
    ),
    "it never says that it passed": (
        {"outcome": "Passed", "code": "Fine", "sentence": "All is well."},
        GateResult(outcome=INCONCLUSIVE, code="Fine", sentence="All is well."),
    ),
    "no code": (
        {"outcome": "Failed", "code": "two words", "sentence": "It is another one."},
        GateResult(
            outcome=INCONCLUSIVE,
            code="ArtifactNotBrought",
            sentence="The artifact could not be brought to the gate (FetchFailed): OOMKilled.",
        ),
    ),
    "nothing": (
        None,
        GateResult(
            outcome=INCONCLUSIVE,
            code="ArtifactNotBrought",
            sentence="The artifact could not be brought to the gate (FetchFailed): OOMKilled.",
        ),
    ),
}


@pytest.mark.parametrize(("left", "result"), FETCHES.values(), ids=FETCHES)
def test_an_artifact_that_was_not_brought_says_whose_fault_it_is(
    left: dict[str, str] | None, result: GateResult
) -> None:
    message = "" if left is None else json.dumps(left)

    assert (
        run_result(ended("FetchFailed", "OOMKilled", message), gate("artifact"), digest=DIGEST)
        == result
    )


def test_the_words_of_others_are_shown_and_never_obeyed() -> None:
    result = run_result(
        ended("ErrImagePull", "\x1b[31mred" + "x" * 5000), gate("artifact"), digest=DIGEST
    )

    assert "\x1b" not in result.sentence
    assert len(result.sentence) < 700


LIMITS = GateLimits(start_seconds=60)


@pytest.mark.parametrize(
    ("waiting", "seconds", "found"),
    [
        ("ErrImagePull", 59, ("Running", "ErrImagePull")),
        ("ErrImagePull", 60, ("Finished", "ErrImagePull")),
        ("", 60, ("Finished", "NeverStarted")),
    ],
)
def test_a_run_that_does_not_start_is_given_up(
    waiting: str, seconds: int, found: tuple[str, str]
) -> None:
    idle = replace(ended(waiting), state=RunState.RUNNING, idle_since=NOW)

    run = given_up(idle, now=at(seconds=seconds), limits=LIMITS)

    assert (run.state, run.reason) == found


def test_a_run_that_has_started_is_not_given_up() -> None:
    running = replace(ended(), state=RunState.RUNNING)

    assert given_up(running, now=at(hours=9), limits=LIMITS) == running


@pytest.mark.parametrize(
    ("tries", "seconds"), [(1, 10), (2, 30), (3, 30)], ids=["once", "twice", "later"]
)
def test_an_inconclusive_gate_rests_the_longer_the_oftener(tries: int, seconds: int) -> None:
    recorded = gate_state("artifact", INCONCLUSIVE, tries=tries, final=False)

    assert rests_until(recorded) == at(seconds=seconds)


@pytest.mark.parametrize("recorded", [None, gate_state("artifact", INCONCLUSIVE, final=True)])
def test_what_is_not_tried_again_does_not_rest(recorded: None) -> None:
    assert rests_until(recorded) is None
