import asyncio
import json
from typing import Any

import yaml

from modelwarden.cluster.paths import MODEL_VERSIONS, MODELS
from tests import builders
from tests.cli import stories
from tests.cli.conftest import Run, golden, timeless
from tests.fakes.store import RefusalError
from tests.workflows.world import World

STAGING = ("promote", "fraud-detector", "1", "--to", "staging", "--reason", "Candidate")
PRODUCTION = ("promote", "fraud-detector", "1", "--to", "production", "--reason", "Release")


def stages(world: World) -> Any:
    return world.model()["spec"].get("stages")


def kept_in_git(world: World, surface: dict[str, Any]) -> None:
    """Write the stages as a GitOps tool does: by server-side apply, as its own field manager."""
    metadata = {"name": builders.MODEL, "namespace": builders.NAMESPACE}
    body = {"metadata": metadata, "spec": {"stages": surface}}
    world.server.store.apply(MODELS, body, "argocd-controller", force=True)


async def test_a_promotion_adds_its_entry_and_keeps_all_others(world: World, cli: Run) -> None:
    await stories.with_a_candidate(world)
    world.register(3)
    before = stages(world)

    result = await cli("promote", "fraud-detector", "3", "--to", "staging", "--reason", "Candidate")

    assert (result.code, result.out, stages(world)) == (
        0,
        (
            "fraud-detector 3 is asked into Staging.\n"
            "Follow it: kubectl model why fraud-detector 3 -n risk\n"
        ),
        before | {"staging": [*before["staging"], {"version": 3, "reason": "Candidate"}]},
    )


async def test_a_promotion_is_stamped_with_the_login_of_whoever_asks(
    world: World, cli: Run
) -> None:
    await stories.registered(world)

    await cli(*STAGING)

    (author,) = world.model()["spec"]["authors"]
    assert (author["by"]["username"], author["of"]) == (
        "manager@example.com",
        ["stages.staging/1"],
    )


async def test_a_promotion_is_written_as_our_own_field_manager(world: World, cli: Run) -> None:
    await stories.registered(world)

    await cli(*STAGING)

    (patch,) = [
        call
        for call in world.server.calls
        if call.resource == MODELS and call.is_write and not call.subresource
    ]
    assert (patch.query, patch.content_type) == (
        {"fieldManager": "kubectl-model"},
        "application/merge-patch+json",
    )


async def test_somebody_who_writes_in_between_loses_nothing(world: World, cli: Run) -> None:
    await stories.registered(world)
    conflict = RefusalError(409, "Conflict", "the object has been modified")
    world.server.fail(where=lambda call: call.method == "PATCH", answer=conflict)

    result = await cli(*STAGING)

    assert (result.code, stages(world)) == (
        0,
        {"staging": [{"version": 1, "reason": "Candidate"}]},
    )


async def test_asking_twice_with_one_reason_writes_once_and_says_so(world: World, cli: Run) -> None:
    await stories.registered(world)
    await cli(*STAGING)
    writes = len(world.server.writes)

    result = await cli(*STAGING)

    assert (result.code, result.out.splitlines()[0], len(world.server.writes)) == (
        0,
        (
            "fraud-detector 1 was asked into Staging with this reason before; another reason asks "
            "again."
        ),
        writes,
    )


async def test_a_version_that_is_there_already_is_said_to_be(world: World, cli: Run) -> None:
    await stories.in_production(world)
    before = stages(world)

    result = await cli(*PRODUCTION, "--wait")

    assert (result.code, result.out, stages(world)) == (
        0,
        "fraud-detector 1 is in Production already; nothing was changed.\n",
        before,
    )


async def test_a_move_down_is_no_promotion(world: World, cli: Run) -> None:
    await stories.in_production(world)
    before = stages(world)

    result = await cli(*STAGING)

    assert (result.code, result.err, stages(world)) == (
        1,
        (
            "fraud-detector 1 is in Production: Staging would be a move down, and nothing was "
            "changed. kubectl model demote fraud-detector 1 --to staging -n risk asks for that.\n"
        ),
        before,
    )


async def test_an_archived_version_is_asked_back_to_be_registered(world: World, cli: Run) -> None:
    await stories.registered(world)
    model = world.model()
    model["spec"]["stages"] = {"archived": [{"version": 1, "reason": "Superseded"}]}
    model["status"]["stages"] = {"archived": [1]}
    world.server.put(MODELS, model)

    result = await cli(*STAGING[:3], "--to", "registered", "--reason", "Wanted again")

    assert (result.code, result.out.splitlines()[0], stages(world)) == (
        0,
        "fraud-detector 1 is asked into Registered.",
        {"archived": [], "registered": [{"version": 1, "reason": "Wanted again"}]},
    )


async def test_asking_the_version_in_production_again_takes_the_request_for_another_back(
    world: World, cli: Run
) -> None:
    await stories.with_a_candidate(world)

    await cli(*PRODUCTION)

    assert stages(world)["production"] == {"version": 1, "reason": "Release"}


async def test_a_version_whose_registration_failed_is_not_asked_for(world: World, cli: Run) -> None:
    await stories.registered(world)
    record = world.server.get(MODEL_VERSIONS, "fraud-detector-1", builders.NAMESPACE)
    record["status"]["conditions"] = [
        {
            "type": "Ready",
            "status": "False",
            "reason": "RegistrationFailed",
            "message": "artifact: Not an ONNX file. Register the next version.",
        }
    ]
    world.server.put(MODEL_VERSIONS, record)

    result = await cli(*STAGING)

    assert (result.code, result.err, stages(world)) == (
        1,
        ("fraud-detector 1 is invalid: artifact: Not an ONNX file. Register the next version.\n"),
        None,
    )


