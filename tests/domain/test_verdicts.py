"""A verdict says what was found and what to do next, whoever it is told to."""

import pytest

from modelwarden.domain.verdicts import Outcome, Verdict, allow, deny, unmet, wait

USUAL = "Name another Deployment, or take it out of that Model's serving list."


@pytest.mark.parametrize(
    ("verdict", "step"),
    [
        (wait("DeploymentTaken", "It serves another."), USUAL),
        (deny("DeploymentTaken", "It serves another."), USUAL),
        (wait("DeploymentTaken", "It serves another.", "Name api-2."), "Name api-2."),
        (wait("RollingOut", "It is on its way."), ""),
        (deny("DeploymentTaken", f"It serves another. {USUAL}"), ""),
        (deny("AWordOfAnImage", "Too slow."), "Ask whoever made that image."),
    ],
    ids=["waits", "denied", "knows better", "nobody must act", "says it already", "a free word"],
)
def test_what_to_do_next_is_the_verdict_s_own_or_the_usual_one(verdict: Verdict, step: str) -> None:
    assert (verdict.next_step, verdict.message) == (step, f"{verdict.sentence} {step}".strip())


def test_what_holds_asks_nothing_of_anybody() -> None:
    assert allow("DeploymentTaken", "So it is.") == Verdict(
        Outcome.ALLOW, "DeploymentTaken", "So it is."
    )


def test_refusals_are_told_before_what_waits() -> None:
    waits, refused = wait("RollingOut", "Soon."), deny("Rejected", "No.")

    assert unmet([waits, allow("Counted", "Yes."), refused]) == (refused, waits)
