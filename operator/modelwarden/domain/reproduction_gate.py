"""The reproduction gate: training again gives the metrics that were recorded."""

from collections.abc import Mapping
from decimal import Context, Decimal
from typing import Any

from modelwarden.domain.facts import Metric
from modelwarden.domain.gate_results import Check
from modelwarden.domain.state import GateOutcome
from modelwarden.domain.verdicts import Verdict, allow, deny

# Wide enough for the difference of any two values that the API takes.
_EXACT = Context(prec=80)


def repetitions(
    recorded: tuple[Metric, ...], measured: tuple[Metric, ...], *, settings: Mapping[str, Any]
) -> tuple[Check, ...]:
    """Lay each recorded value beside the one of the new training.

    Every value for a whole data set must have been measured again; of a segment, what was.
    """
    tolerance = Decimal(settings["tolerance"])
    pairs = ((metric, _farthest(metric, measured)) for metric in recorded)
    return tuple(
        _check(metric, again, tolerance=tolerance)
        for metric, again in pairs
        if again is not None or not metric.segment
    )


def is_reproduced(checks: tuple[Check, ...]) -> Verdict:
    """Training again gave every recorded metric, within the tolerance."""
    lost = [check for check in checks if check.outcome is not GateOutcome.PASSED]
    if not checks:
        return deny(
            "NothingToReproduce",
            "The version records no metric for a whole data set.",
            "Register the next version with its metrics.",
        )
    if not lost:
        return allow("Reproduced", f"Training again gave {_all(checks)} within the tolerance.")
    told = " ".join(f"{c.name}: {c.observed}, recorded {c.expected}." for c in lost)
    return deny("NotReproduced", told, "Register a version whose training can be repeated.")


def _farthest(recorded: Metric, measured: tuple[Metric, ...]) -> Metric | None:
    """Find the new value of a metric; of several, the one that is farthest from the recorded."""
    again = [
        metric
        for metric in measured
        if (metric.name, metric.segment) == (recorded.name, recorded.segment)
        and metric.dataset in ("", recorded.dataset)
    ]
    return max(again, key=lambda metric: _distance(metric, recorded), default=None)


def _distance(one: Metric, other: Metric) -> Decimal:
    return abs(_EXACT.subtract(one.value, other.value))


def _check(recorded: Metric, again: Metric | None, *, tolerance: Decimal) -> Check:
    near = again is not None and _distance(again, recorded) <= tolerance
    return Check(
        name=_named(recorded),
        outcome=GateOutcome.PASSED if near else GateOutcome.FAILED,
        observed="not measured" if again is None else f"{again.value:f}",
        expected=f"{recorded.value:f} ± {tolerance:f}",
    )


def _named(metric: Metric) -> str:
    part = ", ".join(f"{name} {value}" for name, value in sorted(metric.segment.items()))
    return f"{metric.name} ({part})" if part else metric.name


def _all(checks: tuple[Check, ...]) -> str:
    return "the recorded metric" if len(checks) == 1 else f"all {len(checks)} recorded metrics"
