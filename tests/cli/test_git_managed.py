from typing import Any

import pytest
import yaml

from modelwarden.cluster.paths import APPLICATIONS, MODELS
from tests.cli import stories
from tests.cli.conftest import Run
from tests.cli.test_demote import stages
from tests.cli.test_promote import PRODUCTION, kept_in_git
from tests.fakes.store import RefusalError
from tests.workflows.world import World

VERBS = (
    ("promote", "fraud-detector", "1", "--to", "production", "--reason", "Release"),
    ("demote", "fraud-detector", "1", "--reason", "Drifts"),
    ("archive", "fraud-detector", "1", "--reason", "Not needed"),
    ("cancel", "fraud-detector", "1"),
)
STAGED = {"staging": [{"version": 1, "reason": "first"}]}
ASKED = STAGED | {"production": {"version": 1, "reason": "Release"}}
WANTED: dict[str, dict[str, Any]] = {
    "promote": STAGED | {"production": {"version": 1, "reason": "Release"}},
    "demote": {"staging": [], "registered": [{"version": 1, "reason": "Drifts"}]},
    "archive": {"staging": [], "archived": [{"version": 1, "reason": "Not needed"}]},
    "cancel": STAGED,
}


def application(world: World, **policy: Any) -> None:
    """Let Argo CD keep the Model, by an application with this policy of syncing."""
    metadata = {"name": "risk", "namespace": "argocd"}
    world.server.put(
        APPLICATIONS,
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": metadata,
            "spec": {"syncPolicy": policy},
        },
    )
    model = world.model()
    tracking = "risk:modelwarden.io/Model:risk/fraud-detector"
    model["metadata"]["annotations"] = {"argocd.argoproj.io/tracking-id": tracking}
    world.server.put(MODELS, model)


@pytest.mark.parametrize("words", VERBS, ids=[words[0] for words in VERBS])
async def test_every_move_of_a_model_in_git_is_an_edit_to_commit(
    world: World, cli: Run, words: tuple[str, ...]
) -> None:
    await stories.in_staging(world)
    kept_in_git(world, ASKED if words[0] == "cancel" else STAGED)
    before = stages(world)

    result = await cli(*words)

    assert (result.code, yaml.safe_load(result.out), stages(world)) == (
        0,
        {"spec": {"stages": WANTED[words[0]]}},
        before,
    )


async def test_beside_the_edit_stands_what_the_server_says_of_it(world: World, cli: Run) -> None:
    await stories.in_staging(world)
    kept_in_git(world, STAGED)
    refusal = RefusalError(403, "Forbidden", "admission webhook denied the request: not you")
    world.server.fail(where=lambda call: "dryRun" in call.query, answer=refusal)

    result = await cli(*PRODUCTION)

    assert (result.code, result.err) == (
        0,
        "Sent with your own login it would be refused: not you\n",
    )


@pytest.mark.parametrize("more", [(), ("--yes",)])
async def test_an_edit_that_a_sync_would_undo_is_not_forced(
    world: World, cli: Run, more: tuple[str, ...]
) -> None:
    await stories.in_staging(world)
    kept_in_git(world, STAGED)
    application(world, automated={"selfHeal": True})

    result = await cli(*PRODUCTION, "--force", *more)

    assert (result.code, result.err, stages(world)) == (
        1,
        (
            "Argo CD application risk syncs by itself and would undo the edit at once.\n"
            "Switch that off first: argocd app set risk --sync-policy none\n"
            "Nothing was changed.\n"
        ),
        STAGED,
    )


async def test_an_edit_is_forced_where_no_sync_undoes_it(world: World, cli: Run) -> None:
    await stories.in_staging(world)
    kept_in_git(world, STAGED)
    application(world)

    result = await cli(*PRODUCTION, "--force")

    assert (result.code, stages(world)) == (0, ASKED)


async def test_where_it_cannot_be_seen_whether_a_sync_undoes_it_somebody_says_so(
    world: World, cli: Run
) -> None:
    await stories.in_staging(world)
    kept_in_git(world, STAGED)

    result = await cli(*PRODUCTION, "--force")

    assert (result.code, result.err, stages(world)) == (
        1,
        (
            "Whether argocd-controller undoes the edit cannot be told from here. Say --yes too if "
            "its automatic sync is off.\n"
            "Nothing was changed.\n"
        ),
        STAGED,
    )
