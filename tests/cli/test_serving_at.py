import json
from dataclasses import replace
from pathlib import Path

from modelwarden.cli.layout import plain
from modelwarden.cli.pages.serving import Serving, serving_page
from modelwarden.cluster.paths import MODELS
from modelwarden.domain.point_in_time import Answer, Served
from modelwarden.domain.state import Certainty, ModelKey
from tests import builders
from tests.cli import stories
from tests.cli.conftest import Run, golden, timeless
from tests.cli.ledger_copies import anchored, behind_kubectl, copied
from tests.workflows.world import World

ASK = ("serving-at", "fraud-detector", "--at")


async def since(world: World) -> str:
    """Give a moment at which version 1 was in Production, in the world's own time."""
    await stories.with_a_candidate(world)
    start: str = world.model()["status"]["serving"][0]["from"]
    return start


async def test_everybody_gets_the_version_from_the_status(world: World, cli: Run) -> None:
    model = world.model()
    first = {"version": 1, "from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}
    second = {"version": 2, "from": "2026-02-01T00:00:00Z", "certainty": "Declared"}
    model["status"] = {
        "ledgerIndex": 41,
        "serving": [
            {**first, "certainty": "Exact", "ledgerIndex": 20},
            {**second, "ledgerIndex": 41},
        ],
    }
    world.server.put(MODELS, model)

    results = [
        (await cli(*ASK, moment)).out.splitlines()[0]
        for moment in (
            "2025-12-31T23:59:59Z",
            "2026-01-01T00:00:00Z",
            "2026-02-01T01:00:00+01:00",
            "2999-01-01T00:00:00Z",
        )
    ]

    assert results == [
        "fraud-detector at 2025-12-31T23:59:59.000Z: Unknown",
        "fraud-detector at 2026-01-01T00:00:00.000Z: version 1 (Exact)",
        "fraud-detector at 2026-02-01T00:00:00.000Z: version 2 (Declared)",
        "fraud-detector at 2999-01-01T00:00:00.000Z: Unknown",
    ]


async def test_an_answer_from_the_status_says_that_it_is_a_picture(world: World, cli: Run) -> None:
    await stories.in_production(world)

    result = await cli(*ASK, await since(world))

    assert timeless(result.out) == golden("serving-at-status.txt")


async def test_a_moment_without_a_zone_is_refused(world: World, cli: Run) -> None:
    result = await cli(*ASK, "2026-03-01T12:00:00")

    assert (result.code, result.err) == (
        1,
        (
            "--at: '2026-03-01T12:00:00' is no moment: write it with its zone, as "
            "2026-03-01T12:00:00Z.\n"
        ),
    )


async def test_the_ledger_tells_what_it_was_made_from_and_who_approved_it(
    world: World, cli: Run, tmp_path: Path
) -> None:
    moment = await since(world)
    anchor = await anchored(world)
    copy = copied(world, tmp_path / "copy")

    result = await cli(*ASK, moment, "--ledger", str(copy), "--key", anchor.key)

    masked = type(result)(result.code, result.out.replace(anchor.key, "<key>"), result.err)
    assert (result.code, result.err, timeless(masked.out)) == (
        0,
        "",
        golden("serving-at-ledger.txt"),
    )


async def test_the_ledger_is_read_in_the_controllers_pod(
    world: World, cli: Run, tmp_path: Path
) -> None:
    moment = await since(world)
    anchor = await anchored(world)

    async with behind_kubectl(world, tmp_path) as env:
        result = await cli(*ASK, moment, "--ledger", "pod", "-o", "json", env=env)

    told = json.loads(result.out)
    assert (
        result.code,
        told["certainty"],
        told["served"][0]["version"],
        told["served"][0]["lineage"]["datasets"][0]["name"],
        [approval["by"] for approval in told["served"][0]["approvals"]],
        anchor.key in result.err,
        (tmp_path / "words").read_text(),
    ) == (
        0,
        "Exact",
        1,
        "payments",
        ["owner@example.com", "reviewer@example.com"],
        True,
        (
            "--context manager port-forward --address 127.0.0.1 -n modelwarden-system "
            "deployment/modelwarden-controller :8089\n"
        ),
    )


async def test_a_copy_answers_without_a_cluster(world: World, cli: Run, tmp_path: Path) -> None:
    moment = await since(world)
    anchor = await anchored(world)
    copy = copied(world, tmp_path / "copy")
    world.server.is_down = True

    words = ("--ledger", str(copy), "--key", anchor.key, "--offline", "-n", builders.NAMESPACE)
    result = await cli(*ASK, moment, *words)

    assert (result.code, result.out.splitlines()[0]) == (
        0,
        f"fraud-detector at {moment}: version 1 (Exact)",
    )


async def test_without_a_cluster_a_key_is_needed(world: World, cli: Run, tmp_path: Path) -> None:
    moment = await since(world)
    copy = copied(world, tmp_path / "copy")

    result = await cli(*ASK, moment, "--ledger", str(copy), "--offline", "-n", "risk")

    assert (result.code, result.err) == (
        1,
        "No key is known to trust: give the ledger's public key with --key.\n",
    )


async def test_an_altered_copy_gives_no_answer(world: World, cli: Run, tmp_path: Path) -> None:
    moment = await since(world)
    anchor = await anchored(world)
    copy = copied(world, tmp_path / "copy")
    newest = max((copy / "ledger").iterdir())
    newest.write_bytes(newest.read_bytes().replace(b"risk", b"rusk"))

    result = await cli(*ASK, moment, "--ledger", str(copy), "--key", anchor.key)

    assert (result.code, result.out, newest.name in result.err) == (1, "", True)


def test_within_a_rollout_both_versions_are_shown_with_what_each_was_in() -> None:
    old = Served(
        version=1,
        label="",
        artifact_uri="",
        artifact_digest="",
        subject="",
        registered_by="",
        since="10:00",
        until="12:05",
    )
    new = replace(old, version=2, since="12:00", until="", is_rolling_out=True)
    answer = Answer(
        key=ModelKey("risk", "fraud-detector"),
        at="12:03",
        certainty=Certainty.ROLLOUT_WINDOW,
        code="RolloutWindow",
        sentence="Both may have answered.",
        served=(old, new),
    )

    page = plain(serving_page(Serving(answer=answer, specs={}, source="From here.")))

    assert page.splitlines() == [
        "fraud-detector at 12:03: versions 1 and 2 (RolloutWindow)",
        "Both may have answered.",
        "version 1",
        "  in production  10:00 to 12:05",
        "version 2",
        "  rolled out  12:00 to now",
        "From here.",
    ]
