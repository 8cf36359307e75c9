"""The fairness gate: how far groups of people differ, by the Model's rules and the policy's."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from modelwarden.domain.facts import FairnessRule, Metric, MetricRule
from modelwarden.domain.gate_results import Check
from modelwarden.domain.state import GateOutcome
from modelwarden.domain.verdicts import Verdict, allow, deny


@dataclass(frozen=True, kw_only=True)
class GroupFinding:
    """What was found between the groups of one metric on one data set."""

    code: str
    check: Check
    sentence: str


def group_findings(
    rules: Iterable[MetricRule],
    metrics: tuple[Metric, ...],
    *,
    settings: Mapping[str, Any],
    measured: bool,
) -> tuple[GroupFinding, ...]:
    """Compare the groups of every fairness rule; of two bounds, the stricter one holds."""
    found: list[GroupFinding] = []
    for rule in rules:
        if rule.fairness is not None:
            strict = _stricter(rule.fairness, settings)
            found += _of_rule(rule.name, strict, metrics=metrics, measured=measured)
    return tuple(found)


def groups_are_treated_alike(found: tuple[GroupFinding, ...]) -> Verdict:
    """Every fairness rule holds; a Model without one has nothing that could hold."""
    if not found:
        return deny(
            "NoFairnessRule",
            "No rule in spec.metrics of the Model has `fairness`, so no groups were compared.",
            "Say there which metric must be alike for which groups of people, then ask again with "
            "a new reason.",
        )
    lost = [each for each in found if each.check.outcome is not GateOutcome.PASSED]
    told = lost or found
    text = "; ".join(each.sentence for each in told[:_TOLD])
    more = f"; and {len(told) - _TOLD} more" if len(told) > _TOLD else ""
    if not lost:
        return allow("GroupsTreatedAlike", f"{text}{more}.")
    gap = [each for each in lost if each.code == _GAP]
    return deny(
        _GAP if gap else lost[0].code,
        f"{text}{more}.",
        "Train a version that treats the groups alike."
        if gap
        else "Register a version that was measured on enough samples of each group.",
    )


_GAP = "GroupsTreatedUnequally"
_ALIKE = "GroupsTreatedAlike"
# A sentence stays readable; every check is in the evidence.
_TOLD = 6
_GROUPS_TOLD = 8


def _stricter(rule: FairnessRule, settings: Mapping[str, Any]) -> FairnessRule:
    return FairnessRule(
        by=rule.by,
        min_ratio=max(rule.min_ratio, Decimal(settings["minRatio"])),
        min_samples=max(rule.min_samples, settings.get("minSamples", 0)),
    )


def _of_rule(
    name: str, rule: FairnessRule, *, metrics: tuple[Metric, ...], measured: bool
) -> Iterator[GroupFinding]:
    """Compare groups with groups of the same data set only; each data set must hold by itself."""
    title = f"{name} by {rule.by}"
    # A group within another group is no group of this attribute: women under 26 are not women.
    groups = [m for m in metrics if m.name == name and m.segment.keys() == {rule.by}]
    if not groups:
        observed = "not measured" if measured else "not recorded"
        yield _finding("TooFewGroups", title, observed, expected="needs two groups")
    for dataset in dict.fromkeys(metric.dataset for metric in groups):
        yield _of_groups(title, [m for m in groups if m.dataset == dataset], rule=rule)


def _of_groups(title: str, groups: list[Metric], *, rule: FairnessRule) -> GroupFinding:
    by = rule.by
    if len({metric.segment[by] for metric in groups}) < 2:
        observed = f"only {_group(groups[0], by)}"
        return _finding("TooFewGroups", title, observed, expected="needs two groups")
    small = [metric for metric in groups if (metric.samples or 0) < rule.min_samples]
    if small:
        return _finding(
            "GroupTooSmall",
            title,
            f"too few samples ({_listed(small, by)})",
            expected=f"needs {rule.min_samples:,} of each group",
        )
    lowest, *_, highest = sorted(groups, key=lambda metric: metric.value)
    if lowest.value < 0:
        return _finding(
            "NotComparable",
            title,
            f"below zero ({_listed([lowest], by)})",
            expected="needs values of zero or more",
        )
    ratio = _ratio(lowest.value, highest.value)
    return _finding(
        _ALIKE if ratio >= Fraction(rule.min_ratio) else _GAP,
        title,
        f"ratio {_shown(ratio, rule.min_ratio)}",
        expected=f"needs {rule.min_ratio:f}",
        between=_listed([lowest, highest], by),
    )


def _ratio(lowest: Decimal, highest: Decimal) -> Fraction:
    """Divide exactly; groups that all have zero are alike."""
    return Fraction(1) if highest == 0 else Fraction(lowest) / Fraction(highest)


def _shown(ratio: Fraction, minimum: Decimal) -> str:
    """Write a ratio with the digits of its bound, rounded down: a miss never looks like a hit."""
    exponent = minimum.as_tuple().exponent
    digits = max(2, -exponent if isinstance(exponent, int) else 0)
    scaled = ratio * 10**digits // 1
    return f"{Decimal(scaled).scaleb(-digits):.{digits}f}"


def _listed(groups: list[Metric], by: str) -> str:
    named = [_group(metric, by) for metric in groups[:_GROUPS_TOLD]]
    more = [f"and {len(groups) - _GROUPS_TOLD} more"] if len(groups) > _GROUPS_TOLD else []
    return "; ".join([*named, *more])


def _group(metric: Metric, by: str) -> str:
    of = "of an unknown number" if metric.samples is None else f"of {metric.samples:,}"
    return f"{metric.segment[by]} {metric.value:f} {of}"


def _finding(
    code: str, title: str, observed: str, *, expected: str, between: str = ""
) -> GroupFinding:
    passed = code == _ALIKE
    groups = f" ({between})" if between else ""
    return GroupFinding(
        code=code,
        check=Check(
            name=title,
            outcome=GateOutcome.PASSED if passed else GateOutcome.FAILED,
            observed=f"{observed}{groups}",
            expected=expected,
        ),
        sentence=f"{title}: {observed}, {expected}{groups}",
    )
