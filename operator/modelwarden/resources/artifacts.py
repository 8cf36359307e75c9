"""Where a model's bytes are, what they must be, and what they take and give."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from modelwarden.resources.rules import Rule
from modelwarden.resources.scalars import Count, Digest, Label
from modelwarden.resources.shapes import Shape, listed

_URI = (
    r"^((s3|pvc)://[a-z0-9][a-z0-9.-]{0,252}|oci://[a-z0-9][a-z0-9.:-]{0,252})"
    r"(/[\p{L}\p{N}._=@+:,~-]+)+/?$"
)

ArtifactUri = Annotated[str, Field(pattern=_URI, min_length=1, max_length=1300)]


class ArtifactFormat(StrEnum):
    """The formats that a gate can read without running anything in them."""

    ONNX = "ONNX"
    SAFETENSORS = "Safetensors"
    MLFLOW = "MLflow"


class ArtifactReference(Shape):
    """Bytes, by place and by digest; the digest decides."""

    uri: ArtifactUri
    """The place of the bytes: s3://bucket/key, pvc://claim/path or oci://registry/repository;
    a slash at the end makes it a folder."""
    digest: Digest
    """The SHA-256 of the file, or of the folder's listing of digests."""


class Artifact(Shape):
    """The bytes of a version."""

    RULES: ClassVar = (
        Rule(
            r"!self.uri.matches('/[.]{1,2}(/|$)')",
            "uri must not have . or .. as a part of its path",
            field=".uri",
        ),
    )

    uri: ArtifactUri
    """The place of the bytes: s3://bucket/key, pvc://claim/path or oci://registry/repository;
    a slash at the end makes it a folder."""
    digest: Digest
    """The SHA-256 of the file, or of the folder's listing of digests."""
    format: ArtifactFormat
    """How the bytes are to be read."""
    size_bytes: Count | None = None
    """How many bytes the file has, or all files of the folder."""


class TensorType(StrEnum):
    """The element type of an input or output; sequence and map for what is no tensor."""

    BOOL = "bool"
    STRING = "string"
    INT8 = "int8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    UINT8 = "uint8"
    UINT16 = "uint16"
    UINT32 = "uint32"
    UINT64 = "uint64"
    FLOAT16 = "float16"
    BFLOAT16 = "bfloat16"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    SEQUENCE = "sequence"
    MAP = "map"


class Tensor(Shape):
    """One named input or output."""

    name: Label
    """The name that callers use."""
    type: TensorType
    """The type of each element."""
    shape: Annotated[tuple[Annotated[int, Field(ge=-1, le=2**31 - 1)], ...], listed(at_most=16)]
    """The size of each dimension; -1 where callers choose it."""
    optional: bool | None = None
    """Whether callers may leave the input out."""


class Signature(Shape):
    """What a model takes and what it gives."""

    inputs: Annotated[tuple[Tensor, ...], listed(at_most=512)]
    """What callers send."""
    outputs: Annotated[tuple[Tensor, ...], listed(at_most=64)]
    """What callers get."""
