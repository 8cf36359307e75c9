"""The gate lets through the registered bytes that read as a model, and says what else it found."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from onnx import TensorProto, helper
from safetensors.numpy import save_file

from modelwarden.artifacts.bringing import digest_of_source
from modelwarden.artifacts.directory import DirectorySource
from modelwarden.artifacts.failures import StoreDeniedError, StoreUnavailableError
from modelwarden.artifacts.sources import Limits, Source
from modelwarden.domain.gate_results import Check
from modelwarden.domain.signatures import Signature, Tensor, packed
from modelwarden.domain.state import GateOutcome
from modelwarden.validation.artifact_gate import ArtifactClaim, judge

from .models import model, saved

X = Tensor(name="x", type="float32", shape=(-1, 3))
W = Tensor(name="w", type="float32", shape=(3,))
Y = Tensor(name="y", type="float32", shape=(-1, 3))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    saved(model(), tmp_path / "artifact" / "model.onnx")
    return tmp_path / "artifact"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    path = tmp_path / "work"
    path.mkdir()
    return path


def digest_of(path: Path) -> str:
    source = DirectorySource(path)
    return digest_of_source(source, source.files(Limits()))


def claim(path: Path) -> ArtifactClaim:
    """What a version says about the artifact at this path, all of it true."""
    files = DirectorySource(path).files(Limits())
    return ArtifactClaim(
        uri="s3://models/risk/fraud/3/",
        digest=digest_of(path),
        format="ONNX",
        allowed_formats=("ONNX", "MLflow"),
        size_bytes=sum(file.size for file in files),
        signature=Signature(inputs=(X,), outputs=(Y,)),
    )


def opened(path: Path) -> Callable[[], Source]:
    return lambda: DirectorySource(path)


def passed(name: str, observed: str, expected: str) -> Check:
    return Check(name=name, outcome=GateOutcome.PASSED, observed=observed, expected=expected)


def test_the_registered_model_passes_every_check(folder: Path, work: Path) -> None:
    claimed = claim(folder)

    result = judge(claimed, opened(folder), work=work)

    size = str(claimed.size_bytes)
    assert (result.outcome, result.code) == (GateOutcome.PASSED, "ArtifactValid")
    assert result.sentence == (
        "The artifact is the registered one and reads as ONNX (inputs: 1, outputs: 1)."
    )
    assert result.checks == (
        passed("format", "ONNX", "ONNX, MLflow"),
        passed("size", size, size),
        passed("digest", claimed.digest, claimed.digest),
        passed("loads", "model.onnx", "readable ONNX"),
        passed("signature", "equal", "equal"),
    )
    assert result.facts == {
        "format": "ONNX",
        "sizeBytes": claimed.size_bytes,
        "files": 1,
        "opset": 21,
        "irVersion": 10,
        "domains": ["ai.onnx.ml 3"],
        "hasSignature": True,
        "inputs": packed([X]),
        "outputs": packed([Y]),
    }


def test_a_single_file_passes_under_its_own_digest(folder: Path, work: Path) -> None:
    file = folder / "model.onnx"

    assert judge(claim(file), opened(file), work=work).code == "ArtifactValid"


def test_size_and_signature_are_judged_only_where_they_are_claimed(
    folder: Path, work: Path
) -> None:
    claimed = replace(claim(folder), size_bytes=None, signature=None)

    result = judge(claimed, opened(folder), work=work)

    assert result.code == "ArtifactValid"
    assert result.checks[-1] == passed("signature", "none registered", "any")


@pytest.mark.parametrize(
    ("name", "allowed", "code", "sentence"),
    [
        (
            "ONNX",
            ("MLflow", "Safetensors"),
            "FormatNotAllowed",
            "The policy does not allow ONNX; it allows MLflow, Safetensors.",
        ),
        ("ONNX", (), "FormatNotAllowed", "The policy does not allow ONNX; it allows none."),
        (
            "MLflow",
            ("MLflow",),
            "FormatNotYetSupported",
            "This release cannot read MLflow yet; it reads ONNX, Safetensors.",
        ),
        (
            "pickle",
            ("ONNX",),
            "FormatNotAllowed",
            "The policy does not allow pickle; it allows ONNX.",
        ),
    ],
)
def test_a_format_that_is_not_allowed_is_not_even_fetched(
    work: Path, name: str, allowed: tuple[str, ...], code: str, sentence: str
) -> None:
    claimed = ArtifactClaim(uri="s3://m/x", digest="", format=name, allowed_formats=allowed)

    def never() -> NoReturn:
        pytest.fail("the store was asked")

    result = judge(claimed, never, work=work)

    assert (result.outcome, result.code) == (GateOutcome.FAILED, code)
    assert result.sentence == sentence


def test_another_size_is_refused_before_a_byte_is_moved(folder: Path, work: Path) -> None:
    claimed = claim(folder)
    size = claimed.size_bytes or 0

    result = judge(replace(claimed, size_bytes=size + 1), opened(folder), work=work)

    assert (result.outcome, result.code) == (GateOutcome.FAILED, "SizeDiffers")
    assert result.sentence == f"The artifact has {size} bytes; {size + 1} were registered."
    assert list(work.iterdir()) == []


def test_one_changed_byte_is_another_digest(folder: Path, work: Path) -> None:
    claimed = claim(folder)
    file = folder / "model.onnx"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)

    result = judge(claimed, opened(folder), work=work)

    assert (result.outcome, result.code) == (GateOutcome.FAILED, "DigestDiffers")
    assert result.checks[-1].observed == digest_of(folder) != claimed.digest
    assert "loads" not in {check.name for check in result.checks}


def test_one_more_file_is_another_digest(folder: Path, work: Path) -> None:
    claimed = replace(claim(folder), size_bytes=None)
    (folder / "empty.txt").write_bytes(b"")

    assert judge(claimed, opened(folder), work=work).code == "DigestDiffers"


def test_a_file_that_is_no_model_fails_by_name(folder: Path, work: Path) -> None:
    (folder / "model.onnx").write_bytes(b"PK\x03\x04 not a model")

    result = judge(claim(folder), opened(folder), work=work)

    assert (result.outcome, result.code) == (GateOutcome.FAILED, "NotOnnx")
    assert (result.checks[-1].name, result.checks[-1].outcome) == ("loads", GateOutcome.FAILED)


@pytest.mark.parametrize(
    ("signature", "difference"),
    [
        (
            Signature(inputs=(replace(X, type="float64"),), outputs=(Y,)),
            "input x is float32[-1, 3] in the file, float64[-1, 3] in the signature",
        ),
        (
            Signature(inputs=(replace(X, shape=(-1,)),), outputs=(Y,)),
            "input x is float32[-1, 3] in the file, float32[-1] in the signature",
        ),
        (Signature(inputs=(X,), outputs=()), "output y is not in the signature"),
        (Signature(inputs=(X, replace(X, name="z")), outputs=(Y,)), "input z is not in the file"),
        (Signature(inputs=(X, X), outputs=(Y,)), "the signature names input x twice"),
        (
            Signature(inputs=(replace(X, optional=True),), outputs=(Y,)),
            "input x is required by the file, optional in the signature",
        ),
    ],
)
def test_a_signature_that_is_not_the_files_own_fails(
    folder: Path, work: Path, signature: Signature, difference: str
) -> None:
    result = judge(replace(claim(folder), signature=signature), opened(folder), work=work)

    assert (result.outcome, result.code) == (GateOutcome.FAILED, "SignatureDiffers")
    assert result.sentence == f"The registered signature is not the file's own: {difference}."
    assert result.facts["inputs"] == packed([X])


@pytest.mark.parametrize(
    "inputs", [(X,), (X, replace(W, optional=True)), (X, W)], ids=["left out", "optional", "named"]
)
def test_an_input_with_a_default_may_be_left_out_of_the_signature(
    tmp_path: Path, work: Path, inputs: tuple[Tensor, ...]
) -> None:
    default = helper.make_tensor_value_info("w", TensorProto.FLOAT, [3])
    file = saved(model(inputs=[*model().graph.input, default]), tmp_path / "model.onnx")
    signature = Signature(inputs=inputs, outputs=(Y,))

    result = judge(replace(claim(file), signature=signature), opened(file), work=work)

    assert (result.code, result.facts["inputs"]) == (
        "ArtifactValid",
        packed([X, replace(W, optional=True)]),
    )


def test_weights_alone_neither_prove_nor_contradict_a_signature(tmp_path: Path, work: Path) -> None:
    file = tmp_path / "model.safetensors"
    save_file({"layer": np.ones((2, 3), np.float32)}, file)
    claimed = replace(claim(file), format="Safetensors", allowed_formats=("Safetensors",))

    result = judge(claimed, opened(file), work=work)

    assert (result.outcome, result.sentence, result.checks[-1]) == (
        GateOutcome.PASSED,
        (
            "The artifact is the registered one and reads as Safetensors (tensors: 1), which says "
            "nothing of inputs and outputs."
        ),
        passed("signature", "Safetensors has none", "any"),
    )


def test_an_artifact_that_is_not_there_fails(tmp_path: Path, folder: Path, work: Path) -> None:
    result = judge(claim(folder), opened(tmp_path / "absent"), work=work)

    assert (result.outcome, result.code) == (GateOutcome.FAILED, "ArtifactNotFound")


def test_a_link_in_the_folder_fails(folder: Path, work: Path) -> None:
    claimed = claim(folder)
    (folder / "weights").symlink_to("/etc/passwd")

    result = judge(claimed, opened(folder), work=work)

    assert (result.outcome, result.code) == (GateOutcome.FAILED, "NotAFile")


def test_an_artifact_over_the_limits_fails(folder: Path, work: Path) -> None:
    result = judge(claim(folder), opened(folder), work=work, limits=Limits(total_bytes=3))

    assert (result.outcome, result.code) == (GateOutcome.FAILED, "ArtifactTooLarge")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StoreDeniedError("The store denies access."), "StoreDenied"),
        (StoreUnavailableError("The store could not serve it."), "StoreUnavailable"),
    ],
)
def test_a_store_that_cannot_be_asked_decides_nothing(
    folder: Path, work: Path, error: Exception, code: str
) -> None:
    def failing() -> NoReturn:
        raise error

    result = judge(claim(folder), failing, work=work)

    assert (result.outcome, result.code, result.sentence) == (
        GateOutcome.INCONCLUSIVE,
        code,
        str(error),
    )


def test_a_claim_is_read_as_the_operator_writes_it() -> None:
    read = ArtifactClaim.from_json(
        {
            "gate": "artifact",
            "artifact": {"uri": "s3://m/x/", "digest": "d", "format": "ONNX", "sizeBytes": 5},
            "signature": {
                "inputs": [{"name": "x", "type": "float32", "shape": [-1, 3], "optional": True}],
                "outputs": [],
            },
            "allowedFormats": ["ONNX"],
        }
    )

    assert read == ArtifactClaim(
        uri="s3://m/x/",
        digest="d",
        format="ONNX",
        allowed_formats=("ONNX",),
        size_bytes=5,
        signature=Signature(inputs=(replace(X, optional=True),), outputs=()),
    )
