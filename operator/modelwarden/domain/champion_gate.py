"""The champion gate: a version against the one in Production, metric by metric."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

from modelwarden.domain.facts import Metric, MetricRule, TransitionFacts, VersionFacts
from modelwarden.domain.gate_results import Check
from modelwarden.domain.state import GateOutcome, ModelState
from modelwarden.domain.verdicts import Verdict, allow, deny, wait

# Wide enough for the sum of any two values that the API takes.
_EXACT = Context(prec=80)


def champion_of(
    attempt: TransitionFacts, versions: Mapping[int, VersionFacts]
) -> VersionFacts | Verdict | None:
    """Find the version that the attempt froze as its champion; None where none was in Production.

    One that cannot be read is never none: the gate waits for it.
    """
    frozen = attempt.spec.get("champion")
    if frozen is None:
        return None
    version = versions.get(frozen["version"])
    if version is not None and version.subject == frozen["subjectDigest"]:
        return version
    state = "is not there" if version is None else "has other content now"
    return wait(
        "ChampionUnreadable",
        f"Version {frozen['version']} is in Production, but its ModelVersion {state}, so nothing "
        "can be compared with it.",
        "Apply its manifest again, as it was registered.",
    )


def champion_now(state: ModelState, number: int) -> Mapping[str, Any] | None:
    """Say which version an attempt for this one would freeze as its champion now."""
    if state.production is None or state.production == number:
        return None
    champion = state.versions[state.production]
    return {"version": champion.number, "subjectDigest": champion.subject}


def champion_is_the_same(attempt: TransitionFacts, state: ModelState) -> Verdict:
    """The version in Production is the one that the attempt is compared with."""
    frozen, now = attempt.spec.get("champion"), champion_now(state, attempt.spec["version"])
    if frozen == now:
        return allow("ChampionUnchanged", "Production is as it was when the attempt opened.")
    return deny(
        "ChampionChanged",
        f"In Production is {_named(now)} now; when the attempt opened, it was {_named(frozen)}.",
    )


def _named(champion: Mapping[str, Any] | None) -> str:
    return "no version" if champion is None else f"version {champion['version']}"


def no_champion() -> Verdict:
    """Let the first version pass: there is nothing that it could be worse than."""
    return allow("NoChampion", "No version is in Production, so there is none to compare with.")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One value beside the one of the version in Production."""

    check: Check
    sentence: str


def comparisons(
    rules: Iterable[MetricRule],
    metrics: tuple[Metric, ...],
    *,
    champion: VersionFacts,
    settings: Mapping[str, Any],
    measured: bool,
) -> tuple[Comparison, ...]:
    """Compare every critical metric, in total and in every segment that its rule names.

    Values of one data set are compared with each other; where the two versions share none, the
    worst of the one must do beside the best of the other.
    """
    found: list[Comparison] = []
    for rule in rules:
        if rule.critical:
            scale = _Scale(
                higher_is_better=rule.higher_is_better,
                max_drop=Decimal(settings["maxDrop"]),
                missing="not measured" if measured else "not recorded",
            )
            for part in _parts(rule, (*metrics, *champion.metrics)):
                ours = part.of(rule.name, metrics)
                theirs = part.of(rule.name, champion.metrics)
                found += _compared(f"{rule.name}{part.title}", ours, theirs=theirs, scale=scale)
    return tuple(found)


def is_no_worse(found: tuple[Comparison, ...]) -> Verdict:
    """No critical metric drops by more than allowed; where none is critical, nothing was asked."""
    if not found:
        return deny(
            "NoCriticalMetrics",
            "No metric of the Model is critical, so nothing was compared with Production.",
            "Mark at least one in spec.metrics of the Model as critical, then ask again with a new "
            "reason.",
        )
    lost = [each for each in found if each.check.outcome is not GateOutcome.PASSED]
    told = lost or found
    text = "; ".join(each.sentence for each in told[:_TOLD])
    more = f"; and {len(told) - _TOLD} more" if len(told) > _TOLD else ""
    if not lost:
        return allow("NoWorseThanChampion", f"{text}{more}.")
    incomparable = all(each.check.observed in _MISSING for each in lost)
    return deny(
        "NotComparable" if incomparable else "WorseThanChampion",
        f"{text}{more}.",
        "A metric can be critical once the version in Production has it too."
        if incomparable
        else "Register a version that is no worse.",
    )


