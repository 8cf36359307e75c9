"""Twelve situations that every team gets into, each as the people in it live through it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import team as small
from tests.cluster.arena import idle_deployment
from tests.cluster.example import Example, Told
from tests.cluster.installed import BUCKET, Installed, client
from tests.cluster.running import RefusedError, until
from tests.cluster.team import Team, team

OWNER, REVIEWER = "owner@example.com", "reviewer@example.com"
AWAITED = "Waiting for 1 of 1 owners and 1 of 1 reviewers."


@pytest.fixture(scope="module")
def risk(operator: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """The team of all these models."""
    with operator.cluster.namespace("situations") as namespace:
        yield team(operator, namespace, tmp_path_factory.mktemp("models"))


def story(example: Example) -> list[str]:
    """The history of a model as the ledger has it, with who did what."""
    told = example.ask("auditor", "history", example.model, "--ledger=pod", "--output=json")
    return [item["sentence"] for item in example.json(told)["history"]]


def operations(example: Example, attempt: str) -> list[str]:
    """The records of an attempt, as its status and the ledger name them."""
    named = example.get("modeltransition", attempt)["status"]["ledger"]
    told = example.ask("auditor", "history", example.model, "--ledger=pod", "--output=json")
    return [item["operation"] for item in example.json(told)["history"] if item["record"] in named]


def attempt_of(example: Example, number: int, tries: int = 1) -> dict[str, Any]:
    """An attempt to bring a version into Production."""
    name = f"{example.model}-{number}-production-{tries}"
    return dict(example.get("modeltransition", name))


def discarded(example: Example, number: int) -> dict[str, str]:
    """Why votes on the first attempt at Production do not count, by voter."""
    votes = attempt_of(example, number).get("status", {}).get("votes", {})
    return {vote["by"]: vote["reason"] for vote in votes.get("discarded", ())}


def await_second_try(example: Example, number: int) -> None:
    """Wait until people may vote on the second attempt to bring a version into Production."""
    until(
        lambda: attempt_of(example, number, 2).get("status", {}).get("evidenceDigest"),
        what=f"people may vote on the second attempt at {example.model} {number}",
    )


def unmet(example: Example) -> dict[str, str]:
    """What holds the Model's wishes back: the sentences by their codes."""
    status = example.get("model").get("status", {})
    return {item["code"]: item["message"] for item in status.get("unmet", ())}


def waits_with(example: Example, code: str) -> str:
    """Wait until something holds the Model back; gives the sentence."""
    return until(lambda: unmet(example).get(code, ""), what=f"{example.model}: {code}")


def condition(found: dict[str, Any], kind: str) -> tuple[str, str]:
    """Whether a condition of an object holds, and its reason."""
    conditions = found.get("status", {}).get("conditions", ())
    return next(((c["status"], c["reason"]) for c in conditions if c["type"] == kind), ("", ""))


def why(example: Example, number: int) -> str:
    """What the command says that people ask first, without its layout."""
    return " ".join(example.ask("engineer", "why", example.model, str(number)).output.split())


def done(told: Told) -> Told:
    """A command that did what it was told."""
    assert told.code == 0, told.complaint
    return told


def test_first_model_of_a_team(risk: Team) -> None:
    record = json.dumps(risk.version("first", 1))
    first = risk.named("first")
    risk.example.pipeline("apply", "-f", "-", given=record)
    early = until(
        lambda: condition(first.get("modelversion", "first-1"), "Ready")[1],
        what="the version says what it waits for",
    )
    risk.declare("first")
    first.await_stage(1, "Registered")

    risk.release(first, 1)

    gates = {gate["name"]: gate["code"] for gate in attempt_of(first, 1)["status"]["gates"]}
    assert (early, gates["champion"], risk.carried("first")) == ("ModelNotFound", "NoChampion", "1")
    assert operations(first, "first-1-production-1") == [
        "Requested",
        "GateFinished",
        "GateFinished",
        "Voted",
        "Voted",
        "RolloutBegun",
        "Promoted",
    ]
    assert story(first)[-1] == '1 from Staging to Production: "Release 1"'


@contextmanager
def without_the_owner(risk: Team) -> Iterator[None]:
    """The owner has left: the rights that they had in this namespace are gone."""
    binding = risk.example.get("rolebinding", "approvers")
    left = [subject for subject in binding["subjects"] if subject["name"] != OWNER]
    change = json.dumps({"subjects": left})
    risk.kubectl(None, "patch", "rolebinding", "approvers", "--type=merge", f"--patch={change}")
    try:
        yield
    finally:
        change = json.dumps({"subjects": binding["subjects"]})
        risk.kubectl(None, "patch", "rolebinding", "approvers", "--type=merge", f"--patch={change}")


