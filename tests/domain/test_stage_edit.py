from typing import Any

import pytest

from modelwarden.domain.stage_edit import (
    difference,
    is_asked_for,
    other_keepers,
    part_of,
    request_id,
    with_request,
)
from modelwarden.domain.stages import Stage

OTHER = {"version": 1, "reason": "old"}
ASKED = {"version": 3, "reason": "new"}


@pytest.mark.parametrize(
    ("stages", "target", "wanted"),
    [
        ({}, Stage.STAGING, {"staging": [ASKED]}),
        ({}, Stage.PRODUCTION, {"production": ASKED}),
        ({"production": OTHER}, Stage.PRODUCTION, {"production": ASKED}),
        ({"staging": [OTHER]}, Stage.STAGING, {"staging": [OTHER, ASKED]}),
        (
            {"staging": [{"version": 3, "reason": "before"}, OTHER]},
            Stage.STAGING,
            {"staging": [ASKED, OTHER]},
        ),
        (
            {"staging": [{"version": 3, "reason": "before"}]},
            Stage.PRODUCTION,
            {"staging": [{"version": 3, "reason": "before"}], "production": ASKED},
        ),
        (
            {"archived": [ASKED, OTHER]},
            Stage.PRODUCTION,
            {"archived": [OTHER], "production": ASKED},
        ),
        (
            {"registered": [{"version": 3, "reason": "demoted"}], "production": OTHER},
            Stage.STAGING,
            {"registered": [], "production": OTHER, "staging": [ASKED]},
        ),
    ],
)
def test_a_request_is_added_and_everything_else_stays(
    stages: dict[str, Any], target: Stage, wanted: dict[str, Any]
) -> None:
    assert with_request(stages, 3, target=target, reason="new") == wanted


def test_asking_again_with_the_same_reason_changes_nothing() -> None:
    stages = {"staging": [ASKED, OTHER], "production": OTHER}

    assert with_request(stages, 3, target=Stage.STAGING, reason="new") == stages


def test_only_what_changes_is_written() -> None:
    stages = {"staging": [OTHER], "production": OTHER}
    wanted = {"staging": [OTHER], "production": ASKED}

    assert difference(stages, wanted) == {"production": ASKED}


def test_the_id_of_a_request_is_that_of_whoever_changed_its_part_last() -> None:
    model = {
        "spec": {
            "authors": [
                {"id": "r1", "of": ["stages.production"]},
                {"id": "r2", "of": ["stages.production", "stages.staging/3"]},
                {"id": "r3", "of": ["governed"]},
            ]
        }
    }

    assert (
        request_id(model, part_of(3, Stage.PRODUCTION)),
        request_id(model, part_of(3, Stage.STAGING)),
        request_id(model, part_of(4, Stage.STAGING)),
    ) == ("r2", "r2", "")


def kept_by(manager: str, **more: Any) -> dict[str, Any]:
    fields = {"f:spec": {"f:stages": {"f:production": {}}}}
    return {"manager": manager, "operation": "Update", "fieldsV1": fields, **more}


@pytest.mark.parametrize(
    ("managed", "keepers"),
    [
        ([], ()),
        ([kept_by("argocd-controller")], ("argocd-controller",)),
        ([kept_by("kustomize-controller"), kept_by("kubectl-model")], ("kustomize-controller",)),
        ([kept_by("kubectl-client-side-apply")], ("kubectl-client-side-apply",)),
        ([kept_by("kubectl-edit"), kept_by("kubectl-patch"), kept_by("kubectl-model")], ()),
        ([{"manager": "argocd-controller", "fieldsV1": {"f:spec": {"f:owners": {}}}}], ()),
        ([{"manager": "argocd-controller", "fieldsV1": {}}], ()),
        ([kept_by("modelwarden", subresource="status")], ()),
    ],
)
def test_who_keeps_the_stages_in_a_file_is_told_from_who_edits_them(
    managed: list[dict[str, Any]], keepers: tuple[str, ...]
) -> None:
    assert other_keepers(managed, "kubectl-model") == keepers


@pytest.mark.parametrize(
    ("stages", "target", "is_asked"),
    [
        ({"production": ASKED}, Stage.PRODUCTION, True),
        ({"production": ASKED}, Stage.STAGING, True),
        ({"staging": [OTHER, ASKED]}, Stage.STAGING, True),
        ({"staging": [ASKED]}, Stage.PRODUCTION, False),
        ({"production": ASKED, "archived": [ASKED]}, Stage.PRODUCTION, False),
        ({"production": OTHER}, Stage.PRODUCTION, False),
    ],
)
def test_a_version_is_asked_for_in_a_stage_or_on_its_way_through_it(
    stages: dict[str, Any], target: Stage, *, is_asked: bool
) -> None:
    assert is_asked_for(stages, 3, target) is is_asked
