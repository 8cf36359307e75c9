"""All versions of the example model, trained once."""

from types import ModuleType

import pytest

from .loading import load_training


@pytest.fixture(scope="session")
def training() -> ModuleType:
    """The module `train.py`."""
    return load_training()


@pytest.fixture(scope="session")
def trained(training: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[int, object]:
    """All versions, trained once."""
    place = tmp_path_factory.mktemp("trained")
    return {number: training.train(number, place / str(number)) for number in training.RECIPES}
