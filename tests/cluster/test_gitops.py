"""GitOps with Argo CD itself: it applies what is in Git, the operator decides, neither fights."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import yaml

from tests.cluster.argocd import ArgoCD, argo_cd
from tests.cluster.example import MODEL, Example
from tests.cluster.gitops import GitOps, team_of
from tests.cluster.installed import Installed
from tests.cluster.running import RefusedError, until

AWAITED = (
    "1 to Production: Waiting for 1 of 1 owners and 1 of 1 reviewers. "
    "Whoever is missing looks at it and votes: kubectl model approve."
)
CANDIDATE = "    - {version: 1, reason: First candidate}\n"
RELEASE = "    production: {version: 1, reason: First release}\n"


@dataclass(frozen=True)
class Seen:
    """What Argo CD said of the team's Application at some moment."""

    status: tuple[str, str]
    model: list[tuple[str, str]]
    operations: int


def look(team: GitOps) -> Seen:
    """Have it compare once more, then look."""
    team.argocd.refresh(team.name)
    argocd = team.argocd
    return Seen(
        status=argocd.status(team.name),
        model=argocd.health(team.name, "Model"),
        operations=argocd.operations(team.name),
    )


def degraded(team: GitOps, kind: str) -> list[str]:
    """The sentences of the objects of a kind that Argo CD calls Degraded."""
    health = team.argocd.health(team.name, kind)
    return [sentence for status, sentence in health if status == "Degraded"]


def replicas(team: GitOps) -> int:
    """How many pods the service should have."""
    return int(team.example.get("deployment", "fraud-api")["spec"]["replicas"])


def merge_a_record_without_hyperparameters(team: GitOps, number: int) -> None:
    """Merge a version whose registration must fail."""
    record = yaml.safe_load((team.models.path / "risk/versions/1.yaml").read_text())
    record["metadata"]["name"] = f"{MODEL}-{number}"
    record["spec"]["version"] = number
    del record["spec"]["hyperparameters"]
    team.models.commit(
        f"Register {number}", {f"risk/versions/{number}.yaml": yaml.safe_dump(record)}
    )
    team.synced()


@pytest.fixture(scope="module")
def argocd(operator: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArgoCD]:
    """Argo CD beside the cluster, for all tests of this file."""
    with argo_cd(operator.cluster, tmp_path_factory.mktemp("argocd")) as running:
        yield running


@pytest.fixture(scope="module")
def everything_at_once(
    operator: Installed, argocd: ArgoCD, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[GitOps, Seen]]:
    """A policy, a service, a model with all its wishes and its version, merged in one commit."""
    with operator.cluster.namespace("gitops") as namespace:
        example = Example(operator, namespace, tmp_path_factory.mktemp("models"))
        example.set_up()
        team = team_of(example, argocd)
        team.begin(1)
        team.give_rights()
        team.declare()
        example.await_votes(1)
        argocd.await_status(team.name, "Synced", "Suspended")
        yield team, look(team)
        argocd.forget(team.name, "model-policies")
        operator.cluster.kubectl(None, "delete", "modelpolicy", namespace)


@pytest.fixture(scope="module")
def first_in_production(everything_at_once: tuple[GitOps, Seen]) -> GitOps:
    """Version 1 in Production, approved by people who are in no repository."""
    team, _ = everything_at_once
    team.example.approve(1, "owner", "reviewer")
    team.example.await_stage(1, "Production")
    team.argocd.await_status(team.name, "Synced", "Healthy")
    return team


@pytest.fixture(scope="module")
def second_awaiting_votes(first_in_production: GitOps) -> tuple[GitOps, Seen]:
    """Version 2, registered by one commit and asked into Production by one line of the next."""
    team = first_in_production
    team.models.commit("Register 2", {"risk/versions/2.yaml": team.version(2)})
    team.synced()
    team.example.await_stage(2, "Registered")
    team.edit("Try 2", CANDIDATE, into=CANDIDATE + "    - {version: 2, reason: Better}\n")
    team.example.await_stage(2, "Staging")
    team.argocd.await_status(team.name, "Synced", "Healthy")
    team.edit("Release 2", RELEASE, into="    production: {version: 2, reason: It is better}\n")
    team.example.await_votes(2)
    team.argocd.await_status(team.name, "Synced", "Suspended")
    return team, look(team)


