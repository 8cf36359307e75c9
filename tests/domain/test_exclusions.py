import pytest

from modelwarden.domain.exclusions import Reason, excluded_people, vote_refusal
from modelwarden.domain.identity import Identity, Person
from modelwarden.domain.verdicts import deny

TEAM = Identity(
    username_prefix="oidc:",
    people=(Person(name="scientist@example.com", logins=("platform@example.com",)),),
)
BOTH = (Reason.TRAINER, Reason.REGISTRANT)
PIPELINE = "system:serviceaccount:risk:pipeline"
TRAINED = {"scientist@example.com": "Trainer", "engineer@example.com": "Registrant"}
FROZEN = {**TRAINED, "manager@example.com": "PolicyEditor"}


@pytest.mark.parametrize(
    ("trained_by", "registered_by", "excludes", "people"),
    [
        (["scientist@example.com"], "engineer@example.com", BOTH, TRAINED),
        (["oidc:Platform@example.com"], PIPELINE, BOTH, {"scientist@example.com": "Trainer"}),
        (["a", "b"], "", BOTH, {"a": "Trainer", "b": "Trainer"}),
        # Who did both is named for what weighs more.
        (["a"], "a", BOTH, {"a": "Trainer"}),
        (["a"], "b", (Reason.TRAINER,), {"a": "Trainer"}),
        (["a"], "b", (Reason.REGISTRANT,), {"b": "Registrant"}),
        (["a"], "b", (), {}),
        ([PIPELINE], PIPELINE, BOTH, {}),
        ([], "", BOTH, {}),
    ],
)
def test_who_made_a_version_is_excluded(
    trained_by: list[str],
    registered_by: str,
    excludes: tuple[Reason, ...],
    people: dict[str, str],
) -> None:
    assert excluded_people(trained_by, registered_by, excludes=excludes, identity=TEAM) == people


@pytest.mark.parametrize(
    ("voter", "decision", "code", "sentence"),
    [
        ("scientist@example.com", "Approve", "TrainerExcluded",
         "scientist@example.com trained fraud-detector 1 and may not approve it."),
        ("oidc:platform@example.com", "Approve", "TrainerExcluded",
         ("oidc:platform@example.com, another login of scientist@example.com, trained "
          "fraud-detector 1 and may not approve it.")),
        ("oidc:scientist@example.com", "Override", "TrainerExcluded",
         "oidc:scientist@example.com trained fraud-detector 1 and may not override it."),
        ("engineer@example.com", "Reject", "RegistrantExcluded",
         "engineer@example.com registered fraud-detector 1 and may not reject it."),
        ("manager@example.com", "Approve", "PolicyEditorExcluded",
         "manager@example.com changed the policy of fraud-detector 1 and may not approve it."),
    ],
)  # fmt: skip
def test_who_made_a_version_may_not_decide_about_it(
    voter: str, decision: str, code: str, sentence: str
) -> None:
    refusal = vote_refusal(
        voter, FROZEN, decision=decision, model="fraud-detector", version=1, identity=TEAM
    )

    assert refusal == deny(code, sentence, "Ask another owner or reviewer.")


@pytest.mark.parametrize("decision", ["Approve", "Retract", "Retry"])
def test_a_service_account_decides_nothing(decision: str) -> None:
    refusal = vote_refusal(
        PIPELINE, {}, decision=decision, model="fraud-detector", version=1, identity=TEAM
    )

    assert refusal == deny(
        "NotAPerson",
        f"{PIPELINE} is a service account, and decisions come from people.",
        "Decide with your own login.",
    )


@pytest.mark.parametrize(
    ("voter", "decision"),
    [
        ("owner@example.com", "Approve"),
        ("scientist@example.com", "Retract"),
        ("scientist@example.com", "Retry"),
    ],
)
def test_others_may_decide_and_the_makers_may_do_what_decides_nothing(
    voter: str, decision: str
) -> None:
    refusal = vote_refusal(
        voter, TRAINED, decision=decision, model="fraud-detector", version=1, identity=TEAM
    )

    assert refusal is None


def test_an_alias_that_was_configured_after_the_attempt_opened_counts() -> None:
    frozen = {"platform@example.com": "Trainer"}

    refusal = vote_refusal(
        "scientist@example.com",
        frozen,
        decision="Approve",
        model="fraud-detector",
        version=1,
        identity=TEAM,
    )

    assert refusal is not None
    assert refusal.code == "TrainerExcluded"
