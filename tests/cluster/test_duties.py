"""Separation of duties on a real cluster, with everybody's own login."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.cluster.example import MODEL, Example
from tests.cluster.running import RefusedError, RunningCluster, until

CONFIGURATIONS = ("mutatingwebhookconfiguration", "validatingwebhookconfiguration")


@pytest.fixture
def awaiting_votes(example: Example) -> Example:
    """Version 1, asked into Production, its gates passed."""
    example.register(1)
    example.await_stage(1, "Registered")
    example.ask("engineer", "promote", MODEL, "1", "--to=staging", "--reason=Candidate")
    example.await_stage(1, "Staging")
    example.ask("manager", "promote", MODEL, "1", "--to=production", "--reason=Release")
    example.await_votes(1)
    return example


@contextmanager
def without_webhook(cluster: RunningCluster) -> Iterator[None]:
    """The webhook's configurations are gone, and come back as they were."""
    kept = [cluster.get(kind, "modelwarden") for kind in CONFIGURATIONS]
    cluster.kubectl(None, "delete", ",".join(CONFIGURATIONS), "modelwarden")
    try:
        yield
    finally:
        for configuration in kept:
            for field in ("uid", "resourceVersion", "generation", "creationTimestamp"):
                configuration["metadata"].pop(field, None)
            configuration["metadata"].pop("managedFields", None)
        cluster.apply(*kept)


def by_of(cluster: RunningCluster, person: str) -> dict[str, Any]:
    """Who the API server takes a person for."""
    user = json.loads(cluster.kubectl(person, "auth", "whoami", "-o", "json"))["status"]["userInfo"]
    return {key: user[key] for key in ("username", "uid", "groups") if key in user}


def decision(example: Example, person: str) -> str:
    """An approval as a person would write it by hand, naming themselves."""
    name = f"{MODEL}-1-production-1"
    transition = example.get("modeltransition", name)
    return json.dumps(
        {
            "apiVersion": "modelwarden.io/v1alpha1",
            "kind": "ModelDecision",
            "metadata": {"generateName": f"{MODEL}-1-", "namespace": example.namespace},
            "spec": {
                "model": MODEL,
                "version": 1,
                "stage": "Production",
                "transition": {"name": name, "uid": transition["metadata"]["uid"]},
                "decision": "Approve",
                "reviewed": {
                    "subjectDigest": transition["spec"]["subjectDigest"],
                    "policyDigest": transition["spec"]["policy"]["digest"],
                    "evidenceDigest": transition["status"]["evidenceDigest"],
                },
                "rationale": "It is mine.",
                "by": by_of(example.installed.cluster, person),
            },
        }
    )


def test_the_scientist_who_trained_it_is_refused_with_a_sentence(awaiting_votes: Example) -> None:
    told = awaiting_votes.ask("scientist", "approve", MODEL, "1", "--rationale=Mine.", "--yes")

    assert (told.code, told.complaint.strip()) == (
        3,
        (
            f"scientist@example.com trained {MODEL} 1 and may not approve it. "
            "Ask another owner or reviewer."
        ),
    )


def test_a_cluster_admin_who_is_the_same_person_is_refused(awaiting_votes: Example) -> None:
    told = awaiting_votes.ask("platform", "approve", MODEL, "1", "--rationale=Mine.", "--yes")

    assert (told.code, told.complaint.strip()) == (
        3,
        (
            "platform@example.com, another login of scientist@example.com, trained "
            f"{MODEL} 1 and may not approve it. Ask another owner or reviewer."
        ),
    )


@pytest.mark.parametrize("person", ["scientist", "platform"])
def test_without_the_webhook_the_trainers_vote_still_does_not_count(
    awaiting_votes: Example, person: str
) -> None:
    cluster = awaiting_votes.installed.cluster
    with without_webhook(cluster):
        until(
            lambda: _voted(cluster, person, decision(awaiting_votes, person)),
            what="the vote is written",
        )
    awaiting_votes.approve(1, "reviewer")

    discarded = until(lambda: _discarded(awaiting_votes), what="the vote is discarded", within=30)
    assert (discarded, awaiting_votes.stage(1)) == (["TrainerExcluded"], "Staging")


def _voted(cluster: RunningCluster, person: str, vote: str) -> bool:
    cluster.kubectl(person, "create", "-f", "-", given=vote)
    return True


def _discarded(example: Example) -> list[str]:
    status = example.get("modeltransition", f"{MODEL}-1-production-1")["status"]
    return [vote["reason"] for vote in status.get("votes", {}).get("discarded", [])]


def test_nobody_votes_in_the_name_of_another(awaiting_votes: Example) -> None:
    cluster = awaiting_votes.installed.cluster
    with without_webhook(cluster), pytest.raises(RefusedError, match=r"spec\.by must be you"):
        cluster.kubectl("scientist", "create", "-f", "-", given=decision(awaiting_votes, "owner"))


def test_nobody_but_the_operator_writes_status_or_attempts(awaiting_votes: Example) -> None:
    with pytest.raises(RefusedError, match="only the operator"):
        awaiting_votes.installed.cluster.kubectl(
            "platform",
            "patch",
            "modelversion",
            f"{MODEL}-1",
            f"--namespace={awaiting_votes.namespace}",
            "--subresource=status",
            "--type=merge",
            '--patch={"status":{"stage":"Production"}}',
        )


def test_an_engineer_may_not_ask_for_production(example: Example) -> None:
    example.register(1)
    example.await_stage(1, "Registered")

    told = example.ask("engineer", "promote", MODEL, "1", "--to=production", "--reason=Now")

    assert (told.code, "lacks the verb promote on models/production" in told.complaint) == (3, True)


def test_the_pipeline_may_not_ask_for_anything(example: Example) -> None:
    with pytest.raises(RefusedError, match="forbidden"):
        example.pipeline(
            "patch",
            "model",
            MODEL,
            f"--namespace={example.namespace}",
            "--type=merge",
            '--patch={"spec":{"stages":{"production":{"version":1,"reason":"x"}}}}',
        )
