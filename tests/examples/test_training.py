"""The example model is real: its record says what its file does, and the three versions differ."""

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from sklearn.metrics import roc_auc_score

from modelwarden.domain.contract_gate import signature_of
from modelwarden.domain.floor import metadata_is_complete
from modelwarden.domain.signatures import Signature
from modelwarden.resources.model_version import ModelVersion
from modelwarden.validation.onnx_model import read
from modelwarden.workflows.facts import version_facts

from .loading import EXAMPLE

URI = "s3://models/risk/sha256/{digest}/"


def metric(trained: Any, name: str, band: str | None = None) -> Decimal:
    segment = {"age_band": band} if band else None
    (value,) = (
        entry["value"]
        for entry in trained.metrics
        if entry["name"] == name and entry.get("segment") == segment
    )
    return Decimal(value)


def ratio(trained: Any, training: ModuleType) -> Decimal:
    rates = [metric(trained, "approval_rate", band) for band in training.AGE_BANDS]
    return min(rates) / max(rates)


def test_the_second_version_is_really_better(trained: dict[int, Any]) -> None:
    assert metric(trained[2], "auc") > metric(trained[1], "auc") + Decimal("0.05")


def test_the_third_is_best_in_total_and_unfair_to_the_young(
    trained: dict[int, Any], training: ModuleType
) -> None:
    four_fifths = {
        number: ratio(made, training) >= Decimal("0.8") for number, made in trained.items()
    }

    assert metric(trained[3], "auc") > metric(trained[2], "auc")
    assert four_fifths == {1: True, 2: True, 3: False}


def test_every_band_has_enough_samples_for_a_rule(trained: dict[int, Any]) -> None:
    samples = [
        entry["samples"]
        for entry in trained[1].metrics
        if entry["name"] in {"auc", "approval_rate"}
    ]

    assert min(samples) >= 200


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_recorded_metrics_are_what_the_file_does(
    trained: dict[int, Any], training: ModuleType, number: int
) -> None:
    _, holdout = training.split(training.read_applications())
    answers = training.score(trained[number].file, holdout)

    auc = roc_auc_score(holdout["bad"], answers["score"])
    rate = answers["approved"].mean()

    assert metric(trained[number], "auc") == Decimal(f"{auc:.4f}")
    assert metric(trained[number], "approval_rate") == Decimal(f"{rate:.4f}")


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_recorded_signature_is_the_files_own(trained: dict[int, Any], number: int) -> None:
    facts = read(trained[number].file)

    assert facts.signature == Signature.from_json(trained[number].signature)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_every_version_keeps_the_contract_of_the_example_to_the_letter(
    trained: dict[int, Any], number: int
) -> None:
    model = yaml.safe_load((EXAMPLE.parent / "01-register/3-model.yaml").read_text())

    assert read(trained[number].file).signature == signature_of(model["spec"], "contract")


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_record_is_a_valid_model_version(trained: dict[int, Any], number: int) -> None:
    manifest = trained[number].manifest(URI)

    version = ModelVersion.model_validate(manifest)

    assert version.spec.artifact.digest == trained[number].folder_digest
    assert version.to_json()["spec"] == manifest["spec"]


def test_the_record_has_all_metadata_that_the_floor_asks_for(trained: dict[int, Any]) -> None:
    stored = trained[1].manifest(URI)
    stored["metadata"] |= {"uid": "1", "resourceVersion": "1", "generation": 1}

    assert metadata_is_complete(version_facts(stored), ()).code == "MetadataComplete"


def test_one_file_can_be_registered_without_its_folder(trained: dict[int, Any]) -> None:
    artifact = trained[1].manifest("s3://models/risk/{digest}.onnx")["spec"]["artifact"]

    assert artifact["digest"] == trained[1].digest
    assert artifact["uri"] == f"s3://models/risk/{trained[1].digest.removeprefix('sha256:')}.onnx"


def test_the_command_trains_the_same_bytes_and_prints_the_record(
    trained: dict[int, Any], tmp_path: Path
) -> None:
    command = [sys.executable, EXAMPLE / "train.py", "1", "--into", tmp_path]
    command += ["--artifact-uri", URI, "--namespace", "fraud", "--trained-by", "eve@example.com"]
    seed = {**os.environ, "PYTHONHASHSEED": "12345"}

    done = subprocess.run(command, env=seed, capture_output=True, text=True, check=True)

    printed = yaml.safe_load(done.stdout)
    expected = trained[1].manifest(URI, namespace="fraud", trained_by="eve@example.com")
    for record in (printed, expected):
        del record["spec"]["training"]
    assert printed == expected
    assert "&id" not in done.stdout
