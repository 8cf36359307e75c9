"""Who uses a version, on a real cluster: found in any namespace, told, and waited for."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.example import MODEL, Example
from tests.cluster.installed import Installed
from tests.cluster.moods import POLICY, Moods, impatient
from tests.cluster.running import until

REPORT = {"name": "Weekly report", "kind": "Report", "contact": "bi@example.com"}
POD = {"containers": [{"name": "main", "image": "registry.example.com/main:1"}]}


def reading(name: str, uri: str) -> dict[str, Any]:
    """A StatefulSet that reads an artifact by its URI, and has no pods for now."""
    container = {"name": "main", "image": "registry.example.com/main:1", "args": ["--model", uri]}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [container]},
            },
        },
    }


def nightly(name: str, consumes: str) -> dict[str, Any]:
    """A CronJob of somebody who says what it consumes."""
    template = {"spec": {**POD, "restartPolicy": "Never"}}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name, "annotations": {"modelwarden.io/consumes": consumes}},
        "spec": {"schedule": "0 3 1 1 *", "jobTemplate": {"spec": {"template": template}}},
    }


def pinned(name: str) -> list[dict[str, Any]]:
    """A Service of version 1 and an Ingress that leads to it."""
    selector = {"modelwarden.io/model": MODEL, "modelwarden.io/version": "1"}
    backend = {"service": {"name": name, "port": {"number": 80}}}
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name},
            "spec": {"selector": selector, "ports": [{"port": 80}]},
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": name},
            "spec": {"defaultBackend": backend},
        },
    ]


@pytest.fixture(scope="module")
def moods(operator: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moods]:
    """Version 2 in Production in the place of version 1."""
    cluster = operator.cluster
    with cluster.namespace("consumers") as namespace:
        example = Example(operator, namespace, tmp_path_factory.mktemp("models"))
        example.set_up()
        cluster.apply(impatient(120))
        moods = Moods(example)
        moods.set()
        moods.example.may_use(POLICY)
        moods.apply(moods.deployment("api", replicas=1), *pinned("pinned"))
        serving = [{"stage": "Production", "deployment": {"name": "api"}}]
        example.declare(serving=serving, policy=POLICY, consumers=[REPORT])
        for number in (1, 2):
            example.register(number)
            example.await_stage(number, "Registered")
            example.ask("engineer", "promote", MODEL, str(number), "--to=staging", "--reason=Try.")
            example.await_stage(number, "Staging")
            moods.ask(number, f"Release {number}.")
            example.await_stage(number, "Production")
        yield moods


def used_by(moods: Moods, number: int) -> list[tuple[str, str, str]]:
    """What uses a version, as its status tells: kind, name, and how that shows."""
    status = moods.example.get("modelversion", f"{MODEL}-{number}").get("status", {})
    return [(c["kind"], c["name"], c["how"]) for c in status.get("consumers", ())]


def test_who_uses_a_version_is_found_in_any_namespace_and_keeps_it_from_the_archive(
    moods: Moods,
) -> None:
    cluster, home = moods.example.installed.cluster, moods.example.namespace
    uri = moods.example.get("modelversion", f"{MODEL}-1")["spec"]["artifact"]["uri"]
    with cluster.namespace("batch") as batch:
        cluster.apply(nightly("scoring", f"{home}/{MODEL}:1"), namespace=batch)
        cluster.apply(reading("replay", uri), namespace=batch)
        expected = [
            ("CronJob", "scoring", "Annotation"),
            ("Ingress", "pinned", "Selector"),
            ("Service", "pinned", "Selector"),
            ("StatefulSet", "replay", "ArtifactUri"),
        ]

        until(
            lambda: used_by(moods, 1) == expected,
            what=f"everything that uses version 1 is found (found {used_by(moods, 1)})",
            within=90,
        )

        assert moods.example.stage(1) == "Retiring"
        assert moods.example.condition(1, "InUse") == "True"
        where = f"--namespace={batch}"
        cluster.kubectl(None, "delete", "cronjob/scoring", "statefulset/replay", where)
        cluster.kubectl(None, "delete", "ingress/pinned", "service/pinned", f"--namespace={home}")
        moods.example.await_stage(1, "Archived", within=90)


def test_what_is_declared_uses_the_version_in_production(moods: Moods) -> None:
    until(
        lambda: len(used_by(moods, 2)) > 1,
        what="what is declared is told",
        within=60,
    )

    assert used_by(moods, 2) == [
        ("Deployment", "api", "Label"),
        ("Report", "Weekly report", "Declared"),
    ]
