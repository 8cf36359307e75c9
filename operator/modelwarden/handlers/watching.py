"""kopf as it is used here: two watchers of events, and nothing else of it.

One watches our kinds and the Deployments of the whole cluster, the other Jobs and pods of the gates
namespace, where alone the operator may see any.
"""

import asyncio

import kopf

from modelwarden.cluster.credentials import Credentials
from modelwarden.cluster.paths import DEPLOYMENTS, JOBS, PODS, Resource
from modelwarden.domain.labels import ATTEMPT, MODEL, PREFIX
from modelwarden.handlers import (
    deployments,
    gates,
    model_decisions,
    model_policies,
    model_transitions,
    model_versions,
    models,
)
from modelwarden.handlers.inbox import Inbox
from modelwarden.handlers.login import log_in

ACROSS_THE_CLUSTER = (
    models,
    model_versions,
    model_transitions,
    model_decisions,
    model_policies,
    deployments,
)
# Longer than an API server takes to be replaced, and then an end: the process starts again.
RETRIES = (1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89)


class Watchers:
    """Both watchers; `ready` is set when both have begun, `stop` ends them."""

    def __init__(self, *, credentials: Credentials, inbox: Inbox, gates_namespace: str) -> None:
        self.stop = asyncio.Event()
        self._credentials = credentials
        self._inbox = inbox
        self._gates_namespace = gates_namespace
        self._begun = (asyncio.Event(), asyncio.Event())

    async def ready(self) -> None:
        """Wait until both have begun."""
        for begun in self._begun:
            await begun.wait()

    async def watch_cluster(self) -> None:
        """Watch what is in any namespace; returns when stopped, raises what kopf cannot bear."""
        registry = self._registry()
        for kind in ACROSS_THE_CLUSTER:
            kind.watch(registry, self._inbox)
        await kopf.operator(
            registry=registry,
            settings=settings_of_kopf(),
            standalone=True,
            clusterwide=True,
            stop_flag=self.stop,
            ready_flag=self._begun[0],
        )

    async def watch_gates(self) -> None:
        """Watch the gates namespace; returns when stopped, raises what kopf cannot bear."""
        registry = self._registry()
        gates.watch(registry, self._inbox)
        await kopf.operator(
            registry=registry,
            settings=settings_of_kopf(),
            standalone=True,
            namespaces=[self._gates_namespace],
            stop_flag=self.stop,
            ready_flag=self._begun[1],
        )

    def _registry(self) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()
        log_in(registry, self._credentials)
        return registry


def settings_of_kopf() -> kopf.OperatorSettings:
    """Set what was measured: memory follows idle workers, and a limit of workers stalls lists."""
    settings = kopf.OperatorSettings()
    settings.scanning.disabled = True
    settings.peering.standalone = True
    settings.posting.enabled = False
    settings.posting.loggers = False
    settings.queueing.idle_timeout = 0.5
    settings.queueing.exit_timeout = 0.5
    settings.watching.chunk_size = 500
    settings.watching.server_timeout = 300
    settings.watching.connect_timeout = 10
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 10
    settings.networking.error_backoffs = RETRIES
    settings.process.ultimate_exiting_timeout = 25
    # Its default is that of every operator on kopf: it would be taken off their objects.
    settings.persistence.finalizer = PREFIX + "unused"
    # A label that is taken away arrives as a deletion.
    for resource, label in ((DEPLOYMENTS, MODEL), (JOBS, ATTEMPT), (PODS, ATTEMPT)):
        settings.watching.label_selectors[_key(resource)] = label
    return settings


def _key(resource: Resource) -> tuple[str, str, str]:
    return resource.group, resource.version, resource.plural
