import json
from typing import Any

import pytest
import yaml

from modelwarden.cluster.paths import MODEL_DECISIONS, MODEL_TRANSITIONS
from tests import builders
from tests.cli import stories
from tests.cli.conftest import Run, golden, timeless
from tests.fakes.store import RefusalError
from tests.workflows.world import World

APPROVE = ("approve", "fraud-detector", "1", "--rationale", "Read the segment report.", "-y")
TRAINER = (
    'admission webhook "modeldecisions.modelwarden.io" denied the request: '
    "scientist@example.com trained fraud-detector 1 and may not approve it. Ask another owner or "
    "reviewer."
)


def decisions(world: World) -> list[dict[str, Any]]:
    return list(world.server.all(MODEL_DECISIONS, builders.NAMESPACE))


async def test_an_approver_sees_the_dossier_beside_production_and_then_decides(
    world: World, cli: Run
) -> None:
    await stories.with_a_candidate(world)

    result = await cli(
        "approve", "fraud-detector", "2", "--rationale", "Better.", "-y", login="owner"
    )

    assert (result.code, timeless(result.out)) == (0, golden("approve.txt"))


async def test_a_decision_names_the_attempt_what_was_reviewed_and_who_decides(
    world: World, cli: Run
) -> None:
    await stories.awaiting_votes(world)

    await cli(*APPROVE, login="owner")

    attempt = world.transition(stories.ATTEMPT)
    (decision,) = decisions(world)
    assert decision["spec"] == {
        "model": "fraud-detector",
        "version": 1,
        "stage": "Production",
        "transition": {"name": stories.ATTEMPT, "uid": attempt["metadata"]["uid"]},
        "decision": "Approve",
        "reviewed": {
            "subjectDigest": attempt["spec"]["subjectDigest"],
            "policyDigest": attempt["spec"]["policy"]["digest"],
            "evidenceDigest": attempt["status"]["evidenceDigest"],
        },
        "rationale": "Read the segment report.",
        "by": builders.OWNER,
    }


@pytest.mark.parametrize(
    "asked", [("-o", "yaml"), ("--dry-run", "client"), ("--dry-run", "client", "-o", "json")]
)
async def test_a_decision_can_be_printed_instead_of_sent(
    world: World, cli: Run, asked: tuple[str, ...]
) -> None:
    await stories.awaiting_votes(world)

    result = await cli(*APPROVE, *asked, login="owner")

    written = yaml.safe_load(result.out)
    assert (
        result.code,
        result.err,
        written["metadata"],
        written["spec"]["by"],
        decisions(world),
    ) == (
        0,
        "Not sent.\n",
        {"generateName": "fraud-detector-1-production-", "namespace": "risk"},
        builders.OWNER,
        [],
    )


async def test_a_machine_gets_the_decision_that_was_sent(world: World, cli: Run) -> None:
    await stories.awaiting_votes(world)

    result = await cli(*APPROVE, "-o", "json", login="owner")

    (decision,) = decisions(world)
    told = json.loads(result.out)
    assert (result.code, result.err, told["metadata"]["name"]) == (
        0,
        "",
        decision["metadata"]["name"],
    )


async def test_nobody_votes_unasked(world: World, cli: Run) -> None:
    await stories.awaiting_votes(world)

    result = await cli(*APPROVE[:-1], login="owner")

    assert (result.code, result.err, decisions(world)) == (
        1,
        "Nothing was decided: say --yes to decide without being asked.\n",
        [],
    )


async def test_whoever_may_not_decide_hears_the_sentence_and_nothing_else(
    world: World, cli: Run
) -> None:
    await stories.awaiting_votes(world)
    world.server.fail(
        where=lambda call: call.resource == MODEL_DECISIONS and call.is_write,
        answer=RefusalError(403, "Forbidden", TRAINER),
    )

    result = await cli(*APPROVE, login="scientist")

    assert (result.code, result.out, result.err, decisions(world)) == (
        3,
        "",
        (
            "scientist@example.com trained fraud-detector 1 and may not approve it. Ask another "
            "owner or reviewer.\n"
        ),
        [],
    )


