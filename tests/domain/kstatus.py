"""What Helm, Flux and `kubectl apply --wait` make of a status: the rules of kstatus, in order."""

from collections.abc import Mapping
from typing import Any


def kstatus(manifest: Mapping[str, Any]) -> str:
    """Say what kstatus says of a custom resource: Terminating, InProgress, Failed or Current."""
    metadata, status = manifest["metadata"], manifest.get("status", {})
    if metadata.get("deletionTimestamp"):
        return "Terminating"
    seen, generation = status.get("observedGeneration"), metadata.get("generation")
    if seen is not None and generation is not None and seen != generation:
        return "InProgress"
    conditions = status.get("conditions", ())
    for condition in conditions:
        # The first of the two in the list decides.
        if condition["type"] == "Reconciling" and condition["status"] == "True":
            return "InProgress"
        if condition["type"] == "Stalled" and condition["status"] == "True":
            return "Failed"
    ready = next((each["status"] for each in conditions if each["type"] == "Ready"), "True")
    return "Current" if ready == "True" else "InProgress"