# A sentence stays readable; every check is in the evidence.
_TOLD = 6
_MISSING = frozenset({"not recorded", "not measured", "nothing to compare with"})


@dataclass(frozen=True, kw_only=True)
class _Part:
    """The total, or one segment of the data."""

    segment: Mapping[str, str]

    @property
    def title(self) -> str:
        named = ", ".join(f"{key}={value}" for key, value in sorted(self.segment.items()))
        return f" for {named}" if named else ""

    def of(self, name: str, metrics: tuple[Metric, ...]) -> tuple[Metric, ...]:
        return tuple(m for m in metrics if m.name == name and dict(m.segment) == self.segment)


def _parts(rule: MetricRule, metrics: tuple[Metric, ...]) -> Iterator[_Part]:
    """Name the total, then each segment that either version has a value for."""
    yield _Part(segment={})
    named = {segment.by for segment in rule.segments}
    seen: list[Mapping[str, str]] = []
    for metric in metrics:
        segment = dict(metric.segment)
        if metric.name == rule.name and named & segment.keys() and segment not in seen:
            seen.append(segment)
            yield _Part(segment=segment)


@dataclass(frozen=True, kw_only=True)
class _Scale:
    """Which way a metric gets better, how far it may get worse, and how its absence is called."""

    higher_is_better: bool
    max_drop: Decimal
    missing: str

    @property
    def worst(self) -> Callable[[Iterable[Decimal]], Decimal]:
        return min if self.higher_is_better else max

    @property
    def best(self) -> Callable[[Iterable[Decimal]], Decimal]:
        return max if self.higher_is_better else min

    def limit(self, champion: Decimal) -> Decimal:
        if self.higher_is_better:
            return _EXACT.subtract(champion, self.max_drop)
        return _EXACT.add(champion, self.max_drop)

    def holds(self, value: Decimal, champion: Decimal) -> bool:
        limit = self.limit(champion)
        return value >= limit if self.higher_is_better else value <= limit


def _compared(
    title: str, ours: tuple[Metric, ...], *, theirs: tuple[Metric, ...], scale: _Scale
) -> Iterator[Comparison]:
    if not theirs:
        yield _lost(title, "nothing to compare with", "Production has none recorded")
        return
    best = scale.best(metric.value for metric in theirs)
    if not ours:
        yield _lost(title, scale.missing, f"Production has {best:f}")
        return
    shared = [m.dataset for m in ours if m.dataset in {found.dataset for found in theirs}]
    if not shared:
        yield _beside(title, scale.worst(m.value for m in ours), champion=best, scale=scale)
    for dataset in dict.fromkeys(shared):
        yield _beside(
            title,
            scale.worst(m.value for m in ours if m.dataset == dataset),
            champion=scale.best(m.value for m in theirs if m.dataset == dataset),
            scale=scale,
        )


def _beside(title: str, value: Decimal, *, champion: Decimal, scale: _Scale) -> Comparison:
    holds = scale.holds(value, champion)
    bound = "at least" if scale.higher_is_better else "at most"
    needs = f"needs {bound} {scale.limit(champion):f}"
    return Comparison(
        check=Check(
            name=title,
            outcome=GateOutcome.PASSED if holds else GateOutcome.FAILED,
            observed=f"{value:f}",
            expected=f"{needs}: Production has {champion:f}",
        ),
        sentence=f"{title} {value:f}, Production has {champion:f}{'' if holds else f', {needs}'}",
    )


def _lost(title: str, observed: str, expected: str) -> Comparison:
    check = Check(name=title, outcome=GateOutcome.FAILED, observed=observed, expected=expected)
    return Comparison(check=check, sentence=f"{title}: {observed}, {expected}")
