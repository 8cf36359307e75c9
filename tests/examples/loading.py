"""The example model's training script, which lies in no package, as a module."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

EXAMPLE = Path(__file__).parents[2] / "examples" / "fraud-detector"


def load_training() -> ModuleType:
    """The module `train.py`."""
    specification = importlib.util.spec_from_file_location("train", EXAMPLE / "train.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules["train"] = module  # dataclasses look their module up
    specification.loader.exec_module(module)
    return module
