"""The example model's training script, loaded as the demo loads it."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "fraud-detector"


@pytest.fixture(scope="session")
def training() -> ModuleType:
    """The module `train.py`."""
    specification = importlib.util.spec_from_file_location("train", EXAMPLE / "train.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules["train"] = module  # dataclasses look their module up
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def trained(training: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[int, object]:
    """All versions, trained once."""
    place = tmp_path_factory.mktemp("trained")
    return {number: training.train(number, place / str(number)) for number in training.RECIPES}