@pytest.fixture(scope="module")
def second_in_production(second_awaiting_votes: tuple[GitOps, Seen]) -> GitOps:
    """Version 2 in Production, and version 1 superseded."""
    team, _ = second_awaiting_votes
    team.example.approve(2, "owner", "reviewer")
    team.example.await_stage(2, "Production")
    team.argocd.await_status(team.name, "Synced", "Healthy")
    return team


def test_everything_applied_at_once_waits_for_people_and_for_nothing_else(
    everything_at_once: tuple[GitOps, Seen],
) -> None:
    _, waiting = everything_at_once

    assert (waiting.status, waiting.model) == (("Synced", "Suspended"), [("Suspended", AWAITED)])


def test_once_people_have_approved_it_is_healthy_and_nothing_was_applied_again(
    everything_at_once: tuple[GitOps, Seen], first_in_production: GitOps
) -> None:
    _, waiting = everything_at_once

    seen = look(first_in_production)

    assert seen == Seen(
        ("Synced", "Healthy"),
        [("Healthy", "Every version is where spec.stages says.")],
        waiting.operations,
    )


def test_what_is_stamped_labelled_and_reported_is_there_and_makes_no_difference(
    first_in_production: GitOps,
) -> None:
    example = first_in_production.example

    version = example.get("modelversion", f"{MODEL}-1")
    authors = [author["by"]["username"] for author in example.get("model")["spec"]["authors"]]
    service = example.get("deployment", "fraud-api")["metadata"]["labels"]
    assert (
        authors,
        version["spec"]["registeredBy"]["username"],
        version["status"]["stage"],
        service["modelwarden.io/version"],
        first_in_production.argocd.status(first_in_production.name),
    ) == (
        [first_in_production.account],
        first_in_production.account,
        "Production",
        "1",
        ("Synced", "Healthy"),
    )


def test_applying_the_same_again_opens_nothing_and_leaves_the_stamps(
    first_in_production: GitOps,
) -> None:
    example, argocd = first_in_production.example, first_in_production.argocd
    before = example.get("model")

    argocd.apply_again(first_in_production.name)

    after = example.get("model")
    assert (after["spec"], after["metadata"]["generation"], after["status"]["ledgerIndex"]) == (
        before["spec"],
        before["metadata"]["generation"],
        before["status"]["ledgerIndex"],
    )


def test_the_account_that_applies_cannot_decide(first_in_production: GitOps) -> None:
    team = first_in_production
    context = team.argocd.cluster.service_account(team.name, "gitops")
    decision = {
        "apiVersion": "modelwarden.io/v1alpha1",
        "kind": "ModelDecision",
        "metadata": {"generateName": f"{MODEL}-1-", "namespace": team.name},
        "spec": {"model": MODEL, "version": 1, "stage": "Production", "decision": "Review"},
    }

    with pytest.raises(RefusedError, match='cannot create resource "modeldecisions"'):
        team.argocd.cluster.kubectl(context, "create", "-f", "-", given=json.dumps(decision))


def test_what_somebody_changes_by_hand_is_put_back_and_the_operators_labels_stay(
    first_in_production: GitOps,
) -> None:
    team, cluster = first_in_production, first_in_production.argocd.cluster
    before = team.argocd.operations(team.name)
    where = f"--namespace={team.name}"

    cluster.kubectl("engineer", "scale", "deployment/fraud-api", "--replicas=1", where)

    until(lambda: replicas(team) == 2, what="the number of replicas is that of Git again")
    team.argocd.await_status(team.name, "Synced", "Healthy")
    once, twice = look(team), look(team)
    labels = team.example.get("deployment", "fraud-api")["spec"]["template"]["metadata"]["labels"]
    assert (once.operations > before, twice, labels["modelwarden.io/version"]) == (True, once, "1")


def test_an_edit_that_the_account_may_not_make_is_refused_with_the_sentence(
    first_in_production: GitOps,
) -> None:
    team = first_in_production
    before = team.example.get("model")["spec"]

    team.merge("Lower the bar", 'min: "0.75"', into='min: "0.70"')
    said = until(lambda: team.argocd.complaints(team.name), what="Argo CD complains")

    team.models.revert("Lower the bar")
    team.synced()
    # Either the comparison is refused or, if that was still a kept one, what is applied after it.
    refusal = f"{team.account} lacks the verb govern on models for {MODEL} in {team.name}"
    words = said[0].partition("denied request: ")[2]
    assert (words, team.example.get("model")["spec"]) == (refusal, before)


