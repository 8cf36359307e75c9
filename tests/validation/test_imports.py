"""What opens hostile files shares its process, and its image, with as little as possible."""

import subprocess
import sys

import pytest

NOT_IN_THE_VALIDATOR = "aiohttp cryptography kopf kubernetes pydantic rich typer yaml"


def imported(module: str) -> set[str]:
    """The top-level packages that are loaded with a module."""
    script = f"import sys, {module}; print(*sorted({{m.partition('.')[0] for m in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["modelwarden.validation.job", "modelwarden.artifacts.fetch"])
def test_the_validator_needs_nothing_of_the_operator(module: str) -> None:
    assert imported(module) & set(NOT_IN_THE_VALIDATOR.split()) == set()


def test_the_reader_alone_loads_the_format_and_has_no_client_of_a_store() -> None:
    loaded = imported("modelwarden.validation.onnx_model")

    assert {"onnx"} <= loaded
    assert {"boto3", "botocore"} & loaded == set()


def test_the_reader_of_weights_loads_no_weights_framework() -> None:
    loaded = imported("modelwarden.validation.safetensors_model")

    assert {"numpy", "onnx", "safetensors", "torch", "boto3"} & loaded == set()


def test_a_gate_does_not_load_the_format_itself() -> None:
    assert {"onnx", "numpy"} & imported("modelwarden.validation.job") == set()


def test_the_operator_loads_no_reader_of_model_files() -> None:
    assert {"onnx", "numpy"} & imported("modelwarden.handlers.run") == set()
