import json
from pathlib import Path

import pytest

from tests.cli import stories
from tests.cli.conftest import Result, Run, golden, timeless
from tests.cli.ledger_copies import anchored, behind_kubectl, copied
from tests.workflows.world import World


@pytest.fixture
async def copy(world: World, tmp_path: Path) -> Path:
    await stories.in_production(world)
    return copied(world, tmp_path / "copy")


def masked(result: Result, key: str) -> Result:
    return Result(result.code, result.out.replace(key, "<key>"), result.err.replace(key, "<key>"))


async def test_a_whole_ledger_is_whole(world: World, copy: Path, cli: Run) -> None:
    key = (await anchored(world)).key

    result = masked(await cli("audit", "verify", "--ledger", str(copy), "--key", key), key)

    assert (result.code, result.err, timeless(result.out)) == (0, "", golden("audit-verify.txt"))


async def test_one_byte_changed_is_found_where_it_is(world: World, copy: Path, cli: Run) -> None:
    key = (await anchored(world)).key
    altered = sorted((copy / "ledger").iterdir())[3]
    altered.write_bytes(altered.read_bytes().replace(b"fraud", b"freud", 1))

    result = await cli("audit", "verify", "--ledger", str(copy), "--key", key)

    assert (result.code, result.out.splitlines()[0], altered.name in result.out) == (
        1,
        "The ledger is not whole: 1 flaw.",
        True,
    )


async def test_records_that_were_cut_off_are_missed_by_the_anchor(
    world: World, copy: Path, cli: Run
) -> None:
    key = (await anchored(world)).key
    max((copy / "ledger").iterdir()).unlink()

    result = await cli("audit", "verify", "--ledger", str(copy), "--key", key, "-o", "json")

    told = json.loads(result.out)
    assert (result.code, [finding["flaw"] for finding in told["findings"]]) == (
        1,
        ["BehindAnchor"],
    )


async def test_a_key_that_is_not_pinned_is_warned_about(world: World, copy: Path, cli: Run) -> None:
    key = (await anchored(world)).key

    result = masked(await cli("audit", "verify", "--ledger", str(copy)), key)

    assert (result.code, result.err) == (
        0,
        (
            "The key is taken from the cluster itself, so whoever controls the cluster could have "
            "replaced it. Pin it next time: --key <key>\n"
        ),
    )


async def test_a_key_is_read_from_a_file(
    world: World, copy: Path, cli: Run, tmp_path: Path
) -> None:
    pinned = tmp_path / "ledger.pub"
    pinned.write_text((await anchored(world)).key + "\n")

    result = await cli("audit", "verify", "--ledger", str(copy), "--key", str(pinned))

    assert (result.code, result.err) == (0, "")


async def test_another_key_than_the_ledgers_fails(world: World, copy: Path, cli: Run) -> None:
    await anchored(world)

    result = await cli("audit", "verify", "--ledger", str(copy), "--key", "A" * 43 + "=")

    assert (result.code, result.out.startswith("The ledger is not whole")) == (1, True)


async def test_what_is_no_key_is_refused(world: World, copy: Path, cli: Run) -> None:
    result = await cli("audit", "verify", "--ledger", str(copy), "--key", "secret")

    assert (result.code, result.err) == (1, "The pinned key is no Ed25519 public key.\n")


async def test_a_copy_is_verified_while_the_cluster_is_away(
    world: World, copy: Path, cli: Run
) -> None:
    key = (await anchored(world)).key
    world.server.is_down = True

    result = await cli("audit", "verify", "--ledger", str(copy), "--key", key)

    assert (result.code, result.err.startswith("The anchor in the Lease could not be read")) == (
        0,
        True,
    )


async def test_the_ledger_of_the_pod_is_verified_from_here(
    world: World, cli: Run, tmp_path: Path
) -> None:
    await stories.in_production(world)
    await anchored(world)

    async with behind_kubectl(world, tmp_path) as env:
        result = await cli("audit", "verify", env=env)

    assert (result.code, result.out.splitlines()[0]) == (0, "The ledger is whole.")


async def test_a_folder_without_a_ledger_is_no_copy(world: World, cli: Run, tmp_path: Path) -> None:
    await anchored(world)

    result = await cli("audit", "verify", "--ledger", str(tmp_path))

    assert (result.code, "it has no folder ledger" in result.err) == (1, True)


async def test_records_are_shown_newest_last(world: World, copy: Path, cli: Run) -> None:
    key = (await anchored(world)).key

    result = await cli("audit", "show", "--ledger", str(copy), "--key", key, "--tail", "3")

    assert timeless(result.out) == golden("audit-show.txt")


async def test_records_are_chosen_by_operation_model_and_version(
    world: World, copy: Path, cli: Run
) -> None:
    key = (await anchored(world)).key
    chosen = ("--operation", "promoted", "--model", "fraud-detector", "--version", "1")

    result = await cli("audit", "show", "--ledger", str(copy), "--key", key, *chosen, "-o", "json")

    told = [record["moves"][0]["to"] for record in json.loads(result.out)]
    assert told == ["Staging", "Production"]


@pytest.mark.parametrize(("namespace", "number"), [("risk", 2), ("crm", 0)])
async def test_records_are_chosen_by_namespace_and_named_by_their_index(
    world: World, copy: Path, cli: Run, namespace: str, number: int
) -> None:
    key = (await anchored(world)).key
    chosen = ("--operation", "promoted", "-n", namespace, "-o", "name")

    result = await cli("audit", "show", "--ledger", str(copy), "--key", key, *chosen)

    assert (
        result.code,
        [line.isdecimal() for line in result.out.splitlines()],
    ) == (0, [True] * number)


async def test_a_namespace_changes_nothing_about_what_is_verified(
    world: World, copy: Path, cli: Run
) -> None:
    key = (await anchored(world)).key

    result = masked(
        await cli("audit", "verify", "--ledger", str(copy), "--key", key, "-n", "crm"), key
    )

    assert (result.code, timeless(result.out)) == (0, golden("audit-verify.txt"))


async def test_an_operation_that_does_not_exist_is_refused(copy: Path, cli: Run) -> None:
    result = await cli("audit", "show", "--ledger", str(copy), "--operation", "Deleted")

    assert (result.code, result.err.startswith("There is no operation Deleted. There are ")) == (
        1,
        True,
    )
