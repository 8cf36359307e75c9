"""For a moment without one of the chart's admission policies, as a cluster's administrator can."""

from collections.abc import Iterator
from contextlib import contextmanager

from .running import RunningCluster

_KIND = "validatingadmissionpolicybinding"


@contextmanager
def without(cluster: RunningCluster, policy: str) -> Iterator[None]:
    """Take a policy's binding away, and put it back whatever happens.

    The API server forgets a policy and learns of it again within a second or so, not at once.
    """
    binding = cluster.get(_KIND, policy)
    kept = {key: binding["metadata"][key] for key in ("name", "labels", "annotations")}
    cluster.kubectl(None, "delete", _KIND, policy)
    try:
        yield
    finally:
        cluster.apply({**binding, "metadata": kept})
