"""Which kind each field of the ledger must have: a wrong one is found before anything trusts it."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from modelwarden.audit.store import evidence_key
from modelwarden.domain.records import Record

MAX_INDEX = 10**19
MAX_DEPTH = 32

Check: TypeAlias = Callable[[Any], bool]

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)


def check_head(value: Mapping[str, Any]) -> None:
    """Raise ValueError for a head's first field that is missing, unknown or of the wrong kind."""
    _check(value, _HEAD)
    for name in value:
        if name not in _HEAD:
            raise ValueError(f"a head has no {name!a}")


def read_record(value: Mapping[str, Any]) -> Record:
    """Read a record; ValueError for the first field that is missing, unknown or of a wrong kind."""
    _check(value, _RECORD)
    try:
        record = Record.from_json(value)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("a field in a field is missing, or has a value that is none") from error
    # What the table does not say, the round trip does: unknown fields, and fields in a field.
    if record.to_json() != value:
        raise ValueError("it has a field that is unknown")
    return record


def moment(time: str) -> datetime:
    """Read a record's time (RFC 3339, UTC, written with Z); ValueError for any other spelling."""
    if _TIME.fullmatch(time) is None:
        raise ValueError(f"not a time in UTC: {time!r}")
    return datetime.fromisoformat(time)


def _check(value: Mapping[str, Any], table: Mapping[str, Check]) -> None:
    for name, is_right in table.items():
        if name not in value:
            raise ValueError(f"its {name} is missing")
        if not is_right(value[name]):
            raise ValueError(f"its {name} is of the wrong kind")


def _is_text(value: Any) -> bool:
    return type(value) is str


def _is_text_or_null(value: Any) -> bool:
    return value is None or type(value) is str


def _is_number(value: Any) -> bool:
    return type(value) is int and 0 <= value < MAX_INDEX


def _is_name(value: Any) -> bool:
    return type(value) is str and value != ""


def _is_time(value: Any) -> bool:
    try:
        moment(value)
    except (TypeError, ValueError):
        return False
    return True


def _is_evidence(value: Any) -> bool:
    try:
        return all(bool(evidence_key(digest)) for digest in value.values())
    except (AttributeError, TypeError, ValueError):
        return False


def _is_texts(value: Any) -> bool:
    return type(value) is dict and all(type(item) is str for item in value.values())


def _is_version(value: Any) -> bool:
    return value is None or type(value) is int


def _is_moves(value: Any) -> bool:
    return type(value) is list and all(
        type(move) is dict and type(move.get("version")) is int for move in value
    )


def _is_actor(value: Any) -> bool:
    if type(value) is not dict or type(value.get("groups")) is not list:
        return False
    return all(type(group) is str for group in value["groups"]) and all(
        type(value.get(name)) is str for name in ("username", "uid", "groupsDigest")
    )


def _is_shallow(value: Any, depth: int) -> bool:
    if depth == 0:
        return False
    inner = value.values() if type(value) is dict else value if type(value) is list else ()
    return all(_is_shallow(item, depth - 1) for item in inner)


def _is_facts(value: Any) -> bool:
    return type(value) is dict and _is_shallow(value, MAX_DEPTH)


_HEAD: Mapping[str, Check] = {
    "origin": _is_name,
    "key": _is_name,
    "first": _is_number,
    "size": _is_number,
    "previous": _is_text_or_null,
    "records": _is_text,
}

_RECORD: Mapping[str, Check] = {
    "operation": _is_text,
    "time": _is_time,
    "transaction": _is_name,
    "actor": _is_actor,
    "namespace": _is_text,
    "model": _is_text,
    "version": _is_version,
    "transition": _is_text,
    "rationale": _is_text,
    "moves": _is_moves,
    "subject": _is_text,
    "policy": _is_text,
    "evidence": _is_evidence,
    "uids": _is_texts,
    "facts": _is_facts,
    "build": _is_text,
    "index": _is_number,
}
