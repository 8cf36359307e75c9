"""The admission server as a process of this machine, asked by the cluster's API server.

The configurations are the chart's own; only the Service leads to this machine instead of to pods.
"""

import asyncio
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from modelwarden.admission.server import serve
from modelwarden.cluster.client import connect
from modelwarden.metrics import Metrics
from modelwarden.settings import Gates, Http, Identity, Person, Settings, Store, Webhook
from tests.cluster.local import programs
from tests.cluster.running import RunningCluster, until

CHART = Path(__file__).parents[3] / "charts" / "modelwarden"
NAMESPACE = "modelwarden-system"
SERVICE = "modelwarden-webhook"
KINDS = ("mutatingwebhookconfiguration", "validatingwebhookconfiguration")


@contextmanager
def webhook(cluster: RunningCluster) -> Iterator[Settings]:
    """Run the server and have it asked, until the caller is done."""
    address = _this_side(cluster)
    settings = Settings(
        gates=Gates(image="registry.example.com/gate:1"),
        webhook=Webhook(port=_free_port(address), address=address),
        http=Http(port=_free_port("127.0.0.1"), address="127.0.0.1"),
        stores=(Store(name="main", uri_prefix="s3://models/{namespace}/"),),
        identity=Identity(
            people=(Person(name="scientist@example.com", logins=("platform@example.com",)),)
        ),
    )
    _lead_here(cluster, address, settings.webhook.port)
    cluster.apply(*_rendered("webhook/certificate.yaml"))
    with served(cluster, settings):
        cluster.apply(*_rendered("webhook/configurations.yaml"))
        try:
            until(lambda: _is_trusted(cluster), what="the webhook's authority in both places")
            yield settings
        finally:
            for kind in KINDS:
                cluster.kubectl(None, "delete", kind, "modelwarden")


@contextmanager
def served(cluster: RunningCluster, settings: Settings) -> Iterator[None]:
    """Run the server in a thread, as the administrator."""
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def run() -> None:
        async with await connect(cluster.kubeconfig, cluster.admin) as client:
            await serve(client, settings, metrics=Metrics.create(), stop=stop)

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def _lead_here(cluster: RunningCluster, address: str, port: int) -> None:
    about = {"name": SERVICE, "namespace": NAMESPACE}
    slices = {**about, "labels": {"kubernetes.io/service-name": SERVICE}}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": about,
        "spec": {"ports": [{"name": "https", "port": 443, "targetPort": port}]},
    }
    endpoints = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": slices,
        "addressType": "IPv4",
        "ports": [{"name": "https", "port": port}],
        "endpoints": [{"addresses": [address]}],
    }
    cluster.apply(service, endpoints)


def _rendered(template: str) -> list[dict[str, Any]]:
    """What the chart installs from one of its templates."""
    command = [
        str(programs.path("helm")), "template", "modelwarden", str(CHART),
        f"--namespace={NAMESPACE}", f"--show-only=templates/{template}",
    ]  # fmt: skip
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return [document for document in yaml.safe_load_all(answer.stdout) if document]


def _is_trusted(cluster: RunningCluster) -> bool:
    found = [cluster.get(kind, "modelwarden") for kind in KINDS]
    return all("caBundle" in one["webhooks"][0]["clientConfig"] for one in found)


def _this_side(cluster: RunningCluster) -> str:
    """The address of this machine at which the node can reach it."""
    addresses = cluster.get("nodes")["items"][0]["status"]["addresses"]
    node = next(a["address"] for a in addresses if a["type"] == "InternalIP")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.connect((node, 9))
        return str(found.getsockname()[0])


def _free_port(address: str) -> int:
    with socket.socket() as found:
        found.bind((address, 0))
        return int(found.getsockname()[1])
