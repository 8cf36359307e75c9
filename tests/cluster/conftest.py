"""The clusters of the tests: one that all share, and what every test needs on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import pods, running
from tests.cluster.local import programs
from tests.cluster.running import RunningCluster

from .example import Example
from .installed import Installed, installed

# What pytest-kind calls a cluster whose name nobody chose.
_NAME_OF_NOBODY = "pytest-kind"


def pytest_configure(config: pytest.Config) -> None:
    """Fills in what was not said on the command line."""
    options = config.option
    options.kind_bin = options.kind_bin or str(running.kind_program())
    options.kind_kubectl_bin = options.kind_kubectl_bin or str(programs.path("kubectl"))
    if options.cluster_name == _NAME_OF_NOBODY:
        options.cluster_name = running.NAME


@pytest.fixture(scope="session")
def cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> RunningCluster:
    """The cluster that all tests share; one that ran before the tests runs on after them."""
    options = request.config.option
    kind, name = Path(options.kind_bin), options.cluster_name
    kubeconfig = Path(options.kubeconfig or tmp_path_factory.mktemp("cluster") / "kubeconfig")
    options.kubeconfig = str(kubeconfig)
    programs.build(programs.FOR_EVERY_CLUSTER)
    if running.runs(name, kind=kind):
        options.keep_cluster = True
        running.attach(name, kubeconfig, kind=kind)
    options.keep_cluster = options.keep_cluster or running.is_to_be_kept()
    request.getfixturevalue("kind_cluster")
    return running.attach(name, kubeconfig, kind=kind)


@pytest.fixture
def namespace(cluster: RunningCluster, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of the test's own, under restricted Pod Security."""
    with cluster.namespace(request.node.name.removeprefix("test_")) as name:
        yield name


@pytest.fixture(scope="session")
def probe(cluster: RunningCluster) -> str:
    """The image of the tests' own program, loaded; `tests.cluster.pods` makes pods of it."""
    image = pods.probe_image()
    cluster.load_image(image)
    return image


@pytest.fixture(scope="session")
def operator(cluster: RunningCluster) -> Iterator[Installed]:
    """Modelwarden, installed by its chart, its processes running as pods of its image."""
    with installed(cluster) as everything:
        yield everything


@pytest.fixture
def example(operator: Installed, namespace: str, tmp_path: Path) -> Example:
    """The fraud detector of the examples, declared in the test's own namespace."""
    prepared = Example(operator, namespace, tmp_path)
    prepared.set_up()
    prepared.declare()
    return prepared
