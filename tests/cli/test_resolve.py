import json

import pytest

from tests.builders import DIGEST
from tests.cli import stories
from tests.cli.conftest import Run
from tests.workflows.world import World


@pytest.mark.parametrize(
    ("which", "version"),
    [("production", 1), ("champion", 1), ("staging", 2), ("latest", 2), ("v1", 1)],
)
async def test_a_name_means_a_version_and_its_bytes(
    world: World, cli: Run, which: str, version: int
) -> None:
    await stories.with_a_candidate(world)

    result = await cli("resolve", f"fraud-detector@{which}", "-o", "json")

    assert json.loads(result.out) == {
        "namespace": "risk",
        "model": "fraud-detector",
        "version": version,
        "uri": f"s3://models/risk/fraud/{version}/model.onnx",
        "digest": DIGEST,
        "format": "ONNX",
    }


async def test_people_read_it_in_lines(world: World, cli: Run) -> None:
    await stories.in_production(world)

    result = await cli("resolve", "fraud-detector@production")

    assert result.out == (
        "version  1\n"
        "uri      s3://models/risk/fraud/1/model.onnx\n"
        f"digest   {DIGEST}\n"
        "format   ONNX\n"
    )


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("fraud-detector", "'fraud-detector' names no version."),
        ("fraud-detector@production", "No version of fraud-detector is in Production."),
        ("fraud-detector@stable", "fraud-detector has no alias stable."),
        ("fraud-detector@v7", "fraud-detector has no version 7."),
        ("fraud@production", "There is no model fraud in risk."),
    ],
)
async def test_what_means_nothing_fails_with_a_sentence(
    world: World, cli: Run, reference: str, said: str
) -> None:
    result = await cli("resolve", reference)

    assert (result.code, result.out, result.err.startswith(said)) == (1, "", True)
