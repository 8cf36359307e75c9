"""From workloads as the API server stores them to what uses a version."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from modelwarden.domain import labels
from modelwarden.domain.consumers import Consumer, Consumers, How
from modelwarden.domain.facts import DeploymentFacts
from modelwarden.domain.state import ModelKey

# A pod in one of these phases has no container that runs or could run again.
_OVER = frozenset({"Succeeded", "Failed"})


def consumers_by_label(
    key: ModelKey,
    deployments: Mapping[str, DeploymentFacts],
    pods: Iterable[Mapping[str, Any]],
) -> Consumers:
    """Find the Deployments of a Model that carry a version, and the pods that still run one."""
    found: dict[int, tuple[Consumer, ...]] = {}
    for version, consumer in (*_deployments(key, deployments), *_pods(key, pods)):
        found[version] = (*found.get(version, ()), consumer)
    return found


def _deployments(
    key: ModelKey, deployments: Mapping[str, DeploymentFacts]
) -> Iterator[tuple[int, Consumer]]:
    for name, deployment in deployments.items():
        version = _version(key, deployment.template_labels)
        if version is not None:
            yield version, Consumer("Deployment", key.namespace, name, How.LABEL)


def _pods(key: ModelKey, pods: Iterable[Mapping[str, Any]]) -> Iterator[tuple[int, Consumer]]:
    for pod in pods:
        metadata = pod["metadata"]
        version = _version(key, metadata.get("labels", {}))
        # A gate Job's pod reads a version to judge it, where gates run in the Model's namespace.
        judges = labels.MANAGED_BY in metadata.get("labels", {})
        if version is not None and not judges and pod.get("status", {}).get("phase") not in _OVER:
            yield version, Consumer("Pod", key.namespace, metadata["name"], How.LABEL)


def _version(key: ModelKey, carried: Mapping[str, str]) -> int | None:
    number = carried.get(labels.MODEL_VERSION, "")
    ours = carried.get(labels.MODEL) == key.name
    return int(number) if ours and number.isdecimal() else None
