"""A decision as a value: a code for machines, a sentence for people, and what to do next.

The condition, the event, the metric, the ledger record, the admission answer and the line on the
terminal are all rendered from this one value.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from modelwarden.domain.reasons import reason_of


class Outcome(StrEnum):
    """Whether a claim holds, does not hold yet, or does not hold."""

    ALLOW = "Allow"
    WAIT = "Wait"
    DENY = "Deny"


@dataclass(frozen=True)
class Verdict:
    """One answer: what was found, in one word and in one sentence."""

    outcome: Outcome
    code: str
    sentence: str
    next_step: str = ""

    @property
    def allows(self) -> bool:
        """The claim holds."""
        return self.outcome is Outcome.ALLOW

    @property
    def denies(self) -> bool:
        """The claim does not hold and waiting will not help."""
        return self.outcome is Outcome.DENY

    @property
    def message(self) -> str:
        """The sentence and the next step, as a person reads them."""
        return f"{self.sentence} {self.next_step}".strip()


def allow(code: str, sentence: str) -> Verdict:
    """Say that the claim holds."""
    return Verdict(Outcome.ALLOW, code, sentence)


def wait(code: str, sentence: str, next_step: str = "") -> Verdict:
    """Say that the claim does not hold yet; the table of reasons knows what to do next, too."""
    return Verdict(Outcome.WAIT, code, sentence, next_step or _usual_step(code, sentence))


def deny(code: str, sentence: str, next_step: str = "") -> Verdict:
    """Say that the claim does not hold; the table of reasons knows what to do next, too."""
    return Verdict(Outcome.DENY, code, sentence, next_step or _usual_step(code, sentence))


def _usual_step(code: str, sentence: str) -> str:
    step = reason_of(code).next_step
    # The sentence of a gate has its advice in it.
    return "" if sentence.endswith(step) else step


def unmet(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """Keep every answer that holds a version back, denials first, so that all is seen at once."""
    kept = [verdict for verdict in verdicts if not verdict.allows]
    return tuple(sorted(kept, key=lambda verdict: not verdict.denies))