def test_a_client_that_applies_and_compares_by_itself_does_not_fight_either(
    first_in_production: GitOps,
) -> None:
    team, argocd = first_in_production, first_in_production.argocd
    before = look(team)

    with argocd.without_the_servers_help(team.name):
        argocd.apply_again(team.name)
        team.argocd.await_status(team.name, "Synced", "Healthy")
        once, twice = look(team), look(team)

    assert (once.status, twice) == (before.status, once)


def test_a_promotion_is_one_line_in_git_and_waits_for_people(
    second_awaiting_votes: tuple[GitOps, Seen],
) -> None:
    team, waiting = second_awaiting_votes

    changed = team.models.git("log", "--format=%s", "--numstat", "--max-count=2").splitlines()
    assert (waiting.status, waiting.model, [line for line in changed if line]) == (
        ("Synced", "Suspended"),
        [("Suspended", AWAITED.replace("1 to", "2 to", 1))],
        [
            "Release 2",
            "1\t1\trisk/fraud-detector.yaml",
            "Try 2",
            "1\t0\trisk/fraud-detector.yaml",
        ],
    )


def test_nobody_but_a_person_approves_what_git_asked_for(
    second_awaiting_votes: tuple[GitOps, Seen], second_in_production: GitOps
) -> None:
    _, waiting = second_awaiting_votes
    team = second_in_production

    requests = team.example.get("modeltransition", f"{MODEL}-2-production-1")["spec"]["request"]
    assert (requests["author"]["username"], look(team).operations) == (
        team.account,
        waiting.operations,
    )


def test_a_failed_registration_is_degraded_and_says_why(
    second_in_production: GitOps,
) -> None:
    team = second_in_production

    merge_a_record_without_hyperparameters(team, 3)

    said = until(lambda: degraded(team, "ModelVersion"), what="its health is Degraded")
    assert [sentence.split(" (")[0] for sentence in said] == [
        "metadata: The record lacks hyperparameters"
    ]


def test_what_failed_is_forgotten_once_it_is_out_of_git_and_its_record_is_deleted(
    second_in_production: GitOps,
) -> None:
    team = second_in_production
    merge_a_record_without_hyperparameters(team, 4)
    until(lambda: degraded(team, "ModelVersion"), what="its health is Degraded")
    team.models.commit("Take it out", {f"risk/versions/{n}.yaml": None for n in (3, 4)})
    team.synced()

    names = [f"{MODEL}-{n}" for n in (3, 4)]
    team.argocd.cluster.kubectl(
        "platform", "delete", "modelversion", *names, f"--namespace={team.name}"
    )

    until(lambda: not degraded(team, "ModelVersion"), what="no version is Degraded")


def test_a_record_taken_out_of_git_stays_and_makes_no_difference(
    second_in_production: GitOps,
) -> None:
    team = second_in_production
    before = team.argocd.operations(team.name)

    team.models.commit("Take 1 out", {"risk/versions/1.yaml": None})
    team.synced()

    kept = team.example.get("modelversion", f"{MODEL}-1")["metadata"].get("deletionTimestamp")
    assert (team.argocd.status(team.name)[0], kept, team.argocd.operations(team.name)) == (
        "Synced",
        None,
        before,
    )


def test_a_revert_of_the_promotion_rolls_back_and_asks_nobody(
    second_in_production: GitOps,
) -> None:
    team = second_in_production

    team.models.revert("Release 2")
    team.synced()
    team.example.await_stage(1, "Production")

    team.argocd.await_status(team.name, "Synced", "Healthy")
    attempt = team.example.get("modeltransition", f"{MODEL}-1-production-2")
    labels = team.example.get("deployment", "fraud-api")["spec"]["template"]["metadata"]["labels"]
    assert (
        attempt["spec"]["kind"],
        attempt["status"].get("votes", {}),
        labels["modelwarden.io/version"],
        team.example.stage(2),
    ) == ("Rollback", {}, "1", "Staging")
