"""What a gate pod left behind, read with suspicion: whatever opened a hostile file wrote it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from modelwarden.domain.facts import Metric
from modelwarden.domain.measured import read_metrics
from modelwarden.domain.state import GateOutcome
from modelwarden.domain.texts import plain

FORMAT = 1
# A longer message is cut to exactly this many bytes, without an error.
CUT_AT_BYTES = 4096
EXIT_CODES = {GateOutcome.PASSED: 0, GateOutcome.FAILED: 1, GateOutcome.INCONCLUSIVE: 2}

# A longer one is none that a condition could have for a reason.
LONGEST_CODE = 64
_LARGEST_INTEGER = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at: what was found, and what was needed."""

    name: str
    outcome: GateOutcome
    observed: str
    expected: str

    def to_json(self) -> dict[str, str]:
        """Write the check as messages and evidence have it."""
        return {
            "name": self.name,
            "outcome": self.outcome.value,
            "observed": self.observed,
            "expected": self.expected,
        }


@dataclass(frozen=True, kw_only=True)
class GateResult:
    """How one run of a gate ended; `facts` are what the file itself says, in JSON without floats.

    `metrics` are what the run measured. `omitted` counts the entries of each list that the message
    had no room for. `free_code` where an image of a policy chose the code: it may be any word.
    """

    outcome: GateOutcome
    code: str
    sentence: str
    checks: tuple[Check, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    metrics: tuple[Metric, ...] = ()
    omitted: Mapping[str, int] = field(default_factory=dict)
    started_at: str = ""
    ended_at: str = ""
    free_code: bool = False


def read_result(message: str, exit_code: int | None, *, digest: str) -> GateResult:
    """Read the termination message of a gate pod that was to judge the artifact with this digest.

    Whatever is not a whole result about this artifact, agreeing with the exit code, is a failure:
    only a result itself can say that nothing was decided.
    """
    if not message:
        return _failed("NoResult", f"The validation ended without a result ({_ended(exit_code)}).")
    if len(message.encode()) >= CUT_AT_BYTES:
        return _failed("ResultTooLarge", f"The result was cut at {CUT_AT_BYTES} bytes.")
    try:
        data = _read_json(message)
        result = _result(data)
        subject = data["subject"]["digest"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return _failed("ResultUnreadable", "What the validation left is not a result.")
    if subject != digest:
        return _failed(
            "ResultOfAnotherArtifact", f"The result is about {subject!r:.80}, not about {digest}."
        )
    if exit_code != EXIT_CODES[result.outcome]:
        return _failed(
            "ExitCodeDisagrees",
            f"The result says {result.outcome}, and yet the validation {_ended(exit_code)}.",
        )
    return result


def _result(data: Mapping[str, Any]) -> GateResult:
    if data["format"] != FORMAT:
        raise ValueError("written in a format of another release")
    return GateResult(
        outcome=GateOutcome(data["outcome"]),
        code=_code(data["code"]),
        sentence=_sentence(data["sentence"]),
        checks=tuple(_check(check) for check in _list(data["checks"])),
        facts=_facts(data["facts"]),
        metrics=read_metrics(_plain(data.get("metrics", []))),
        omitted={name: int(count) for name, count in _facts(data.get("omitted", {})).items()},
        started_at=_text(data["startedAt"]),
        ended_at=_text(data["endedAt"]),
    )


def _check(data: Mapping[str, Any]) -> Check:
    return Check(
        name=_text(data["name"]),
        outcome=GateOutcome(data["outcome"]),
        observed=_text(data["observed"]),
        expected=_text(data["expected"]),
    )


def _facts(value: Any) -> Mapping[str, Any]:
    plain = _plain(value)
    if not isinstance(plain, dict):
        raise ValueError("facts are an object")
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {_text(name): _plain(item) for name, item in value.items()}
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("checks are a list")
    return value


def is_code(value: Any) -> bool:
    """Say whether a value could be the reason of a condition: one CamelCase word."""
    return (
        isinstance(value, str)
        and value.isascii()
        and value.isalnum()
        and value[0].isupper()
        and len(value) <= LONGEST_CODE
    )


def _code(value: Any) -> str:
    if not is_code(value):
        raise ValueError("a code is one CamelCase word")
    return str(value)


def _sentence(value: Any) -> str:
    text = _text(value)
    if not text.strip():
        raise ValueError("a result says something")
    return text


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")
    return plain(value)


def _read_json(message: str) -> Mapping[str, Any]:
    value = json.loads(
        message, parse_float=_no_float, parse_constant=_no_float, parse_int=_bounded_integer
    )
    if not isinstance(value, dict):
        raise ValueError("a result is an object")
    return value


def _no_float(text: str) -> float:
    raise ValueError(f"{text} has no digest: numbers are integers or texts")


def _bounded_integer(text: str) -> int:
    number = int(text)
    if abs(number) > _LARGEST_INTEGER:
        raise ValueError("an integer is too large")
    return number


def _ended(exit_code: int | None) -> str:
    return "was ended from outside" if exit_code is None else f"exited with {exit_code}"


def _failed(code: str, sentence: str) -> GateResult:
    return GateResult(outcome=GateOutcome.FAILED, code=code, sentence=sentence)
