"""A version against the one in Production, metric by metric."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from modelwarden.domain.champion_gate import champion_of
from modelwarden.domain.facts import Metric, MetricRule, VersionFacts
from modelwarden.domain.gate_results import Check
from modelwarden.domain.gates import Case, judge
from modelwarden.domain.state import GateOutcome
from modelwarden.domain.verdicts import wait
from tests.domain.builders import gate, metric, rule, segment, transition, version

MAX_DROP = gate("champion", settings={"champion": {"maxDrop": "0.005"}})
AUC = rule(critical=True)
ERROR = rule("error", None, critical=True, higher_is_better=False)
BY_AGE = rule(critical=True, segments=(segment(),))
YOUNG, OLD = {"age_band": "18-25"}, {"age_band": "51+"}
BY_TWO = {"age_band": "18-25", "gender": "female"}


def judged(
    rules: tuple[MetricRule, ...], ours: tuple[Metric, ...], theirs: tuple[Metric, ...]
) -> tuple[str, str, str]:
    case = Case(
        attempt=transition(3, metrics=rules),
        version=version(3, metrics=ours),
        champion=version(2, metrics=theirs),
    )
    result = judge(MAX_DROP, case)
    return result.outcome.value, result.code, result.sentence


class Row(NamedTuple):
    """The Model's rules, both versions' values, and what the gate says."""

    rules: tuple[MetricRule, ...]
    ours: tuple[Metric, ...]
    theirs: tuple[Metric, ...]
    said: tuple[str, str, str]


PASSED, FAILED = "Passed", "Failed"
NO_WORSE, WORSE, NOT_COMPARABLE = "NoWorseThanChampion", "WorseThanChampion", "NotComparable"
TRAIN = " Register a version that is no worse."
LATER = " A metric can be critical once the version in Production has it too."

ROWS: dict[str, Row] = {
    "better": Row(
        (AUC,),
        (metric("0.951"),),
        (metric("0.943"),),
        (PASSED, NO_WORSE, "auc 0.951, Production has 0.943."),
    ),
    "worse by as much as is allowed": Row(
        (AUC,),
        (metric("0.938"),),
        (metric("0.943"),),
        (PASSED, NO_WORSE, "auc 0.938, Production has 0.943."),
    ),
    "worse by more": Row(
        (AUC,),
        (metric("0.9379"),),
        (metric("0.943"),),
        (FAILED, WORSE, "auc 0.9379, Production has 0.943, needs at least 0.938." + TRAIN),
    ),
    "lower is better, and it is lower": Row(
        (ERROR,),
        (metric("0.04", "error"),),
        (metric("0.05", "error"),),
        (PASSED, NO_WORSE, "error 0.04, Production has 0.05."),
    ),
    "lower is better, and it is much higher": Row(
        (ERROR,),
        (metric("0.056", "error"),),
        (metric("0.05", "error"),),
        (FAILED, WORSE, "error 0.056, Production has 0.05, needs at most 0.055." + TRAIN),
    ),
    "what is not critical is not compared": Row(
        (AUC, rule("f1")),
        (metric("0.95"), metric("0.1", "f1")),
        (metric("0.94"), metric("0.9", "f1")),
        (PASSED, NO_WORSE, "auc 0.95, Production has 0.94."),
    ),
    "every critical metric is told": Row(
        (AUC, ERROR),
        (metric("0.9"), metric("0.5", "error")),
        (metric("0.94"), metric("0.05", "error")),
        (
            FAILED,
            WORSE,
            "auc 0.9, Production has 0.94, needs at least 0.935; "
            "error 0.5, Production has 0.05, needs at most 0.055." + TRAIN,
        ),
    ),
    "it has no value": Row(
        (AUC,),
        (),
        (metric("0.943"),),
        (FAILED, NOT_COMPARABLE, "auc: not recorded, Production has 0.943." + LATER),
    ),
    "Production has no value": Row(
        (AUC,),
        (metric("0.951"),),
        (),
        (
            FAILED,
            NOT_COMPARABLE,
            "auc: nothing to compare with, Production has none recorded." + LATER,
        ),
    ),
    "each segment that the rule names": Row(
        (BY_AGE,),
        (metric("0.95"), metric("0.91", segment=YOUNG), metric("0.80", segment=OLD)),
        (metric("0.94"), metric("0.90", segment=YOUNG), metric("0.93", segment=OLD)),
        (
            FAILED,
            WORSE,
            "auc for age_band=51+ 0.80, Production has 0.93, needs at least 0.925." + TRAIN,
        ),
    ),
    "a segment that it leaves out": Row(
        (BY_AGE,),
        (metric("0.95"),),
        (metric("0.94"), metric("0.93", segment=OLD)),
        (
            FAILED,
            NOT_COMPARABLE,
            "auc for age_band=51+: not recorded, Production has 0.93." + LATER,
        ),
    ),
    "a segment of two attributes is compared with itself": Row(
        (BY_AGE,),
        (metric("0.95"), metric("0.91", segment=BY_TWO)),
        (metric("0.94"), metric("0.90", segment=BY_TWO)),
        (
            PASSED,
            NO_WORSE,
            (
                "auc 0.95, Production has 0.94; "
                "auc for age_band=18-25, gender=female 0.91, Production has 0.90."
            ),
        ),
    ),
    "a segment that no rule names": Row(
        (AUC,),
        (metric("0.95"), metric("0.10", segment=OLD)),
        (metric("0.94"), metric("0.93", segment=OLD)),
        (PASSED, NO_WORSE, "auc 0.95, Production has 0.94."),
    ),
    "on each data set that both have": Row(
        (AUC,),
        (metric("0.99", dataset="easy"), metric("0.90", dataset="hard"), metric("0.1")),
        (metric("0.99", dataset="easy"), metric("0.80", dataset="hard")),
        (PASSED, NO_WORSE, "auc 0.99, Production has 0.99; auc 0.90, Production has 0.80."),
    ),
    "without a data set in common the worst beside the best": Row(
        (AUC,),
        (metric("0.99", dataset="november"), metric("0.93", dataset="december")),
        (metric("0.95", dataset="october"), metric("0.90", dataset="september")),
        (FAILED, WORSE, "auc 0.93, Production has 0.95, needs at least 0.945." + TRAIN),
    ),
    "below zero, and no digit is lost": Row(
        (rule("gain", None, critical=True),),
        (metric("-0.005000000000000001", "gain"),),
        (metric("0", "gain"),),
        (
            FAILED,
            WORSE,
            "gain -0.005000000000000001, Production has 0, needs at least -0.005." + TRAIN,
        ),
    ),
    "nothing is critical": Row(
        (rule(),),
        (metric("0.95"),),
        (metric("0.94"),),
        (
            FAILED,
            "NoCriticalMetrics",
            (
                "No metric of the Model is critical, so nothing was compared with Production. "
                "Mark at least one in spec.metrics of the Model as critical, then ask again with "
                "a new reason."
            ),
        ),
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_critical_metric_may_be_worse_by_so_much(row: Row) -> None:
    assert judged(row.rules, row.ours, row.theirs) == row.said


def test_more_than_a_sentence_holds_is_counted() -> None:
    rules = tuple(rule(f"m{number}", critical=True) for number in range(9))
    ours = tuple(metric("0.1", f"m{number}") for number in range(9))
    theirs = tuple(metric("0.9", f"m{number}") for number in range(9))

    assert judged(rules, ours, theirs)[2].endswith(f"; and 3 more.{TRAIN}")


def test_every_comparison_is_a_check() -> None:
    case = Case(
        attempt=transition(3, metrics=(AUC,)),
        version=version(3, metrics=(metric("0.90"),)),
        champion=version(2, metrics=(metric("0.943"),)),
    )

    assert judge(MAX_DROP, case).checks == (
        Check(
            name="auc",
            outcome=GateOutcome.FAILED,
            observed="0.90",
            expected="needs at least 0.938: Production has 0.943",
        ),
    )


def test_the_first_version_has_no_champion_and_may_ship() -> None:
    case = Case(attempt=transition(), version=version(), champion=None)

    result = judge(MAX_DROP, case)

    assert (result.outcome, result.code) == (GateOutcome.PASSED, "NoChampion")


def frozen(of: VersionFacts) -> Mapping[str, Any]:
    return {"champion": {"version": of.number, "subjectDigest": of.subject}}


def test_the_champion_is_the_version_that_was_frozen() -> None:
    champion = version(2)

    assert champion_of(transition(spec=frozen(champion)), {2: champion}) is champion


def test_no_champion_was_frozen_where_none_was_in_production() -> None:
    assert champion_of(transition(), {2: version(2)}) is None


UNREADABLE = "Version 2 is in Production, but its ModelVersion {}, so nothing can be compared"


@pytest.mark.parametrize(
    ("versions", "state"),
    [
        ({}, "is not there"),
        ({2: replace(version(2), subject="sha256:other")}, "has other content now"),
    ],
    ids=["deleted", "made again with other content"],
)
def test_a_champion_that_cannot_be_read_is_waited_for_and_never_none(
    versions: Mapping[int, VersionFacts], state: str
) -> None:
    found = champion_of(transition(spec=frozen(version(2))), versions)

    assert found == wait(
        "ChampionUnreadable",
        f"{UNREADABLE.format(state)} with it.",
        "Apply its manifest again, as it was registered.",
    )
