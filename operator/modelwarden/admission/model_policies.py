"""ModelPolicy: whatever the schema allows is admitted; what will make Models wait is said."""

from dataclasses import replace

from modelwarden.admission.reviews import Answer, Review
from modelwarden.domain.facts import DesiredStages, ModelFacts
from modelwarden.domain.floor import gates_are_supported, policy_has_step, policy_meets_floor
from modelwarden.domain.stages import LADDER
from modelwarden.domain.verdicts import allow, unmet
from modelwarden.workflows.facts import policy_facts

# What a policy is held against is a Model that asks for nothing of its own.
_ANY_MODEL = ModelFacts(
    uid="",
    resource_version="",
    generation=0,
    owners=(),
    reviewers=(),
    policy="",
    affects_people=False,
    metrics=(),
    serving=(),
    stages=DesiredStages(),
    authors=(),
    governed={},
)
# Gates that are for some Models only are for this one too.
_ANY_MODEL_ABOUT_PEOPLE = replace(_ANY_MODEL, affects_people=True)


def judged(review: Review) -> Answer:
    """Admit, and warn of every step that no version will pass."""
    policy = policy_facts(review.new)
    verdicts = [
        verdict
        for target in LADDER
        for verdict in (
            policy_has_step(policy, _ANY_MODEL, target=target),
            policy_meets_floor(policy, _ANY_MODEL, target=target),
            *(
                gates_are_supported(step, _ANY_MODEL_ABOUT_PEOPLE)
                for step in [policy.steps.get(target)]
                if step
            ),
        )
    ]
    said = unmet(verdicts)
    warnings = tuple(f"{verdict.code}: {verdict.message}" for verdict in said)
    return Answer(verdict=allow("Admitted", "The schema allows it."), warnings=warnings)
