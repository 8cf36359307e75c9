import asyncio
from pathlib import Path
from typing import Any

import pytest

from modelwarden.cluster.paths import MODELS
from tests.cli import stories
from tests.cli.conftest import Run
from tests.cli.test_terminal import on_a_terminal
from tests.fakes.store import RefusalError
from tests.workflows.world import World

DEMOTE = ("demote", "fraud-detector", "1", "--reason", "Drifts")
ARCHIVE = ("archive", "fraud-detector", "1", "--reason", "Not needed")
DOWN = {"version": 1, "reason": "Drifts"}
FOLLOW = "Follow it: kubectl model why fraud-detector 1 -n risk\n"
LOST = (
    "fraud-detector 1 is in Production and no version replaces it: it goes to Staging, and "
    "deploy/fraud-api gets no model."
)


def stages(world: World) -> Any:
    return world.model()["spec"].get("stages")


def showing(world: World, surface: dict[str, Any], shown: dict[str, Any]) -> None:
    """Let the stages ask for something, and status show something."""
    model = world.model()
    model["spec"]["stages"] = surface
    model["status"]["stages"] = shown
    world.server.put(MODELS, model)


async def test_a_version_in_staging_is_asked_back_to_registered(world: World, cli: Run) -> None:
    await stories.in_staging(world)

    result = await cli(*DEMOTE)

    assert (result.code, result.out, stages(world)) == (
        0,
        f"fraud-detector 1 is asked out of Staging into Registered.\n{FOLLOW}",
        {"staging": [], "registered": [DOWN]},
    )


async def test_production_is_not_emptied_before_somebody_has_said_so(
    world: World, cli: Run
) -> None:
    await stories.in_production(world)
    before = stages(world)

    result = await cli(*DEMOTE)

    assert (result.code, result.out, result.err, stages(world)) == (
        1,
        "",
        (
            f"{LOST} Say --to staging, registered or archived, or --yes for Staging.\n"
            "Nothing was changed.\n"
        ),
        before,
    )


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        (("--yes",), {"staging": [DOWN]}),
        (("--to", "staging"), {"staging": [DOWN]}),
        (("--to", "registered"), {"staging": [], "registered": [DOWN]}),
        (("--to", "archived"), {"staging": [], "archived": [DOWN]}),
    ],
)
async def test_a_version_is_withdrawn_to_where_somebody_said(
    world: World, cli: Run, more: tuple[str, ...], wanted: dict[str, Any]
) -> None:
    await stories.in_production(world)

    result = await cli(*DEMOTE, *more)

    assert (result.code, result.err, stages(world)) == (0, "", wanted)


@pytest.mark.parametrize(("answer", "is_withdrawn"), [("y\n", True), ("n\n", False)])
async def test_on_a_terminal_a_withdrawal_is_asked_about(
    world: World, kubeconfig: Path, *, answer: str, is_withdrawn: bool
) -> None:
    await stories.in_production(world)

    result = await asyncio.to_thread(on_a_terminal, *DEMOTE, kubeconfig=kubeconfig, answers=answer)

    assert (LOST in result.out, "production" not in stages(world)) == (True, is_withdrawn)


async def test_whoever_may_not_withdraw_hears_that_before_any_question(
    world: World, cli: Run
) -> None:
    await stories.in_production(world)
    message = (
        "admission webhook denied the request: manager@example.com lacks the verb demote on "
        "models/production for fraud-detector in risk"
    )
    refusal = RefusalError(403, "Forbidden", message)
    world.server.fail(where=lambda call: "dryRun" in call.query, answer=refusal)

    result = await cli(*DEMOTE)

    assert (result.code, result.err) == (
        3,
        (
            "manager@example.com lacks the verb demote on models/production for fraud-detector in "
            "risk\n"
        ),
    )


async def test_what_another_version_replaces_goes_when_it_is_replaced(
    world: World, cli: Run
) -> None:
    await stories.with_a_candidate(world)
    before = stages(world)

    result = await cli(*DEMOTE, "--to", "registered")

    left = [entry for entry in before["staging"] if entry["version"] != 1]
    assert (result.code, result.out.splitlines()[0], stages(world)) == (
        0,
        "fraud-detector 1 goes to Registered once 2 has replaced it in Production.",
        before | {"staging": left, "registered": [DOWN]},
    )


async def test_what_another_version_replaces_does_not_return_to_staging(
    world: World, cli: Run
) -> None:
    await stories.with_a_candidate(world)
    before = stages(world)

    result = await cli(*DEMOTE)

    assert (result.code, result.err, stages(world)) == (
        1,
        (
            "fraud-detector 1 is in Production until 2 is. What another version replaces does not "
            "return to Staging: say --to registered or --to archived. Nothing was changed.\n"
        ),
        before,
    )


