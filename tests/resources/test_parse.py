"""An object is read as it was written, or refused with the path of every field that is wrong."""

from collections.abc import Mapping
from typing import Any

import pytest

from modelwarden.domain.digests import subject_digest
from modelwarden.errors import MalformedObjectError
from modelwarden.resources.kinds import KINDS
from modelwarden.resources.model import Model
from modelwarden.resources.model_version import ModelVersion
from modelwarden.resources.objects import Object, parse
from tests.resources import manifests

EVERY_KIND = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())


def refusal(kind: type[Object], raw: Mapping[str, Any]) -> str:
    with pytest.raises(MalformedObjectError) as refused:
        parse(kind, raw)
    return str(refused.value)


@EVERY_KIND
def test_writing_gives_back_what_was_read(kind: type[Object]) -> None:
    for raw in manifests.complete(kind.KIND.name):
        written = parse(kind, raw).to_json()

        assert {part: written[part] for part in raw} == raw


@EVERY_KIND
def test_the_smallest_object_is_read(kind: type[Object]) -> None:
    smallest = {
        "Model": manifests.model(),
        "ModelVersion": manifests.version(),
        "ModelTransition": manifests.transition(),
        "ModelDecision": manifests.decision(),
        "ModelPolicy": manifests.policy(),
    }[kind.KIND.name]

    assert parse(kind, smallest).to_json()["spec"] == smallest["spec"]


def test_absent_and_empty_differ() -> None:
    absent = parse(ModelVersion, manifests.version())
    empty = parse(ModelVersion, manifests.version(metrics=[], hyperparameters={}))

    assert (absent.spec.metrics, absent.spec.hyperparameters) == (None, None)
    assert (empty.spec.metrics, empty.spec.hyperparameters) == ((), {})
    assert subject_digest(absent.spec.to_json()) != subject_digest(empty.spec.to_json())


@pytest.mark.parametrize("raw", manifests.complete("ModelVersion"))
def test_reading_does_not_change_a_digest(raw: dict[str, Any]) -> None:
    spec = parse(ModelVersion, raw).spec.to_json()

    assert subject_digest(spec) == subject_digest(raw["spec"])


def test_a_new_object_has_an_unseen_status() -> None:
    assert parse(Model, manifests.model()).status.observed_generation == -1


def test_nothing_of_an_object_can_be_set() -> None:
    model = parse(Model, manifests.model())

    with pytest.raises(ValueError, match="frozen"):
        model.spec.affects_people = True  # type: ignore[misc]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"metrics": [{"name": "auc", "min": 0.9}]}, "spec.metrics[0].min: "),
        ({"metrics": [{"name": "auc", "min": "0,9"}]}, "spec.metrics[0].min: "),
        ({"affectsPeople": "yes"}, "spec.affectsPeople: "),
        ({"affectsPeople": None}, "spec.affectsPeople: "),
        ({"owners": []}, "spec.owners: "),
        ({"owners": [{"kind": "Robot", "name": "x"}]}, "spec.owners[0].kind: "),
        ({"reviewEveryDays": "90"}, "spec.reviewEveryDays: "),
        ({"review_every_days": 90}, "spec.review_every_days: "),
        ({"stages": {"production": {"version": 0, "reason": "x"}}}, "spec.stages.production.versi"),
        ({"stages": {"production": {"version": 1}}}, "spec.stages.production.reason: "),
        ({"stages": {"staging": [{"version": 1, "reason": " "}]}}, "spec.stages.staging[0].reason"),
        (
            {"stages": {"staging": [{"version": n, "reason": "x"} for n in range(1, 18)]}},
            "spec.stages.staging: ",
        ),
    ],
)
def test_a_wrong_field_is_named_by_its_path(spec: dict[str, Any], said: str) -> None:
    assert refusal(Model, manifests.model(**spec)).startswith(said)


def test_all_problems_are_said_at_once() -> None:
    raw = manifests.model(owners=[], automation={"to": "Production"}, colour="blue")

    problems = refusal(Model, raw).split("; ")

    assert [problem.split(":")[0] for problem in problems] == [
        "spec.owners",
        "spec.automation.to",
        "spec.automation.keep",
        "spec.colour",
    ]


