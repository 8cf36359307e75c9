"""A cluster of its own with the CRDs and the policies, as the chart would install them.

Its own, for the shared one has the chart's, and these tests take things away.
"""

import json
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import running
from tests.cluster.running import RunningCluster, until

from .callers import OPERATOR, Person, RefusedError, Server
from .chart import rendered
from .objects import binding, model, role

CRDS = Path(__file__).parents[3] / "crds"
# What everybody in these tests may do: edit objects, which is never enough to move a version.
EDITOR = "editors"


@pytest.fixture(scope="session")
def bare_cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningCluster]:
    """A cluster with the CRDs and the policies, and nothing of ours that runs."""
    options = request.config.option
    kind, name = Path(options.kind_bin), f"{options.cluster_name}-admission"
    ran_before = running.runs(name, kind=kind)
    kubeconfig = tmp_path_factory.mktemp("admission") / "kubeconfig"
    cluster = running.start(name, kubeconfig, kind=kind)
    try:
        _install(cluster)
        yield cluster
    finally:
        if not ran_before and not running.is_to_be_kept():
            command = (kind, "delete", "cluster", f"--name={name}", f"--kubeconfig={kubeconfig}")
            subprocess.run(command, check=True)


@pytest.fixture(scope="session")
def admin(bare_cluster: RunningCluster) -> Person:
    """The administrator, who can speak in anybody's name."""
    shown = bare_cluster.kubectl(None, "config", "view", "--raw", "--output=json")
    return Person(server=Server(json.loads(shown), bare_cluster.admin))


@pytest.fixture(scope="session")
def operator(admin: Person) -> Person:
    """The operator's account."""
    return admin.named(OPERATOR, "system:serviceaccounts")


@pytest.fixture(scope="module")
def place(bare_cluster: RunningCluster, admin: Person) -> Iterator[str]:
    """A namespace for the tests of one file, where editors may edit."""
    name = f"risk-{secrets.token_hex(3)}"
    admin.create("/api/v1/namespaces", {"metadata": {"name": name}})
    rules = (
        {"apiGroups": ["modelwarden.io"], "resources": ["*"],
         "verbs": ["get", "list", "create", "update", "patch", "delete"]},
        {"apiGroups": ["modelwarden.io"], "resources": ["models/status", "modelversions/status"],
         "verbs": ["get", "update", "patch"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "create", "list"]},
    )  # fmt: skip
    bare_cluster.apply(role(EDITOR, *rules), binding(EDITOR), namespace=name)
    yield name
    bare_cluster.kubectl(None, "delete", "namespace", name, "--wait=false")


def _install(cluster: RunningCluster) -> None:
    cluster.kubectl(None, "apply", "--server-side", "-f", str(CRDS))
    names = [path.stem + ".modelwarden.io" for path in CRDS.glob("*.yaml")]
    cluster.kubectl(None, "wait", "--for=condition=Established", "crd", *names)
    operator = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "operator"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "cluster-admin",
        },
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": OPERATOR}],
    }
    system, gates = ({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
                     for name in ("modelwarden-system", "modelwarden-gates"))  # fmt: skip
    cluster.apply(system, gates, operator, *rendered("shared/policies.yaml"))
    _wait_until_policies_bite(cluster)


def _wait_until_policies_bite(cluster: RunningCluster) -> None:
    """A new policy is asked after some tenths of a second: the last one says that all are."""
    shown = cluster.kubectl(None, "config", "view", "--raw", "--output=json")
    admin = Person(server=Server(json.loads(shown), cluster.admin))
    stranger = admin.named("stranger@example.com", "system:masters")
    body = model("probe", {"owners": [{"kind": "User", "name": "a"}], "affectsPeople": False})
    body["metadata"]["labels"] = {"modelwarden.io/probe": "yes"}

    def bites() -> bool:
        try:
            stranger.create(
                "/apis/modelwarden.io/v1alpha1/namespaces/default/models", body, dry_run=True
            )
        except RefusedError as refusal:
            return "written by the operator only" in str(refusal)
        return False

    until(bites, what="the policies")
