"""What a Deployment carries, and when it has really got there."""

from dataclasses import replace
from typing import NamedTuple

import pytest

from modelwarden.domain.facts import DeploymentFacts, ServingTarget
from modelwarden.domain.pod_words import ContainerFacts, PodFacts
from modelwarden.domain.rollouts import (
    NOTHING_CARRIED,
    Carried,
    carried,
    carries,
    deployment_is_free,
    failure_of_rollout,
    has_ever_carried,
    rollout_is_done,
    version_for,
)
from modelwarden.domain.stages import Stage
from modelwarden.domain.state import AttemptOutcome, ModelState
from modelwarden.domain.verdicts import Verdict, allow, deny, wait
from tests.domain.builders import (
    DIGEST,
    KEY,
    NOW_TEXT,
    attempt,
    carrying,
    deployment,
    interval,
    state,
    version_state,
)

PRODUCTION = ServingTarget(stage=Stage.PRODUCTION, deployment="fraud-api")
STAGING = ServingTarget(stage=Stage.STAGING, deployment="fraud-shadow")

SERVING_1 = state({1: Stage.PRODUCTION, 2: Stage.STAGING}, intervals=(interval(1),))
ROLLING_2 = attempt(2, outcome=AttemptOutcome.ROLLING_OUT, rollout_begun=NOW_TEXT)
FAILED_2 = replace(ROLLING_2, outcome=AttemptOutcome.FAILED, ended=NOW_TEXT)
ABORTED_2 = replace(ROLLING_2, outcome=AttemptOutcome.SUPERSEDED, ended=NOW_TEXT)


def serving_1(*attempts: object) -> ModelState:
    return state({1: Stage.PRODUCTION, 2: Stage.STAGING}, *attempts, intervals=(interval(1),))


class Row(NamedTuple):
    """What the ledger says, and the version that a target carries."""

    title: str
    target: ServingTarget
    after: ModelState
    number: int | None


CARRIED = (
    Row("nothing anywhere", PRODUCTION, state({}), None),
    Row("nothing in Production", PRODUCTION, state({1: Stage.STAGING}), None),
    Row("the version in Production", PRODUCTION, SERVING_1, 1),
    Row("an attempt before its rollout", PRODUCTION, serving_1(attempt(2)), 1),
    Row("the version that is being rolled out", PRODUCTION, serving_1(ROLLING_2), 2),
    Row("after a rollout that failed", PRODUCTION, serving_1(FAILED_2), 1),
    Row("after a rollout that was aborted", PRODUCTION, serving_1(ABORTED_2), 1),
    Row(
        "after a first rollout that failed",
        PRODUCTION,
        state({2: Stage.STAGING}, FAILED_2),
        None,
    ),
    Row(
        "the newest candidate",
        STAGING,
        state({2: Stage.STAGING, 10: Stage.STAGING, 11: Stage.PRODUCTION}),
        10,
    ),
    Row("no candidate", STAGING, state({1: Stage.PRODUCTION}), None),
)


@pytest.mark.parametrize("row", CARRIED, ids=lambda row: row.title)
def test_a_target_carries_what_the_ledger_says(row: Row) -> None:
    found = version_for(row.target, row.after)

    assert (None if found is None else found.number) == row.number


def test_a_deployment_carries_labels_and_annotations_and_its_pods_all_but_the_stage() -> None:
    assert carried(KEY, version_state(2), stage=Stage.PRODUCTION) == Carried(
        labels={
            "modelwarden.io/model": "fraud-detector",
            "modelwarden.io/version": "2",
            "modelwarden.io/stage": "Production",
        },
        annotations={
            "modelwarden.io/artifact-uri": "s3://models/risk/fraud/2/model.onnx",
            "modelwarden.io/artifact-digest": DIGEST,
        },
        template_labels={
            "modelwarden.io/model": "fraud-detector",
            "modelwarden.io/version": "2",
        },
        template_annotations={
            "modelwarden.io/artifact-uri": "s3://models/risk/fraud/2/model.onnx",
            "modelwarden.io/artifact-digest": DIGEST,
        },
    )


def test_without_a_version_a_deployment_carries_nothing() -> None:
    assert carried(KEY, None, stage=Stage.PRODUCTION) == NOTHING_CARRIED


WANTED = carried(KEY, version_state(2), stage=Stage.PRODUCTION)


@pytest.mark.parametrize(
    ("live", "is_so"),
    [
        (carrying(2), True),
        (carrying(1), False),
        (deployment(), False),
        (carrying(2, labels={}), False),
        (carrying(2, annotations={}), False),
        (carrying(2, template_labels={}), False),
        (carrying(2, template_annotations={}), False),
    ],
    ids=[
        "all of it",
        "another version",
        "nothing",
        "labels gone",
        "annotations gone",
        "labels of the pods gone",
        "annotations of the pods gone",
    ],
)
def test_all_of_ours_must_be_there_and_other_peoples_do_not_matter(
    *, live: DeploymentFacts, is_so: bool
) -> None:
    assert carries(live, WANTED) is is_so


