"""Training again must give what was recorded."""

from decimal import Decimal
from typing import Any

import pytest

from modelwarden.domain.facts import Metric
from modelwarden.domain.reproduction_gate import is_reproduced, repetitions


def metric(value: str, name: str = "auc", dataset: str = "holdout", **segment: str) -> Metric:
    return Metric(name=name, value=Decimal(value), dataset=dataset, segment=segment)


def judged(
    recorded: tuple[Metric, ...], measured: tuple[Metric, ...], tolerance: str = "0.002"
) -> tuple[str, str]:
    settings: dict[str, Any] = {"tolerance": tolerance}
    verdict = is_reproduced(repetitions(recorded, measured, settings=settings))
    return verdict.code, verdict.sentence


YOUNG = {"age": "18-25"}
CASES: dict[str, tuple[tuple[Metric, ...], tuple[Metric, ...], tuple[str, str]]] = {
    "the same": (
        (metric("0.943"),),
        (metric("0.943"),),
        ("Reproduced", "Training again gave the recorded metric within the tolerance."),
    ),
    "at the edge": (
        (metric("0.943"), metric("0.7", "recall")),
        (metric("0.945"), metric("0.698", "recall")),
        ("Reproduced", "Training again gave all 2 recorded metrics within the tolerance."),
    ),
    "beyond it": (
        (metric("0.943"),),
        (metric("0.9451"),),
        ("NotReproduced", "auc: 0.9451, recorded 0.943 ± 0.002."),
    ),
    "better is not the same": (
        (metric("0.943"),),
        (metric("0.99"),),
        ("NotReproduced", "auc: 0.99, recorded 0.943 ± 0.002."),
    ),
    "not measured": (
        (metric("0.943"),),
        (),
        ("NotReproduced", "auc: not measured, recorded 0.943 ± 0.002."),
    ),
    "measured on other data": (
        (metric("0.943"),),
        (metric("0.943", dataset="other"),),
        ("NotReproduced", "auc: not measured, recorded 0.943 ± 0.002."),
    ),
    "measured without naming the data": (
        (metric("0.943"),),
        (metric("0.943", dataset=""),),
        ("Reproduced", "Training again gave the recorded metric within the tolerance."),
    ),
    "a segment need not be measured": (
        (metric("0.943"), metric("0.9", **YOUNG)),
        (metric("0.943"),),
        ("Reproduced", "Training again gave the recorded metric within the tolerance."),
    ),
    "a segment that is measured counts": (
        (metric("0.943"), metric("0.9", **YOUNG)),
        (metric("0.943"), metric("0.8", **YOUNG)),
        ("NotReproduced", "auc (age 18-25): 0.8, recorded 0.9 ± 0.002."),
    ),
    "of two values the farther one counts": (
        (metric("0.943"),),
        (metric("0.943"), metric("0.9")),
        ("NotReproduced", "auc: 0.9, recorded 0.943 ± 0.002."),
    ),
    "nothing was recorded": (
        (),
        (metric("0.943"),),
        ("NothingToReproduce", "The version records no metric for a whole data set."),
    ),
}


@pytest.mark.parametrize(("recorded", "measured", "found"), CASES.values(), ids=CASES)
def test_every_recorded_value_must_come_out_again(
    recorded: tuple[Metric, ...], measured: tuple[Metric, ...], found: tuple[str, str]
) -> None:
    assert judged(recorded, measured) == found
