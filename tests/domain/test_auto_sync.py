from typing import Any

import pytest

from modelwarden.domain.auto_sync import Tool, Tracker, is_let_alone, sync_is_off, tracker_of
from modelwarden.domain.verdicts import Outcome

APPLICATION = Tracker(tool=Tool.APPLICATION, name="risk", namespace="argocd")
KUSTOMIZATION = Tracker(tool=Tool.KUSTOMIZATION, name="risk", namespace="flux-system")
FLUX = {"kustomize.toolkit.fluxcd.io/name": "risk"}
HELM = {"helm.toolkit.fluxcd.io/name": "risk", "helm.toolkit.fluxcd.io/namespace": "apps"}


@pytest.mark.parametrize(
    ("labels", "annotations", "keeper", "tracker"),
    [
        ({}, {}, "argocd-controller", None),
        ({}, {"argocd.argoproj.io/tracking-id": "risk:modelwarden.io/Model:risk/fraud"}, "x",
         APPLICATION),
        ({}, {"argocd.argoproj.io/tracking-id": "apps_risk:modelwarden.io/Model:risk/fraud"}, "x",
         Tracker(tool=Tool.APPLICATION, name="risk", namespace="apps")),
        ({"app.kubernetes.io/instance": "risk"}, {}, "argocd-application-controller", APPLICATION),
        # Helm writes that label too.
        ({"app.kubernetes.io/instance": "risk"}, {}, "helm", None),
        ({**FLUX, "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}, {}, "x", KUSTOMIZATION),
        (HELM, {}, "x", Tracker(tool=Tool.HELM_RELEASE, name="risk", namespace="apps")),
    ],
    ids=["no mark", "argo", "argo elsewhere", "argo by label", "helm by hand", "flux", "flux helm"],
)  # fmt: skip
def test_what_keeps_an_object_is_told_by_its_marks(
    labels: dict[str, str], annotations: dict[str, str], keeper: str, tracker: Tracker | None
) -> None:
    assert tracker_of({"labels": labels, "annotations": annotations}, [keeper]) == tracker


@pytest.mark.parametrize(
    ("tracker", "spec", "outcome", "step"),
    [
        (APPLICATION, {}, Outcome.ALLOW, ""),
        (APPLICATION, {"syncPolicy": {"automated": {"enabled": False}}}, Outcome.ALLOW, ""),
        (
            APPLICATION,
            {"syncPolicy": {"automated": {"selfHeal": True}}},
            Outcome.DENY,
            "Switch that off first: argocd app set risk --sync-policy none",
        ),
        (
            APPLICATION,
            {"syncPolicy": {"automated": {}}},
            Outcome.DENY,
            "Switch that off first: argocd app set risk --sync-policy none",
        ),
        (KUSTOMIZATION, {"suspend": True}, Outcome.ALLOW, ""),
        (
            KUSTOMIZATION,
            {},
            Outcome.DENY,
            "Suspend it first: flux suspend kustomization risk -n flux-system",
        ),
    ],
)
def test_whether_an_edit_stands_is_what_the_tools_own_object_says(
    tracker: Tracker, spec: dict[str, Any], outcome: Outcome, step: str
) -> None:
    verdict = sync_is_off(tracker, {"spec": spec})

    assert (verdict.outcome, verdict.next_step) == (outcome, step)


def test_what_could_not_be_read_is_not_known() -> None:
    assert sync_is_off(APPLICATION, None).code == "AutoSyncUnknown"


def test_an_object_may_tell_flux_to_let_it_alone() -> None:
    metadata = {"annotations": {"kustomize.toolkit.fluxcd.io/reconcile": "disabled"}}

    assert (is_let_alone(metadata), is_let_alone({})) == (True, False)