def test_a_deployment_with_ours_does_not_carry_nothing() -> None:
    assert not carries(carrying(2), NOTHING_CARRIED)


@pytest.mark.parametrize(
    ("target", "after", "ever"),
    [
        (PRODUCTION, state({1: Stage.STAGING}), False),
        (PRODUCTION, SERVING_1, True),
        (PRODUCTION, state({2: Stage.STAGING}, FAILED_2), True),
        (PRODUCTION, state({2: Stage.STAGING}, attempt(2)), False),
        (STAGING, state({1: Stage.REGISTERED}), False),
        (STAGING, state({1: Stage.STAGING}), True),
        (STAGING, state({1: Stage.PRODUCTION}), False),
    ],
    ids=[
        "nothing was rolled out",
        "something served",
        "a rollout had begun",
        "an attempt had not begun",
        "no candidate yet",
        "a candidate",
        "Production is not Staging",
    ],
)
def test_labels_go_only_because_of_a_record(
    *, target: ServingTarget, after: ModelState, ever: bool
) -> None:
    assert has_ever_carried(target, after) is ever


@pytest.mark.parametrize(
    ("live", "verdict"),
    [
        (
            None,
            wait(
                "DeploymentMissing",
                "Deployment fraud-api does not exist in risk.",
                "Create it, or take it out of spec.serving.",
            ),
        ),
        (
            deployment(labels={"modelwarden.io/model": "churn"}),
            wait(
                "DeploymentTaken",
                "Deployment fraud-api serves churn.",
                "Name another Deployment, or take it out of the serving list of churn.",
            ),
        ),
        (deployment(), allow("DeploymentFree", "Deployment fraud-api can take the version.")),
        (carrying(1), allow("DeploymentFree", "Deployment fraud-api can take the version.")),
    ],
    ids=["missing", "taken", "untouched", "ours already"],
)
def test_a_deployment_is_free_unless_another_model_has_it(
    live: DeploymentFacts | None, verdict: Verdict
) -> None:
    assert deployment_is_free(live, "fraud-api", key=KEY) == verdict


def rolling(updated: int, more: str = "", *, available: int = 2) -> Verdict:
    return wait(
        "RollingOut",
        f"Deployment fraud-api has {updated} of 2 replicas updated, {available} available.{more}",
    )


