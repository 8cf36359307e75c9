"""Whether a tool would undo an edit of an object that it keeps in Git."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from modelwarden.domain.verdicts import Verdict, allow, deny, wait


class Tool(StrEnum):
    """What applies an object from Git, by the object that says what it applies."""

    APPLICATION = "Argo CD application"
    KUSTOMIZATION = "Flux Kustomization"
    HELM_RELEASE = "Flux HelmRelease"


@dataclass(frozen=True, kw_only=True)
class Tracker:
    """The object of a GitOps tool that keeps another one; its namespace may not be known."""

    tool: Tool
    name: str
    namespace: str

    @property
    def title(self) -> str:
        """The tool and its object."""
        return f"{self.tool} {self.name}"


_ARGO_ID = "argocd.argoproj.io/tracking-id"
_ARGO_LABEL = "app.kubernetes.io/instance"
_ARGO_HOME = "argocd"
_FLUX = {
    "kustomize.toolkit.fluxcd.io": Tool.KUSTOMIZATION,
    "helm.toolkit.fluxcd.io": Tool.HELM_RELEASE,
}
_FLUX_SWITCH = "kustomize.toolkit.fluxcd.io/reconcile"


def tracker_of(metadata: Mapping[str, Any], keepers: Iterable[str]) -> Tracker | None:
    """Find what keeps an object by the marks that its tool left there; None if none is known."""
    labels, notes = metadata.get("labels", {}), metadata.get("annotations", {})
    argo = str(notes.get(_ARGO_ID, "")).partition(":")[0]
    if not argo and any(keeper.startswith("argocd") for keeper in keepers):
        argo = str(labels.get(_ARGO_LABEL, ""))
    if argo:
        # An application outside of Argo CD's own namespace is written with its namespace.
        home, separator, name = argo.partition("_")
        if separator:
            return Tracker(tool=Tool.APPLICATION, name=name, namespace=home)
        return Tracker(tool=Tool.APPLICATION, name=argo, namespace=_ARGO_HOME)
    for prefix, tool in _FLUX.items():
        if f"{prefix}/name" in labels:
            namespace = str(labels.get(f"{prefix}/namespace", ""))
            return Tracker(tool=tool, name=str(labels[f"{prefix}/name"]), namespace=namespace)
    return None


def is_let_alone(metadata: Mapping[str, Any]) -> bool:
    """Say whether the object itself tells Flux to leave it as it is."""
    return str(metadata.get("annotations", {}).get(_FLUX_SWITCH)) == "disabled"


def sync_is_off(tracker: Tracker, found: Mapping[str, Any] | None) -> Verdict:
    """Say whether the tool leaves edits alone; `found` is None where it could not be read."""
    if found is None:
        return wait(
            "AutoSyncUnknown",
            f"Whether {tracker.title} undoes the edit could not be read.",
        )
    if tracker.tool is Tool.APPLICATION:
        return _argo_is_off(tracker, found["spec"])
    if found["spec"].get("suspend"):
        return allow("AutoSyncOff", f"{tracker.title} is suspended.")
    kind = "kustomization" if tracker.tool is Tool.KUSTOMIZATION else "helmrelease"
    return deny(
        "AutoSyncOn",
        f"{tracker.title} would undo the edit at its next reconciliation.",
        f"Suspend it first: flux suspend {kind} {tracker.name} -n {tracker.namespace}",
    )


def _argo_is_off(tracker: Tracker, spec: Mapping[str, Any]) -> Verdict:
    policy = (spec.get("syncPolicy") or {}).get("automated")
    if policy is None or policy.get("enabled") is False:
        return allow("AutoSyncOff", f"{tracker.title} does not sync by itself.")
    when = "at once" if policy.get("selfHeal") else "at the next commit"
    return deny(
        "AutoSyncOn",
        f"{tracker.title} syncs by itself and would undo the edit {when}.",
        f"Switch that off first: argocd app set {tracker.name} --sync-policy none",
    )
