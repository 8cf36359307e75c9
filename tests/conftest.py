"""How the tests are shared out where several processes run them."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together what shares something dear: the tests of a file, and all of the cluster."""
    for item in items:
        path = item.path.relative_to(HERE)
        group = path.parts[0] if path.parts[0] == "cluster" else path.as_posix()
        item.add_marker(pytest.mark.xdist_group(group))