def test_owner_who_left(risk: Team) -> None:
    left = risk.declare("left")
    risk.register(left, 1)
    risk.ask(left, 1)
    left.await_votes(1)
    left.approve(1, "owner")
    with without_the_owner(risk):
        late = left.ask("owner", "approve", "left", "1", "--rationale=Still here.", "--yes")
        left.approve(1, "reviewer")
        lost = until(lambda: discarded(left, 1), what="the vote of who left is discarded")
        missing = unmet(left)["ApprovalsMissing"]

        left.approve(1, "scientist")
        left.await_stage(1, "Production")

    assert (late.code, lost, missing) == (
        3,
        {OWNER: "RightMissing"},
        "Waiting for 1 of 1 owners.",
    )
    counted = attempt_of(left, 1)["status"]["votes"]["counted"]
    assert sorted(vote["by"] for vote in counted) == [REVIEWER, "scientist@example.com"]
    told = left.ask("auditor", "serving-at", "left", "--at=now", "--ledger=pod").output
    assert [name in told for name in (OWNER, REVIEWER, "scientist@example.com")] == [
        False,
        True,
        True,
    ]


def test_owner_who_trained_it(risk: Team) -> None:
    own = risk.declare("own", owners=[{"kind": "User", "name": OWNER}])
    risk.register(own, 1, trainedBy=[{"kind": "User", "name": OWNER}])
    risk.ask(own, 1)
    said = waits_with(own, "QuorumImpossible")
    own.await_votes(1)

    refused = own.ask("owner", "approve", "own", "1", "--rationale=It is mine.", "--yes")
    risk.edit(
        own,
        "manager",
        owners=[{"kind": "User", "name": name} for name in (OWNER, "scientist@example.com")],
    )
    await_second_try(own, 1)
    own.approve(1, "scientist", "reviewer")

    own.await_stage(1, "Production")
    assert said == (
        "Needs 1 of the owners and 1 of the reviewers, different people, and too few are left: "
        f"{OWNER} (Trainer) may not vote."
    )
    assert (refused.code, OWNER in refused.complaint) == (3, True)
    assert condition(attempt_of(own, 1), "Succeeded") == ("False", "GovernedFieldsChanged")


def test_hotfix_while_the_owner_is_away(risk: Team) -> None:
    away = [{"kind": "User", "name": OWNER}]
    deputy = [*away, {"kind": "User", "name": "scientist@example.com"}]
    hot = risk.declare("hot", owners=away)
    risk.register(hot, 1, 2)
    risk.release(hot, 1)
    risk.ask(hot, 2)
    hot.await_votes(2)
    hot.approve(2, "reviewer")
    until(lambda: "reviewers" not in waits_with(hot, "ApprovalsMissing"), what="the vote counts")
    held = waits_with(hot, "ApprovalsMissing")

    with pytest.raises(RefusedError, match="lacks the verb govern on models"):
        risk.edit(hot, "engineer", owners=deputy)
    risk.edit(hot, "manager", owners=deputy)
    await_second_try(hot, 2)
    hot.approve(2, "scientist", "reviewer")

    hot.await_stage(2, "Production")
    lines = story(hot)
    begun = lines.index("owners changed by manager@example.com")
    last = lines[begun : begun + 9]
    assert (held, [line.partition(": ")[0] for line in last]) == (
        "Waiting for 1 of 1 owners.",
        [
            "owners changed by manager@example.com",
            "attempt superseded",
            "Production asked for by manager@example.com",
            "gate quality passed",
            "gate champion passed",
            "approved by scientist@example.com as Owner",
            "approved by reviewer@example.com as Reviewer",
            "rollout begun on deploy/hot",
            "2 from Staging to Production; 1 from Production to Retiring",
        ],
    )
    # No gate ran twice: what the first attempt had found was still true.
    assert all("(Measured for hot-2-production-1, record " in line for line in last[3:5])


