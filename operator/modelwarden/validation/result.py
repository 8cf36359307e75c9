"""A gate's result as the one message that a pod can leave behind.

Kubernetes keeps 4,096 bytes of it. What has no room is left out in a stated order: first passed
checks, from the last to the first, then inputs and outputs from the end of the longer list, then
failed checks; `omitted` counts what is missing of each. Single texts are cut before that, and say
so by ending in an ellipsis; the name of an input or output is whole or missing.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from modelwarden.domain.gate_results import FORMAT, GateResult
from modelwarden.domain.state import GateOutcome

LONGEST_BYTES: Final = 4000

_SENTENCE_BYTES: Final = 600
_URI_BYTES: Final = 1200
_TEXT_BYTES: Final = 120
_LISTS: Final = ("inputs", "outputs")
# More than this many fit into no message, and cutting one by one would take its time.
_MOST_LISTED: Final = 600


def message(result: GateResult, *, gate: str, uri: str, digest: str) -> str:
    """Write a result about one artifact as one line of JSON, of 4,000 bytes at most."""
    for smaller in _ever_smaller(_with_short_texts(result)):
        data = {
            "format": FORMAT,
            "gate": _cut(gate),
            "subject": {"uri": _cut(uri, _URI_BYTES), "digest": _cut(digest)},
            "outcome": smaller.outcome.value,
            "code": smaller.code,
            "sentence": smaller.sentence,
            "checks": [check.to_json() for check in smaller.checks],
            "facts": dict(smaller.facts),
            "omitted": dict(smaller.omitted),
            "startedAt": smaller.started_at,
            "endedAt": smaller.ended_at,
        }
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        if len(text.encode(errors="replace")) <= LONGEST_BYTES:
            return text
    raise ValueError("what a result is about is too long to be written")


def leave(text: str, at: Path) -> None:
    """Write the message where Kubernetes looks for it."""
    at.write_text(text, encoding="utf-8", errors="replace")


def _ever_smaller(result: GateResult) -> Iterator[GateResult]:
    yield result
    while smaller := (
        _without_a_check(result, GateOutcome.PASSED)
        or _without_a_tensor(result)
        or _without_a_check(result, GateOutcome.FAILED)
    ):
        result = smaller
        yield result


def _without_a_check(result: GateResult, outcome: GateOutcome) -> GateResult | None:
    at = [index for index, check in enumerate(result.checks) if check.outcome is outcome]
    if not at:
        return None
    kept = tuple(check for index, check in enumerate(result.checks) if index != at[-1])
    return replace(result, checks=kept, omitted=_one_more(result.omitted, "checks"))


def _without_a_tensor(result: GateResult) -> GateResult | None:
    longer = max(_LISTS, key=lambda kind: _count(result.facts.get(kind, ())))
    if not result.facts.get(longer):
        return None
    facts = {**result.facts, longer: _first(result.facts[longer], _count(result.facts[longer]) - 1)}
    return replace(result, facts=facts, omitted=_one_more(result.omitted, longer))


def _count(runs: Sequence[Mapping[str, Any]]) -> int:
    return sum(len(run["names"]) for run in runs)


def _first(runs: Sequence[Mapping[str, Any]], count: int) -> list[Mapping[str, Any]]:
    """Keep so many tensors of a packed list."""
    kept: list[Mapping[str, Any]] = []
    for run in runs:
        if count <= 0:
            break
        kept.append({**run, "names": run["names"][:count]})
        count -= len(run["names"])
    return kept


def _one_more(omitted: Mapping[str, int], name: str) -> Mapping[str, int]:
    return {**omitted, name: omitted.get(name, 0) + 1}


def _with_short_texts(result: GateResult) -> GateResult:
    lists = {kind: result.facts[kind] for kind in _LISTS if kind in result.facts}
    kept = {kind: _first(runs, _MOST_LISTED) for kind, runs in lists.items()}
    omitted = {kind: _count(runs) - _count(kept[kind]) for kind, runs in lists.items()}
    return replace(
        result,
        sentence=_cut(result.sentence, _SENTENCE_BYTES),
        checks=tuple(
            replace(check, observed=_cut(check.observed), expected=_cut(check.expected))
            for check in result.checks
        ),
        facts={name: _short(fact) for name, fact in result.facts.items()} | kept,
        omitted={kind: count for kind, count in omitted.items() if count},
    )


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return _cut(value)
    if isinstance(value, Mapping):
        return {_cut(name): _short(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_short(item) for item in value]
    return value


def _cut(text: str, longest: int = _TEXT_BYTES) -> str:
    # Measured as it will be written: an escaped character may take six bytes.
    if len(json.dumps(text, ensure_ascii=False).encode(errors="replace")) - 2 <= longest:
        return text
    kept = ""
    size = len("…".encode())
    for character in text:
        size += len(json.dumps(character, ensure_ascii=False).encode(errors="replace")) - 2
        if size > longest:
            break
        kept += character
    return kept + "…"