async def test_a_promotion_without_a_reason_is_refused(world: World, cli: Run) -> None:
    await stories.registered(world)

    result = await cli(*STAGING[:-1], " ")

    assert (result.code, result.err, stages(world)) == (
        1,
        "--reason says why; it cannot be empty.\n",
        None,
    )


async def test_a_model_kept_in_git_gets_the_edit_to_commit_and_is_left_alone(
    world: World, cli: Run
) -> None:
    await stories.registered(world)
    kept_in_git(world, {"staging": [{"version": 1, "reason": "first"}]})

    result = await cli(*PRODUCTION)

    assert (result.code, timeless(result.out), stages(world)) == (
        0,
        golden("promote-in-git.txt"),
        {"staging": [{"version": 1, "reason": "first"}]},
    )


async def test_the_edit_to_commit_is_yaml_as_it_stands(world: World, cli: Run) -> None:
    await stories.registered(world)
    kept_in_git(world, {"staging": []})

    result = await cli(*PRODUCTION)

    assert yaml.safe_load(result.out) == {
        "spec": {"stages": {"staging": [], "production": {"version": 1, "reason": "Release"}}}
    }


async def test_force_edits_even_what_is_kept_in_git(world: World, cli: Run) -> None:
    await stories.registered(world)
    kept_in_git(world, {"staging": []})

    result = await cli(*PRODUCTION, "--force", "--yes")

    assert (result.code, stages(world)["production"]) == (0, {"version": 1, "reason": "Release"})


async def test_whoever_lacks_the_right_hears_the_sentence_of_the_policy(
    world: World, cli: Run
) -> None:
    await stories.registered(world)
    message = (
        'models.modelwarden.io "fraud-detector" is forbidden: ValidatingAdmissionPolicy '
        "'modelwarden-model-rights' with binding 'modelwarden-model-rights' denied request: "
        "manager@example.com lacks the verb promote on models/production for fraud-detector in risk"
    )
    refusal = RefusalError(403, "Forbidden", message)
    world.server.fail(where=lambda call: call.method == "PATCH", answer=refusal)

    result = await cli(*PRODUCTION)

    assert (result.code, result.out, result.err) == (
        3,
        "",
        (
            "manager@example.com lacks the verb promote on models/production for fraud-detector in "
            "risk\n"
        ),
    )


async def test_a_version_that_does_not_exist_is_not_asked_for(world: World, cli: Run) -> None:
    result = await cli(*STAGING)

    assert (result.code, result.err, stages(world)) == (
        1,
        "fraud-detector has no version 1. It has no versions yet.\n",
        None,
    )


async def test_waiting_tells_each_gate_and_ends_when_the_version_is_there(
    world: World, cli: Run
) -> None:
    await stories.registered(world)

    async with stories.running(world):
        result = await cli(*STAGING, "--wait", "--timeout", "60s")

    assert (result.code, result.out.splitlines()[-1]) == (0, "Version 1 is in Staging.")


async def test_waiting_for_production_goes_on_through_votes_and_the_rollout(
    world: World, cli: Run
) -> None:
    await stories.awaiting_votes(world)

    async with stories.running(world):
        waiting = asyncio.create_task(
            cli(
                "promote",
                "fraud-detector",
                "1",
                "--to",
                "production",
                "--reason",
                "release 1",
                "--wait",
                "--timeout",
                "60s",
            )
        )
        world.vote(stories.ATTEMPT, builders.OWNER)
        world.vote(stories.ATTEMPT, builders.REVIEWER)
        result = await waiting

    assert (result.code, result.out.splitlines()[-1]) == (0, "Version 1 is in Production.")


async def test_waiting_ends_with_4_when_the_time_is_over(world: World, cli: Run) -> None:
    await stories.in_staging(world)

    async with stories.running(world):
        result = await cli(*PRODUCTION, "--wait", "--timeout", "2s")

    assert (result.code, timeless(result.out)) == (4, golden("promote-still-waiting.txt"))


async def test_waiting_ends_with_3_when_a_gate_says_no(world: World, cli: Run) -> None:
    total = {"name": "auc", "value": "0.87", "samples": 100}
    world.register(1, metrics=[total, {**total, "segment": {"age_band": "18-25"}}])
    await world.settle("fraud-detector-1")

    async with stories.running(world):
        result = await cli(*STAGING, "--wait", "--timeout", "60s")

    assert (result.code, result.out.splitlines()[-1].startswith("quality: auc is 0.87")) == (
        3,
        True,
    )


async def test_a_machine_that_waits_gets_the_answer_alone(world: World, cli: Run) -> None:
    await stories.registered(world)

    async with stories.running(world):
        result = await cli(*STAGING, "--wait", "-o", "json")

    told = json.loads(result.out)
    assert (told["stage"], told["end"]["code"]) == ("Staging", "Done")


async def test_a_timeout_that_is_none_is_refused_before_anything_is_written(
    world: World, cli: Run
) -> None:
    await stories.registered(world)

    result = await cli(*STAGING, "--wait", "--timeout", "soon")

    assert (result.code, result.err, stages(world)) == (
        1,
        "--timeout: 'soon' is no duration: write 90s, 15m or 1h30m.\n",
        None,
    )
