"""What people do beside asking and voting, on a real cluster, with everybody's own login."""

import json
from typing import Any

import pytest
import yaml

from tests.cluster.example import MODEL, Example
from tests.cluster.running import RefusedError, until

ATTEMPT = f"{MODEL}-1-production-1"


def condition(example: Example, kind: str) -> tuple[str, str]:
    """What a condition of the Model says, and why."""
    found = example.get("model").get("status", {}).get("conditions", [])
    return next(((c["status"], c["reason"]) for c in found if c["type"] == kind), ("", ""))


def discarded(example: Example, attempt: str = ATTEMPT) -> dict[str, str]:
    """The reasons for which votes on an attempt do not count, by voter."""
    status = example.get("modeltransition", attempt).get("status", {})
    votes = status.get("votes", {}).get("discarded", [])
    return {vote["by"]: vote["reason"] for vote in votes}


def patch(example: Example, person: str | None, kind: str, name: str, **spec: Any) -> None:
    """Edit an object as a person does."""
    example.installed.cluster.kubectl(
        person,
        "patch",
        kind,
        name,
        f"--namespace={example.namespace}",
        "--type=merge",
        f"--patch={json.dumps({'spec': spec})}",
    )


def told(example: Example) -> list[str]:
    """The history of the model as the ledger has it, sentence by sentence."""
    asked = example.ask("auditor", "history", MODEL, "--ledger=pod", "--output=json")
    return [item["sentence"] for item in example.json(asked)["history"]]


def test_a_registration_whose_file_came_later_is_tried_again(example: Example) -> None:
    record = yaml.safe_load(example.train(1))
    later = f"{example.namespace}/{MODEL}/later/model.onnx"
    record["spec"]["artifact"]["uri"] = f"s3://models/{later}"
    example.pipeline("apply", "-f", "-", given=json.dumps(record))
    until(
        lambda: example.condition(1, "Ready") == "False",
        what="the registration failed without its file",
        within=120,
    )
    example.installed.upload(example.work / "1" / "model.onnx", later)

    retried = example.ask("engineer", "retry", MODEL, "1", "--rationale=The file is there now.")

    assert retried.code == 0, retried.complaint
    until(
        lambda: example.condition(1, "Ready") == "True",
        what="the version is registered",
        within=120,
    )
    attempt = example.get("modeltransition", f"{MODEL}-1-registered-2")["spec"]
    assert attempt["request"]["retry"]["by"]["username"] == "engineer@example.com"
    assert attempt["request"]["author"]["username"].endswith(":pipeline")


def test_who_may_not_ask_for_staging_may_not_have_a_registration_tried_again(
    example: Example,
) -> None:
    example.register(1, lineage={})
    until(
        lambda: example.condition(1, "Ready") == "False",
        what="the registration failed without its lineage",
        within=120,
    )

    refused = example.ask("owner", "retry", MODEL, "1", "--rationale=Again.")

    assert (refused.code, "lacks the verb promote on models/staging" in refused.complaint) == (
        3,
        True,
    )


def test_a_new_limitation_discards_a_vote_and_a_review_restarts_the_cadence(
    example: Example,
) -> None:
    patch(example, "manager", "model", MODEL, reviewEveryDays=90)
    example.register(1)
    example.await_stage(1, "Registered")
    example.ask("engineer", "promote", MODEL, "1", "--to=staging", "--reason=Candidate")
    example.await_stage(1, "Staging")
    example.ask("manager", "promote", MODEL, "1", "--to=production", "--reason=Release")
    example.await_votes(1)
    example.approve(1, "owner")
    limitation = {"limitations": ["Not evaluated for people under 18."]}
    patch(example, "scientist", "modelversion", f"{MODEL}-1", notes=limitation)
    lost = until(lambda: discarded(example), what="the vote is discarded", within=30)
    example.approve(1, "owner", "reviewer")
    example.await_stage(1, "Production")
    until(lambda: condition(example, "ReviewOverdue") == ("False", "ReviewDue"), what="it is due")

    own = example.ask("scientist", "review", MODEL, "--rationale=Mine.", "--yes")
    reviewed = example.ask("owner", "review", MODEL, "--rationale=Still fine.", "--yes")

    assert (lost, own.code, reviewed.code) == (
        {"owner@example.com": "NotesChanged"},
        3,
        0,
    ), reviewed.complaint
    until(
        lambda: any(line.startswith("the Model reviewed by owner") for line in told(example)),
        what="the review is on record",
        within=30,
    )


def test_a_model_made_again_otherwise_stalls_until_somebody_may_govern_it(
    example: Example,
) -> None:
    until(lambda: condition(example, "Stalled")[0] == "False", what="the Model is on record")
    where = f"--namespace={example.namespace}"
    example.installed.cluster.kubectl(None, "delete", "model", MODEL, where)
    example.declare(reviewEveryDays=30)
    until(
        lambda: condition(example, "Stalled") == ("True", "GovernedDiffers"),
        what="the Model stalls",
        within=60,
    )

    patch(example, "manager", "model", MODEL, reviewEveryDays=60)

    until(
        lambda: condition(example, "Stalled")[0] == "False",
        what="the Model is governed by who may",
        within=60,
    )


def test_a_model_with_versions_is_not_deleted_by_a_slip(example: Example) -> None:
    example.register(1)
    example.await_stage(1, "Registered")
    until(lambda: example.get("model")["status"].get("versions"), what="the version is counted")

    with pytest.raises(RefusedError, match="still has versions"):
        example.installed.cluster.kubectl(
            None, "delete", "model", MODEL, f"--namespace={example.namespace}"
        )
