"""The admission server as a process of this machine, asked by the cluster's API server.

The configurations are the chart's own; only the Service leads to this machine instead of to pods.
"""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from modelwarden.admission.server import serve
from modelwarden.cluster.client import connect
from modelwarden.metrics import Metrics
from modelwarden.settings import Gates, Http, Identity, Person, Settings, Store, Webhook
from tests.cluster.running import RunningCluster, until

from .chart import NAMESPACE, rendered

SERVICE = "modelwarden-webhook"
KINDS = ("mutatingwebhookconfiguration", "validatingwebhookconfiguration")


class Process:
    """The server in a thread, as the administrator; it can be stopped and started again."""

    def __init__(self, cluster: RunningCluster, settings: Settings) -> None:
        self._cluster = cluster
        self.settings = settings

    def start(self) -> None:
        """Begin to serve."""
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))
        self._thread.start()

    def stop(self) -> None:
        """Answer what is under way, and end."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    async def _run(self) -> None:
        async with await connect(self._cluster.kubeconfig, self._cluster.admin) as client:
            await serve(client, self.settings, metrics=Metrics.create(), stop=self._stop)


@contextmanager
def webhook(cluster: RunningCluster) -> Iterator[Process]:
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
    cluster.apply(*rendered("webhook/certificate.yaml"))
    process = Process(cluster, settings)
    process.start()
    try:
        cluster.apply(*rendered("webhook/configurations.yaml"))
        until(lambda: _is_trusted(cluster), what="the webhook's authority in both places")
        yield process
    finally:
        for kind in KINDS:
            cluster.kubectl(None, "delete", kind, "modelwarden", "--ignore-not-found")
        process.stop()


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