CRASHING = PodFacts(
    name="fraud-api-1",
    containers=(ContainerFacts(name="server", restarts=1, exit_code=3, exit_reason="Error"),),
)
DONE = allow("RolledOut", "Deployment fraud-api serves with 2 replicas.")
ROLLOUTS = {
    "everything holds in one reading": (carrying(2), DONE),
    "it carries another version": (
        carrying(1),
        wait("NotYetLabelled", "Deployment fraud-api does not carry the version yet."),
    ),
    # The four conditions, one at a time.
    "the counts still speak of the template before": (
        carrying(2, observed_generation=3),
        wait("RollingOut", "Deployment fraud-api has not begun to roll out."),
    ),
    "the new replica set is not said to be available": (
        carrying(2, progressing="ReplicaSetUpdated"),
        rolling(2),
    ),
    "not every replica is updated": (carrying(2, updated=1), rolling(1)),
    "an old replica is there beside the new ones": (carrying(2, current=3), rolling(2)),
    "not every replica is available": (carrying(2, available=1), rolling(2, available=1)),
    "an old pod is still ending": (
        carrying(2, terminating=1),
        rolling(2, " 1 pod of the template before is ending."),
    ),
    "some old pods are still ending": (
        carrying(2, terminating=2),
        rolling(2, " 2 pods of the template before are ending."),
    ),
    "it must stay ready for a while": (
        carrying(2, progressing="ReplicaSetUpdated", available=1, min_ready_seconds=30),
        rolling(2, " Each must stay ready for 30 s.", available=1),
    ),
    "its pods say why they do not serve": (
        carrying(2, progressing="ReplicaSetUpdated", updated=1, pods=(CRASHING,)),
        wait(
            "ContainerCrashing",
            "Deployment fraud-api has 1 of 2 replicas updated, 2 available. Pod fraud-api-1: "
            "container server was started again once: it ended with exit code 3.",
            "See kubectl logs fraud-api-1 -c server --previous.",
        ),
    ),
    "no pod may be made": (
        carrying(2, progressing="ReplicaSetUpdated", updated=0, not_created="exceeded quota: q"),
        wait(
            "PodsNotCreated",
            "Deployment fraud-api has 0 of 2 replicas updated, 2 available. "
            "No more pods can be made: exceeded quota: q.",
            "Raise the ResourceQuota, or let deploy/fraud-api ask for less.",
        ),
    ),
    "what a pod once said does not matter when it serves": (
        carrying(2, pods=(replace(CRASHING, ready=True),)),
        DONE,
    ),
    "it is paused": (
        carrying(2, paused=True),
        wait("RolloutPaused", "Deployment fraud-api is paused.", "Resume deploy/fraud-api."),
    ),
    "it made no progress": (
        carrying(
            2,
            updated=1,
            progressing="ProgressDeadlineExceeded",
            progressing_message="timed out progressing.",
        ),
        deny(
            "ProgressDeadlineExceeded",
            "Deployment fraud-api made no progress: timed out progressing.",
            "See kubectl describe deploy/fraud-api.",
        ),
    ),
    "it made no progress and its pods say why": (
        carrying(
            2,
            updated=1,
            progressing="ProgressDeadlineExceeded",
            progressing_message="timed out progressing.",
            pods=(CRASHING,),
        ),
        deny(
            "ProgressDeadlineExceeded",
            "Deployment fraud-api made no progress: timed out progressing. Pod fraud-api-1: "
            "container server was started again once: it ended with exit code 3.",
            "See kubectl logs fraud-api-1 -c server --previous.",
        ),
    ),
    "a deadline that was missed before the change is no answer": (
        carrying(2, observed_generation=3, progressing="ProgressDeadlineExceeded"),
        wait("RollingOut", "Deployment fraud-api has not begun to roll out."),
    ),
    "it has no replicas": (
        carrying(2, replicas=0, current=0, updated=0, ready=0, available=0),
        allow("NotServing", "Deployment fraud-api has no replicas; nothing serves."),
    ),
    "it is to have no replicas and still has one": (
        carrying(2, replicas=0, current=1, updated=0, ready=0, available=1),
        wait("RollingOut", "Deployment fraud-api has 0 of 0 replicas updated, 1 available."),
    ),
    "it was scaled up meanwhile": (
        carrying(2, replicas=3),
        wait("RollingOut", "Deployment fraud-api has 2 of 3 replicas updated, 2 available."),
    ),
    "it was scaled down meanwhile, and all of it is new": (
        carrying(2, replicas=1, current=1, updated=1, ready=1, available=1),
        allow("RolledOut", "Deployment fraud-api serves with 1 replicas."),
    ),
    "it is made anew and nothing of the old one is left": (
        carrying(2, uid="another", progressing="NewReplicaSetAvailable"),
        DONE,
    ),
    "its strategy ends every old pod before it makes a new one": (
        carrying(2, current=0, updated=0, ready=0, available=0, progressing="NewReplicaSetCreated"),
        rolling(0, available=0),
    ),
}


@pytest.mark.parametrize(("live", "verdict"), ROLLOUTS.values(), ids=ROLLOUTS)
def test_a_rollout_is_done_when_only_the_new_template_is_left(
    live: DeploymentFacts, verdict: Verdict
) -> None:
    assert rollout_is_done(live, WANTED) == verdict


WAITS = wait("RollingOut", "Deployment fraud-api has 1 of 2.", "Look at fraud-api.")
PAUSED = wait("RolloutPaused", "Deployment fraud-batch is paused.", "Resume fraud-batch.")
STUCK = deny("ProgressDeadlineExceeded", "Deployment fraud-api is stuck.", "See fraud-api.")


@pytest.mark.parametrize(
    ("verdicts", "late_after", "failure"),
    [
        ((DONE, DONE), 900, None),
        ((DONE, WAITS), None, None),
        ((DONE, STUCK), None, STUCK),
        (
            (PAUSED, WAITS),
            900,
            deny(
                "RolloutTimedOut",
                "The rollout took longer than 900 s: Deployment fraud-batch is paused. "
                "Deployment fraud-api has 1 of 2.",
                "Resume fraud-batch. Look at fraud-api.",
            ),
        ),
        (
            (STUCK, deny("ProgressDeadlineExceeded", "Deployment fraud-batch is stuck.")),
            900,
            deny(
                "ProgressDeadlineExceeded",
                "Deployment fraud-api is stuck. Deployment fraud-batch is stuck.",
                "See fraud-api. Correct what its pods say, then ask again with a new reason.",
            ),
        ),
        ((), 900, None),
    ],
    ids=["all done", "in time", "one is stuck", "too late", "both are stuck", "nothing to move"],
)
def test_a_rollout_fails_as_one(
    *, verdicts: tuple[Verdict, ...], late_after: int | None, failure: Verdict | None
) -> None:
    assert failure_of_rollout(verdicts, late_after=late_after) == failure
