from pathlib import Path

import pytest

from tests.charts.rendering import Rendered, render
from tests.cluster.local import programs

# Every optional part at once, so that what is off by default is looked at too.
EVERYTHING = {
    "commonLabels": {"team": "ml-platform"},
    "images": {
        "operator": {"digest": "sha256:" + "a" * 64},
        "validator": {"digest": "sha256:" + "b" * 64},
        "pullSecrets": [{"name": "registry"}],
    },
    "controller": {
        "podLabels": {"zone": "a"},
        "podAnnotations": {"note": "here"},
        "priorityClassName": "system-cluster-critical",
        "nodeSelector": {"pool": "system"},
        "tolerations": [{"key": "system", "operator": "Exists"}],
    },
    "gates": {
        "quota": {"count/jobs.batch": "100"},
        "networkPolicy": {
            "dns": [{"namespaceSelector": {}}],
            "egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": 443}]}],
        },
    },
    "stores": [
        {
            "name": "main",
            "uriPrefix": "s3://models/{namespace}/",
            "endpoint": "http://s3.storage.svc:7070",
            "region": "us-east-1",
            "secret": "store-main",
            "addressing": "path",
        },
        {"name": "shared", "uriPrefix": "pvc://models/{namespace}/", "claim": "gates-models"},
    ],
    "identity": {
        "usernamePrefix": "oidc:",
        "people": [{"name": "scientist@example.com", "logins": ["platform@example.com"]}],
    },
    "serving": {"namespaces": ["risk", "pricing"]},
    "roles": {"gitops": {"govern": True, "use": ["standard"]}},
    "metrics": {"serviceMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}},
    "networkPolicy": {"enabled": True, "metricsFrom": [{"namespaceSelector": {}}]},
    "extraObjects": [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": '{{ include "modelwarden.fullname" . }}-extra'},
        },
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: as-text\n",
    ],
}


def built(name: str) -> Path:
    program = programs.path(name)
    if not program.exists():
        pytest.skip(f"{name} is not built: run `make cluster`, which builds it once")
    return program


@pytest.fixture(scope="session")
def helm() -> Path:
    return built("helm")


@pytest.fixture(scope="session")
def helm3() -> Path:
    return built("helm3")


@pytest.fixture(scope="session")
def kubeconform() -> Path:
    return built("kubeconform")


@pytest.fixture(scope="session")
def rendered(helm: Path) -> Rendered:
    """The chart as it comes."""
    return render(helm)


@pytest.fixture(scope="session")
def everything(helm: Path) -> Rendered:
    """The chart with every optional part."""
    return render(helm, EVERYTHING)


@pytest.fixture(scope="session", params=["as it comes", "with every part"])
def either(request: pytest.FixtureRequest, rendered: Rendered, everything: Rendered) -> Rendered:
    return rendered if request.param == "as it comes" else everything
