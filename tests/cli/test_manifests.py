from typing import Any

import pytest

from modelwarden.cli.manifests import Given, format_of, manifest, metrics_of, spec_of


def test_what_the_command_line_says_goes_before_what_the_file_says() -> None:
    base = {
        "label": "old",
        "artifact": {"uri": "s3://old/", "format": "ONNX"},
        "metrics": [{"name": "f1", "value": "0.8"}],
        "hyperparameters": {"max_depth": "6"},
    }
    given = Given(
        label="new",
        trained_by=("scientist@example.com",),
        artifact={"uri": "s3://new/", "digest": "sha256:1"},
        metrics=({"name": "auc", "value": "0.9"},),
    )

    written = manifest(base, given, model="fraud-detector", version=3, namespace="risk")

    assert written == {
        "apiVersion": "modelwarden.io/v1alpha1",
        "kind": "ModelVersion",
        "metadata": {"name": "fraud-detector-3", "namespace": "risk"},
        "spec": {
            "label": "new",
            "artifact": {"uri": "s3://new/", "format": "ONNX", "digest": "sha256:1"},
            "metrics": [{"name": "f1", "value": "0.8"}, {"name": "auc", "value": "0.9"}],
            "hyperparameters": {"max_depth": "6"},
            "model": "fraud-detector",
            "version": 3,
            "trainedBy": [{"kind": "User", "name": "scientist@example.com"}],
        },
    }


@pytest.mark.parametrize(
    "document",
    [{"label": "x"}, {"kind": "ModelVersion", "metadata": {}, "spec": {"label": "x"}}],
)
def test_a_file_is_a_whole_version_or_the_fields_of_its_spec(document: dict[str, Any]) -> None:
    assert spec_of(document) == {"label": "x"}


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (None, "must be a ModelVersion"),
        ([], "must be a ModelVersion"),
        ({"spec": {}, "labels": {}}, "labels: is no field"),
        ({"kind": "Model", "spec": {}}, "kind: must be ModelVersion, not Model"),
        ({"spec": []}, "spec: must have fields"),
    ],
)
def test_a_file_that_is_neither_is_refused_with_the_field(document: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        spec_of(document)


def test_metrics_are_lines_or_a_list_and_samples_a_number() -> None:
    listed = [{"name": "auc", "value": "0.9430", "samples": "100", "segment": {"age": "18-25"}}]

    assert (metrics_of({"auc": "0.9430"}), metrics_of(listed)) == (
        [{"name": "auc", "value": "0.9430"}],
        [{"name": "auc", "value": "0.9430", "samples": 100, "segment": {"age": "18-25"}}],
    )


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ("0.9", "must be `name: value` lines"),
        ({"auc": {"value": "0.9"}}, "auc: must be a number"),
        ([{"value": "0.9"}], r"\[0\]: must have a name and a value"),
        ([{"name": "auc", "value": ["0.9"]}], r"\[0\].value: must be a number"),
    ],
)
def test_metrics_that_cannot_be_read_are_named(document: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        metrics_of(document)


@pytest.mark.parametrize(
    ("names", "form"),
    [
        (["model.onnx"], "ONNX"),
        (["model.ONNX"], "ONNX"),
        (["weights/part.safetensors", "config.json"], "Safetensors"),
        (["MLmodel", "model.onnx"], "MLflow"),
        (["a.onnx", "b.safetensors"], None),
        (["model.pkl"], None),
    ],
)
def test_the_names_of_the_files_tell_the_format(names: list[str], form: str | None) -> None:
    assert format_of(names) == form
