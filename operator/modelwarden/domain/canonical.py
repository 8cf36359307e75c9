"""One way to write a value as bytes, so that a digest means the value and nothing else."""

import hashlib
import json
import unicodedata
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"


def canonical_bytes(value: Json) -> bytes:
    """Encode a value as canonical JSON (after RFC 8785): sorted keys, NFC text, no floats.

    Raises ValueError for a float, a key that is no text or two keys that normalise to one.
    """
    return json.dumps(
        _normalised(value), ensure_ascii=False, sort_keys=True, separators=(",", ":")
    ).encode()


def digest_of(value: Json) -> str:
    """Name a value by the SHA-256 of its canonical bytes: `sha256:<64 hex>`."""
    return "sha256:" + hashlib.sha256(canonical_bytes(value)).hexdigest()


def _normalised(value: Json) -> Json:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, Mapping):
        pairs = {_key(key): _normalised(item) for key, item in value.items()}
        if len(pairs) != len(value):
            raise ValueError("two keys are the same text after Unicode normalisation")
        return pairs
    if isinstance(value, Sequence):
        return [_normalised(item) for item in value]
    raise ValueError(f"canonical JSON has no {type(value).__name__}")


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise ValueError(f"a key must be text, not {type(key).__name__}")
    return unicodedata.normalize("NFC", key)
