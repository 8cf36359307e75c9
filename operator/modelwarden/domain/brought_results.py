"""What an image that a policy brings left behind: a small contract, kept to the letter.

exit 0, one JSON object of less than 4,096 bytes in the termination message:

    {"outcome": "Passed" | "Failed" | "Inconclusive",
     "code": "OneWord", "sentence": "For people.",
     "checks": [{"name": ..., "outcome": ..., "observed": ..., "expected": ...}],
     "metrics": [{"name": ..., "value": ..., "dataset": ..., "segment": {...}, "samples": ...}]}

Everything is optional, as long as something says how it ended: `outcome`, else the checks, else
the metrics where the gate makes a claim about them. Any other exit code is a failure.
"""

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from modelwarden.domain.facts import Metric
from modelwarden.domain.gate_results import CUT_AT_BYTES, Check, GateResult, is_code
from modelwarden.domain.measured import read_metrics
from modelwarden.domain.state import GateOutcome
from modelwarden.domain.texts import plain, shortened

_LONGEST_SENTENCE = 600
_LONGEST_TEXT = 200
_MOST_CHECKS = 64
_CODES = {
    GateOutcome.PASSED: ("JobPassed", "The Job passed."),
    GateOutcome.FAILED: ("JobFailed", "The Job failed."),
    GateOutcome.INCONCLUSIVE: ("JobInconclusive", "The Job could not tell."),
}


def read_brought(message: str, exit_code: int | None, *, measures: bool) -> GateResult:
    """Read what a brought image left; `measures` where the gate judges the metrics in it."""
    if exit_code != 0:
        return _exited(message, exit_code)
    if not message.strip():
        return _failed("NoResult", "The Job ended without a result in its termination message.")
    if len(message.encode()) >= CUT_AT_BYTES:
        return _failed("ResultTooLarge", f"The result was cut at {CUT_AT_BYTES} bytes.")
    try:
        return _read(_object(message), measures=measures)
    except (ValueError, RecursionError) as error:
        return _failed("ResultUnreadable", f"The result cannot be read: {plain(str(error))}.")


def _exited(message: str, exit_code: int | None) -> GateResult:
    """Fail, in the Job's own words if it has some; nothing that exits so has passed."""
    try:
        result = _read(_object(message), measures=False)
    except (ValueError, RecursionError):
        result = None
    if result is not None and result.outcome is GateOutcome.FAILED and result.code != "NoOutcome":
        return result
    words = plain(" ".join(message.split())) if result is None else ""
    said = f": {shortened(words, _LONGEST_SENTENCE)}" if words else "."
    return _failed("GateExited", f"The Job exited with {exit_code}{said}")


def _read(data: Mapping[str, Any], *, measures: bool) -> GateResult:
    checks = _checks(data.get("checks", []))
    metrics = _metrics(data.get("metrics", []))
    outcome = _outcome(data, checks, measured=measures and bool(metrics))
    if outcome is None:
        return _failed("NoOutcome", "The result says neither an outcome nor what was checked.")
    if outcome is GateOutcome.PASSED and any(c.outcome is not outcome for c in checks):
        return _failed("ChecksDisagree", "The result says Passed, and not all of its checks do.")
    code, sentence = _CODES[outcome]
    return GateResult(
        outcome=outcome,
        code=_code(data["code"]) if "code" in data else code,
        sentence=_text(data["sentence"], "sentence", _LONGEST_SENTENCE)
        if "sentence" in data
        else _told_by_checks(checks) or sentence,
        checks=checks,
        metrics=metrics,
        free_code="code" in data,
    )


def _outcome(
    data: Mapping[str, Any], checks: tuple[Check, ...], *, measured: bool
) -> GateOutcome | None:
    if "outcome" in data:
        return _one_outcome(data["outcome"], "outcome")
    found = {check.outcome for check in checks}
    for outcome in (GateOutcome.FAILED, GateOutcome.INCONCLUSIVE, GateOutcome.PASSED):
        if outcome in found:
            return outcome
    return GateOutcome.PASSED if measured else None


def _told_by_checks(checks: tuple[Check, ...]) -> str:
    return " ".join(
        f"{check.name}: {check.observed or check.outcome}, needs {check.expected or 'to pass'}."
        for check in checks
        if check.outcome is not GateOutcome.PASSED
    )[:_LONGEST_SENTENCE]


def _checks(value: Any) -> tuple[Check, ...]:
    if not isinstance(value, list):
        raise ValueError("checks is not a list")
    if len(value) > _MOST_CHECKS:
        raise ValueError(f"checks has more than {_MOST_CHECKS} entries")
    return tuple(_check(item, f"checks[{index}]") for index, item in enumerate(value))


def _check(item: Any, at: str) -> Check:
    if not isinstance(item, Mapping):
        raise ValueError(f"{at} is not an object")
    return Check(
        name=_text(item.get("name"), f"{at}.name", _LONGEST_TEXT),
        outcome=_one_outcome(item.get("outcome"), f"{at}.outcome"),
        observed=_optional(item, "observed", at),
        expected=_optional(item, "expected", at),
    )


def _metrics(value: Any) -> tuple[Metric, ...]:
    if isinstance(value, list):
        value = [_with_text(item) if isinstance(item, Mapping) else item for item in value]
    return read_metrics(value)


def _with_text(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Write a whole number as the text that it is in the message."""
    value = item.get("value")
    whole = isinstance(value, int) and not isinstance(value, bool)
    return {**item, "value": str(value)} if whole else item


def _one_outcome(value: Any, at: str) -> GateOutcome:
    try:
        return GateOutcome(value)
    except ValueError:
        raise ValueError(f"{at} is none of {', '.join(GateOutcome)}") from None


def _code(value: Any) -> str:
    if not is_code(value):
        raise ValueError("code is not one CamelCase word")
    return str(value)


def _optional(item: Mapping[str, Any], name: str, at: str) -> str:
    value = item.get(name, "")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _text(value, f"{at}.{name}", _LONGEST_TEXT) if value != "" else ""


def _text(value: Any, at: str, longest: int) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{at} is not a text")
    return shortened(plain(value), longest)


def _object(message: str) -> Mapping[str, Any]:
    try:
        value = json.loads(
            message, parse_float=_as_text, parse_int=_bounded, parse_constant=_no_number
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON ({error.msg} at character {error.pos})") from None
    if not isinstance(value, Mapping):
        raise ValueError("it is not an object")
    return value


def _as_text(text: str) -> str:
    """Keep a fraction as it is written: what is judged and recorded has no rounding."""
    try:
        return f"{Decimal(text):f}" if len(text) <= _LONGEST_NUMBER else _no_number(text)
    except InvalidOperation:
        return _no_number(text)


def _bounded(text: str) -> int:
    return int(text) if len(text) <= _LONGEST_NUMBER else _no_number(text)


_LONGEST_NUMBER = 40


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text[:_LONGEST_NUMBER]} is not a number that can be recorded")


def _failed(code: str, sentence: str) -> GateResult:
    return GateResult(outcome=GateOutcome.FAILED, code=code, sentence=sentence)