def test_two_models_naming_one_deployment(risk: Team) -> None:
    first = risk.declare("holder")
    second = risk.declare("latecomer", serving=first.get("model")["spec"]["serving"])
    for each in (first, second):
        risk.register(each, 1)
    risk.release(first, 1)
    risk.ask(second, 1)
    second.await_votes(1)
    second.approve(1, "owner", "reviewer")

    said = waits_with(second, "DeploymentTaken")

    labels = first.get("deployment", "holder")["metadata"]["labels"]
    assert (said, labels["modelwarden.io/model"], second.stage(1)) == (
        "Deployment holder serves holder.",
        "holder",
        "Staging",
    )
    assert "take it out of the serving list of holder" in why(second, 1)
    risk.edit(first, "platform", serving=[])
    second.await_stage(1, "Production")
    labels = first.get("deployment", "holder")["metadata"]["labels"]
    assert (labels["modelwarden.io/model"], first.stage(1)) == ("latecomer", "Production")


def test_artifact_deleted(risk: Team) -> None:
    gone = risk.declare("gone")
    file = risk.example.work / "model.onnx"
    key = f"{risk.example.namespace}/gone/model.onnx"
    uri = gone.installed.upload(file, key)
    written = risk.version("gone", 1)["spec"]["artifact"]
    risk.register(gone, 1, artifact={**written, "uri": uri})
    risk.register(gone, 2)
    risk.release(gone, 1, 2)
    client(gone.installed.store).delete_object(Bucket=BUCKET, Key=key)

    back = gone.ask("engineer", "rollback", "gone", "--reason=Latency", "--wait")

    attempt = attempt_of(gone, 1, 2)
    gate = attempt["status"]["gates"][0]
    assert (back.code, gate["outcome"], gate["code"]) == (3, "Failed", "ArtifactNotFound")
    assert (condition(attempt, "Succeeded"), gone.stage(2), risk.carried("gone")) == (
        ("False", "GateFailed"),
        "Production",
        "2",
    )
    assert gate["message"] in why(gone, 1)


def test_rollback_of_a_rollback(risk: Team) -> None:
    twice = risk.declare("twice")
    risk.register(twice, 1, 2)
    risk.release(twice, 1, 2)
    done(twice.ask("engineer", "rollback", "twice", "--reason=Latency", "--wait"))
    carried, stages = risk.carried("twice"), twice.get("model")["status"]["stages"]

    refused = twice.ask("engineer", "rollback", "twice", "--reason=It was not it")
    risk.ask(twice, 2)
    twice.await_votes(2)

    again = attempt_of(twice, 2, 2)["spec"]
    assert (carried, stages.get("rollbackTo"), again["kind"]) == ("1", None, "Promote")
    assert (refused.code, unmet(twice), twice.stage(1)) == (
        1,
        {"ApprovalsMissing": AWAITED},
        "Production",
    )
    assert operations(twice, "twice-1-production-2") == [
        "Requested",
        "GateFinished",
        "RolloutBegun",
        "RolledBack",
    ]


def test_reject_then_changed_mind(risk: Team) -> None:
    mind = risk.declare("mind")
    risk.register(mind, 1)
    risk.ask(mind, 1)
    mind.await_votes(1)
    mind.approve(1, "owner")
    done(mind.ask("reviewer", "reject", "mind", "1", "--rationale=Too few samples.", "--yes"))
    until(
        lambda: condition(mind.get("model"), "Settled") == ("False", "Rejected"),
        what="the attempt is rejected",
    )
    told = why(mind, 1)

    mended = mind.ask("reviewer", "approve", "mind", "1", "--rationale=I misread.", "--yes")
    done(mind.ask("manager", "retry", "mind", "1", "--rationale=The reviewer misread it."))
    await_second_try(mind, 1)
    mind.approve(1, "owner", "reviewer")

    mind.await_stage(1, "Production")
    assert (mended.code, "Too few samples." in told, "kubectl model retry" in told) == (
        1,
        True,
        True,
    )
    assert condition(attempt_of(mind, 1), "Rejected") == ("True", "Rejected")
    assert attempt_of(mind, 1, 2)["spec"]["request"]["retry"]["by"]["username"] == (
        "manager@example.com"
    )


def test_policy_changed_while_open(risk: Team) -> None:
    name = f"{risk.example.namespace}-policy"
    cluster = risk.example.installed.cluster
    cluster.apply(small.policy(name))
    risk.example.may_use(name)
    stricter = risk.declare("stricter", policy=name)
    risk.register(stricter, 1, 2)
    risk.ask(stricter, 1)
    stricter.await_votes(1)

    cluster.apply(small.policy(name, owners=2))
    until(lambda: "PolicyChangedSince" in why(stricter, 1), what="why tells of the change")
    told = why(stricter, 1)
    stricter.approve(1, "owner", "reviewer")
    stricter.await_stage(1, "Production")
    risk.ask(stricter, 2)
    stricter.await_votes(2)

    assert f"Policy {name} was changed since; this attempt goes by what it said then." in told
    assert unmet(stricter) == {
        "ApprovalsMissing": "Waiting for 2 of 2 owners and 1 of 1 reviewers."
    }
    assert f"the content of policy {name} changed" in story(stricter)
    cluster.kubectl(None, "delete", "modelpolicy", name)