async def test_a_candidate_that_is_demoted_leaves_production_as_it_is(
    world: World, cli: Run
) -> None:
    await stories.with_a_candidate(world)

    result = await cli("demote", "fraud-detector", "v2", "--reason", "Drifts")

    assert (result.code, stages(world)) == (
        0,
        {
            "production": {"version": 1, "reason": "release 1"},
            "staging": [{"version": 1, "reason": "candidate 1"}],
            "registered": [{"version": 2, "reason": "Drifts"}],
        },
    )


@pytest.mark.parametrize(
    ("shown", "words", "code", "said"),
    [
        (
            {"staging": [1]},
            (*DEMOTE, "--to", "staging"),
            0,
            "fraud-detector 1 is in Staging already; nothing was changed.",
        ),
        (
            {},
            DEMOTE,
            1,
            (
                "fraud-detector 1 is Registered: below is the archive only. kubectl model archive "
                "fraud-detector 1 -n risk --reason ... asks for that. Nothing was changed."
            ),
        ),
        (
            {"archived": [1]},
            DEMOTE,
            1,
            "fraud-detector 1 is Archived: there is nothing below. Nothing was changed.",
        ),
        (
            {"archived": [1]},
            (*DEMOTE, "--to", "registered"),
            1,
            (
                "fraud-detector 1 is Archived: Registered would be a move up, and nothing was "
                "changed. kubectl model promote fraud-detector 1 --to registered -n risk asks for "
                "that."
            ),
        ),
        (
            {"archived": [1]},
            ARCHIVE,
            0,
            "fraud-detector 1 is Archived already; nothing was changed.",
        ),
    ],
)
async def test_what_is_no_move_down_is_said_to_be_none(
    world: World, cli: Run, shown: dict[str, Any], words: tuple[str, ...], code: int, said: str
) -> None:
    await stories.registered(world)
    showing(world, {}, shown)

    result = await cli(*words)

    assert (result.code, result.out + result.err, stages(world)) == (code, f"{said}\n", {})


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        ({}, "fraud-detector 1 is asked into Archived."),
        ({"staging": [1]}, "fraud-detector 1 is asked out of Staging into Archived."),
        (
            {"retiring": [1]},
            "fraud-detector 1 is Retiring; it is Archived when nothing uses it any more.",
        ),
    ],
)
async def test_a_version_is_archived_from_wherever_it_is(
    world: World, cli: Run, shown: dict[str, Any], said: str
) -> None:
    await stories.registered(world)
    showing(world, {}, shown)

    result = await cli(*ARCHIVE)

    assert (result.code, result.out, stages(world)) == (
        0,
        f"{said}\n{FOLLOW}",
        {"archived": [{"version": 1, "reason": "Not needed"}]},
    )


async def test_archiving_what_is_in_production_is_asked_about_too(world: World, cli: Run) -> None:
    await stories.in_production(world)
    before = stages(world)

    result = await cli(*ARCHIVE)

    assert (result.code, result.err.splitlines()[0].endswith("Say --yes if that is meant.")) == (
        1,
        True,
    )
    assert stages(world) == before


@pytest.mark.parametrize(("trial", "is_sent"), [("client", False), ("server", True)])
async def test_a_trial_shows_the_stages_and_leaves_them(
    world: World, cli: Run, *, trial: str, is_sent: bool
) -> None:
    await stories.in_staging(world)
    before, asked = stages(world), len(world.server.writes)

    result = await cli(*DEMOTE, "--dry-run", trial)

    assert (result.code, "registered:" in result.out, stages(world)) == (0, True, before)
    assert len(world.server.writes) == asked + is_sent


async def test_a_reason_is_needed(world: World, cli: Run) -> None:
    result = await cli("demote", "fraud-detector", "1", "--reason", "")

    assert (result.code, result.err) == (1, "--reason says why; it cannot be empty.\n")


async def test_waiting_for_a_demotion_ends_where_the_version_is(world: World, cli: Run) -> None:
    await stories.in_staging(world)

    async with stories.running(world):
        result = await cli(*DEMOTE, "--wait", "--timeout", "60s")

    assert (result.code, result.out.splitlines()[-1], world.stage(1)) == (
        0,
        "Version 1 is Registered.",
        "Registered",
    )


async def test_waiting_for_a_withdrawal_ends_when_it_is_on_record(world: World, cli: Run) -> None:
    await stories.in_production(world)

    async with stories.running(world):
        result = await cli(*DEMOTE, "--to", "staging", "--wait", "--timeout", "60s")

    assert (result.code, result.out.splitlines()[-1], world.stage(1)) == (
        0,
        "Version 1 is in Staging.",
        "Staging",
    )


async def test_waiting_for_the_archive_goes_on_while_the_version_is_retiring(
    world: World, cli: Run
) -> None:
    await stories.in_production(world)

    async with stories.running(world):
        result = await cli(*ARCHIVE, "--yes", "--wait", "--timeout", "60s")

    assert (result.code, result.out.splitlines()[-1], world.stage(1)) == (
        0,
        "Version 1 is Archived.",
        "Archived",
    )
