"""Every manifest that is shown to people is one that the API takes."""

from pathlib import Path

import pytest

from modelwarden.domain.labels import GROUP
from modelwarden.resources.kinds import KINDS
from modelwarden.resources.objects import parse
from tests.resources import manifests

TOP = Path(__file__).parents[2]
FILES = sorted((TOP / "examples").glob("**/*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TOP)))
def test_an_example_is_valid(path: Path) -> None:
    every = manifests.documents(path)
    ours = [one for one in every if one.get("apiVersion", "").startswith(f"{GROUP}/")]

    for one in ours:
        assert parse(KINDS[one["kind"]], one).to_json()["spec"] == one["spec"]
