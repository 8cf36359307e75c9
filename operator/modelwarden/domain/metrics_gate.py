"""The metrics gate: recorded values against a Model's own rules, in total and per segment."""

from collections.abc import Iterable
from decimal import Decimal

from modelwarden.domain.facts import Metric, MetricRule, SegmentRule
from modelwarden.domain.gate_results import Check
from modelwarden.domain.state import GateOutcome
from modelwarden.domain.verdicts import Verdict, allow, deny


def metric_checks(
    rules: Iterable[MetricRule], metrics: tuple[Metric, ...], *, missing: str = "not recorded"
) -> tuple[Check, ...]:
    """Compare every rule with every value it speaks of; a missing value is a failed check."""
    return tuple(
        check
        for rule in rules
        for check in (
            *_total(rule, metrics, missing=missing),
            *_segments(rule, metrics, missing=missing),
        )
    )


def metrics_meet_the_rules(checks: tuple[Check, ...]) -> Verdict:
    """Every bound of the Model holds; a Model without one has nothing that could hold."""
    if not checks:
        return deny(
            "NoMetricRules",
            "No rule in spec.metrics of the Model has a bound, so nothing was compared.",
            "Add min, max or segments to one, then ask again with a new reason.",
        )
    failed = [check for check in checks if check.outcome is not GateOutcome.PASSED]
    if not failed:
        return allow("MetricsMet", "; ".join(_told(check) for check in checks[:_TOLD]) + ".")
    return deny(
        "MetricsNotMet",
        "; ".join(_told(check) for check in failed[:_TOLD]) + _and_more(len(failed)) + ".",
        "Register a version that meets the rules.",
    )


# A sentence stays readable; every check is in the evidence.
_TOLD = 6


def _told(check: Check) -> str:
    return f"{check.name} is {check.observed}, {check.expected}"


def _and_more(failed: int) -> str:
    return f"; and {failed - _TOLD} more" if failed > _TOLD else ""


def _total(rule: MetricRule, metrics: tuple[Metric, ...], *, missing: str) -> tuple[Check, ...]:
    if rule.minimum is None and rule.maximum is None:
        return ()
    values = [m for m in metrics if m.name == rule.name and not m.segment]
    expected = _expected(rule.minimum, rule.maximum)
    if not values:
        return (_check(rule.name, passed=False, observed=missing, expected=expected),)
    shown = _worst(rule, values)
    check = _check(
        rule.name,
        passed=_holds(shown.value, rule.minimum, rule.maximum),
        observed=str(shown.value),
        expected=expected,
    )
    return (check,)


def _segments(rule: MetricRule, metrics: tuple[Metric, ...], *, missing: str) -> tuple[Check, ...]:
    return tuple(
        check
        for segment in rule.segments
        for check in _segment(rule, segment, metrics=metrics, missing=missing)
    )


def _segment(
    rule: MetricRule, segment: SegmentRule, *, metrics: tuple[Metric, ...], missing: str
) -> tuple[Check, ...]:
    values = [m for m in metrics if m.name == rule.name and segment.by in m.segment]
    expected = _expected(segment.minimum, segment.maximum)
    if not values:
        name = f"{rule.name} by {segment.by}"
        return (_check(name, passed=False, observed=missing, expected=expected),)
    return tuple(_one_segment(segment, metric, expected=expected) for metric in values)


def _one_segment(segment: SegmentRule, metric: Metric, *, expected: str) -> Check:
    named = ", ".join(f"{key}={value}" for key, value in sorted(metric.segment.items()))
    name = f"{metric.name} for {named}"
    samples = metric.samples or 0
    if samples < segment.min_samples:
        return _check(
            name,
            passed=False,
            observed=f"from {samples} samples",
            expected=f"needs {segment.min_samples} samples to count",
        )
    return _check(
        name,
        passed=_holds(metric.value, segment.minimum, segment.maximum),
        observed=str(metric.value),
        expected=expected,
    )


def _worst(rule: MetricRule, values: list[Metric]) -> Metric:
    """Take the worst of several values for one name: more datasets never make a rule easier."""
    outside = [m for m in values if not _holds(m.value, rule.minimum, rule.maximum)]
    if outside:
        return outside[0]
    return (min if rule.higher_is_better else max)(values, key=lambda metric: metric.value)


def _holds(value: Decimal, minimum: Decimal | None, maximum: Decimal | None) -> bool:
    if not value.is_finite():
        return False
    return (minimum is None or value >= minimum) and (maximum is None or value <= maximum)


def _expected(minimum: Decimal | None, maximum: Decimal | None) -> str:
    bounds = [f"at least {minimum}"] if minimum is not None else []
    bounds += [f"at most {maximum}"] if maximum is not None else []
    return "needs " + (" and ".join(bounds) or "to be recorded")


def _check(name: str, *, passed: bool, observed: str, expected: str) -> Check:
    outcome = GateOutcome.PASSED if passed else GateOutcome.FAILED
    return Check(name=name, outcome=outcome, observed=observed, expected=expected)