def everything(risk: Team, name: str, policy: str) -> list[dict[str, Any]]:
    """A repository in one list, what needs something always before what it needs."""
    stages = {
        "production": {"version": 1, "reason": "First release"},
        "staging": [{"version": number, "reason": "Candidate"} for number in (1, 2)],
    }
    return [
        risk.version(name, 2),
        risk.version(name, 1),
        small.model(name, policy=policy, stages=stages),
        idle_deployment(name),
        small.policy(policy),
    ]


def test_everything_applied_at_once_to_an_empty_cluster(risk: Team) -> None:
    name = f"{risk.example.namespace}-all"
    cluster, fresh = risk.example.installed.cluster, risk.named("all")
    objects = everything(risk, "all", name)

    cluster.apply(*objects, namespace=fresh.namespace)

    fresh.await_votes(1)
    fresh.await_stage(2, "Staging")
    generation = fresh.get("model")["metadata"]["generation"]
    cluster.apply(*objects, namespace=fresh.namespace)
    waiting = fresh.get("model")
    assert (unmet(fresh), condition(waiting, "Ready")[0], condition(waiting, "Stalled")[0]) == (
        {"ApprovalsMissing": AWAITED},
        "True",
        "False",
    )
    fresh.approve(1, "owner", "reviewer")
    fresh.await_stage(1, "Production")
    settled = until(
        lambda: condition(found := fresh.get("model"), "Settled")[0] == "True" and found,
        what="nothing is left to wish for",
    )
    assert settled["metadata"]["generation"] == generation
    cluster.kubectl(None, "delete", "modelpolicy", name)


def test_revert_of_a_promotion_commit(risk: Team) -> None:
    risk.declare("reverted")
    reverted = risk.named("reverted")
    risk.register(reverted, 1)
    staging = [{"version": 1, "reason": "Candidate"}]
    before = small.model("reverted", stages={"staging": staging})
    release = {"version": 1, "reason": "First release"}
    after = small.model("reverted", stages={"staging": staging, "production": release})
    for commit in (before, after):
        risk.kubectl("manager", "apply", "-f", "-", given=json.dumps(commit))
    reverted.await_votes(1)
    reverted.approve(1, "owner", "reviewer")
    reverted.await_stage(1, "Production")

    risk.kubectl("manager", "apply", "-f", "-", given=json.dumps(before))

    reverted.await_stage(1, "Staging")
    until(lambda: not risk.carried("reverted"), what="the service carries no version any more")
    opened = reverted.get("modeltransition", "reverted-1-staging-2")["spec"]
    index = reverted.get("model")["status"]["ledgerIndex"]
    risk.kubectl("manager", "apply", "-f", "-", given=json.dumps(before))
    assert (opened["kind"], opened["request"]["entry"]["reason"]) == (
        "Withdraw",
        "taken back: First release",
    )
    assert '1 from Production to Staging: "taken back: First release"' in story(reverted)
    assert reverted.get("model")["status"]["ledgerIndex"] == index


def test_namespace_rebuilt_from_git_with_the_ledger_kept(
    operator: Installed, namespace: str, tmp_path: Path
) -> None:
    lost = team(operator, namespace, tmp_path)
    again = lost.named("again")
    cluster = operator.cluster
    objects = everything(lost, "again", small.POLICY)
    cluster.apply(*objects, namespace=namespace)
    again.await_votes(1)
    again.approve(1, "owner", "reviewer")
    again.await_stage(1, "Production")
    before = again.get("model")["status"]["stages"]
    cluster.kubectl(None, "label", "namespace", namespace, "modelwarden.io/records-")
    cluster.kubectl(None, "delete", "namespace", namespace, "--timeout=120s")
    again.set_up()

    cluster.apply(*objects, namespace=namespace)

    again.await_stage(1, "Production")
    again.await_stage(2, "Staging")
    until(lambda: lost.carried("again") == "1", what="the new service carries the version")
    told = story(again)
    assert again.get("model")["status"]["stages"] == before
    # In which order its objects come is up to whoever applies them.
    assert sorted(line for line in told if "made again" in line) == [
        "the Model was made again with the same content",
        "version 1 was made again with the same content",
        "version 2 was made again with the same content",
    ]
