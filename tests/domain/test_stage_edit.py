from pathlib import Path
from typing import Any

import pytest
import yaml

from modelwarden.domain.stage_edit import (
    LONGEST,
    difference,
    is_asked_for,
    last_reason,
    open_request,
    other_keepers,
    part_of,
    request_id,
    stage_shown,
    with_destination,
    with_request,
    without_request,
)
from modelwarden.domain.stages import Stage

CRDS = Path(__file__).parents[2] / "crds"
OTHER = {"version": 1, "reason": "old"}
ASKED = {"version": 3, "reason": "new"}
NEW = {"version": 3, "reason": "gone"}


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


def test_a_part_that_goes_is_written_as_null() -> None:
    stages = {"staging": [OTHER], "production": OTHER}

    assert difference(stages, {"staging": [OTHER]}) == {"production": None}


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


LINE_3, LINE_2 = {"version": 3, "reason": "release 3"}, {"version": 2, "reason": "release 2"}


@pytest.mark.parametrize(
    ("stages", "to", "wanted"),
    [
        ({"staging": [ASKED, OTHER]}, Stage.REGISTERED, {"staging": [OTHER], "registered": [NEW]}),
        ({"registered": [ASKED]}, Stage.ARCHIVED, {"registered": [], "archived": [NEW]}),
        ({}, Stage.ARCHIVED, {"archived": [NEW]}),
        ({"production": ASKED, "staging": [ASKED]}, Stage.STAGING, {"staging": [NEW]}),
        ({"production": ASKED}, Stage.ARCHIVED, {"archived": [NEW]}),
        (
            {"production": OTHER, "staging": [ASKED]},
            Stage.REGISTERED,
            {"production": OTHER, "staging": [], "registered": [NEW]},
        ),
    ],
)
def test_where_a_version_goes_is_its_only_line(
    stages: dict[str, Any], to: Stage, wanted: dict[str, Any]
) -> None:
    assert with_destination(stages, 3, to=to, reason="gone", shown={}) == wanted


def test_a_version_that_leaves_before_it_arrived_gives_production_back() -> None:
    stages = {"production": LINE_3, "staging": [ASKED], "archived": [LINE_2]}

    wanted = with_destination(stages, 3, to=Stage.REGISTERED, reason="gone", shown={}, back=LINE_2)

    assert wanted == {
        "production": LINE_2,
        "staging": [],
        "archived": [],
        "registered": [NEW],
    }


def test_a_full_list_loses_its_oldest_lines_that_are_so_already() -> None:
    lines = [{"version": number, "reason": "old"} for number in range(100, 132)]
    stages, shown = {"archived": lines}, {"archived": [101, 102]}

    wanted = with_destination(stages, 3, to=Stage.ARCHIVED, reason="gone", shown=shown)

    assert [line["version"] for line in wanted["archived"]] == [100, *range(102, 132), 3]


def test_a_list_is_as_long_as_its_schema_lets_it_be() -> None:
    described = yaml.safe_load((CRDS / "models.yaml").read_text())
    schema = described["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    stages = schema["properties"]["spec"]["properties"]["stages"]["properties"]

    assert {name: stages[name]["maxItems"] for name in LONGEST} == LONGEST


@pytest.mark.parametrize(
    ("shown", "stage"),
    [
        ({}, Stage.REGISTERED),
        ({"production": {"version": 3}, "staging": [3]}, Stage.PRODUCTION),
        ({"production": {"version": 2}, "staging": [3]}, Stage.STAGING),
        ({"retiring": [3]}, Stage.RETIRING),
        ({"archived": [1, 3]}, Stage.ARCHIVED),
    ],
)
def test_a_version_is_where_status_shows_it(shown: dict[str, Any], stage: Stage) -> None:
    assert stage_shown(shown, 3) is stage


@pytest.mark.parametrize(
    ("stages", "at", "part"),
    [
        ({}, Stage.REGISTERED, None),
        ({"staging": [ASKED]}, Stage.REGISTERED, "staging"),
        ({"staging": [ASKED]}, None, "staging"),
        ({"staging": [ASKED]}, Stage.STAGING, None),
        ({"staging": [ASKED], "production": ASKED}, Stage.STAGING, "production"),
        ({"staging": [ASKED], "production": ASKED}, Stage.PRODUCTION, None),
        ({"staging": [ASKED], "production": OTHER}, Stage.PRODUCTION, None),
        ({"staging": [ASKED]}, Stage.PRODUCTION, "staging"),
        ({"archived": [ASKED], "production": OTHER}, Stage.PRODUCTION, "archived"),
        ({"registered": [ASKED]}, Stage.STAGING, "registered"),
        ({"registered": [ASKED]}, Stage.REGISTERED, None),
        ({"archived": [ASKED]}, Stage.STAGING, "archived"),
        ({"archived": [ASKED]}, Stage.RETIRING, None),
        ({"archived": [ASKED]}, Stage.ARCHIVED, None),
        ({"production": ASKED}, Stage.RETIRING, "production"),
    ],
)
def test_what_is_open_is_a_line_that_is_not_so_yet(
    stages: dict[str, Any], at: Stage | None, part: str | None
) -> None:
    assert open_request(stages, 3, at=at) == part


@pytest.mark.parametrize(
    ("stages", "part", "at", "back", "wanted"),
    [
        ({"staging": [ASKED, OTHER]}, "staging", Stage.REGISTERED, None, {"staging": [OTHER]}),
        (
            {"production": ASKED, "staging": [ASKED]},
            "production",
            Stage.STAGING,
            None,
            {"staging": [ASKED]},
        ),
        (
            {"production": ASKED, "staging": [ASKED, LINE_2], "archived": [LINE_2]},
            "production",
            Stage.STAGING,
            LINE_2,
            {"production": LINE_2, "staging": [ASKED, LINE_2], "archived": []},
        ),
        (
            {"registered": [ASKED], "staging": [OTHER]},
            "registered",
            Stage.STAGING,
            LINE_3,
            {"registered": [], "staging": [OTHER, LINE_3]},
        ),
        (
            {"archived": [ASKED]},
            "archived",
            Stage.PRODUCTION,
            LINE_3,
            {"archived": [], "production": LINE_3},
        ),
        (
            {"archived": [ASKED], "production": OTHER},
            "archived",
            Stage.PRODUCTION,
            LINE_3,
            {"archived": [], "production": OTHER},
        ),
    ],
    ids=[
        "staging",
        "first production",
        "another production",
        "demotion",
        "withdrawal",
        "destination",
    ],
)
def test_a_request_is_undone_exactly(
    stages: dict[str, Any],
    part: str,
    at: Stage,
    back: dict[str, Any] | None,
    wanted: dict[str, Any],
) -> None:
    assert without_request(stages, 3, part=part, at=at, back=back) == wanted


def test_the_line_that_comes_back_has_another_reason_than_the_one_that_goes() -> None:
    stages = {"production": {"version": 3, "reason": "release"}}
    back = {"version": 2, "reason": "release"}

    wanted = without_request(stages, 3, part="production", at=Stage.STAGING, back=back)

    assert wanted == {"production": {"version": 2, "reason": "stays: release"}}


def test_the_reason_of_a_stage_is_that_of_the_last_move_into_it() -> None:
    moves = [
        {"to": "Staging", "reason": "first"},
        {"to": "Production", "reason": "release"},
        {"to": "Staging", "reason": "again"},
    ]
    record = {"status": {"history": moves}}

    found = [last_reason(record, stage) for stage in (Stage.STAGING, Stage.ARCHIVED)]

    assert found == ["again", ""]
