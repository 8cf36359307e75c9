import subprocess
from pathlib import Path

import pytest

from tests.charts.rendering import Rendered
from tests.charts.schemas import LOCATION, SchemasMissingError, write_schemas

# Kinds of the Prometheus operator, whose definitions are nobody's dependency here.
FOREIGN = "ServiceMonitor,PrometheusRule"


@pytest.fixture(scope="session")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("schemas")
    try:
        write_schemas(folder, Path("crds"))
    except SchemasMissingError as reason:
        pytest.skip(f"{reason}: run `make cluster`, which fetches it once")
    return folder


def test_the_chart_is_valid_kubernetes(kubeconform: Path, schemas: Path, either: Rendered) -> None:
    assert _problems(kubeconform, schemas, either.text) == ""


def test_an_unknown_field_would_be_found(
    kubeconform: Path, schemas: Path, rendered: Rendered
) -> None:
    misspelt = rendered.text.replace("enableServiceLinks:", "enableServiceLink:")

    assert "enableServiceLink" in _problems(kubeconform, schemas, misspelt)


@pytest.mark.parametrize(
    "path",
    [
        *Path("examples/policies").glob("*.yaml"),
        *Path("examples/01-register").glob("*.yaml"),
    ],
    ids=lambda path: path.stem,
)
def test_an_example_is_valid_kubernetes(kubeconform: Path, schemas: Path, path: Path) -> None:
    assert _problems(kubeconform, schemas, path.read_text()) == ""


def _problems(kubeconform: Path, schemas: Path, text: str) -> str:
    command = [str(kubeconform), "-strict", "-skip", FOREIGN, "-kubernetes-version", "1.36.0"]
    command += ["-schema-location", f"{schemas}/{LOCATION}", "-"]
    answer = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    return answer.stdout + answer.stderr if answer.returncode else ""