def test_a_problem_shows_what_was_given() -> None:
    raw = manifests.version(metrics=[{"name": "auc", "value": 0.9}])

    assert refusal(ModelVersion, raw) == (
        "spec.metrics[0].value: input should be a valid string, not 0.9"
    )


def test_null_is_refused_for_it_says_neither_absent_nor_empty() -> None:
    raw = manifests.version(lineage={"datasets": None, "features": [None]})

    assert refusal(ModelVersion, raw).split("; ")[:2] == [
        "spec.lineage.datasets: null says nothing: leave the field out",
        "spec.lineage.features[0]: null says nothing: leave the field out",
    ]


def test_an_object_of_another_kind_is_refused() -> None:
    raw = manifests.version() | {"kind": "Model", "apiVersion": "modelwarden.io/v9"}

    assert refusal(ModelVersion, raw) == (
        "apiVersion: must be modelwarden.io/v1alpha1, not modelwarden.io/v9;"
        " kind: must be ModelVersion, not Model"
    )


def test_what_is_no_json_is_refused() -> None:
    raw = manifests.model(description={1, 2})

    assert refusal(Model, raw).startswith("Model: is no JSON: ")


@pytest.mark.parametrize(
    "time", ["2026-02-31T00:00:00Z", "2026-01-01", "2026-01-01T25:00:00Z", "2026-01-01T00:00:00"]
)
def test_a_time_that_is_none_is_refused(time: str) -> None:
    override = {"gates": ["Soak"], "ticket": "INC-1", "expiresAt": time}
    raw = manifests.decision("Override", override=override)

    assert refusal(KINDS["ModelDecision"], raw).startswith("spec.override.expiresAt: ")


def test_metadata_of_the_api_server_is_not_ours_to_judge() -> None:
    raw = manifests.model()
    raw["metadata"] |= {
        "managedFields": [{"manager": "kubectl"}],
        "creationTimestamp": None,
        "resourceVersion": "12",
    }

    assert parse(Model, raw).metadata.resource_version == "12"


@pytest.mark.parametrize(
    "uri",
    [
        "s3://models/risk/fraud/3/",
        "s3://models/risk/Übung_1.onnx",
        "pvc://claim/path/model.onnx",
        "oci://registry.example.com:5000/fraud:3",
    ],
)
def test_a_place_of_an_artifact_is_read(uri: str) -> None:
    artifact = {"uri": uri, "digest": manifests.DIGEST, "format": "ONNX"}

    assert parse(ModelVersion, manifests.version(artifact=artifact)).spec.artifact.uri == uri


@pytest.mark.parametrize(
    "uri",
    [
        "/models/fraud",
        "https://models.example.com/fraud",
        "s3://models",
        "s3://models/",
        "s3://models//fraud",
        "s3://models/fraud?versionId=3",
        "s3://models/fraud 3",
        "s3://models/fraud\n",
        "s3://models/$(HOME)",
    ],
)
def test_what_is_no_place_of_an_artifact_is_refused(uri: str) -> None:
    artifact = {"uri": uri, "digest": manifests.DIGEST, "format": "ONNX"}

    assert refusal(ModelVersion, manifests.version(artifact=artifact)).startswith(
        "spec.artifact.uri: "
    )


@pytest.mark.parametrize(
    "nothing",
    ["", " ", "\t\n", "\u00a0", "\u2003", "\u3000", "\u0085", "\u200b", "\ufeff"],
    ids=ascii,
)
def test_a_reason_in_which_nothing_is_to_be_seen_is_refused(nothing: str) -> None:
    entry = {"version": 1, "reason": nothing}

    assert refusal(Model, manifests.model(stages={"production": entry})).startswith(
        "spec.stages.production.reason: "
    )


@pytest.mark.parametrize(
    "reason", ["-", "\u00a0x", "\u5408\u683c", "\U0001f44d", "e\u0301", "\u200bx"]
)
def test_a_reason_may_be_in_any_script(reason: str) -> None:
    entry = {"version": 1, "reason": reason}

    read = parse(Model, manifests.model(stages={"production": entry}))

    assert read.spec.to_json()["stages"]["production"] == entry