async def test_a_vote_before_the_gates_have_passed_waits(world: World, cli: Run) -> None:
    await stories.awaiting_votes(world)
    attempt = world.transition(stories.ATTEMPT)
    world.server.put(MODEL_TRANSITIONS, attempt | {"status": {"gates": []}})

    result = await cli(*APPROVE, login="owner")

    assert (result.code, result.err, decisions(world)) == (
        4,
        "Approvals open once the gates have passed. See kubectl model why fraud-detector 1.\n",
        [],
    )


async def test_nothing_to_decide_about_is_said(world: World, cli: Run) -> None:
    await stories.in_staging(world)

    result = await cli(*APPROVE, login="owner")

    assert (result.code, result.err) == (
        1,
        "Nothing is under way that would bring it into Production. Ask for the version first.\n",
    )


async def test_a_closed_attempt_is_not_decided_about(world: World, cli: Run) -> None:
    await stories.in_production(world)

    result = await cli(*APPROVE, login="owner")

    assert (result.code, result.err) == (
        1,
        "The attempt to enter Production is closed: In Production.\n",
    )


async def test_a_step_that_asks_for_no_approval_takes_no_vote(world: World, cli: Run) -> None:
    await stories.in_staging(world)
    attempt = world.transition("fraud-detector-1-staging-1")
    world.server.put(MODEL_TRANSITIONS, attempt | {"status": {"gates": []}})

    result = await cli(*APPROVE, "--to", "staging", login="owner")

    assert (result.code, result.err) == (1, "The step to Staging asks for no approval.\n")


async def test_one_rejection_ends_the_attempt(world: World, cli: Run) -> None:
    await stories.awaiting_votes(world)

    async with stories.running(world):
        result = await cli(
            "reject",
            "fraud-detector",
            "1",
            "--rationale=Too old.",
            "-y",
            "--wait",
            login="reviewer",
        )

    assert (
        result.code,
        result.out.splitlines()[-1].startswith("reviewer@example.com rejected"),
    ) == (
        3,
        True,
    )


async def test_the_last_approval_waits_for_production_when_asked(world: World, cli: Run) -> None:
    await stories.awaiting_votes(world)
    world.vote(stories.ATTEMPT, builders.REVIEWER)

    async with stories.running(world):
        result = await cli(*APPROVE, "--wait", "--timeout", "60s", login="owner")

    assert (result.code, result.out.splitlines()[-1]) == (0, "Version 1 is in Production.")


async def test_a_vote_is_taken_back_by_whoever_gave_it(world: World, cli: Run) -> None:
    await stories.awaiting_votes(world)
    await cli(*APPROVE, login="owner")

    result = await cli("retract", "fraud-detector", "1", login="owner")

    written = [item["spec"]["decision"] for item in decisions(world)]
    assert (result.code, sorted(written)) == (0, ["Approve", "Retract"])


async def test_who_has_not_voted_has_nothing_to_take_back(world: World, cli: Run) -> None:
    await stories.awaiting_votes(world)
    await cli(*APPROVE, login="owner")

    result = await cli("retract", "fraud-detector", "1", login="reviewer")

    assert (result.code, result.err) == (
        1,
        (
            "reviewer@example.com has no vote on fraud-detector 1 for Production to take back. "
            "Nothing was changed.\n"
        ),
    )


async def test_a_vote_is_taken_back_once(world: World, cli: Run) -> None:
    await stories.awaiting_votes(world)
    await cli(*APPROVE, login="owner")
    await cli("retract", "fraud-detector", "1", login="owner")
    before = decisions(world)

    again = await cli("retract", "fraud-detector", "1", login="owner")
    await world.settle()
    later = await cli("retract", "fraud-detector", "1", login="owner")

    assert (again.code, later.code, decisions(world)) == (1, 1, before)


async def test_a_counted_vote_is_taken_back(world: World, cli: Run) -> None:
    await stories.awaiting_votes(world)
    world.vote(stories.ATTEMPT, builders.OWNER)
    await world.settle()

    result = await cli("retract", "fraud-detector", "1", login="owner")

    assert (result.code, result.out.splitlines()[0].startswith("owner@example.com took")) == (
        0,
        True,
    )


async def test_a_decision_can_be_named(world: World, cli: Run) -> None:
    await stories.awaiting_votes(world)

    result = await cli(*APPROVE, "-o", "name", login="owner")

    (decision,) = decisions(world)
    assert result.out == f"modeldecision.modelwarden.io/{decision['metadata']['name']}\n"
